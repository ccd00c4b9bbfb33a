//! How long a peer may keep a session waiting: every such number, and the one rule behind them.
//!
//! # The rule
//! A wait has an account of time. Waiting for the peer draws on it, and when nothing is left the
//! session ends. There are two kinds:
//!
//! ```text
//! a short thing   the next request, a line       what it has must do, however many bytes come
//! a file          its bytes, either way          begins with 30 s; each 1,000 bytes bring a second,
//!                                                but there are never more than 30 s in it
//! ```
//!
//! So a peer that sends or takes a file is never still for longer than 30 s, and moves 1,000 bytes
//! a second on average, over any stretch of time: no fast beginning pays for a slow end.
//!
//! Only waiting for the peer is drawn. Our own disk, our queues and our locks may be slow without
//! making an honest client too slow.

use std::io::{self, ErrorKind};
use std::time::Duration;

/// The slowest that a file may come or go, on average.
const BYTES_PER_SECOND_MIN: u64 = 1000;

/// How slow a peer's own disk may be.
const DISK_BYTES_PER_SECOND: u64 = 10_000_000;

/// What there is patience for, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// From an answer to the next request.
    pub idle: Duration,
    /// The longest standstill in the middle of a file. All that follows is in proportion to it.
    pub stall: Duration,
    /// One client is served at a time, so even one that only listens keeps all others waiting.
    pub one_at_a_time: bool,
}

impl Deadlines {
    /// For the next request to begin.
    pub fn request(self) -> Patience {
        Patience::once(self.idle)
    }

    /// For the next request of who hears the room. They were asked to listen, not to speak;
    /// keepalive finds the dead.
    pub fn listening(self) -> Patience {
        if self.one_at_a_time { self.request() } else { Patience::endless() }
    }

    /// For a line, from its first byte to its last: a third of a standstill, so 10 s.
    pub fn line(self) -> Patience {
        Patience::once(self.stall / 3)
    }

    /// For the bytes of a file, and for answers that are taken.
    pub fn file(self) -> Patience {
        Patience { left: self.stall, refill: Some(self.stall) }
    }

    /// The same, if `kept` bytes of the file are here already: its sender reads them for the
    /// checksum before it sends the first of the others.
    pub fn rest_of_file(self, kept: u64) -> Patience {
        let reading = Duration::from_secs(kept / DISK_BYTES_PER_SECOND);
        Patience { left: self.stall + reading, ..self.file() }
    }

    /// When the system may give up a peer that acknowledges nothing: two standstills, so 60 s. The
    /// session finds out first if it waits for the peer, and then says the right cause.
    pub fn gone(self) -> Duration {
        self.stall * 2
    }
}

/// One account of time. A copy of it is another account.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    left: Duration,
    /// Up to where bytes fill it again, if they do.
    refill: Option<Duration>,
}

impl Patience {
    /// So much, and no more.
    pub fn once(time: Duration) -> Self {
        Self { left: time, refill: None }
    }

    /// As long as it takes: for who has been asked to listen, not to speak.
    pub fn endless() -> Self {
        Self::once(Duration::MAX)
    }

    /// How long the next wait may be; `TimedOut` if it may not be.
    pub fn left(self) -> io::Result<Duration> {
        if self.left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(self.left) }
    }

    /// A wait took this long, and these bytes came of it.
    pub fn spend(&mut self, waited: Duration, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(bytes.saturating_mul(1000) / BYTES_PER_SECOND_MIN);
        // Earned first, then drawn: a wait that outlasted what was left must not end with the little
        // that its last byte brought.
        self.left = match self.refill {
            Some(most) => self.left.saturating_add(earned).saturating_sub(waited).min(most),
            None => self.left.saturating_sub(waited),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn deadlines() -> Deadlines {
        Deadlines { idle: 300 * SECOND, stall: 30 * SECOND, one_at_a_time: false }
    }

    /// How many waits of this kind a patience bears, up to 10,000.
    fn bears(mut patience: Patience, waited: Duration, bytes: usize) -> usize {
        let waits = (0..10_000).take_while(|_| {
            patience.spend(waited, bytes);
            patience.left().is_ok()
        });
        waits.count()
    }

    #[test]
    fn who_moves_a_thousand_bytes_a_second_has_all_the_time() {
        assert_eq!(bears(deadlines().file(), SECOND, 1000), 10_000);
        assert_eq!(bears(deadlines().file(), 29 * SECOND, 29_000), 10_000);
    }

    #[test]
    fn who_moves_less_ends_and_a_fast_beginning_does_not_pay_for_it() {
        assert_eq!(bears(deadlines().file(), SECOND, 0), 29);
        assert_eq!(bears(deadlines().file(), SECOND, 900), 299);
        let mut rich = deadlines().file();
        rich.spend(SECOND, 1 << 40);
        assert_eq!(bears(rich, SECOND, 1), 30);
        assert_eq!(bears(rich, 29 * SECOND, 1), 1);
        let mut overdrawn = deadlines().file();
        overdrawn.spend(31 * SECOND, 1);
        assert!(overdrawn.left().is_err());
    }

    #[test]
    fn bytes_buy_no_time_for_what_is_short() {
        assert_eq!(bears(deadlines().line(), SECOND, 60_000), 9);
        assert_eq!(bears(deadlines().request(), SECOND, 60_000), 299);
    }
}
