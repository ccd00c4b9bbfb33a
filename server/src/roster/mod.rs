//! The roster: which sessions there are, how many there may be, and how they are ended: all when the
//! server stops, one when it is sent away.
//!
//! A session is on the roster from the moment it is let in until its [`Slot`] is dropped, on
//! whatever way out, so the count cannot drift.
//!
//! # Ending without cutting
//! When the server stops, a session that waits for a request must be woken, and one in the middle
//! of a transfer must not be disturbed. The session says `IDLE` *and then* looks whether a stop
//! was asked for; the stopper asks for the stop *and then* looks who is `IDLE`. Both use
//! sequentially consistent atomics, so at least one of them sees the other: nobody sleeps on.
//!
//! `capacity` says how many may come in, `ending` how one of them is sent away.

mod capacity;
mod ending;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::user::UserName;
use common::watch::Lock;

use self::capacity::Source;
pub use self::capacity::{Capacity, Full};
use self::ending::Ending;
pub use self::ending::{InFile, SentAway};
use crate::named::Named;
use crate::state::{Row, State};

#[derive(Debug, Clone)]
struct Place {
    stream: Arc<TcpStream>,
    peer: SocketAddr,
    since: Instant,
    row: Option<Arc<Row>>,
    user: Option<UserName>,
    ending: Arc<Ending>,
}

/// A session as others see it.
#[derive(Debug, Clone)]
pub struct Attendee {
    /// Its number.
    pub session: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// When it was let in.
    pub since: Instant,
    /// As whom it has logged in.
    pub user: Option<UserName>,
    /// What its thread does; none before it has begun.
    pub row: Option<Arc<Row>>,
}

impl Place {
    /// If its session waits for a request, that wait finds the end of the stream.
    fn wake(&self) {
        if self.row.as_ref().is_some_and(|row| row.state() == State::Idle) {
            let _ = self.stream.shutdown(Shutdown::Read);
        }
    }

    /// Ends its session, whatever it does.
    fn end(&self, why: SentAway) {
        self.ending.wish(why);
        let side = if self.ending.is_in_file() { Shutdown::Both } else { Shutdown::Read };
        let _ = self.stream.shutdown(side);
    }
}

/// What the lock guards.
#[derive(Debug, Default)]
struct Sessions {
    places: HashMap<u64, Place>,
    /// How many of them come from where. Who has none is not in it.
    from: HashMap<Source, usize>,
}

/// What is counted of them. Changed under the lock, and read without it.
#[derive(Debug, Default)]
struct Counted {
    now: AtomicU64,
    most: AtomicU64,
    ever: AtomicU64,
    turned_away: AtomicU64,
}

/// How many came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attendance {
    /// Sessions there are now.
    pub now: u64,
    /// Sessions there were at once, at most.
    pub most: u64,
    /// Sessions that were ever let in.
    pub ever: u64,
    /// Connections that were not, for want of a place.
    pub turned_away: u64,
}

/// Everyone connected. The Mutex guards the tables and is never held across I/O that can wait.
#[derive(Debug)]
pub struct Roster {
    sessions: Named<Sessions>,
    counted: Counted,
    /// Signalled when the last session leaves.
    empty: Condvar,
    capacity: Capacity,
}

impl Roster {
    /// Nobody yet, and room for so many.
    pub fn new(capacity: Capacity) -> Self {
        let sessions = Named::new("roster", Sessions::default());
        Self { sessions, counted: Counted::default(), empty: Condvar::new(), capacity }
    }

    /// How many may be on it.
    pub fn places(&self) -> usize {
        self.capacity.places
    }

