//! The Mutex and the Condvar of the exercises: std's own, with sleep points.
//!
//! Two threads that could disturb each other hardly ever do on a quiet machine. So whoever asks for a
//! lock here may first be sent to sleep for a moment, as the scheduler might do with any thread
//! anywhere; and a wait on the condition variable may end without anybody having called, as POSIX and
//! Rust allow. Nothing here does what could not happen with std's. It only happens sooner.

use std::cell::Cell;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

pub use std::sync::MutexGuard;

/// Data, and the lock that guards it.
#[derive(Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A lock that nobody has taken, around `data`.
    pub const fn new(data: T) -> Self {
        Self(std::sync::Mutex::new(data))
    }

    /// Waits for the lock. It is given back when the guard is dropped.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        sleep_point();
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where threads wait until somebody says that something has changed.
#[derive(Default)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// One that nobody waits on.
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// Gives the lock back and sleeps, in one step; has the lock again when it returns.
    pub fn wait<'g, T>(&self, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
        WAITING.fetch_add(1, SeqCst);
        let guard = if dice(4) == 0 {
            let soon = Duration::from_micros(100);
            self.0.wait_timeout(guard, soon).unwrap_or_else(PoisonError::into_inner).0
        } else {
            self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
        };
        WAITING.fetch_sub(1, SeqCst);
        guard
    }

    /// Wakes one of those who wait, if there is one.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How many threads wait on a condition variable now.
pub(crate) fn waiting() -> usize {
    WAITING.load(SeqCst)
}

/// Half of the threads that come here go on at once, a quarter let others go first, a quarter sleep.
fn sleep_point() {
    match dice(4) {
        0 => thread::sleep(Duration::from_micros(50 + dice(200))),
        1 => thread::yield_now(),
        _ => {}
    }
}

/// A number below `sides`, another one for each thread and each time.
fn dice(sides: u64) -> u64 {
    static THREADS: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static STATE: Cell<u64> =
            Cell::new(THREADS.fetch_add(1, SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    STATE.with(|state| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        (x >> 32) % sides
    })
}
