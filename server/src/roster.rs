//! The roster: which sessions there are, how many there may be, and how they are ended.
//!
//! A session is on the roster from the moment it is let in until its [`Slot`] is dropped, on
//! whatever way out, so the count cannot drift.
//!
//! # Ending without cutting
//! When the server stops, a session that waits for a request must be woken, and one in the middle
//! of a transfer must not be disturbed. The session says `IDLE` *and then* looks whether a stop
//! was asked for; the stopper asks for the stop *and then* looks who is `IDLE`. Both use
//! sequentially consistent atomics, so at least one of them sees the other: nobody sleeps on.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::state::{Row, State};

#[derive(Debug, Clone)]
struct Place {
    stream: Arc<TcpStream>,
    row: Option<Arc<Row>>,
    /// Set before its stream is shut, by the session that takes over what it was doing.
    taken_over: Arc<AtomicBool>,
}

/// Everyone connected. The Mutex guards the map and is never held across I/O that can wait.
#[derive(Debug)]
pub struct Roster {
    places: Mutex<HashMap<u64, Place>>,
    /// Signalled when the last session leaves.
    empty: Condvar,
    places_max: usize,
}

impl Roster {
    /// Room for `places_max` sessions.
    pub fn new(places_max: usize) -> Self {
        Self { places: Mutex::default(), empty: Condvar::new(), places_max }
    }

    /// A place for session `id`, or none if all are taken.
    pub fn enter(&self, id: u64, stream: Arc<TcpStream>) -> Option<Slot<'_>> {
        let mut places = self.lock();
        if places.len() >= self.places_max {
            return None;
        }
        let taken_over = Arc::default();
        places.insert(id, Place { stream, row: None, taken_over: Arc::clone(&taken_over) });
        Some(Slot { roster: self, id, taken_over })
    }

    /// Ends every session, after a stop was asked for: the idle ones now, the others when their
    /// transfer is done, and what is left after `grace` by cutting its connection.
    pub fn dismiss(&self, grace: Duration) {
        let places = self.lock();
        for place in places.values() {
            if place.row.as_ref().is_some_and(|row| row.state() == State::Idle) {
                // Wakes the session's read, which then finds the end of the stream.
                let _ = place.stream.shutdown(Shutdown::Read);
            }
        }
        let left: Vec<Place> =
            self.wait_until_empty(places, Instant::now() + grace).values().cloned().collect();
        for place in left {
            if let Some(row) = &place.row {
                log::warn!("cut off after a grace of {} s: {row}", grace.as_secs());
            }
            let _ = place.stream.shutdown(Shutdown::Both);
        }
    }

    fn wait_until_empty<'a>(
        &self,
        mut places: MutexGuard<'a, HashMap<u64, Place>>,
        deadline: Instant,
    ) -> MutexGuard<'a, HashMap<u64, Place>> {
        while !places.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            places =
                self.empty.wait_timeout(places, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        places
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's place; dropping it makes room for another.
#[derive(Debug)]
pub struct Slot<'r> {
    roster: &'r Roster,
    id: u64,
    taken_over: Arc<AtomicBool>,
}

impl Slot<'_> {
    /// Tells the roster which row says what this session does.
    pub fn seated(&self, row: Arc<Row>) {
        if let Some(place) = self.roster.lock().get_mut(&self.id) {
            place.row = Some(row);
        }
    }

    /// Ends the session `other`, which does what this one is going to do: its next read finds the
    /// end of the stream. Does not wait for it.
    pub fn take_over(&self, other: u64) {
        if let Some(place) = self.roster.lock().get(&other) {
            place.taken_over.store(true, Ordering::Release);
            let _ = place.stream.shutdown(Shutdown::Read);
        }
    }

    /// Whether another session took over what this one was doing.
    pub fn is_taken_over(&self) -> bool {
        self.taken_over.load(Ordering::Acquire)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut places = self.roster.lock();
        places.remove(&self.id);
        if places.is_empty() {
            self.roster.empty.notify_all();
        }
    }
}
