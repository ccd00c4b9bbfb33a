//! One direction of a connection, and the account its waits are drawn on.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::patience::Patience;

/// How far a wait may outlast its deadline. It saves a system call on most reads.
const SLACK: Duration = Duration::from_secs(1);

/// One direction of a connection: how long it may wait, and what the kernel was told of that.
#[derive(Debug)]
pub(super) struct Way {
    patience: Patience,
    armed: Duration,
    arm: Arm,
    /// Says in the table of states how much has passed.
    count: fn(u64),
    /// Since when the peer is waited for, outside of any call.
    pub(super) since: Option<Instant>,
    /// For how long the peer was waited for before bytes passed last.
    waited: Duration,
    /// The kernel has just taken less than it was handed, so it has no room.
    full: bool,
}

/// Tells the kernel how long a call may wait.
pub(super) type Arm = fn(&TcpStream, Option<Duration>) -> io::Result<()>;

impl Way {
    pub(super) fn new(patience: Patience, arm: Arm, count: fn(u64)) -> Self {
        let (armed, waited) = (Duration::ZERO, Duration::ZERO);
        Self { patience, armed, arm, count, since: None, waited, full: false }
    }

    /// From now on there is this much patience.
    pub(super) fn allow(&mut self, patience: Patience) {
        (self.patience, self.since) = (patience, None);
    }

    /// For how long the peer was waited for before bytes passed last.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// When there will be none left, if ever.
    pub(super) fn due(&self) -> Option<Instant> {
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
                self.waited = now.saturating_duration_since(since);
                self.patience.spend(self.waited, bytes);
                if bytes > 0 {
                    (self.count)(bytes as u64);
                }
                Ok(bytes)
            }
        }
    }

    /// Moves `most` bytes or fewer by `call`, which never waits, and waits for room before the call
    /// if the last one found too little.
    pub(super) fn pass_piecemeal(
        &mut self,
        stream: &TcpStream,
        most: usize,
        mut call: impl FnMut() -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        self.waited = Duration::ZERO;
        loop {
            if self.full {
                self.wait_for_room(stream)?;
            }
            match call() {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.full = true,
                passed => {
                    let bytes = passed?;
                    self.full = bytes < most;
                    self.patience.spend(Duration::ZERO, bytes);
                    (self.count)(bytes as u64);
                    return Ok(bytes);
                }
            }
        }
    }

    fn wait_for_room(&mut self, stream: &TcpStream) -> io::Result<()> {
        let left = Timespec::try_from(self.patience.left()?).map_err(io::Error::other)?;
        let begun = Instant::now();
        let ready = poll(&mut [PollFd::new(stream, PollFlags::OUT)], Some(&left));
        let waited = begun.elapsed();
        self.patience.spend(waited, 0);
        self.waited += waited;
        match ready {
            Ok(ready) => self.full = ready == 0,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Moves bytes by `call`, which may block, and draws the wait on the patience. With the time
    /// told, it does not block.
    pub(super) fn pass(
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
            self.waited = begun.elapsed();
            let bytes = passed.unwrap_or(0);
            self.patience.spend(self.waited, bytes);
            if bytes > 0 {
                (self.count)(bytes as u64);
            }
            match passed {
                // The kernel's time-out, or a signal came by.
                Err(Errno::AGAIN | Errno::INTR) => {}
                passed => return Ok(passed?),
            }
        }
    }
}
