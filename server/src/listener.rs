//! The door: accepts connections, lets in as many as there is room for, and survives whatever
//! `accept` reports.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::frame;
use common::protocol::{Done, Reason, Refusal, Response};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use crate::class;
use crate::patience::Deadlines;
use crate::roster::{Roster, Slot};
use crate::seldom::Seldom;
use crate::socket;
use crate::state::{self, State};
use crate::stop::Stop;

/// Connections the kernel may shake hands with before we accept them. Connected is not served.
const BACKLOG: i32 = 1024;

/// What a socket's buffers hold in class mode. The kernel would take megabytes otherwise, and what
/// is to be seen waiting in our queues would wait there.
const CLASS_BUFFER_BYTES: usize = 64 * 1024;

/// A pause after an error that will not go away by itself, so that the loop does not spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound and listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    stop: Stop,
    deadlines: Deadlines,
    /// Whoever comes from beyond the local network is turned away.
    class: bool,
    /// Kept open to be closed when descriptors run out: then one connection can be accepted,
    /// told, and closed, instead of waiting in the backlog for ever.
    spare: Option<File>,
    next_session: u64,
    /// Both can come by the thousand a second, and the log is on the disk that files are put on.
    troubles: Seldom,
    refusals: Seldom,
}

/// A client that was let in.
#[derive(Debug)]
pub struct Admitted<'r> {
    /// The session's number.
    pub session: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// Its connection.
    pub stream: Arc<TcpStream>,
    /// Its place on the roster.
    pub slot: Slot<'r>,
}

/// What there was at the door.
#[derive(Debug)]
pub enum Knock<'r> {
    /// A client, who is in now.
    Admitted(Admitted<'r>),
    /// One who is not, or is gone already; perhaps others.
    Refused,
    /// Nobody, for a listener that never waits; or the end of all accepting.
    Nobody,
    /// An error that will not go away by itself: to be tried again after [`ACCEPT_PAUSE`].
    Trouble,
}

/// A client that another process of this server has let in and handed over as standard input.
#[derive(Debug)]
pub struct HandedOver {
    session: u64,
    stream: Arc<TcpStream>,
}

