//! A bounded queue that can be watched: how many stand in it, how many bytes they are, and for how
//! long the first of them has stood there.
//!
//! The channel itself says nothing of bytes and ages, and whoever held an end of it to ask would
//! keep it open for ever. So both sides count as they go by, in a [`Gauge`] that the viewer reads.
//! All of it is counted behind the step itself, without a lock: for a moment the numbers may be one
//! behind the queue, or show a thing that has just left.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::size::size;
use common::watch::Queue;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::clock;
use crate::state::{self, Depth, IS_TOLD, State};

/// A queue of `places`: where things go in, where they come out, and its gauge. Whoever takes
/// something out tells the gauge.
pub fn queue<T>(name: &'static str, places: usize) -> (Inlet<T>, Receiver<T>, Arc<Gauge>) {
    let (sender, receiver) = bounded(places);
    let gauge = Arc::new(Gauge::new(name, places));
    (Inlet { sender, gauge: Arc::clone(&gauge) }, receiver, gauge)
}

/// Where things go in.
pub struct Inlet<T> {
    sender: Sender<T>,
    gauge: Arc<Gauge>,
}

impl<T> fmt::Debug for Inlet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inlet").field(&self.gauge.name).finish()
    }
}

impl<T> Clone for Inlet<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), gauge: Arc::clone(&self.gauge) }
    }
}

impl<T> Inlet<T> {
    /// Puts a thing of so many bytes in; waits for room, if it must, and at most `patience`.
    pub fn send(&self, thing: T, bytes: u64, patience: Duration) -> io::Result<()> {
        let gone = || io::Error::other("nobody takes anything out of the queue");
        if bytes > 0 {
            // Before it is done: what comes out at the other end may be told at once.
            state::did(fmt::from_fn(|f| write!(f, "queues {}", size(bytes))));
        }
        match self.sender.try_send(thing) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => return Err(gone()),
            Err(TrySendError::Full(thing)) => {
                let _doing = state::enter_on(State::WaitQueueFull, self.gauge.name);
                self.sender.send_timeout(thing, patience).map_err(|_| gone())?;
            }
        }
        self.gauge.put(bytes);
        Ok(())
    }

    /// Puts a thing of so many bytes in, or gives it back if there is no room. Never waits.
    pub fn try_send(&self, thing: T, bytes: u64) -> Result<(), T> {
        self.sender.try_send(thing).map_err(TrySendError::into_inner)?;
        self.gauge.put(bytes);
        Ok(())
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.gauge.stamps.len()
    }

    /// How many places are free.
    pub fn free(&self) -> usize {
        self.places().saturating_sub(self.sender.len())
    }
}

/// What is known of a queue from beside it. Counters only grow, so the difference of two is never
/// wrong for longer than a step takes.
#[derive(Debug)]
pub struct Gauge {
    name: &'static str,
    put: Side,
    taken: Side,
    /// When what went in last at each place did so, by the coarse clock.
    stamps: Box<[AtomicU64]>,
}

/// What went by on one side. Alone in its cache line: one side must not slow the other down.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Side {
    things: AtomicU64,
    bytes: AtomicU64,
}

impl Gauge {
    fn new(name: &'static str, places: usize) -> Self {
        let none = || AtomicU64::new(0);
        Self {
            name,
            put: Side::default(),
            taken: Side::default(),
            stamps: (0..places).map(|_| none()).collect(),
        }
    }

    fn put(&self, bytes: u64) {
        if !IS_TOLD {
            return;
        }
        let nth = self.put.things.fetch_add(1, Ordering::Relaxed);
        if bytes > 0 {
            self.put.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        if let Some(stamp) = self.stamp(nth) {
            stamp.store(clock::coarse_ms(), Ordering::Relaxed);
        }
        state::has_moved(self.name, self);
    }

    /// A thing of so many bytes was taken out. Only one thread takes anything out.
    pub fn take(&self, bytes: u64) {
        if !IS_TOLD {
            return;
        }
        let add = |counter: &AtomicU64, more: u64| {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        };
        add(&self.taken.things, 1);
        add(&self.taken.bytes, bytes);
        state::has_moved(self.name, self);
    }

    fn stamp(&self, nth: u64) -> Option<&AtomicU64> {
        let places = self.stamps.len() as u64;
        self.stamps.get(usize::try_from(nth % places.max(1)).ok()?)
    }
}

impl Depth for Gauge {
    fn look(&self) -> Queue {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let taken = load(&self.taken.things);
        let cap = self.stamps.len() as u64;
        let len = load(&self.put.things).saturating_sub(taken).min(cap);
        let oldest = self.stamp(taken).filter(|_| len > 0);
        let bytes_taken = load(&self.taken.bytes);
        Queue {
            name: self.name.to_owned(),
            len,
            cap,
            bytes: Some(load(&self.put.bytes).saturating_sub(bytes_taken)),
            oldest_ms: oldest.map(|stamp| clock::coarse_ms().saturating_sub(load(stamp))),
        }
    }
}

#[cfg(all(test, not(feature = "untold")))]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(1);

    #[test]
    fn a_gauge_says_how_many_stand_in_the_queue_and_how_many_bytes_they_are() {
        let (inlet, outlet, gauge) = queue("data", 2);
        assert_eq!((gauge.look().len, gauge.look().oldest_ms), (0, None));
        for bytes in [5, 7] {
            inlet.send(bytes, bytes, AT_ONCE).unwrap();
        }
        inlet.send(9, 9, AT_ONCE).unwrap_err();
        let full = gauge.look();
        assert_eq!((full.len, full.cap, full.bytes), (2, 2, Some(12)));
        assert!(full.oldest_ms.is_some());
        gauge.take(outlet.recv().unwrap());
        assert_eq!((gauge.look().len, gauge.look().bytes), (1, Some(7)));
        drop(outlet);
        inlet.send(1, 1, AT_ONCE).unwrap_err();
    }

    #[test]
    fn the_age_is_that_of_what_is_taken_next() {
        let (inlet, outlet, gauge) = queue("data", 2);
        for round in 0..5_u64 {
            inlet.send(round, 0, AT_ONCE).unwrap();
            gauge.stamp(round).unwrap().store(round, Ordering::Relaxed);
            let age = gauge.look().oldest_ms.unwrap();
            assert!(age <= clock::coarse_ms().saturating_sub(round));
            gauge.take(outlet.recv().unwrap());
            assert_eq!(gauge.look().oldest_ms, None);
        }
    }
}
