//! Who holds what, and who waits for what: locks with names, and one table of them.
//!
//! The operating system cannot say why a thread waits: a Mutex, a full queue and a condition variable
//! all show as `futex_do_wait`. So a program that wants to know keeps the table itself. Three rules
//! make it true:
//!
//! 1. that a thread *waits* is written before it asks for the lock;
//! 2. that it *holds* is written after it got the lock;
//! 3. that it holds no longer is written before it gives the lock back.
//!
//! So whoever stands as a holder does hold, and a circle in the table is a circle in the world. It
//! will never undo itself: each in it waits for another, and gives nothing back meanwhile. That makes
//! a deadlock the one fault among these that a program can *prove* while it runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

/// The table: a row for each thread, by its name. Threads here have one, each its own.
#[derive(Debug, Default)]
pub(super) struct Waits(Mutex<BTreeMap<String, Row>>);

#[derive(Debug, Default)]
struct Row {
    holds: Vec<Name>,
    waits_for: Option<Name>,
}

/// A lock's name, and the data it guards: a lock without data guards nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) lock: &'static str,
    pub(super) data: &'static str,
}

/// Data behind a lock with a name.
#[derive(Debug)]
pub(super) struct Named<T> {
    name: Name,
    waits: Arc<Waits>,
    data: Mutex<T>,
}

/// A lock that is held. It is given back when this is dropped.
pub(super) struct Held<'n, T> {
    of: &'n Named<T>,
    guard: MutexGuard<'n, T>,
}

impl Waits {
    /// The threads and locks that wait for each other in a circle, as a sentence.
    pub(super) fn cycle(&self) -> Option<String> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.keys().find_map(|start| circle(&rows, start))
    }

    /// Changes the row of the thread that calls.
    fn note(&self, change: impl FnOnce(&mut Row)) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread::current().name().unwrap_or("a thread").to_owned();
        change(rows.entry(thread).or_default());
    }
}

/// From a thread to the lock it waits for, to the thread that holds that, and so on: does it lead back
/// to where it began?
fn circle(rows: &BTreeMap<String, Row>, start: &str) -> Option<String> {
    let (mut who, mut said, mut path) = (start, Vec::new(), start.to_owned());
    // Nobody needs more steps than there are threads.
    for _ in 0..rows.len() {
        let row = rows.get(who)?;
        let wanted = row.waits_for?;
        let held: Vec<String> = row.holds.iter().map(Name::full).collect();
        said.push(format!("{who} holds {} waits for {}", held.join(", "), wanted.full()));
        (who, _) = rows.iter().find(|(_, row)| row.holds.contains(&wanted))?;
        // Writing into a string cannot fail.
        let _ = write!(path, " → {} → {who}", wanted.lock);
        if who == start {
            return Some(format!("{}: {path}", said.join("; ")));
        }
    }
    None
}

impl Name {
    fn full(&self) -> String {
        format!("{} ({})", self.lock, self.data)
    }
}

impl<T> Named<T> {
    pub(super) fn new(waits: &Arc<Waits>, name: Name, data: T) -> Self {
        Self { name, waits: Arc::clone(waits), data: Mutex::new(data) }
    }

    /// Waits for the lock, however long.
    pub(super) fn lock(&self) -> Held<'_, T> {
        self.waits.note(|row| row.waits_for = Some(self.name));
        self.held(self.data.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The lock, if nobody has it. Waits for nobody, so it is in no circle.
    pub(super) fn try_lock(&self) -> Option<Held<'_, T>> {
        match self.data.try_lock() {
            Ok(guard) => Some(self.held(guard)),
            Err(TryLockError::Poisoned(poisoned)) => Some(self.held(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn held<'n>(&'n self, guard: MutexGuard<'n, T>) -> Held<'n, T> {
        self.waits.note(|row| {
            row.waits_for = None;
            row.holds.push(self.name);
        });
        Held { of: self, guard }
    }
}

/// LESSON: the table is changed here, and the lock itself is given back after it, when the fields are
/// dropped. The other way round a thread would stand in the table that no longer holds.
impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.of.waits.note(|row| row.holds.retain(|held| *held != self.of.name));
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Name = Name { lock: "A", data: "room" };
    const B: Name = Name { lock: "B", data: "files" };
    const C: Name = Name { lock: "C", data: "users" };

    fn rows(of: &[(&str, &[Name], Option<Name>)]) -> Waits {
        let row = |(thread, holds, waits_for): &(&str, &[Name], Option<Name>)| {
            ((*thread).to_owned(), Row { holds: holds.to_vec(), waits_for: *waits_for })
        };
        Waits(Mutex::new(of.iter().map(row).collect()))
    }

    #[test]
    fn a_circle_of_two_is_a_sentence() {
        let waits = rows(&[("t1", &[A], Some(B)), ("t2", &[B], Some(A))]);
        let expected = "t1 holds A (room) waits for B (files); t2 holds B (files) waits for A \
                        (room): t1 → B → t2 → A → t1";
        assert_eq!(waits.cycle().as_deref(), Some(expected));
    }

    #[test]
    fn who_only_waits_for_a_circle_is_not_in_it() {
        let waits = rows(&[
            ("t0", &[], Some(A)),
            ("t1", &[A], Some(B)),
            ("t2", &[B], Some(C)),
            ("t3", &[C], Some(A)),
        ]);
        let cycle = waits.cycle().unwrap_or_default();
        assert!(cycle.ends_with(": t1 → B → t2 → C → t3 → A → t1"), "{cycle}");
    }

    #[test]
    fn a_line_is_no_circle() {
        let line = rows(&[("t1", &[A], None), ("t2", &[B], Some(A)), ("t3", &[], Some(B))]);
        assert_eq!(line.cycle(), None);
        // Between giving back and getting, nobody holds it.
        assert_eq!(rows(&[("t1", &[], Some(A)), ("t2", &[], Some(A))]).cycle(), None);
    }

    #[test]
    fn what_is_held_is_in_the_table_until_it_is_given_back() {
        let waits = Arc::new(Waits::default());
        let room = Named::new(&waits, A, 0);
        let mut held = room.lock();
        *held += 1;
        thread::scope(|scope| {
            scope.spawn(|| assert!(room.try_lock().is_none()));
        });
        drop(held);
        assert_eq!(room.try_lock().map(|held| *held), Some(1));
        let rows = waits.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(rows.values().all(|row| row.holds.is_empty() && row.waits_for.is_none()));
    }
}