impl HandedOver {
    /// The client on standard input, whose session has this number.
    pub fn take(session: u64) -> io::Result<Self> {
        let stream = TcpStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self { session, stream: Arc::new(stream) })
    }

    /// Where the server listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Lets it in. What there is to limit, the other process has limited.
    pub fn admit<'r>(&self, roster: &'r Roster) -> io::Result<Admitted<'r>> {
        let (session, peer) = (self.session, self.stream.peer_addr()?);
        let stream = Arc::clone(&self.stream);
        let slot = roster.enter(session, peer, Arc::clone(&stream));
        let slot = slot.map_err(|full| io::Error::other(full.to_string()))?;
        Ok(Admitted { session, peer, stream, slot })
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Listener {
    /// Binds and listens. `deadlines` are those of whoever will connect; `class` is whether this is
    /// [class mode](crate::class).
    pub fn bind(address: SocketAddr, deadlines: Deadlines, class: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restarted server may take its port although old connections linger in TIME_WAIT.
        socket.set_reuse_address(true)?;
        if class {
            // Before listen: connections inherit it, and the window is agreed on as they begin.
            socket.set_recv_buffer_size(CLASS_BUFFER_BYTES)?;
            socket.set_send_buffer_size(CLASS_BUFFER_BYTES)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from(socket);
        let stop = Stop::of(socket.try_clone()?);
        Ok(Self {
            socket,
            stop,
            deadlines,
            class,
            spare: spare_descriptor(),
            next_session: 1,
            troubles: Seldom::default(),
            refusals: Seldom::default(),
        })
    }

    /// Where it listens: the port is a real one even if 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// A handle that ends the accept loop.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Waits for the next client there is room for; `None` when a stop was asked for.
    pub fn next<'r>(&mut self, roster: &'r Roster) -> Option<Admitted<'r>> {
        while !self.stop.is_asked() {
            match self.knock(roster) {
                Knock::Admitted(client) => return Some(client),
                Knock::Refused | Knock::Nobody => {}
                Knock::Trouble => thread::sleep(ACCEPT_PAUSE),
            }
        }
        None
    }

    /// No call waits from now on: [`knock`](Self::knock) finds that nobody is there.
    pub fn never_wait(&self) -> io::Result<()> {
        self.socket.set_nonblocking(true)
    }

    /// Looks who is at the door, and lets them in if there is room.
    pub fn knock<'r>(&mut self, roster: &'r Roster) -> Knock<'r> {
        let (stream, peer) = match self.accept() {
            Ok(Some(accepted)) => accepted,
            Ok(None) => return Knock::Refused,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Knock::Nobody,
            Err(_) if self.stop.is_asked() => return Knock::Nobody,
            Err(error) => {
                if let Some(unsaid) = self.troubles.say() {
                    log::error!("cannot accept: {error}{unsaid}");
                }
                return Knock::Trouble;
            }
        };
        match self.admit(stream, peer, roster) {
            Ok(admitted) => Knock::Admitted(admitted),
            Err(error) => {
                if let Some(unsaid) = self.refusals.say() {
                    log::info!("{peer} was not let in: {error}{unsaid}");
                }
                Knock::Refused
            }
        }
    }

    /// Waits for a connection. No error of `accept` may end the loop (accept(2), "Error handling"):
    /// `None` is one that has passed already, an error one that needs a pause.
    fn accept(&mut self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        let _doing = state::enter(State::Accept);
        let error = match self.socket.accept() {
            Ok(accepted) => return Ok(Some(accepted)),
            Err(error) => error,
        };
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // The client gave up before we looked, or a signal came by.
            Some(Errno::CONNABORTED | Errno::INTR) => Ok(None),
            Some(Errno::MFILE | Errno::NFILE) => self.accept_on_the_spare(error),
            _ => Err(error),
        }
    }

    /// With no descriptor left: one connection is accepted all the same, to be told so.
    fn accept_on_the_spare(
        &mut self,
        error: io::Error,
    ) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        drop(self.spare.take());
        let accepted = self.socket.accept();
        self.spare = spare_descriptor();
        match accepted {
            // The wait may have been long, and meanwhile others may have given theirs back.
            Ok(accepted) if self.spare.is_some() => Ok(Some(accepted)),
            Ok((stream, _)) => {
                turn_away(&stream, "the server has no file descriptor left");
                drop(stream);
                self.spare = spare_descriptor();
                Err(error)
            }
            Err(_) => Err(error),
        }
    }

    fn admit<'r>(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        roster: &'r Roster,
    ) -> io::Result<Admitted<'r>> {
        if self.class && !class::is_near(peer.ip()) {
            let why = "this server is for a class, and serves the local network only";
            refuse(&stream, Refusal::new(Reason::Denied, format!("{why}, not {}", peer.ip())));
            return Err(io::Error::other(why));
        }
        socket::prepare(&stream, self.deadlines)?;
        let session = self.next_session;
        self.next_session += 1;
        let stream = Arc::new(stream);
        match roster.enter(session, peer, Arc::clone(&stream)) {
            Ok(slot) => Ok(Admitted { session, peer, stream, slot }),
            Err(full) => {
                turn_away(&stream, full);
                Err(io::Error::other(full.to_string()))
            }
        }
    }
}

fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Tells a client that there is no room, without ever waiting for it.
pub fn turn_away(stream: &TcpStream, why: impl fmt::Display) {
    refuse(stream, Refusal::new(Reason::Full, format!("{why}; try again in a moment")));
}

/// Tells a client at the door that it does not come in, without ever waiting for it.
fn refuse(stream: &TcpStream, refusal: Refusal) {
    let mut line = Vec::new();
    if frame::write_line(&mut line, &Response::<Done>::Fail(refusal)).is_ok()
        && stream.set_nonblocking(true).is_ok()
    {
        let mut stream = stream;
        let _ = stream.write(&line);
        let _ = stream.shutdown(Shutdown::Write);
    }
}
