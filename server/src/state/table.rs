//! All rows, and the queues that are shown beside them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::watch::{Lock, Queue};

use super::event::{Audience, Ear, What};
use super::row::Span;
use super::{OWN_ROW, Row, State};
use crate::named::Named;

/// A queue that can be looked at without taking anything from those who use it.
pub trait Depth: fmt::Debug + Send + Sync {
    /// How full it is.
    fn look(&self) -> Queue;
}

/// What the lock guards.
#[derive(Debug, Default)]
struct Lists {
    rows: BTreeMap<u64, Arc<Row>>,
    queues: BTreeMap<u64, Arc<dyn Depth>>,
}

/// All rows. Its lock is held to add, remove or copy what is listed, never across a wait.
#[derive(Debug)]
pub struct Table {
    lists: Named<Lists>,
    next: AtomicU64,
    audience: Option<Arc<Audience>>,
}

impl Default for Table {
    fn default() -> Self {
        Self::heard_by(Vec::new())
    }
}

impl Table {
    /// An empty table; the `ears` are told of all that happens in it.
    pub fn heard_by(ears: Vec<Arc<dyn Ear>>) -> Self {
        let (lists, next) = (Named::new("table", Lists::default()), AtomicU64::new(0));
        Self { lists, next, audience: Audience::of(ears) }
    }

    /// Gives the calling thread a row, until the seat is dropped.
    pub fn seat(&self, name: &str, first: State) -> Seat<'_> {
        let line = self.line(name, first);
        Seat { _sitting: line.sit(), line }
    }

    /// Adds a row that no thread works at yet, until the line is dropped.
    pub fn line(&self, name: &str, first: State) -> Line<'_> {
        let id = self.next_id();
        let row = Arc::new(Row::new(id, name, first, self.audience.clone()));
        self.lists.lock().rows.insert(id, Arc::clone(&row));
        Line { table: self, id, row, left: Cell::new(None) }
    }

    /// The rows as they are now, oldest thread first.
    pub fn rows(&self) -> Vec<Arc<Row>> {
        self.lists.lock().rows.values().cloned().collect()
    }

    /// Shows a queue beside the rows, until what this returns is dropped.
    pub fn show(&self, queue: Arc<dyn Depth>) -> Shown<'_> {
        let id = self.next_id();
        self.lists.lock().queues.insert(id, queue);
        Shown { table: self, id }
    }

    /// The queues that are shown now, the first shown first.
    pub fn queues(&self) -> Vec<Arc<dyn Depth>> {
        self.lists.lock().queues.values().cloned().collect()
    }

    /// How often its own lock was taken.
    pub fn lock_counts(&self) -> Lock {
        self.lists.lock_counts()
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// A row's place in the table, whoever works at it.
#[derive(Debug)]
pub struct Line<'t> {
    table: &'t Table,
    id: u64,
    row: Arc<Row>,
    left: Cell<Option<Left>>,
}

/// How a row was left by the thread that worked at it.
#[derive(Debug, Clone, Copy)]
struct Left {
    span: Span,
    on: &'static str,
    /// Bytes that had come and gone by then.
    moved: u64,
}

impl Line<'_> {
    /// The row others see.
    pub fn row(&self) -> Arc<Row> {
        Arc::clone(&self.row)
    }

    /// Notes where the client comes from that the row is about.
    pub fn serves(&self, peer: SocketAddr) {
        self.row.words_mut().peer = Some(peer);
    }

    /// What the calling thread does is told at this row, until the guard is dropped.
    fn sit(&self) -> Sitting {
        Sitting { before: OWN_ROW.replace(Some(self.row())), not_sent: PhantomData }
    }

    /// The same, and it works.
    pub fn work(&self) -> Sitting {
        self.say_on("");
        self.row.begin(State::Run);
        self.sit()
    }

    /// Says what is waited for, and on what, at a row that its thread leaves now. If that is the wait
    /// it came from, and no bytes have moved meanwhile, it goes on.
    pub fn rest(&self, state: State, on: &'static str) {
        let moved = self.row.received().wrapping_add(self.row.sent());
        let goes_on =
            |left: &Left| left.span.state == state && left.on == on && left.moved == moved;
        let before = self.left.get().filter(goes_on);
        self.say_on(on);
        match before {
            Some(left) => self.row.restore(left.span),
            None => drop(self.row.begin(state)),
        }
        self.left.set(Some(Left { span: self.row.span(), on, moved }));
    }

    fn say_on(&self, on: &'static str) {
        self.row.words_mut().on = on;
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.row.tell(|| What::Ended);
        self.table.lists.lock().rows.remove(&self.id);
    }
}

/// A thread at a row. Dropped, it is back at the one it had before.
#[derive(Debug)]
#[must_use = "who does not keep it has risen already"]
pub struct Sitting {
    before: Option<Arc<Row>>,
    /// It is about the thread it was made by, and dropped there.
    not_sent: PhantomData<*const ()>,
}

impl Drop for Sitting {
    fn drop(&mut self) {
        OWN_ROW.set(self.before.take());
    }
}

/// A thread's own place in the table.
#[derive(Debug)]
pub struct Seat<'t> {
    _sitting: Sitting,
    line: Line<'t>,
}

impl Seat<'_> {
    /// The row others see.
    pub fn row(&self) -> Arc<Row> {
        self.line.row()
    }

    /// Notes where the thread's client comes from.
    pub fn serves(&self, peer: SocketAddr) {
        self.line.serves(peer);
    }
}

/// A queue is shown for as long as this is kept.
#[derive(Debug)]
#[must_use = "the queue is not shown any more when this is dropped"]
pub struct Shown<'t> {
    table: &'t Table,
    id: u64,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.table.lists.lock().queues.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::{own_label, received};
    use super::*;

    #[test]
    fn at_a_row_that_its_thread_has_left_a_wait_goes_on_until_bytes_move() {
        const LONG: u64 = 1_000_000;
        let table = Table::default();
        let line = table.line("c07", State::Run);
        let waited = |bytes| {
            {
                let _sitting = line.work();
                received(bytes, Instant::now());
                assert_eq!((line.row().state(), line.row().words().on), (State::Run, ""));
            }
            line.rest(State::Read, "writer");
            assert_eq!((line.row().state(), line.row().words().on), (State::Read, "writer"));
            line.row.span().since_ms
        };
        waited(1);
        let span = Span { state: State::Read, since_ms: LONG };
        line.left.set(Some(Left { span, ..line.left.get().unwrap() }));
        assert_eq!(waited(0), LONG);
        assert_ne!(waited(1), LONG);
        assert!(own_label().is_none());
    }
}
