//! An answer to exercise 5: a queue with so many places and no more.

use std::collections::VecDeque;

use crate::sync::{Condvar, Mutex};

pub struct Queue<T> {
    places: usize,
    state: Mutex<State<T>>,
    /// Somebody has put a thing in, or closed it.
    filled: Condvar,
    /// Somebody has taken a thing out, or closed it.
    emptied: Condvar,
}

struct State<T> {
    things: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    /// An empty queue with so many places, one at least.
    pub fn new(places: usize) -> Self {
        let state = Mutex::new(State { things: VecDeque::new(), closed: false });
        Self { places, state, filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Puts a thing behind the others; waits as long as there is no place. If the queue is closed, now
    /// or while this waits, the thing comes back.
    pub fn put(&self, thing: T) -> Result<(), T> {
        let mut state = self.state.lock();
        // Both conditions are asked again after every wake-up, with the lock held.
        while state.things.len() == self.places && !state.closed {
            state = self.emptied.wait(state);
        }
        if state.closed {
            return Err(thing);
        }
        state.things.push_back(thing);
        // One thing is there, so one who takes can go on. Nobody else waits on this sign.
        self.filled.notify_one();
        Ok(())
    }

    /// Takes the first thing; waits as long as there is none. `None` if it is empty and closed.
    pub fn take(&self) -> Option<T> {
        let mut state = self.state.lock();
        while state.things.is_empty() && !state.closed {
            state = self.filled.wait(state);
        }
        let thing = state.things.pop_front();
        self.emptied.notify_one();
        thing
    }

    /// From now on nothing goes in. What is in it can still be taken.
    pub fn close(&self) {
        self.state.lock().closed = true;
        // It concerns everybody who waits, so all are woken.
        self.filled.notify_all();
        self.emptied.notify_all();
    }
}
