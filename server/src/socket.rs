//! A client's socket with a deadline on every wait.
//!
//! The kernel's own time-out (`SO_RCVTIMEO`) starts anew with every byte, so a peer that sends
//! one byte now and then could hold a thread for ever. The deadline here is an instant: before
//! each read the rest of the time is computed anew.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{SockRef, TcpKeepalive};

use crate::state::{self, State};

/// How long a client may take nothing of what is sent to it.
const SEND_STALL: Duration = Duration::from_secs(30);

/// Unacknowledged bytes, or a window kept shut, for this long mean that the peer is dead. Above
/// [`SEND_STALL`], so that the cause that is told is the right one.
const PEER_DEAD: Duration = Duration::from_secs(60);

/// How far a wait may outlast its deadline. It saves a system call on most reads.
const SLACK: Duration = Duration::from_secs(1);

/// Bytes handed to the kernel in one sendfile(2); progress is looked at between two.
const SEND_SLICE: u64 = 1024 * 1024;

/// Sets what every client's socket has: no waiting to fill a packet (replies are written whole),
/// and probes that find out when the other end is gone.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_user_timeout(Some(PEER_DEAD))?;
    socket.set_write_timeout(Some(SEND_STALL))
}

/// The session's end of a connection.
#[derive(Debug)]
pub struct Socket {
    stream: Arc<TcpStream>,
    deadline: Instant,
    armed: Duration,
}

impl Socket {
    /// Wraps a [`prepare`]d stream. Reads time out until a deadline is set.
    pub fn new(stream: Arc<TcpStream>) -> Self {
        Self { stream, deadline: Instant::now(), armed: Duration::ZERO }
    }

    /// Reads must be done by `time` from now.
    pub fn allow(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
    }

    /// Whether bytes are waiting to be read. Never waits itself.
    pub fn has_bytes(&self) -> io::Result<bool> {
        match recv(&*self.stream, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((bytes, _)) => Ok(bytes > 0),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Sends bytes that more will follow at once: the kernel may wait to fill the packet.
    pub fn send_ahead(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        while !bytes.is_empty() {
            match send(&*self.stream, bytes, SendFlags::MORE | SendFlags::NOSIGNAL) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(e) => return Err(stalled(e.into())),
            }
        }
        Ok(())
    }

    /// Sends the bytes of `file` from `offset` to `end` without carrying them through this process.
    /// `offset` tells how far it came, also after an error.
    ///
    /// std's `io::copy` does not do this (rust-lang/rust#108283: a page changed after sendfile
    /// returned may go out changed). Served files are never changed in place, only replaced.
    pub fn send_file(&mut self, file: &File, offset: &mut u64, end: u64) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        while *offset < end {
            let slice = usize::try_from((end - *offset).min(SEND_SLICE)).unwrap_or(usize::MAX);
            let begun = Instant::now();
            match sendfile(&*self.stream, file, Some(offset), slice) {
                // The file has become shorter: what was promised cannot be sent any more.
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // A call that times out says so only if it had sent nothing before; else it gives
                // what it has sent, late and short.
                Ok(sent) if sent < slice && begun.elapsed() >= SEND_STALL => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(stalled(e.into())),
            }
        }
        Ok(())
    }

    /// Says that nothing more will be sent, then throws away what still comes, for a moment.
    /// Closing with unread bytes would make the kernel send a reset, and a reset can overtake the
    /// last line (RFC 1122, 4.2.2.13).
    pub fn close_gently(&mut self, time: Duration, bytes_max: usize) {
        let _doing = state::enter(State::Read);
        if self.stream.shutdown(std::net::Shutdown::Write).is_err() {
            return;
        }
        self.allow(time);
        let mut rest = [0; 4096];
        let mut thrown = 0;
        while thrown < bytes_max {
            match self.read(&mut rest) {
                Ok(0) | Err(_) => return,
                Ok(bytes) => thrown += bytes,
            }
        }
    }

    fn arm(&mut self, left: Duration) -> io::Result<()> {
        if self.armed.abs_diff(left) > SLACK || self.armed.is_zero() {
            self.stream.set_read_timeout(Some(left))?;
            self.armed = left;
        }
        Ok(())
    }
}

/// A time-out of the kernel shows as "would block".
fn stalled(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { error }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.arm(left)?;
            match (&*self.stream).read(buffer) {
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                done => return done,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _doing = state::enter(State::Send);
        (&*self.stream).write(bytes).map_err(stalled)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
