//! A Mutex that is called by the name of its data, and counts how often it was taken.
//!
//! What a lock guards is the first thing to know of it, and the usual mistake is a lock that is
//! tied to no data at all. Here the data is inside the lock, as with std's own Mutex, and carries a
//! name beside it: `registry 812 taken, 3 contended` is what a class is shown.
//!
//! # Counting under the lock
//! LESSON: whoever has the lock is alone, so `load` and `store` are enough to count: no other can
//! come between the two. The counters are atomics all the same, because they are *read* without the
//! lock. So looking at the numbers of a lock never makes anybody wait, and counting costs as much
//! as an addition.
//!
//! A wait on a condition variable gives its lock back and takes it again; that is not counted.
//!
//! # Poison
//! A panic while a lock is held poisons it, and every later `lock` would fail. Nothing that can
//! panic runs under these locks, and between any two lines the data is whole, so it is taken all
//! the same.

// std's own, also in the model: what is only counted needs no schedule tried.
use std::sync::TryLockError;
use std::sync::atomic::{AtomicU64, Ordering};

use common::watch::Lock;

use crate::sync::{Mutex, MutexGuard, PoisonError};

/// Data behind a lock, and its name.
#[derive(Debug)]
pub struct Named<T> {
    name: &'static str,
    taken: AtomicU64,
    contended: AtomicU64,
    data: Mutex<T>,
}

impl<T> Named<T> {
    /// A lock that nobody has taken, around `data` that is called `name`.
    pub fn new(name: &'static str, data: T) -> Self {
        let (taken, contended) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { name, taken, contended, data: Mutex::new(data) }
    }

    /// Waits for the lock. The guard is the usual one, which a condition variable takes, too.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let (guard, waited) = match self.data.try_lock() {
            Ok(guard) => (guard, false),
            Err(TryLockError::Poisoned(poisoned)) => (poisoned.into_inner(), false),
            Err(TryLockError::WouldBlock) => {
                (self.data.lock().unwrap_or_else(PoisonError::into_inner), true)
            }
        };
        count(&self.taken);
        if waited {
            count(&self.contended);
        }
        guard
    }

    /// How often it was taken, and how often that meant to wait. Takes no lock.
    pub fn lock_counts(&self) -> Lock {
        Lock {
            name: self.name.to_owned(),
            taken: self.taken.load(Ordering::Relaxed),
            contended: self.contended.load(Ordering::Relaxed),
        }
    }
}

/// One more, by whoever is alone.
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
