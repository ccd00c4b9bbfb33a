//! A client's connection with a deadline on every wait.
//!
//! The kernel's own time-outs (`SO_RCVTIMEO`, `SO_SNDTIMEO`) start anew with every call, so a peer
//! that moves one byte now and then could hold a thread for ever. Here every call draws on a
//! [`Patience`], and before each the kernel is told what is left of it.
//!
//! An end that is told the time (`tell_time`) never waits in a call: what would wait is
//! `WouldBlock`, and whoever asks again, later, asks with the same patience.
//!
//! # The one lock that is held across I/O
//! What comes in is read by the session alone. What goes out may have two writers: the session, and
//! once it hears the [room](crate::room), a second thread of its own. A line must stay a line, and
//! between the bytes of a file nothing may come; so whoever sends takes its [`Turn`] first and keeps
//! it until all is sent, however long the client takes. That is a lock held across a wait for a
//! peer, which is forbidden everywhere else, because strangers would wait with it. Here nobody can
//! wait for it but this same client's other thread; and the wait has the deadline of the one that
//! sends.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{SockRef, TcpKeepalive};

use crate::patience::{Deadlines, Patience};
use crate::point;
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
    arm: Arm,
    /// Says in the table of states how much has passed, and when.
    count: fn(u64, Instant),
    /// Since when the peer is waited for, outside of any call.
    since: Option<Instant>,
}

/// Tells the kernel how long a call may wait.
type Arm = fn(&TcpStream, Option<Duration>) -> io::Result<()>;

impl Way {
    fn new(patience: Patience, arm: Arm, count: fn(u64, Instant)) -> Self {
        Self { patience, armed: Duration::ZERO, arm, count, since: None }
    }

    /// From now on there is this much patience.
    fn allow(&mut self, patience: Patience) {
        (self.patience, self.since) = (patience, None);
    }

    /// When there will be none left, if ever.
    fn due(&self) -> Option<Instant> {
        self.since?.checked_add(self.patience.left().unwrap_or_default())
    }

    /// Moves bytes by `call`, which never waits.
    fn try_pass(
        &mut self,
        now: Instant,
        mut call: impl FnMut() -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        self.patience.left()?;
        let passed = loop {
            match call() {
                Err(Errno::INTR) => {}
                passed => break passed,
            }
        };
        let since = self.since.take().unwrap_or(now);
        match passed {
            Err(Errno::AGAIN) => {
                self.since = Some(since);
                let overdue = self.due().is_some_and(|due| due <= now);
                let kind = if overdue { ErrorKind::TimedOut } else { ErrorKind::WouldBlock };
                Err(kind.into())
            }
            passed => {
                let bytes = passed?;
                self.patience.spend(now.saturating_duration_since(since), bytes);
                if bytes > 0 {
                    (self.count)(bytes as u64, Instant::now());
                }
                Ok(bytes)
            }
        }
    }

    /// Moves bytes by `call`, which may block, and draws the wait on the patience. With the time
    /// told, it does not block.
    fn pass(
        &mut self,
        stream: &TcpStream,
        now: Option<Instant>,
        mut call: impl FnMut() -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        if let Some(now) = now {
            return self.try_pass(now, call);
        }
        loop {
            let left = self.patience.left()?;
            if self.armed.abs_diff(left) > SLACK || self.armed.is_zero() {
                (self.arm)(stream, Some(left))?;
                self.armed = left;
            }
            let begun = Instant::now();
            let passed = call();
            let ended = Instant::now();
            let bytes = passed.unwrap_or(0);
            self.patience.spend(ended.saturating_duration_since(begun), bytes);
            if bytes > 0 {
                (self.count)(bytes as u64, ended);
            }
            match passed {
                // The kernel's time-out, or a signal came by.
                Err(Errno::AGAIN | Errno::INTR) => {}
                passed => return Ok(passed?),
            }
        }
    }
}

/// The receiving end of a connection. The session has it alone.
#[derive(Debug)]
pub struct Incoming {
    stream: Arc<TcpStream>,
    way: Way,
    /// The time, for an end that never waits itself.
    now: Option<Instant>,
}

