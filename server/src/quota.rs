//! How full each home is, and the promise that no number of uploads at once overfills it.
//!
//! An upload is charged its whole size when it begins. The charge is one compare-and-swap on the
//! home's counter, so of a hundred uploads that begin at once exactly as many are let in as fit.
//! A [`Charge`] that is dropped gives its bytes back; one whose file was published is kept.
//!
//! The counter starts as what a walk through the home finds, once, when its user first comes.
//! Files that other programs put into a home or take away are seen at the next start.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use common::protocol::{Reason, Refusal};
use common::user::UserName;
use common::watch::Lock;

use crate::named::Named;

/// One home's counter. Shared by all sessions of its user.
#[derive(Debug)]
pub struct Usage {
    user: UserName,
    limit: Option<u64>,
    used: OnceLock<AtomicU64>,
}

impl Usage {
    fn new(user: UserName, limit: Option<u64>) -> Self {
        Self { user, limit, used: OnceLock::new() }
    }

    /// Whose home it is.
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The space the home may use, in bytes, if it is limited.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// The space it uses or has promised, in bytes.
    pub fn used(&self) -> u64 {
        self.counter().load(Ordering::Relaxed)
    }

    /// Charges `bytes` in the place of `kept` ones that were charged before, or says what is left.
    pub fn charge(self: &Arc<Self>, bytes: u64, kept: u64) -> Result<Charge, Refusal> {
        let limit = self.limit.unwrap_or(u64::MAX);
        // LESSON: a compare-and-swap: look, compute, and store only if nobody has stored
        // meanwhile; else look again. No lock, and no moment in which two can both fit.
        let fits =
            |used: u64| used.saturating_sub(kept).checked_add(bytes).filter(|sum| *sum <= limit);
        match self.counter().try_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(Charge { usage: Arc::clone(self), bytes }),
            Err(used) => {
                let left = limit.saturating_sub(used.saturating_sub(kept));
                let message = format!(
                    "the home has {left} of its {limit} bytes left, and this file has {bytes}; \
                     remove something first"
                );
                Err(Refusal::new(Reason::Quota, message))
            }
        }
    }

    /// Gives back the bytes of a file that is gone.
    pub fn release(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self.counter().try_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn counter(&self) -> &AtomicU64 {
        self.used.get_or_init(AtomicU64::default)
    }
}

/// Bytes that are promised to an upload; given back on drop.
#[derive(Debug)]
pub struct Charge {
    usage: Arc<Usage>,
    bytes: u64,
}

impl Charge {
    /// The bytes are there, but for so many: of an older file that was replaced, or that never
    /// came.
    pub fn keep(mut self, freed: u64) {
        self.bytes = freed;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.usage.release(self.bytes);
    }
}

/// A home's counter, and by which account's time it goes, once its user has come.
#[derive(Debug)]
struct Home {
    usage: Arc<Usage>,
    owner: Option<u64>,
}

/// All homes' counters. The Mutex guards the map only; measuring is done outside it.
#[derive(Debug)]
pub struct Ledger {
    limit: Option<u64>,
    homes: Named<HashMap<UserName, Home>>,
}

impl Ledger {
    /// Every home may use `limit` bytes.
    pub fn new(limit: Option<u64>) -> Self {
        Self { limit, homes: Named::new("homes", HashMap::new()) }
    }

    /// The counter of a home; `measure` says how full it is if nobody has asked before. Two who
    /// ask at the same moment wait for one measurement. `owner` is when the account was opened that
    /// asks for its own home: if the name was another account's before, so was the home.
    pub fn usage(
        &self,
        user: &UserName,
        owner: Option<u64>,
        measure: impl FnOnce() -> u64,
    ) -> Arc<Usage> {
        let usage = self.counter(user, owner);
        usage.used.get_or_init(|| AtomicU64::new(measure()));
        usage
    }

    /// How often its lock was taken.
    pub fn lock_counts(&self) -> Lock {
        self.homes.lock_counts()
    }

    /// The counter of a home if somebody has asked for it before.
    pub fn known(&self, user: &UserName) -> Option<Arc<Usage>> {
        let homes = self.homes.lock();
        homes.get(user).map(|home| Arc::clone(&home.usage))
    }

    fn counter(&self, user: &UserName, owner: Option<u64>) -> Arc<Usage> {
        let fresh = || Home { usage: Arc::new(Usage::new(user.clone(), self.limit)), owner };
        let mut homes = self.homes.lock();
        let home = homes.entry(user.clone()).or_insert_with(fresh);
        if owner.is_some() && home.owner.is_some() && home.owner != owner {
            *home = fresh();
        }
        home.owner = home.owner.or(owner);
        Arc::clone(&home.usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(limit: u64, used: u64) -> Arc<Usage> {
        Ledger::new(Some(limit)).usage(&UserName::parse("a").unwrap(), None, || used)
    }

    #[test]
    fn a_dropped_charge_gives_its_bytes_back_and_a_kept_one_does_not() {
        let home = home(100, 10);
        drop(home.charge(90, 0).unwrap());
        assert_eq!(home.used(), 10);
        home.charge(50, 0).unwrap().keep(5);
        assert_eq!(home.used(), 55);
        let refusal = home.charge(46, 0).unwrap_err();
        assert_eq!(refusal.reason, Reason::Quota);
        assert!(refusal.message.contains("45 of its 100"), "{}", refusal.message);
        assert!(home.charge(u64::MAX, 0).is_err());
    }

    #[test]
    fn the_next_owner_of_a_name_has_a_counter_of_their_own() {
        let (ledger, user) = (Ledger::new(None), UserName::parse("a").unwrap());
        assert_eq!(ledger.usage(&user, None, || 5).used(), 5);
        assert_eq!(ledger.usage(&user, Some(1), || 6).used(), 5);
        assert_eq!(ledger.usage(&user, Some(2), || 0).used(), 0);
        assert_eq!(ledger.usage(&user, None, || 7).used(), 0);
    }

    #[test]
    fn however_many_charge_at_once_the_sum_fits() {
        let home = home(1000, 950);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100)
                .map(|_| scope.spawn(|| home.charge(7, 0).map(|charge| charge.keep(0)).is_ok()))
                .collect();
            threads.into_iter().filter_map(|t| t.join().ok()).filter(|ok| *ok).count()
        });
        assert_eq!((taken, home.used()), (7, 999));
    }
}
