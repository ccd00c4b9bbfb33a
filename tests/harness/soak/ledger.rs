//! Who remembers what was sent under which name, and so knows what may be read there.
//!
//! Every change is noted before its request goes out and again when its answer is in. Times are
//! ticks of one clock that all clients share. Then this holds, whatever the server does inside:
//!
//! ```text
//!   change A  ├────┤ OK
//!   change B            ├───┤ OK          A ended before B began: A is superseded when B has ended
//!   change C                  ├──────?    no answer was heard: it may come true late, or never
//!   look                         ├──┤     may see B or C. Seeing A is a lost update
//! ```
//!
//! A change that was refused, or that never went out whole, must never be seen at all.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::content;

/// When a change without an answer has come true, if it ever will: far above the longest wait for
/// a name and the slowest disk.
const LATEST: Duration = Duration::from_secs(120);

/// One file's content: which one, and how long. All its bytes follow from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) size: usize,
    pub(super) crc: u32,
}

impl Version {
    pub(super) fn bytes(&self) -> Vec<u8> {
        content::bytes(self.number, self.size)
    }
}

/// A moment, comparable across clients.
type Tick = u64;

/// No answer yet, or none ever.
const OPEN: Tick = Tick::MAX;

#[derive(Debug)]
struct Change {
    /// What the name then stands for; `None` after a removal.
    to: Option<Version>,
    begun: Tick,
    ended: Tick,
    sure: bool,
    given_up: Option<Instant>,
}

/// What was done to one name, as far as it can still be seen.
#[derive(Debug)]
struct History {
    changes: Vec<Change>,
    /// When the looks under way began.
    looks: Vec<Tick>,
    /// Puts that may not replace and were OK; each needs the name to be free.
    created: u64,
    /// Removals that may have freed the name.
    removed: u64,
}

impl History {
    /// A name nobody has used.
    fn new() -> Self {
        let unused = Change { to: None, begun: 0, ended: 0, sure: true, given_up: None };
        Self { changes: vec![unused], looks: Vec::new(), created: 0, removed: 0 }
    }

    /// Whether nobody who began to look at `at` may see this change any more.
    fn is_superseded(&self, change: &Change, at: Tick) -> bool {
        self.changes.iter().any(|by| by.sure && change.ended < by.begun && by.ended < at)
    }

    fn visible(&self, at: Tick) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| !self.is_superseded(change, at))
    }

    /// Forgets what nobody may see any more, so that a long run needs no more than a short one.
    fn prune(&mut self, now: Tick) {
        for change in &mut self.changes {
            if change.ended == OPEN && change.given_up.is_some_and(|at| at.elapsed() > LATEST) {
                change.ended = now;
            }
        }
        let at = self.looks.iter().copied().min().unwrap_or(now);
        let keep: Vec<bool> =
            self.changes.iter().map(|change| !self.is_superseded(change, at)).collect();
        let mut keep = keep.into_iter();
        self.changes.retain(|_| keep.next().unwrap_or(true));
    }
}

/// The histories of all names.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    clock: AtomicU64,
    versions: AtomicU64,
    names: Mutex<HashMap<String, History>>,
}

impl Ledger {
    fn tick(&self) -> Tick {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, History>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A content nobody has sent yet.
    pub(super) fn new_version(&self, size: usize) -> (Version, Vec<u8>) {
        let number = self.versions.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = content::bytes(number, size);
        let crc = crc32fast::hash(&bytes);
        (Version { number, size, crc }, bytes)
    }

    /// Every name that was ever used.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// A change is about to be asked for.
    pub(super) fn changing(&self, name: &str, to: Option<Version>) -> Pending<'_> {
        let mut names = self.lock();
        let begun = self.tick();
        let history = names.entry(name.to_owned()).or_insert_with(History::new);
        history.prune(begun);
        history.changes.push(Change { to, begun, ended: OPEN, sure: false, given_up: None });
        history.removed += u64::from(to.is_none());
        Pending { ledger: self, name: name.to_owned(), begun, closed: false }
    }

