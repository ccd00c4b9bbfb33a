//! What holds a class's server up on purpose: sleeps at [places](crate::point), and a slow disk.
//!
//! Both can be changed while the server runs (`sleep-at` and `disk-rate` at the console), and
//! whoever stands still because of what was set before goes on at once. A stop lets go of all, for
//! good: a server that is to end has nothing more to show.
//!
//! There is one of them in a process, which need not be handed down to every place. Nothing is on
//! unless the server runs with `--class`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::state::{self, State};

/// A sleep at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sleep {
    /// For how long.
    pub time: Duration,
    /// Who; everybody if none.
    pub thread: Option<String>,
}

/// So many bytes a second.
pub type Rate = u64;

/// All brakes of a server.
#[derive(Debug)]
pub struct Brakes {
    /// Whether any is on. Read in passing, and nothing but passing depends on it.
    any: AtomicBool,
    set: Mutex<Set>,
    /// Signalled when something is set otherwise, or all is let go of.
    changed: Condvar,
}

#[derive(Debug)]
struct Set {
    sleeps: BTreeMap<&'static str, Sleep>,
    disk_rate: Option<Rate>,
    /// The server stops.
    released: bool,
}

static BRAKES: Brakes = Brakes::new();

/// Those of this process.
pub fn brakes() -> &'static Brakes {
    &BRAKES
}

/// The calling thread comes by `place`, and sleeps there if it is to.
#[inline]
pub fn sleep_at(place: &'static str) {
    if BRAKES.any.load(Ordering::Relaxed) {
        BRAKES.sleep_at(place);
    }
}

/// The calling thread is about to write so many bytes, and takes the time of a slow disk for it.
#[inline]
pub fn slow_down(bytes: usize) {
    if BRAKES.any.load(Ordering::Relaxed) {
        BRAKES.slow_down(bytes);
    }
}

impl Brakes {
    const fn new() -> Self {
        let set = Set { sleeps: BTreeMap::new(), disk_rate: None, released: false };
        Self { any: AtomicBool::new(false), set: Mutex::new(set), changed: Condvar::new() }
    }

    /// Who comes by `place` sleeps there from now on; nobody if there is no `sleep`, and who sleeps
    /// there now as it was set before wakes up.
    pub fn set_sleep(&self, place: &'static str, sleep: Option<Sleep>) {
        self.change(|set| match sleep {
            Some(sleep) => drop(set.sleeps.insert(place, sleep)),
            None => drop(set.sleeps.remove(place)),
        });
    }

    /// All uploads together are written no faster than this from now on.
    pub fn set_disk_rate(&self, rate: Option<Rate>) {
        self.change(|set| set.disk_rate = rate);
    }

    /// Lets go of everybody, for good.
    pub fn release(&self) {
        self.change(|set| set.released = true);
    }

    /// Who sleeps where.
    pub fn sleeps(&self) -> BTreeMap<&'static str, Sleep> {
        self.lock().sleeps.clone()
    }

    /// How fast uploads are written, if that is limited.
    pub fn disk_rate(&self) -> Option<Rate> {
        self.lock().disk_rate
    }

    fn change(&self, change: impl FnOnce(&mut Set)) {
        let mut set = self.lock();
        change(&mut set);
        let any = !set.released && (set.disk_rate.is_some() || !set.sleeps.is_empty());
        self.any.store(any, Ordering::Relaxed);
        drop(set);
        self.changed.notify_all();
    }

    fn sleep_at(&self, place: &'static str) {
        let wanted = self.lock().sleeps.get(place).cloned();
        let Some(sleep) = wanted else { return };
        if sleep.thread.as_ref().is_some_and(|name| !state::is_own_name(name)) {
            return;
        }
        self.sleep(place, sleep.time, |set| set.sleeps.get(place) == Some(&sleep));
    }

    fn slow_down(&self, bytes: usize) {
        let Some(rate) = self.disk_rate() else { return };
        let micros = (bytes as u64).saturating_mul(1_000_000) / rate.max(1);
        let time = Duration::from_micros(micros);
        self.sleep("disk-rate", time, |set| set.disk_rate == Some(rate));
    }

    /// Sleeps for so long, as long as it is still wanted.
    fn sleep(&self, on: &'static str, time: Duration, is_wanted: impl Fn(&Set) -> bool) {
        let _doing = state::enter_on(State::Sleep, on);
        let mut set = self.lock();
        let until = Instant::now() + time;
        while !set.released && is_wanted(&set) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            // LESSON: a sleep that can be ended is a wait with a deadline. `thread::sleep` hears nobody.
            set = self.changed.wait_timeout(set, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::state::Table;

    const LONG: Duration = Duration::from_secs(3600);

    /// Has a thread called `c01` do something, and something else once it sleeps.
    fn during(sleeping: impl FnOnce() + Send, then: impl FnOnce()) {
        let table = Table::default();
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _seat = table.seat("c01", State::Run);
                sleeping();
            });
            let sleeps = || table.rows().iter().any(|row| row.state() == State::Sleep);
            while !sleeps() {
                assert!(begun.elapsed() < LONG / 60);
                thread::yield_now();
            }
            then();
        });
        assert!(begun.elapsed() < LONG / 60);
    }

    fn sleep(time: Duration, thread: Option<&str>) -> Sleep {
        Sleep { time, thread: thread.map(str::to_owned) }
    }

    #[test]
    fn who_sleeps_wakes_when_nobody_is_to_sleep_there_any_more() {
        let brakes = Brakes::new();
        brakes.set_sleep("a", Some(sleep(LONG, None)));
        during(|| brakes.sleep_at("a"), || brakes.set_sleep("a", None));
        brakes.set_sleep("a", Some(sleep(LONG, None)));
        during(|| brakes.sleep_at("a"), || brakes.set_sleep("a", Some(sleep(LONG / 2, None))));
        brakes.set_sleep("a", Some(sleep(LONG, Some("c01"))));
        brakes.sleep_at("a");
        brakes.sleep_at("b");
        during(|| brakes.sleep_at("a"), || brakes.release());
        brakes.sleep_at("a");
        assert!(!brakes.any.load(Ordering::Relaxed));
    }

    #[test]
    fn a_disk_of_another_rate_does_not_go_on_at_the_old_one() {
        let brakes = Brakes::new();
        brakes.set_disk_rate(Some(1));
        during(|| brakes.slow_down(3600), || brakes.set_disk_rate(Some(u64::MAX)));
        brakes.slow_down(3600);
        brakes.set_disk_rate(Some(1));
        during(|| brakes.slow_down(3600), || brakes.release());
    }
}