impl Incoming {
    /// That of a [`prepare`]d stream.
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

/// The sending end of a connection, for whoever has their [`Turn`].
#[derive(Debug)]
pub struct Outgoing {
    stream: Arc<TcpStream>,
    /// What each answer has anew: to be taken, all of it, at the pace of a file.
    answer: Patience,
    sending: Mutex<Sending>,
}

/// What the lock guards.
#[derive(Debug)]
struct Sending {
    way: Way,
    /// The time, for an end that never waits itself.
    now: Option<Instant>,
    /// Something was sent in part, so nothing can follow it.
    broken: bool,
}

impl Outgoing {
    /// That of a [`prepare`]d stream.
    pub fn new(stream: Arc<TcpStream>, deadlines: Deadlines) -> Self {
        let answer = deadlines.file();
        let way = Way::new(answer, TcpStream::set_write_timeout, state::sent);
        Self { stream, answer, sending: Mutex::new(Sending { way, now: None, broken: false }) }
    }

    /// The right to send, until it is dropped; behind whatever the other thread is sending.
    pub fn turn(&self) -> Turn<'_> {
        let sending = self.sending.try_lock().or_else(|error| match error {
            TryLockError::Poisoned(poisoned) => Err(poisoned),
            TryLockError::WouldBlock => {
                let _doing = state::enter_on(State::WaitLock, "own connection");
                self.sending.lock()
            }
        });
        let sending = sending.unwrap_or_else(|poisoned| {
            // Whoever panicked may have been in the middle of something.
            let mut sending = poisoned.into_inner();
            sending.broken = true;
            sending
        });
        Turn { outgoing: self, sending }
    }
}

/// The right to send over a connection. What is sent with it stays together.
#[derive(Debug)]
pub struct Turn<'o> {
    outgoing: &'o Outgoing,
    sending: MutexGuard<'o, Sending>,
}

impl Turn<'_> {
    /// From now on no call waits, the stream having been made non-blocking; and this is the time,
    /// until another is told.
    pub fn tell_time(&mut self, now: Instant) {
        self.sending.now = Some(now);
    }

    /// When a peer that is waited for will have been too slow, by the time as it is told.
    pub fn due(&self) -> Option<Instant> {
        self.sending.way.due()
    }

    /// Sends lines.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send_flagged(bytes, SendFlags::NOSIGNAL)
    }

    /// Sends lines that a file will follow at once: the kernel may wait to fill the packet.
    pub fn send_ahead(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send_flagged(bytes, SendFlags::MORE | SendFlags::NOSIGNAL)
    }

    fn send_flagged(&mut self, bytes: &[u8], flags: SendFlags) -> io::Result<()> {
        self.sending.way.allow(self.outgoing.answer);
        self.send_on(bytes, &mut 0, flags)
    }

    /// Sends what of the lines of an answer was not sent yet. `sent` tells how far it came, also
    /// after an error: `WouldBlock` where [`tell_time`](Self::tell_time) was called.
    pub fn send_rest(&mut self, bytes: &[u8], sent: &mut usize) -> io::Result<()> {
        if *sent == 0 && self.sending.way.since.is_none() {
            self.sending.way.allow(self.outgoing.answer);
        }
        self.send_on(bytes, sent, SendFlags::NOSIGNAL)
    }

    fn send_on(&mut self, bytes: &[u8], sent: &mut usize, flags: SendFlags) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        while let Some(rest @ [_, ..]) = bytes.get(*sent..) {
            let stream = &*self.outgoing.stream;
            *sent += self.pass(|| send(stream, rest, flags))?;
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
            point::pass("get.sending");
            let stream = &*self.outgoing.stream;
            if self.pass(|| sendfile(stream, file, Some(offset), slice))? == 0 {
                // The file has become shorter: what was promised cannot be sent any more.
                self.sending.broken = true;
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Moves bytes by `call`. If that fails, what was begun stays in part, and a line behind it
    /// would be taken for its rest: so the other thread must not send any more, either.
    fn pass(&mut self, call: impl FnMut() -> Result<usize, Errno>) -> io::Result<usize> {
        let Sending { way, now, broken } = &mut *self.sending;
        if *broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let passed = way.pass(&self.outgoing.stream, *now, call);
        *broken = passed.as_ref().is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
        passed
    }
}