    /// Somebody is about to look.
    pub(super) fn looking(&self, name: &str) -> Look<'_> {
        let mut names = self.lock();
        // Under the lock: nobody may forget between this moment and its being known.
        let begun = self.tick();
        names.entry(name.to_owned()).or_insert_with(History::new).looks.push(begun);
        Look { ledger: self, name: name.to_owned(), begun }
    }
}

/// A change that was asked for. Dropped without a word it counts as unheard.
#[derive(Debug)]
pub(super) struct Pending<'l> {
    ledger: &'l Ledger,
    name: String,
    begun: Tick,
    closed: bool,
}

impl Pending<'_> {
    /// It was answered OK.
    pub(super) fn done(mut self) {
        let ended = self.ledger.tick();
        self.close(|history, at| {
            if let Some(change) = history.changes.get_mut(at) {
                (change.ended, change.sure) = (ended, true);
            }
            history.prune(ended);
        });
    }

    /// It was answered OK, and promised not to replace anything. The error says that it did.
    pub(super) fn created(self) -> Result<(), String> {
        let (ledger, name) = (self.ledger, self.name.clone());
        self.done();
        let mut names = ledger.lock();
        let history = names.entry(name.clone()).or_insert_with(History::new);
        history.created += 1;
        let (created, removed) = (history.created, history.removed);
        if created <= removed + 1 {
            return Ok(());
        }
        Err(format!("{name}: {created} puts that may not replace were OK, with {removed} removals"))
    }

    /// It was refused, or cannot have arrived whole: it must never be seen.
    pub(super) fn never(mut self) {
        self.close(|history, at| {
            let change = history.changes.remove(at);
            history.removed -= u64::from(change.to.is_none());
        });
    }

    /// No answer was heard.
    pub(super) fn unheard(mut self) {
        self.give_up();
    }

    fn give_up(&mut self) {
        self.close(|history, at| {
            if let Some(change) = history.changes.get_mut(at) {
                change.given_up = Some(Instant::now());
            }
        });
    }

    fn close(&mut self, how: impl FnOnce(&mut History, usize)) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let mut names = self.ledger.lock();
        let Some(history) = names.get_mut(&self.name) else { return };
        // Begun at its own tick, and never forgotten while it is open.
        let at = history.changes.iter().position(|change| change.begun == self.begun);
        if let Some(at) = at {
            how(history, at);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// A look under way: what it may see is kept until it is dropped.
#[derive(Debug)]
pub(super) struct Look<'l> {
    ledger: &'l Ledger,
    name: String,
    begun: Tick,
}

impl Look<'_> {
    /// What may be seen: each version, and whether it may be nothing.
    pub(super) fn may_see(&self) -> (Vec<Version>, bool) {
        let names = self.ledger.lock();
        let Some(history) = names.get(&self.name) else { return (Vec::new(), true) };
        let absent = history.visible(self.begun).any(|change| change.to.is_none());
        (history.visible(self.begun).filter_map(|change| change.to).collect(), absent)
    }

    /// It saw a file for which `fits` holds. The error says that there should be none such.
    pub(super) fn saw(&self, what: &str, fits: impl Fn(&Version) -> bool) -> Result<(), String> {
        let (versions, absent) = self.may_see();
        if versions.iter().any(fits) {
            return Ok(());
        }
        let may = if absent { ", or nothing" } else { "" };
        Err(format!("{}: {what} is none of {versions:?}{may}", self.name))
    }

    /// It saw that there is nothing.
    pub(super) fn saw_nothing(&self) -> Result<(), String> {
        match self.may_see() {
            (_, true) => Ok(()),
            (versions, false) => {
                Err(format!("{}: nothing is there, and one of {versions:?} must be", self.name))
            }
        }
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut names = self.ledger.lock();
        if let Some(history) = names.get_mut(&self.name)
            && let Some(at) = history.looks.iter().position(|begun| *begun == self.begun)
        {
            history.looks.swap_remove(at);
        }
    }
}
