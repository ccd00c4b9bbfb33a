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
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpStream};
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

/// Where a connection comes from, as far as it matters who takes how many places: an IPv4 address,
/// or the /64 of an IPv6 address, all of which one subscriber is usually given (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Source(IpAddr);

impl Source {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) if !v6.is_loopback() => {
                Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into()
            }
            address => address,
        })
    }

    /// Whether it is this machine itself.
    fn is_here(self) -> bool {
        self.0.is_loopback()
    }
}

/// How many may be connected at once.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// All together.
    pub places: usize,
    /// From one address, whichever it is; if `None`, half of all from another machine, and any
    /// number from this one.
    pub per_address: Option<usize>,
}

impl Room {
    /// The last places, which only this machine may take: whoever sits at it gets in, whatever
    /// the others do. A server for a handful keeps none.
    fn kept(self) -> usize {
        (self.places / 10).min(2)
    }

    fn for_one(self, source: Source) -> usize {
        let unasked = if source.is_here() { self.places } else { (self.places / 2).max(1) };
        self.per_address.unwrap_or(unasked)
    }
}

/// Which limit stands in the way of one more session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Every place is taken.
    Places,
    /// What is left is kept for this machine.
    Kept,
    /// This address has as many as one may have.
    Address(usize),
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Places => f.write_str("all places are taken"),
            Self::Kept => {
                f.write_str("all places are taken but those kept for the server's own machine")
            }
            Self::Address(most) => {
                write!(f, "there are {most} connections from your address, and no more may be")
            }
        }
    }
}

/// What the lock guards.
#[derive(Debug, Default)]
struct Sessions {
    places: HashMap<u64, Place>,
    /// How many of them come from where. Who has none is not in it.
    from: HashMap<Source, usize>,
}

/// Everyone connected. The Mutex guards the tables and is never held across I/O that can wait.
#[derive(Debug)]
pub struct Roster {
    sessions: Mutex<Sessions>,
    /// Signalled when the last session leaves.
    empty: Condvar,
    room: Room,
}

impl Roster {
    /// Nobody yet, and room for so many.
    pub fn new(room: Room) -> Self {
        Self { sessions: Mutex::default(), empty: Condvar::new(), room }
    }

    /// How many may be on it.
    pub fn places(&self) -> usize {
        self.room.places
    }

