//! `put.checked=3s`: who asks for a sleep, in words.

use std::str::FromStr;
use std::time::Duration;

use super::{PLACES, names};
use crate::brakes::Sleep;

/// Below the minute after which a client gives up a server that says nothing.
const LONGEST: Duration = Duration::from_secs(45);

/// At which place threads are to sleep; or not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SleepAt {
    /// The name of the place.
    pub place: &'static str,
    /// For how long, and who. Nobody sleeps there any more if there is none.
    pub sleep: Option<Sleep>,
}

/// Why a text asks for no sleep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSleepAt {
    /// There is no `=` in it.
    #[error("write it as put.checked=3s, or put.checked=3s,c02 for one session only")]
    Spelling,
    /// Nothing is called so.
    #[error("no place is called `{0}`; the places are {names}", names = names())]
    Place(String),
    /// Not a time, or one that is too long.
    #[error("write the time as 3s or 500ms, {} s at most; 0 ends it", LONGEST.as_secs())]
    Time,
}

impl FromStr for SleepAt {
    type Err = BadSleepAt;

    fn from_str(text: &str) -> Result<Self, BadSleepAt> {
        let (name, sleep) = text.split_once('=').ok_or(BadSleepAt::Spelling)?;
        let known = PLACES.iter().find(|place| place.name == name);
        let place = known.ok_or_else(|| BadSleepAt::Place(name.to_owned()))?.name;
        let (time, thread) = match sleep.split_once(',') {
            Some((_, "")) => return Err(BadSleepAt::Spelling),
            Some((time, thread)) => (time, Some(thread.to_owned())),
            None => (sleep, None),
        };
        let time = time_of(time).filter(|time| *time <= LONGEST).ok_or(BadSleepAt::Time)?;
        Ok(Self { place, sleep: Some(Sleep { time, thread }).filter(|_| !time.is_zero()) })
    }
}

fn time_of(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.parse().ok()?;
    match &text[digits.len()..] {
        "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "" if number == 0 => Some(Duration::ZERO),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SleepAt, BadSleepAt> {
        text.parse()
    }

    #[test]
    fn a_sleep_has_a_place_a_time_and_perhaps_a_session() {
        let at = |sleep| Ok(SleepAt { place: "put.checked", sleep });
        let for_ms = |ms, thread: Option<&str>| {
            at(Some(Sleep { time: Duration::from_millis(ms), thread: thread.map(str::to_owned) }))
        };
        assert_eq!(read("put.checked=3s"), for_ms(3000, None));
        assert_eq!(read("put.checked=500ms,c02"), for_ms(500, Some("c02")));
        assert_eq!(read("put.checked=45s"), for_ms(45_000, None));
        for ended in ["put.checked=0", "put.checked=0s", "put.checked=0ms,c02"] {
            assert_eq!(read(ended), at(None), "{ended}");
        }
    }

    #[test]
    fn what_is_no_sleep_is_refused_and_an_unknown_place_is_told_all_there_are() {
        for bad in ["put.checked", "put.checked=3s,", ""] {
            assert_eq!(read(bad), Err(BadSleepAt::Spelling), "{bad}");
        }
        for bad in ["3", "46s", "-1s", "3 s", "", "s", "3h", "99999999999999999999s"] {
            assert_eq!(read(&format!("put.checked={bad}")), Err(BadSleepAt::Time), "{bad}");
        }
        let said = read("put.check=3s").unwrap_err().to_string();
        assert!(said.contains("`put.check`") && PLACES.iter().all(|p| said.contains(p.name)));
    }
}
