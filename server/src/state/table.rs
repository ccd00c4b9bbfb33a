//! All rows, and the queues that are shown beside them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::watch::{Lock, Queue};

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
}

impl Default for Table {
    fn default() -> Self {
        Self { lists: Named::new("table", Lists::default()), next: AtomicU64::new(0) }
    }
}

impl Table {
    /// Gives the calling thread a row, until the seat is dropped.
    pub fn seat(&self, name: &str, first: State) -> Seat<'_> {
        let row = Arc::new(Row::new(name, first));
        let id = self.next_id();
        self.lists.lock().rows.insert(id, Arc::clone(&row));
        OWN_ROW.set(Some(Arc::clone(&row)));
        Seat { table: self, id, row }
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

/// A thread's place in the table.
#[derive(Debug)]
pub struct Seat<'t> {
    table: &'t Table,
    id: u64,
    row: Arc<Row>,
}

impl Seat<'_> {
    /// The row others see.
    pub fn row(&self) -> Arc<Row> {
        Arc::clone(&self.row)
    }

    /// Notes where the thread's client comes from.
    pub fn serves(&self, peer: SocketAddr) {
        self.row.words_mut().peer = Some(peer);
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        OWN_ROW.set(None);
        self.table.lists.lock().rows.remove(&self.id);
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