    /// A place for session `id`, which comes from `peer`; or which limit is met.
    pub fn enter(&self, id: u64, peer: IpAddr, stream: Arc<TcpStream>) -> Result<Slot<'_>, Full> {
        let source = Source::of(peer);
        let mut sessions = self.lock();
        let left = self.room.places.saturating_sub(sessions.places.len());
        let most = self.room.for_one(source);
        if left == 0 {
            return Err(Full::Places);
        }
        if left <= self.room.kept() && !source.is_here() {
            return Err(Full::Kept);
        }
        let from_there = sessions.from.entry(source).or_default();
        if *from_there >= most {
            return Err(Full::Address(most));
        }
        *from_there += 1;
        let taken_over = Arc::<AtomicBool>::default();
        let place = Place { stream, row: None, taken_over: Arc::clone(&taken_over) };
        sessions.places.insert(id, place);
        Ok(Slot { roster: self, id, source, taken_over })
    }

    /// Ends every session, after a stop was asked for: the idle ones now, the others when their
    /// transfer is done, and what is left after `grace` by cutting its connection.
    pub fn dismiss(&self, grace: Duration) {
        let sessions = self.lock();
        for place in sessions.places.values() {
            if place.row.as_ref().is_some_and(|row| row.state() == State::Idle) {
                // Wakes the session's read, which then finds the end of the stream.
                let _ = place.stream.shutdown(Shutdown::Read);
            }
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
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's place; dropping it makes room for another.
#[derive(Debug)]
pub struct Slot<'r> {
    roster: &'r Roster,
    id: u64,
    source: Source,
    taken_over: Arc<AtomicBool>,
}

impl Slot<'_> {
    /// Tells the roster which row says what this session does.
    pub fn seated(&self, row: Arc<Row>) {
        if let Some(place) = self.roster.lock().places.get_mut(&self.id) {
            place.row = Some(row);
        }
    }

    /// Ends the session `other`, which does what this one is going to do: its next read finds the
    /// end of the stream. Does not wait for it.
    pub fn take_over(&self, other: u64) {
        if let Some(place) = self.roster.lock().places.get(&other) {
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
        let mut sessions = self.roster.lock();
        sessions.places.remove(&self.id);
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A roster, and a way to come in from an address.
    struct Door {
        roster: Roster,
        stream: Arc<TcpStream>,
    }

    impl Door {
        fn new(places: usize, per_address: Option<usize>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let stream = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            Self { roster: Roster::new(Room { places, per_address }), stream }
        }

        fn enter(&self, id: u64, from: &str) -> Result<Slot<'_>, Full> {
            self.roster.enter(id, from.parse().unwrap(), Arc::clone(&self.stream))
        }

        /// How many get in, of a hundred from this address.
        fn take(&self, from: &str, first_id: u64) -> (Vec<Slot<'_>>, Option<Full>) {
            let mut slots = Vec::new();
            for id in first_id..first_id + 100 {
                match self.enter(id, from) {
                    Ok(slot) => slots.push(slot),
                    Err(full) => return (slots, Some(full)),
                }
            }
            (slots, None)
        }
    }

    #[test]
    fn another_machine_has_half_of_all_places_and_this_one_has_all() {
        let door = Door::new(40, None);
        let (first, full) = door.take("192.0.2.1", 0);
        assert_eq!((first.len(), full), (20, Some(Full::Address(20))));
        let (second, full) = door.take("192.0.2.2", 100);
        assert_eq!((second.len(), full), (18, Some(Full::Kept)));
        let (here, full) = door.take("127.0.0.1", 200);
        assert_eq!((here.len(), full), (2, Some(Full::Places)));
        drop((first, second, here));
        assert_eq!(door.take("::1", 0).0.len(), 40);
        assert!(door.roster.lock().from.is_empty());
    }

    #[test]
    fn the_places_kept_for_this_machine_are_two_or_fewer_of_few() {
        for (places, kept) in [(1, 0), (9, 0), (10, 1), (19, 1), (20, 2), (1000, 2)] {
            assert_eq!(Room { places, per_address: None }.kept(), kept, "{places}");
        }
    }

    #[test]
    fn a_cap_that_was_asked_for_holds_for_every_address() {
        let door = Door::new(50, Some(3));
        for (n, from) in ["192.0.2.1", "127.0.0.1", "127.0.0.2", "::1"].into_iter().enumerate() {
            let (slots, full) = door.take(from, 0);
            assert_eq!((slots.len(), full), (3, Some(Full::Address(3))), "{n} {from}");
        }
    }

    #[test]
    fn the_addresses_of_one_ipv6_subscriber_are_one_and_an_ipv4_address_is_itself_in_both_forms() {
        let door = Door::new(50, Some(1));
        let _one = door.enter(0, "2001:db8:0:1::1").unwrap();
        assert_eq!(door.enter(1, "2001:db8:0:1:ffff::9").unwrap_err(), Full::Address(1));
        let _other = door.enter(2, "2001:db8:0:2::1").unwrap();
        let _v4 = door.enter(3, "192.0.2.7").unwrap();
        assert_eq!(door.enter(4, "::ffff:192.0.2.7").unwrap_err(), Full::Address(1));
    }

    #[test]
    fn a_panic_under_the_lock_is_no_reason_to_let_nobody_in() {
        let door = Door::new(2, None);
        let panicked = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _held = door.roster.lock();
                panic!("as a test wishes");
            });
            thread.join().is_err()
        });
        assert!(panicked && door.roster.sessions.is_poisoned());
        drop(door.enter(0, "127.0.0.1").unwrap());
        assert!(door.roster.lock().places.is_empty());
    }
}
