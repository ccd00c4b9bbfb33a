//! What a load is to be: how many, how long, what, how large, how often. Parsed once, from the
//! words a person would type.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use client::address::Address;

use super::mix::Mix;
use super::sizes::Sizes;
use crate::dice::Dice;

/// A load.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whom it is for; without one, a server is started for it.
    pub target: Option<Target>,
    /// How many clients, each with a thread and a connection of its own.
    pub clients: u32,
    /// How long operations are begun.
    pub time: Duration,
    /// What they do.
    pub mix: Mix,
    /// How large the files are that they put.
    pub sizes: Sizes,
    /// How many of the puts are for a name that others want, too.
    pub same_name: Percent,
    /// How many operations arrive in a second; without it, the next comes when the one before is
    /// answered.
    pub rate: Option<Rate>,
    /// What the dice follow from.
    pub seed: u64,
}

/// A server, and who one is there.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is.
    pub server: Address,
    /// Who logs in; a guest if nobody does.
    pub account: Option<Account>,
}

/// A user and their password.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// A share of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// Whether it is so this time.
    pub fn hits(self, dice: &mut Dice) -> bool {
        dice.below(100) < usize::from(self.0)
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
        let percent = number.filter(|percent| *percent <= 100).map(Self);
        percent.ok_or_else(|| "give a whole number from 0 to 100, as in 10%".into())
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// Operations a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(NonZeroU32);

impl Rate {
    /// How long after the start operation number `n` arrives, counted from 0.
    pub fn due(self, n: u64) -> Duration {
        let rate = u64::from(self.0.get());
        Duration::from_secs(n / rate) + Duration::from_secs(n % rate) / self.0.get()
    }

    /// How many arrive within this time.
    pub fn within(self, time: Duration) -> u64 {
        let nanos = time.as_nanos() * u128::from(self.0.get());
        u64::try_from(nanos.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix("/s").unwrap_or(text).parse().ok();
        let rate = number.filter(|rate: &NonZeroU32| rate.get() <= 1_000_000).map(Self);
        rate.ok_or_else(|| "give operations a second, from 1 to 1000000, as in 500/s".into())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl fmt::Display for Plan {
    /// What the figures below it are figures of, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, time, mix, sizes, same_name, rate, seed, .. } = self;
        write!(f, "{clients} clients, {} s, {mix}, {sizes}, ", time.as_secs())?;
        match rate {
            Some(rate) => write!(f, "{same_name} same name, {rate} arrive, seed {seed}"),
            None => write!(f, "{same_name} same name, closed loop, seed {seed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_keep_their_schedule() {
        let rate: Rate = "3/s".parse().unwrap();
        assert_eq!(rate.due(7), Duration::from_secs(7) / 3);
        assert_eq!(rate.within(Duration::from_secs(2)), 6);
        assert_eq!(rate.within(Duration::from_millis(2001)), 7);
    }

    #[test]
    fn a_share_or_a_rate_that_cannot_be_meant_is_refused() {
        assert_eq!("10%".parse(), Ok(Percent(10)));
        for bad in ["101%", "-1", "", "ten"] {
            assert!(bad.parse::<Percent>().is_err(), "{bad}");
        }
        for bad in ["0/s", "1000001", "", "5/min"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
