//! What may happen by the thousand a second and is worth a line of the log now and then.

use std::fmt;
use std::time::{Duration, Instant};

/// At most one line in this time.
const PAUSE: Duration = Duration::from_secs(10);

/// Says when to say it, and counts the times it was not said.
#[derive(Debug, Default)]
pub struct Seldom {
    said: Option<Instant>,
    unsaid: u64,
}

/// How often it happened since the last line, without one. Shown behind the next line.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsaid(u64);

impl Seldom {
    /// It has happened again. `Some` if a line may be written now.
    pub fn say(&mut self) -> Option<Unsaid> {
        self.say_at(Instant::now())
    }

    fn say_at(&mut self, now: Instant) -> Option<Unsaid> {
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < PAUSE) {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(now);
        Some(Unsaid(std::mem::take(&mut self.unsaid)))
    }
}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            times => write!(f, " (and {times} times more since the last such line)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_next_when_the_pause_is_over_with_how_many_there_were() {
        let (mut seldom, begun) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.say_at(begun).unwrap().to_string(), "");
        assert!((1..1000).all(|ms| seldom.say_at(begun + Duration::from_millis(ms)).is_none()));
        let said = seldom.say_at(begun + PAUSE).unwrap().to_string();
        assert_eq!(said, " (and 999 times more since the last such line)");
        assert_eq!(seldom.say_at(begun + 2 * PAUSE), Some(Unsaid(0)));
    }
}
