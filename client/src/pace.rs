//! How fast the bytes of files may go: `--rate`.
//!
//! A slow client on purpose, so that a class can see what one does to a server. It must be slow for
//! the *server*: so bytes move in pieces, and each piece takes as long as it should before the next
//! one is touched. Nothing is read ahead, and the system is asked to take in little of what is not
//! read yet ([`Rate::receive_buffer`]); or it would swallow the file at once, and only the person
//! here would see it crawl.

use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

/// How many pieces move in a second: enough for a bar to move steadily, and for Ctrl-C to be heard
/// at once.
const PIECES_PER_SECOND: u64 = 10;

/// How much time a piece may make up for, if those before it came late: the least that keeps the
/// pace on a busy machine.
const LAG: Duration = Duration::from_millis(1000 / PIECES_PER_SECOND);

/// The slowest, in bytes a second. A server bears 1,000, but what it sends waits in buffers on the way
/// and moves there by leaps, which at a rate like that lie as far apart as a server waits.
const LEAST: u64 = 8 * 1024;

/// What the system takes in of what is not read yet, in bytes, at least and at most. With less than the
/// least the window opens by less than a sender has in one piece; one that leaves the judgement to its
/// system (`TCP_USER_TIMEOUT`) then gives the client up after a minute, whatever it took.
const RECEIVE_BUFFER: (u64, u64) = (32 * 1024, 4 * 1024 * 1024);

/// Bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(u64);

/// A text that is no rate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write bytes a second as 64K or 2M, at least 8K: a server ends who is slower than 1,000, and on \
     the way they move by leaps"
)]
pub(crate) struct BadRate;

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        common::size::parse(text).filter(|rate| *rate >= LEAST).map(Self).ok_or(BadRate)
    }
}

impl Rate {
    /// What the system should take in of what is not read yet, in bytes: a quarter of a second's.
    /// That is enough for the rate to be reached over a long way.
    pub(crate) fn receive_buffer(self) -> usize {
        let (least, most) = RECEIVE_BUFFER;
        usize::try_from((self.0 / 4).clamp(least, most)).unwrap_or(usize::MAX)
    }

    fn piece(self) -> usize {
        usize::try_from(self.0 / PIECES_PER_SECOND).unwrap_or(usize::MAX)
    }

    fn time(self, bytes: usize) -> Duration {
        Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / self.0)
    }
}

/// Keeps bytes to a rate.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Rate,
    /// When the bytes that moved so far should have taken their time.
    due: Option<Instant>,
}

impl Pace {
    /// Of which nothing has moved yet.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, due: None }
    }

    /// How many of at most `most` bytes may move now.
    pub(crate) fn piece(&self, most: usize) -> usize {
        most.min(self.rate.piece())
    }

    /// Waits until so many bytes, which began to move at `begun`, have taken their time.
    pub(crate) fn moved(&mut self, begun: Instant, bytes: usize) {
        let due = self.due_after(begun, bytes);
        self.due = Some(due);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }

    fn due_after(&self, begun: Instant, bytes: usize) -> Instant {
        let earliest = begun.checked_sub(LAG).unwrap_or(begun);
        self.due.map_or(begun, |due| due.max(earliest)) + self.rate.time(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_size_that_a_server_bears() {
        assert_eq!("64K".parse(), Ok(Rate(65_536)));
        assert_eq!("8K".parse::<Rate>().map(Rate::piece), Ok(819));
        for text in ["", "1K", "8191", "0", "-1", "fast", "1.5M"] {
            assert_eq!(text.parse::<Rate>(), Err(BadRate), "{text}");
        }
        let buffer = |text: &str| text.parse::<Rate>().unwrap().receive_buffer();
        assert_eq!([buffer("8K"), buffer("1M"), buffer("1T")], [32_768, 262_144, 4_194_304]);
    }

    #[test]
    fn a_late_piece_is_made_up_for_and_a_long_pause_is_not() {
        let second = Duration::from_secs(1);
        let begun = Instant::now();
        let mut pace = Pace::new(Rate(10_000));
        pace.due = Some(pace.due_after(begun, 1000));
        assert_eq!(pace.due, Some(begun + second / 10));
        // Begun 50 ms late: it is due as if it were not.
        assert_eq!(pace.due_after(begun + second * 3 / 20, 1000), begun + second / 5);
        // Begun ten seconds late: nobody may run ten seconds' bytes at once.
        assert_eq!(pace.due_after(begun + second * 10, 1000), begun + second * 10);
    }
}
