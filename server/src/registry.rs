//! The registry of claims: one writer at a time for each path, first come, first served.
//!
//! # The story
//! A session that wants to write a path asks for a claim. If nobody holds the path it has the
//! claim at once. If somebody does, it gets a [`Ticket`]: its place at the end of that path's
//! line. It waits on its own condition variable for one condition, *the entry names me*. Whoever
//! gives a claim back does not free the path: it writes the next in line into the entry and wakes
//! just that one. So nobody overtakes, nobody is woken in vain, and a thousand waiters cost a
//! thousand wake-ups, not half a million.
//!
//! ```text
//!           claim("a")            claim("a")              drop(Claim)
//!  c01  ───► Claim                                        entry names c02, wake c02
//!  c02              ───────► Ticket ── wait ── … ────────────────────────► Claim
//!  registry  a: held by c01   a: held by c01, line [c02]   a: held by c02
//! ```
//!
//! # The lock
//! One Mutex guards the whole table. It is held for a hash lookup and a push or a pop, never
//! across I/O, and never while another lock is taken. A claim is held for as long as an upload
//! takes, but a claim is an entry in the table, not a held Mutex.
//!
//! # What may not happen
//! A path with two holders; a waiter that nobody will wake; an entry without a holder; an entry
//! left behind by a session that is gone. Claims and tickets are given back when they are
//! dropped, so a session that fails or panics gives its own back on its way out.
//!
//! Correctness of the *files* never rests on this table: publishing refuses to replace, lock or no
//! lock. The registry makes waiting fair, visible and polite.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use common::protocol::Wait;
use common::watch::Lock;

use crate::named::Named;
use crate::party::{Party, Path};
use crate::sync::{Arc, MutexGuard, PoisonError};

struct Entry {
    holder: Arc<Party>,
    since: Instant,
    line: VecDeque<Arc<Party>>,
    /// How many have stood in line since the path was free.
    comers: u64,
}

impl Entry {
    fn holder(&self) -> Wait {
        Wait {
            holder: self.holder.who().to_owned(),
            received: self.holder.received(),
            size: self.holder.size(),
            since: self.since.elapsed().as_secs(),
            limit: None,
        }
    }
}

/// A path that is held, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The path.
    pub path: Path,
    /// Who holds it, and how far they are.
    pub holder: Wait,
    /// Who waits for it, the next one first.
    pub line: Vec<String>,
}

/// Who holds what, and who waits for it.
pub struct Registry {
    entries: Named<HashMap<Path, Entry>>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry")
    }
}

impl Registry {
    /// An empty table.
    pub fn new() -> Self {
        Self { entries: Named::new("registry", HashMap::new()) }
    }

    /// The claim on what `me` wants if nobody holds it, else a place in its line. Never waits.
    pub fn claim(&self, me: Arc<Party>) -> Result<Claim<'_>, Ticket<'_>> {
        let place = Place { registry: self, me: Arc::clone(&me) };
        match self.lock().entry(Path::clone(me.path())) {
            Slot::Vacant(free) => {
                let (since, line) = (Instant::now(), VecDeque::new());
                free.insert(Entry { holder: me, since, line, comers: 0 });
                Ok(Claim(place))
            }
            Slot::Occupied(mut held) => {
                let entry = held.get_mut();
                entry.line.push_back(me);
                entry.comers += 1;
                Err(Ticket { place, nth: entry.comers })
            }
        }
    }

    /// How often its lock was taken.
    pub fn lock_counts(&self) -> Lock {
        self.entries.lock_counts()
    }

    /// How many paths are held.
    pub fn held(&self) -> usize {
        self.lock().len()
    }

    /// What is held at this moment, sorted by path. One look under one lock, so that no party is
    /// shown in two places.
    pub fn snapshot(&self) -> Vec<Held> {
        let entries = self.lock();
        let mut held: Vec<Held> = entries
            .iter()
            .map(|(path, entry)| Held {
                path: Path::clone(path),
                holder: entry.holder(),
                line: entry.line.iter().map(|party| party.who().to_owned()).collect(),
            })
            .collect();
        drop(entries);
        held.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        held
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Path, Entry>> {
        self.entries.lock()
    }
}

/// A place at a path: at its head, as its holder, or in its line. Dropping it leaves.
struct Place<'r> {
    registry: &'r Registry,
    me: Arc<Party>,
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.me.who(), self.me.path())
    }
}

impl Place<'_> {
    fn is_mine(&self, entries: &HashMap<Path, Entry>) -> bool {
        entries.get(self.me.path()).is_some_and(|entry| Arc::ptr_eq(&entry.holder, &self.me))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut entries = self.registry.lock();
        let mine = self.is_mine(&entries);
        let Some(entry) = entries.get_mut(self.me.path()) else { return };
        if !mine {
            // A waiter who gives up. Only its own place is touched: the order stays.
            entry.line.retain(|party| !Arc::ptr_eq(party, &self.me));
            return;
        }
        // LESSON: hand over, do not let go. If the path were free for a moment, whoever ran first
        // would take it, and those who waited longest could wait for ever.
        match entry.line.pop_front() {
            Some(next) => {
                entry.holder = Arc::clone(&next);
                entry.since = Instant::now();
                next.my_turn.notify_one();
            }
            None => {
                entries.remove(self.me.path());
            }
        }
    }
}

/// The exclusive right to write one path; given back on drop.
#[derive(Debug)]
#[must_use = "a claim that is not kept is given back at once"]
pub struct Claim<'r>(Place<'r>);

impl Claim<'_> {
    /// The holder.
    pub fn party(&self) -> &Arc<Party> {
        &self.0.me
    }
}

/// A place in a path's line; left on drop.
#[derive(Debug)]
#[must_use = "a ticket that is not kept leaves the line at once"]
pub struct Ticket<'r> {
    place: Place<'r>,
    nth: u64,
}

impl<'r> Ticket<'r> {
    /// Who came sooner has a smaller number.
    pub fn place(&self) -> u64 {
        self.nth
    }

    /// Who holds the path now and how far they are; `None` if the claim was handed over by now, so
    /// that the next [`wait`](Self::wait) returns at once.
    pub fn holder(&self) -> Option<Wait> {
        let entries = self.place.registry.lock();
        let entry = entries.get(self.place.me.path()).filter(|_| !self.place.is_mine(&entries))?;
        Some(entry.holder())
    }

    /// The session that holds the path, if it is in the middle of this same upload.
    pub fn twin(&self) -> Option<u64> {
        let entries = self.place.registry.lock();
        let holder = &entries.get(self.place.me.path())?.holder;
        holder.is_twin_of(&self.place.me).then_some(holder.session())
    }

    /// Waits for the claim, at most `patience`; then gives the same place in line back.
    pub fn wait(self, patience: Duration) -> Result<Claim<'r>, Self> {
        let deadline = Instant::now() + patience;
        let registry = self.place.registry;
        let mut entries = registry.lock();
        // LESSON: `while`, not `if`. A condition variable may wake without being notified, and
        // the deadline may pass in the very moment the claim is handed over; only the table
        // itself says whose turn it is, so it is asked again after every wake-up.
        while !self.place.is_mine(&entries) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // The guard must go first: dropping `self` takes the same lock.
                drop(entries);
                return Err(self);
            }
            // LESSON: waiting gives the Mutex back and takes it again on waking, in one step; a
            // hand-over between our look and our sleep cannot be missed.
            entries = self
                .place
                .me
                .my_turn
                .wait_timeout(entries, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(entries);
        Ok(Claim(self.place))
    }
}
