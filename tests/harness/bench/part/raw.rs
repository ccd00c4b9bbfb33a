//! The limit: what is left of a file server when everything is taken away that is not needed to move
//! bytes. No login, no checks of names, no checksums, no rename: nobody may run this. A thread for
//! each connection, as Ferry has it, so that what lies between the two is what Ferry does more.
//!
//! ```text
//!   request     'G'et, 'P'ut or 'H'ello, 2 bytes length of the name, 8 bytes size, the name;
//!               put: then the bytes
//!   answer      8 bytes size; get: then the bytes
//! ```
//! Large files: received into one buffer that is filled before it is written, sent with `sendfile`.
//! Small files: answers go out when no more requests are there, so a window of them needs few calls.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use super::{base, connect, fill, send_file};

/// Filled before it is written. More gains nothing, less costs.
const BLOCK_BYTES: usize = 1024 * 1024;
/// A connection's stack: it keeps little, and there are thousands.
const STACK_BYTES: usize = 128 * 1024;
/// From here on a file is sent from the file itself.
const SMALL_BYTES: u64 = 32 * 1024;
/// Room for requests and answers that come or go together.
const LINE_BYTES: usize = 64 * 1024;

const GET: u8 = b'G';
const PUT: u8 = b'P';
const HELLO: u8 = b'H';

/// One end of a connection.
struct End<'s> {
    reader: BufReader<&'s TcpStream>,
    writer: BufWriter<&'s TcpStream>,
    /// For large files; empty until there is one.
    block: Vec<u8>,
}

struct Request {
    verb: u8,
    name: String,
    size: u64,
}

impl<'s> End<'s> {
    fn of(stream: &'s TcpStream) -> Self {
        let reader = BufReader::with_capacity(LINE_BYTES, stream);
        Self { reader, writer: BufWriter::with_capacity(LINE_BYTES, stream), block: vec![] }
    }

    fn ask(&mut self, verb: u8, name: &str, size: u64) -> io::Result<()> {
        let length = u16::try_from(name.len()).map_err(io::Error::other)?;
        self.writer.write_all(&[verb])?;
        self.writer.write_all(&length.to_le_bytes())?;
        self.writer.write_all(&size.to_le_bytes())?;
        self.writer.write_all(name.as_bytes())
    }

    fn asked(&mut self) -> io::Result<Request> {
        let (mut verb, mut length) = ([0; 1], [0; 2]);
        self.reader.read_exact(&mut verb)?;
        self.reader.read_exact(&mut length)?;
        let size = self.size()?;
        let mut name = vec![0; u16::from_le_bytes(length).into()];
        self.reader.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(io::Error::other)?;
        Ok(Request { verb: verb[0], name, size })
    }

    fn answer(&mut self, size: u64) -> io::Result<()> {
        self.writer.write_all(&size.to_le_bytes())
    }

    fn size(&mut self) -> io::Result<u64> {
        let mut size = [0; 8];
        self.reader.read_exact(&mut size)?;
        Ok(u64::from_le_bytes(size))
    }

    /// Sends a file's bytes: a small one with what is yet to go out, a large one by itself.
    fn send(&mut self, file: &mut File, size: u64) -> io::Result<()> {
        if size <= SMALL_BYTES {
            return io::copy(&mut file.take(size), &mut self.writer).map(drop);
        }
        self.writer.flush()?;
        send_file(file, self.writer.get_ref(), size)
    }

    fn receive(&mut self, size: u64, to: &mut impl io::Write) -> io::Result<()> {
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            if self.block.len() < most {
                self.block.resize(most, 0);
            }
            // What came with the line before it, then straight from the socket.
            let read = self.reader.buffer().len().min(most);
            self.reader.read_exact(&mut self.block[..read])?;
            let filled = read + fill(self.reader.get_ref(), &mut self.block[read..most])?;
            if filled < most {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            to.write_all(&self.block[..most])?;
            left -= most as u64;
        }
        Ok(())
    }
}

/// Serves until it is killed. It must not be reachable from anywhere else: it trusts every name.
pub(super) fn serve(port: u16, root: &Path) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    loop {
        let (stream, _) = listener.accept()?;
        let root = root.to_owned();
        let work = move || {
            // Who has said something else, or has gone, is not served any further.
            let _ = stream.set_nodelay(true).and_then(|()| session(End::of(&stream), &root));
        };
        thread::Builder::new().stack_size(STACK_BYTES).spawn(work)?;
    }
}

fn session(mut end: End<'_>, root: &Path) -> io::Result<()> {
    while !end.reader.fill_buf()?.is_empty() {
        let Request { verb, name, size } = end.asked()?;
        let path = root.join(name);
        match verb {
            GET => {
                let mut file = File::open(path)?;
                let size = file.metadata()?.len();
                end.answer(size)?;
                end.send(&mut file, size)?;
            }
            PUT => {
                end.receive(size, &mut File::create(path)?)?;
                end.answer(size)?;
            }
            HELLO => end.answer(0)?,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        if end.reader.buffer().is_empty() {
            end.writer.flush()?;
        }
    }
    Ok(())
}

pub(super) fn get(
    server: SocketAddr,
    window: usize,
    names: &[String],
    to: &Path,
) -> io::Result<()> {
    let stream = connect(server)?;
    let mut end = End::of(&stream);
    let mut ahead = names.iter();
    for name in ahead.by_ref().take(window) {
        end.ask(GET, name, 0)?;
    }
    for name in names {
        end.writer.flush()?;
        let size = end.size()?;
        end.receive(size, &mut File::create(to.join(base(name)))?)?;
        if let Some(next) = ahead.next() {
            end.ask(GET, next, 0)?;
        }
    }
    Ok(())
}

pub(super) fn put(
    server: SocketAddr,
    window: usize,
    files: &[PathBuf],
    to: &str,
) -> io::Result<()> {
    let stream = connect(server)?;
    let mut end = End::of(&stream);
    for (n, path) in files.iter().enumerate() {
        if n >= window {
            end.writer.flush()?;
            end.size()?;
        }
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        end.ask(PUT, &format!("{to}/{name}"), size)?;
        end.send(&mut file, size)?;
    }
    end.writer.flush()?;
    (0..files.len().min(window)).try_for_each(|_| end.size().map(drop))
}

/// Comes, fetches one file, and goes.
pub(super) fn visit(server: SocketAddr, name: &str) -> io::Result<()> {
    let stream = connect(server)?;
    let mut end = End::of(&stream);
    end.ask(GET, name, 0)?;
    end.writer.flush()?;
    let size = end.size()?;
    end.receive(size, &mut io::sink())
}

/// Comes in, and is known to be served.
pub(super) fn come(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = connect(server)?;
    let mut end = End::of(&stream);
    end.ask(HELLO, "", 0)?;
    end.writer.flush()?;
    end.size()?;
    drop(end);
    Ok(stream)
}
