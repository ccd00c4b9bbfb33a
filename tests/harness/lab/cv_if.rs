//! Woken for an item that is no longer there.
//!
//! A shelf, and consumers who take items from it. Who finds the shelf empty waits on a condition
//! variable until somebody puts an item there. **The wrong code** is one word away from the right one:
//!
//! ```text
//! if    shelf is empty { wait }    take
//! while shelf is empty { wait }    take
//! ```
//!
//! **Predict:** one consumer waits. The producer puts one item and wakes it. A second consumer comes
//! along at that moment. Who gets the item, and what does the other one get?
//!
//! **What one sees:** tried as it is, it goes wrong in a few runs of a hundred on a quiet machine and in
//! half of them on a busy one; nobody can say beforehand. With two sleep points in the producer, which make the newcomer arrive before the wake-up and not after
//! it: always, the one who was woken takes from an empty shelf. With `while`, never.
//!
//! **Why:** being woken and having the lock are two steps. `wait` gives the lock back, sleeps, and on
//! waking has to *ask for it again*, in line with everybody else. Whoever was in line before comes
//! first, and does as they please. So a wake-up is a hint that something has changed, not a promise
//! that it is still so. (A condition variable may even wake without any reason; POSIX and Rust say so.)
//!
//! **So** look again, always: `while`. And there is nothing to think about: no case is known where
//! `if` would be right and `while` wrong.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Lab;
use super::findings::Findings;
use super::trial::{Ending, Experiment, Promise, SLEEP_POINT, TRIES, Version};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "cv-if",
    title: "Woken for an item: how often is the shelf empty when it is taken?",
    wrong: "took nothing",
    why: "\
Being woken and having the lock are two steps. `wait` gives the lock back and on waking has to ask for
it again; somebody who came meanwhile is first in line and takes the item. `while` looks again and
waits again. `if` believes what it was told before it stood in line.",
    versions: &[
        Version {
            name: "if",
            label: "if",
            promise: Promise::Perhaps,
            run: |_| two_consumers(Shelf::take_if, Duration::ZERO),
        },
        Version {
            name: "if-sleep",
            label: "if, sleep points",
            promise: Promise::Always,
            run: |_| two_consumers(Shelf::take_if, SLEEP_POINT),
        },
        Version {
            name: "while",
            label: "while, sleep points",
            promise: Promise::Never,
            run: |_| two_consumers(Shelf::take_while, SLEEP_POINT),
        },
    ],
};

/// How long after the producer has begun the second consumer comes.
const LATE: Duration = Duration::from_micros(500);

/// Tries all of them.
pub fn measure(lab: &Lab, runs: u32) -> io::Result<Findings> {
    Ok(EXPERIMENT.findings(&EXPERIMENT.run(lab, runs, |_| true)?))
}

/// A shelf with items, and the sign that there is a new one.
#[derive(Default)]
struct Shelf {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<u32>,
    /// How many consumers have begun to wait so far, and how many were woken and have the lock again.
    waited: u32,
    woken: u32,
}

impl Shelf {
    /// The wrong version. `None`: there was nothing to take.
    fn take_if(&self) -> Option<u32> {
        let mut state = self.lock();
        // LESSON: `if` looks once, and then believes. What it believes was true when somebody called
        // `notify_one`; since then this thread had to get the lock back, and was not the only one.
        if state.items.is_empty() {
            state = self.wait(state);
        }
        state.items.pop_front()
    }

    /// The right version.
    fn take_while(&self) -> Option<u32> {
        let mut state = self.lock();
        // LESSON: after every wake-up look again, with the lock held: what is seen now stays true
        // until the lock is given back.
        while state.items.is_empty() {
            state = self.wait(state);
        }
        state.items.pop_front()
    }

    fn put(&self, state: &mut State, item: u32) {
        state.items.push_back(item);
        self.filled.notify_one();
    }

    fn wait<'s>(&self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        state.waited += 1;
        let mut state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.woken += 1;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this is so, by looking: it is the stage hand here, and no part of the play.
    fn until(&self, is_so: impl Fn(&State) -> bool) {
        while !is_so(&self.lock()) {
            thread::yield_now();
        }
    }
}

/// Two consumers, one after the other, until one takes nothing.
fn two_consumers(take: fn(&Shelf) -> Option<u32>, sleep_point: Duration) -> io::Result<Ending> {
    for _ in 0..TRIES {
        let [first, second] = two_items(take, sleep_point)?;
        if first.is_none() || second.is_none() {
            let who = if first.is_none() { "first" } else { "second" };
            return Ok(Ending::Wrong(format!(
                "the {who} consumer was woken for an item that the other had taken, and took nothing"
            )));
        }
    }
    Ok(Ending::Right)
}

/// What each of two consumers took of two items.
fn two_items(
    take: fn(&Shelf) -> Option<u32>,
    sleep_point: Duration,
) -> io::Result<[Option<u32>; 2]> {
    let shelf = &Shelf::default();
    thread::scope(|scope| {
        let first = scope.spawn(|| take(shelf));
        shelf.until(|state| state.waited == 1);
        let second = scope.spawn(|| {
            thread::sleep(LATE);
            take(shelf)
        });

        let mut state = shelf.lock();
        // The second one comes to a lock that is held, and is first in line for it.
        thread::sleep(sleep_point);
        shelf.put(&mut state, 1);
        // The first one wakes up, and is second in line.
        thread::sleep(sleep_point);
        drop(state);

        // Whoever the item was for has looked by now. Another one, for who still waits.
        shelf.until(|state| state.woken >= 1);
        shelf.put(&mut shelf.lock(), 2);
        let took = [first.join(), second.join()];
        match took {
            [Ok(first), Ok(second)] => Ok([first, second]),
            _ => Err(io::Error::other("a consumer panicked")),
        }
    })
}