    /// A place for session `id`, which comes from `peer`; or which limit is met.
    pub fn enter(
        &self,
        id: u64,
        peer: SocketAddr,
        stream: Arc<TcpStream>,
    ) -> Result<Slot<'_>, Full> {
        let source = Source::of(peer.ip());
        let mut sessions = self.lock();
        let from_there = sessions.from.get(&source).copied().unwrap_or(0);
        if let Err(full) = self.capacity.check(source, sessions.places.len(), from_there) {
            self.counted.turned_away.fetch_add(1, Ordering::Relaxed);
            return Err(full);
        }
        *sessions.from.entry(source).or_default() += 1;
        let (since, ending) = (Instant::now(), Arc::<Ending>::default());
        let (row, user) = (None, None);
        let place = Place { stream, peer, since, row, user, ending: Arc::clone(&ending) };
        sessions.places.insert(id, place);
        self.counted.ever.fetch_add(1, Ordering::Relaxed);
        let now = self.counted.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.counted.most.fetch_max(now, Ordering::Relaxed);
        Ok(Slot { roster: self, id, source, ending })
    }

    /// Everybody who is connected, in the order they came.
    pub fn attendees(&self) -> Vec<Attendee> {
        let sessions = self.lock();
        let mut attendees: Vec<_> = sessions
            .places
            .iter()
            .map(|(session, place)| Attendee {
                session: *session,
                peer: place.peer,
                since: place.since,
                user: place.user.clone(),
                row: place.row.clone(),
            })
            .collect();
        drop(sessions);
        attendees.sort_unstable_by_key(|attendee| attendee.session);
        attendees
    }

    /// How many there are and were. Takes no lock.
    pub fn attendance(&self) -> Attendance {
        let Counted { now, most, ever, turned_away } = &self.counted;
        let [now, most, ever, turned_away] =
            [now, most, ever, turned_away].map(|counter| counter.load(Ordering::Relaxed));
        Attendance { now, most, ever, turned_away }
    }

    /// How often its lock was taken.
    pub fn lock_counts(&self) -> Lock {
        self.sessions.lock_counts()
    }

    /// Ends session `id`, which is told why if it can still be told. Does not wait for it. Says
    /// whether there is such a session.
    pub fn send_away(&self, id: u64, why: SentAway) -> bool {
        let sessions = self.lock();
        let place = sessions.places.get(&id);
        place.inspect(|place| place.end(why)).is_some()
    }

    /// Ends every session, after a stop was asked for: the idle ones now, the others when their
    /// transfer is done, and what is left after `grace` by cutting its connection.
    pub fn dismiss(&self, grace: Duration) {
        let sessions = self.lock();
        for place in sessions.places.values() {
            place.wake();
        }
        let sessions = self.wait_until_empty(sessions, Instant::now() + grace);
        let left: Vec<Place> = sessions.places.values().cloned().collect();
        drop(sessions);
        for place in left {
            if let Some(row) = &place.row {
                log::warn!("cut off after a grace of {} s: {row}", grace.as_secs());
            }
            let _ = place.stream.shutdown(Shutdown::Both);
        }
    }

    fn wait_until_empty<'a>(
        &self,
        mut sessions: MutexGuard<'a, Sessions>,
        deadline: Instant,
    ) -> MutexGuard<'a, Sessions> {
        while !sessions.places.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            sessions =
                self.empty.wait_timeout(sessions, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        sessions
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock()
    }
}

/// One session's place; dropping it makes room for another.
#[derive(Debug)]
pub struct Slot<'r> {
    roster: &'r Roster,
    id: u64,
    source: Source,
    ending: Arc<Ending>,
}

impl Slot<'_> {
    /// Tells the roster which row says what this session does.
    pub fn seated(&self, row: Arc<Row>) {
        if let Some(place) = self.roster.lock().places.get_mut(&self.id) {
            place.row = Some(row);
        }
    }

    /// Tells the roster as whom this session has logged in.
    pub fn known_as(&self, user: &UserName) {
        if let Some(place) = self.roster.lock().places.get_mut(&self.id) {
            place.user = Some(user.clone());
        }
    }

    /// Wakes this session for good, if it waits for a request: to be called by another thread of
    /// its own, behind setting what the session looks at once it says `IDLE`. By the argument above
    /// one of the two sees the other.
    pub fn wake(&self) {
        if let Some(place) = self.roster.lock().places.get(&self.id) {
            place.wake();
        }
    }

    /// Ends the session `other`, which does what this one is going to do. Does not wait for it.
    pub fn take_over(&self, other: u64) {
        self.roster.send_away(other, SentAway::TakenOver);
    }

    /// Why this session is to end, if somebody wishes so.
    pub fn sent_away(&self) -> Option<SentAway> {
        self.ending.wished()
    }

    /// Says that from now on bytes of a file are sent. To be asked for *before*
    /// [`sent_away`](Self::sent_away).
    pub fn in_file(&self) -> InFile<'_> {
        self.ending.in_file()
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut sessions = self.roster.lock();
        if sessions.places.remove(&self.id).is_some() {
            self.roster.counted.now.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(from_there) = sessions.from.get_mut(&self.source) {
            *from_there -= 1;
            if *from_there == 0 {
                sessions.from.remove(&self.source);
            }
        }
        if sessions.places.is_empty() {
            self.roster.empty.notify_all();
        }
    }
}
