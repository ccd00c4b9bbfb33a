//! How fast one session may speak: ten lines at once, and then five a second.
//!
//! A bucket of tokens, kept as one moment: the one at which the bucket will be full again. Each line
//! moves it a fifth of a second into the future; it may not be further away than ten of them.

use std::time::{Duration, Instant};

/// A line a fifth of a second.
const PER_LINE: Duration = Duration::from_millis(200);

/// Lines that may be said at once.
const BURST: u32 = 10;

/// The pace of one session.
#[derive(Debug, Default)]
pub struct Pace {
    full_again: Option<Instant>,
}

impl Pace {
    /// Takes a token, or says how long to wait for one.
    pub fn take(&mut self) -> Result<(), Duration> {
        self.take_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> Result<(), Duration> {
        let then = self.full_again.map_or(now, |full_again| full_again.max(now)) + PER_LINE;
        let ahead = then.saturating_duration_since(now);
        match ahead.checked_sub(PER_LINE * BURST) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.full_again = Some(then);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_at_once_and_then_five_a_second() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        assert!((0..10).all(|_| pace.take_at(begun).is_ok()));
        assert_eq!(pace.take_at(begun), Err(PER_LINE));
        let later = begun + Duration::from_secs(1);
        assert_eq!((0..9).filter(|_| pace.take_at(later).is_ok()).count(), 5);
        let much_later = begun + Duration::from_secs(60);
        assert_eq!((0..30).filter(|_| pace.take_at(much_later).is_ok()).count(), 10);
    }
}
