//! A client's socket with a deadline on every wait.
//!
//! The kernel's own time-outs (`SO_RCVTIMEO`, `SO_SNDTIMEO`) start anew with every call, so a peer
//! that moves one byte now and then could hold a thread for ever. Here every call draws on a
//! [`Patience`], and before each the kernel is told what is left of it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{SockRef, TcpKeepalive};

use crate::fault;
use crate::patience::{Deadlines, Patience};
use crate::state::{self, State};

/// How far a wait may outlast its deadline. It saves a system call on most reads.
const SLACK: Duration = Duration::from_secs(1);

/// Bytes handed to the kernel in one sendfile(2); progress is looked at between two.
const SEND_SLICE: u64 = 1024 * 1024;

/// Bytes the kernel may take from us beyond what it has sent. Without this it takes megabytes ahead,
/// and then it says for minutes that a slow reader takes nothing. It asks for more when half of
/// this is gone: about what the slowest reader we bear takes within the longest standstill.
const UNSENT_BYTES: u32 = 64 * 1024;

/// The system counts the pauses between two probes in seconds.
const PROBE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Sets what every client's socket has: no waiting to fill a packet (replies are written whole),
/// and probes that find out when the other end is gone.
pub fn prepare(stream: &TcpStream, deadlines: Deadlines) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    let gone = deadlines.gone();
    let probes = TcpKeepalive::new()
        .with_time(gone)
        .with_interval((gone / 6).max(PROBE_INTERVAL_MIN))
        .with_retries(3);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.set_tcp_user_timeout(Some(gone))
}

/// One direction of a connection: how long it may wait, and what the kernel was told of that.
#[derive(Debug)]
struct Way {
    patience: Patience,
    armed: Duration,
    arm: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
}

impl Way {
    fn new(patience: Patience, arm: fn(&TcpStream, Option<Duration>) -> io::Result<()>) -> Self {
        Self { patience, armed: Duration::ZERO, arm }
    }

    /// Moves bytes by `call`, which may block, and draws the wait on the patience.
    fn pass(
        &mut self,
        stream: &TcpStream,
        mut call: impl FnMut() -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        loop {
            let left = self.patience.left()?;
            if self.armed.abs_diff(left) > SLACK || self.armed.is_zero() {
                (self.arm)(stream, Some(left))?;
                self.armed = left;
            }
            let begun = Instant::now();
            let passed = call();
            self.patience.spend(begun.elapsed(), passed.unwrap_or(0));
            match passed {
                // The kernel's time-out, or a signal came by.
                Err(Errno::AGAIN | Errno::INTR) => {}
                passed => return Ok(passed?),
            }
        }
    }
}

/// The session's end of a connection.
#[derive(Debug)]
pub struct Socket {
    stream: Arc<TcpStream>,
    receiving: Way,
    sending: Way,
    /// What each answer has anew: to be taken, all of it, at the pace of a file.
    answer: Patience,
}

impl Socket {
    /// Wraps a [`prepare`]d stream.
    pub fn new(stream: Arc<TcpStream>, deadlines: Deadlines) -> Self {
        let answer = deadlines.file();
        let receiving = Way::new(deadlines.request(), TcpStream::set_read_timeout);
        let sending = Way::new(answer, TcpStream::set_write_timeout);
        Self { stream, receiving, sending, answer }
    }

    /// What is read from now on has this much patience, in all.
    pub fn allow(&mut self, patience: Patience) {
        self.receiving.patience = patience;
    }

    /// Whether bytes are waiting to be read. Never waits itself.
    pub fn has_bytes(&self) -> io::Result<bool> {
        match recv(&*self.stream, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((bytes, _)) => Ok(bytes > 0),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Sends the lines of an answer.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send_flagged(bytes, SendFlags::NOSIGNAL)
    }

    /// Sends lines that a file will follow at once: the kernel may wait to fill the packet.
    pub fn send_ahead(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send_flagged(bytes, SendFlags::MORE | SendFlags::NOSIGNAL)
    }

    fn send_flagged(&mut self, mut bytes: &[u8], flags: SendFlags) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        self.sending.patience = self.answer;
        while !bytes.is_empty() {
            let sent = self.sending.pass(&self.stream, || send(&*self.stream, bytes, flags))?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends the bytes of `file` from `offset` to `end` without carrying them through this process,
    /// behind [`send_ahead`](Self::send_ahead). `offset` tells how far it came, also after an error.
    ///
    /// std's `io::copy` does not do this (rust-lang/rust#108283: a page changed after sendfile
    /// returned may go out changed). Served files are never changed in place, only replaced.
    pub fn send_file(&mut self, file: &File, offset: &mut u64, end: u64) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        while *offset < end {
            let slice = usize::try_from((end - *offset).min(SEND_SLICE)).unwrap_or(usize::MAX);
            fault::point("get.sending");
            let call = || sendfile(&*self.stream, file, Some(offset), slice);
            if self.sending.pass(&self.stream, call)? == 0 {
                // The file has become shorter: what was promised cannot be sent any more.
                return Err(ErrorKind::UnexpectedEof.into());
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

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let call = || recv(&*self.stream, &mut *buffer, RecvFlags::empty()).map(|(read, _)| read);
        self.receiving.pass(&self.stream, call)
    }
}
