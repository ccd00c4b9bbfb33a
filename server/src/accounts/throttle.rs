//! Against guessing: a delay that grows with each wrong password, and never a lock-out.
//!
//! Two counts. One is kept for (address, user): whoever guesses one person's password from one
//! place is slowed down soon, and that person, coming from another place, is not. One is kept for
//! the address alone: whoever tries many names is slowed down later, because a whole class may sit
//! behind one address. A refusal says how long to wait; nothing sleeps.
//!
//! The table is bounded. When it is full the entry that failed longest ago goes, so an attacker
//! with many addresses can make us forget, but not run out of memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use common::protocol::{Reason, Refusal};
use common::user::UserName;
use common::watch::Lock;

use crate::named::Named;

/// Wrong passwords that cost nothing, for one user from one address: fingers slip.
const FREE_FOR_USER: u32 = 3;

/// The same for all users from one address.
const FREE_FOR_ADDRESS: u32 = 100;

/// The first delay; it doubles with every further failure.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// The longest delay.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// When failures are forgotten.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// Entries kept.
const ENTRIES_MAX: usize = 10_000;

type Key = (IpAddr, Option<UserName>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn left_to_wait(&self, free: u32, now: Instant) -> Duration {
        let Some(over) = self.count.checked_sub(free + 1) else { return Duration::ZERO };
        let delay = FIRST_DELAY.saturating_mul(1 << over.min(10)).min(LONGEST_DELAY);
        (self.last + delay).saturating_duration_since(now)
    }
}

/// Who has failed how often.
#[derive(Debug)]
pub(super) struct Throttle {
    entries: Named<HashMap<Key, Failures>>,
}

impl Throttle {
    /// Nobody has failed yet.
    pub(super) fn new() -> Self {
        Self { entries: Named::new("throttle", HashMap::new()) }
    }

    /// Refuses with `busy` while a delay runs.
    pub(super) fn check(&self, from: IpAddr, user: &UserName) -> Result<(), Refusal> {
        let now = Instant::now();
        let entries = self.entries.lock();
        let left = |key: &Key, free| {
            entries.get(key).map_or(Duration::ZERO, |failures| failures.left_to_wait(free, now))
        };
        let left = left(&(from, Some(user.clone())), FREE_FOR_USER)
            .max(left(&(from, None), FREE_FOR_ADDRESS));
        if left.is_zero() {
            return Ok(());
        }
        let message =
            format!("too many wrong passwords; wait {:.1} s and try again", left.as_secs_f64());
        Err(Refusal::new(Reason::Busy, message))
    }

    /// Counts a wrong password.
    pub(super) fn failed(&self, from: IpAddr, user: &UserName) {
        let now = Instant::now();
        let mut entries = self.entries.lock();
        for key in [(from, Some(user.clone())), (from, None)] {
            if entries.len() >= ENTRIES_MAX && !entries.contains_key(&key) {
                make_room(&mut entries, now);
            }
            let failures = entries.entry(key).or_insert(Failures { count: 0, last: now });
            if now.duration_since(failures.last) > MEMORY {
                failures.count = 0;
            }
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
    }

    /// Forgets the failures of a user who knew the password after all. The address keeps its own,
    /// or one known password would open the door for guessing others.
    pub(super) fn succeeded(&self, from: IpAddr, user: &UserName) {
        self.entries.lock().remove(&(from, Some(user.clone())));
    }

    /// How often its lock was taken.
    pub(super) fn lock_counts(&self) -> Lock {
        self.entries.lock_counts()
    }
}

fn make_room(entries: &mut HashMap<Key, Failures>, now: Instant) {
    entries.retain(|_, failures| now.duration_since(failures.last) <= MEMORY);
    if entries.len() >= ENTRIES_MAX
        && let Some(oldest) = entries.iter().min_by_key(|(_, f)| f.last).map(|(k, _)| k.clone())
    {
        entries.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from(n).into()
    }

    fn user(name: &str) -> UserName {
        UserName::parse(name).unwrap()
    }

    #[test]
    fn one_address_guessing_one_user_waits_and_nobody_else_does() {
        let throttle = Throttle::new();
        for _ in 0..=FREE_FOR_USER {
            throttle.check(address(1), &user("a")).unwrap();
            throttle.failed(address(1), &user("a"));
        }
        let refusal = throttle.check(address(1), &user("a")).unwrap_err();
        assert_eq!(refusal.reason, Reason::Busy);
        throttle.check(address(2), &user("a")).unwrap();
        throttle.check(address(1), &user("b")).unwrap();
        throttle.succeeded(address(1), &user("a"));
        throttle.check(address(1), &user("a")).unwrap();
    }

    #[test]
    fn one_address_guessing_many_users_waits_too() {
        let throttle = Throttle::new();
        for n in 0..=FREE_FOR_ADDRESS {
            throttle.failed(address(1), &user(&format!("u{n}")));
        }
        assert!(throttle.check(address(1), &user("fresh")).is_err());
    }

    #[test]
    fn a_delay_grows_and_has_an_end() {
        let now = Instant::now();
        let wait = |count| Failures { count, last: now }.left_to_wait(FREE_FOR_USER, now);
        assert_eq!(wait(FREE_FOR_USER), Duration::ZERO);
        assert_eq!(wait(FREE_FOR_USER + 1), FIRST_DELAY);
        assert_eq!(wait(FREE_FOR_USER + 2), FIRST_DELAY * 2);
        assert_eq!(wait(u32::MAX), LONGEST_DELAY);
    }

    #[test]
    fn a_million_addresses_do_not_fill_the_memory() {
        let throttle = Throttle::new();
        for n in 0..u32::try_from(ENTRIES_MAX).unwrap() + 500 {
            throttle.failed(address(n), &user("a"));
        }
        assert_eq!(throttle.entries.lock().len(), ENTRIES_MAX);
    }
}
