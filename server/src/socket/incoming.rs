//! What comes in.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::way::Way;
use crate::patience::{Deadlines, Patience};
use crate::state::{self, State};

/// The receiving end of a connection. The session has it alone.
#[derive(Debug)]
pub struct Incoming {
    stream: Arc<TcpStream>,
    way: Way,
    /// The time, for an end that never waits itself.
    now: Option<Instant>,
}

impl Incoming {
    /// That of a [`prepare`](super::prepare)d stream.
    pub fn new(stream: Arc<TcpStream>, deadlines: Deadlines) -> Self {
        let way = Way::new(deadlines.request(), TcpStream::set_read_timeout, state::received);
        Self { stream, way, now: None }
    }

    /// From now on no call waits, the stream having been made non-blocking; and this is the time,
    /// until another is told.
    pub fn tell_time(&mut self, now: Instant) {
        self.now = Some(now);
    }

    /// It is not the peer that is waited for now.
    pub fn excuse(&mut self) {
        self.way.since = None;
    }

    /// When a peer that is waited for will have been too slow, by the time as it is told.
    pub fn due(&self) -> Option<Instant> {
        self.way.due()
    }

    /// What is read from now on has this much patience, in all.
    pub fn allow(&mut self, patience: Patience) {
        self.way.allow(patience);
    }

    /// Whether bytes are waiting to be read. Never waits itself.
    pub fn has_bytes(&self) -> io::Result<bool> {
        match recv(&*self.stream, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((bytes, _)) => Ok(bytes > 0),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Waits until there is something to be read, or the end of it, but not beyond `until`. Says
    /// which of the two came first.
    pub fn wait(&self, until: Instant) -> io::Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&*self.stream, PollFlags::IN)], Some(&left)) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Says that nothing more will be sent; whether that could be said.
    pub fn end_sending(&self) -> bool {
        self.stream.shutdown(Shutdown::Write).is_ok()
    }

    /// Cuts the connection. Whatever is tried with it fails from now on.
    pub fn cut(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Says that nothing more will be sent, then throws away what still comes, for a moment.
    /// Closing with unread bytes would make the kernel send a reset, and a reset can overtake the
    /// last line (RFC 1122, 4.2.2.13).
    pub fn close_gently(&mut self, time: Duration, bytes_max: usize) {
        let _doing = state::enter(State::Read);
        if !self.end_sending() {
            return;
        }
        self.allow(Patience::once(time));
        let mut rest = [0; 4096];
        let mut thrown = 0;
        while thrown < bytes_max {
            match self.read(&mut rest) {
                Ok(0) | Err(_) => return,
                Ok(bytes) => thrown += bytes,
            }
        }
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let call = || recv(&*self.stream, &mut *buffer, RecvFlags::empty()).map(|(read, _)| read);
        self.way.pass(&self.stream, self.now, call)
    }
}
