//! The parts that `bench` plays itself, each in a process of its own: the limit on both sides, a
//! plain client for the FTP servers, and the visits and sessions that no client program makes.

mod ftp;
pub(super) mod raw;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use clap::{Args, Parser, Subcommand};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::descriptors;
use crate::stress::hold::hold;
use crate::stress::plan::{Account, Target};
use crate::stress::visits::Visits;

/// The word that a part begins with.
pub(super) const PART: &str = "part";

/// Descriptors beside those of connections.
const SPARE_DESCRIPTORS: u32 = 16;

/// A file goes out in pieces of this size.
const PIECE_BYTES: usize = 1024 * 1024;

#[derive(Debug, Parser)]
struct Played {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The limit's server.
    RawServe {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        root: PathBuf,
    },
    /// A client of the limit.
    Raw {
        #[command(flatten)]
        whom: Whom,
        /// How many small files may be under way.
        #[arg(long, default_value_t = 1)]
        window: usize,
        #[command(subcommand)]
        does: Does,
    },
    /// An FTP client.
    Ftp {
        #[command(flatten)]
        whom: Whom,
        #[command(subcommand)]
        does: Does,
    },
    /// What the program `ferry` does not do: visits and idle sessions.
    Ferry {
        #[command(flatten)]
        whom: Whom,
        #[command(subcommand)]
        does: Does,
    },
}

/// A server, and who one is there.
#[derive(Debug, Args)]
struct Whom {
    #[arg(long)]
    server: SocketAddr,
    #[arg(long, requires = "password")]
    user: Option<String>,
    #[arg(long)]
    password: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Does {
    /// Fetch files into a folder.
    Get {
        #[arg(long)]
        to: PathBuf,
        names: Vec<String>,
    },
    /// Send files to a folder.
    Put {
        #[arg(long)]
        to: String,
        files: Vec<PathBuf>,
    },
    /// Come, fetch a file, and go, again and again.
    Visit {
        #[arg(long)]
        count: u32,
        #[arg(long)]
        at_once: u32,
        name: String,
    },
    /// Come in so many times, and stay until stdin closes.
    Hold { count: u32 },
}

/// Plays the part this process was started for, if it was started for one.
pub fn play() -> Option<ExitCode> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first()? != PART {
        return None;
    }
    Some(match Played::parse_from(words).part.play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    })
}

impl Part {
    fn play(self) -> io::Result<()> {
        match self {
            Self::RawServe { port, root } => raw::serve(port, &root),
            Self::Raw { whom: Whom { server, .. }, window, does } => match does {
                Does::Get { to, names } => raw::get(server, window, &names, &to),
                Does::Put { to, files } => raw::put(server, window, &files, &to),
                Does::Visit { count, at_once, name } => {
                    visit(count, at_once, || raw::visit(server, &name))
                }
                Does::Hold { count } => stay(count, || raw::come(server)),
            },
            Self::Ftp { whom, does } => match does {
                Does::Get { to, names } => ftp::get(&whom, &names, &to),
                Does::Put { to, files } => ftp::put(&whom, &files, &to),
                Does::Visit { count, at_once, name } => {
                    visit(count, at_once, || ftp::visit(&whom, &name))
                }
                Does::Hold { count } => stay(count, || ftp::come(&whom)),
            },
            Self::Ferry { whom, does } => ferry(whom, does),
        }
    }
}

/// Ferry's visits and sessions are those of the program `stress`.
fn ferry(whom: Whom, does: Does) -> io::Result<()> {
    let server = whom.server.to_string().parse().map_err(io::Error::other)?;
    let account = whom.user.zip(whom.password).map(|(user, password)| Account { user, password });
    let target = Target { server, account };
    match does {
        Does::Visit { count, at_once, name } => {
            let visits = Visits { target, count: count.into(), clients: at_once, file: name };
            let failed = visits.make()?.failed;
            match failed.first.first() {
                Some(first) => {
                    Err(io::Error::other(format!("{} visits failed: {first}", failed.count)))
                }
                None => Ok(()),
            }
        }
        Does::Hold { count } => {
            let held = hold(&target, count)?;
            ready_until_told()?;
            match held.lost() {
                0 => Ok(()),
                lost => Err(io::Error::other(format!("the server ended {lost} of {count}"))),
            }
        }
        Does::Get { .. } | Does::Put { .. } => Err(io::Error::other("`ferry` itself does this")),
    }
}

/// Makes so many visits, so many at a time.
fn visit(count: u32, at_once: u32, one: impl Fn() -> io::Result<()> + Sync) -> io::Result<()> {
    let made = AtomicU32::new(0);
    let go_on = || {
        while made.fetch_add(1, Ordering::Relaxed) < count {
            one()?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let visitors: Vec<_> = (0..at_once).map(|_| scope.spawn(go_on)).collect();
        visitors.into_iter().try_for_each(|visitor| {
            visitor.join().unwrap_or_else(|_| Err(io::Error::other("a visitor panicked")))
        })
    })
}

/// Comes in so many times, and stays until told to go.
fn stay<C>(count: u32, come: impl Fn() -> io::Result<C>) -> io::Result<()> {
    descriptors::need(count + SPARE_DESCRIPTORS)?;
    let here = (0..count).map(|_| come()).collect::<io::Result<Vec<C>>>()?;
    ready_until_told()?;
    drop(here);
    Ok(())
}

fn ready_until_told() -> io::Result<()> {
    writeln!(io::stdout(), "READY")?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// A connection that sends at once what it is given to send, and waits for nobody for ever.
fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(crate::PATIENCE))?;
    stream.set_write_timeout(Some(crate::PATIENCE))?;
    Ok(stream)
}

/// Sends so many bytes of a file from where it stands, without a copy in this process. In pieces: one
/// call for a whole GiB took half as long again as often as not.
fn send_file(file: &File, to: &TcpStream, bytes: u64) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        match rustix::fs::sendfile(to, file, None, most) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(sent) => left -= sent as u64,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Receives until the buffer is full or no more will come; how much that was. The kernel does the
/// waiting: one call, however many pieces.
fn fill(from: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match recv(from, &mut buffer[filled..], RecvFlags::WAITALL) {
            Ok((0, _)) => break,
            Ok((count, _)) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

/// The last part of a path.
pub(super) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
