//! The table of states: what every thread is doing, since when, and on what.
//!
//! The operating system cannot say it: a full queue and a condition variable are both a futex
//! wait to it. So each thread takes a [`Seat`] in the table and says what it does next by holding
//! a [`Doing`] guard:
//!
//! ```text
//! let _doing = state::enter(State::Disk);     // the row says DISK ...
//! part.sync()?;                               // ... while this runs, and whatever way it ends,
//!                                             // dropping the guard restores what stood there
//! ```
//!
//! A row is two atomics and a small text. Its owner is its only writer, so entering a state takes
//! no lock that another thread holds for longer than a glance; readers may see a state and the
//! text of the next one, which is good enough to look at and used for nothing else. The one
//! exception is `IDLE`, which the shutdown reads to decide (see [`roster`](crate::roster)).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a thread can be doing. Waiting for what, in the lesson's sense, is always one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Waiting for the next client to connect.
    Accept,
    /// Waiting for a client to ask for something.
    Idle,
    /// Waiting for the rest of something a client has begun to send.
    Read,
    /// Computing.
    Run,
    /// Waiting for a client to take what is sent to it.
    Send,
    /// Waiting for the disk.
    Disk,
    /// Waiting for a name that another session holds.
    WaitFile,
    /// Waiting for room in the data queue, or for a buffer to come back from it.
    WaitQueueFull,
    /// Waiting for something to come out of a queue.
    WaitQueueEmpty,
    /// Waiting for something only so many can have at once.
    WaitLock,
}

impl State {
    const ALL: [Self; 10] = [
        Self::Accept,
        Self::Idle,
        Self::Read,
        Self::Run,
        Self::Send,
        Self::Disk,
        Self::WaitFile,
        Self::WaitQueueFull,
        Self::WaitQueueEmpty,
        Self::WaitLock,
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "ACCEPT",
            Self::Idle => "IDLE",
            Self::Read => "READ",
            Self::Run => "RUN",
            Self::Send => "SEND",
            Self::Disk => "DISK",
            Self::WaitFile => "WAIT_FILE",
            Self::WaitQueueFull => "WAIT_QFULL",
            Self::WaitQueueEmpty => "WAIT_QEMPTY",
            Self::WaitLock => "WAIT_LOCK",
        })
    }
}

/// One thread's line in the table.
#[derive(Debug)]
pub struct Row {
    name: String,
    born: Instant,
    state: AtomicU8,
    since_ms: AtomicU64,
    on: Mutex<String>,
}

impl Row {
    /// What the thread is doing now. Sequentially consistent with [`enter`]: see the shutdown's
    /// argument in [`roster`](crate::roster).
    pub fn state(&self) -> State {
        State::ALL[usize::from(self.state.load(Ordering::SeqCst)) % State::ALL.len()]
    }

    fn set(&self, state: u8) {
        let ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since_ms.store(ms, Ordering::Relaxed);
        self.state.store(state, Ordering::SeqCst);
    }

    /// What it does that on, if anything.
    pub fn on(&self) -> String {
        self.on.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For how long it has done so.
    pub fn since(&self) -> Duration {
        let entered = Duration::from_millis(self.since_ms.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(entered)
    }
}

impl fmt::Display for Row {
    /// `c07 WAIT_FILE PUT /library/a.txt 2.1 s`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (on, seconds) = (self.on(), self.since().as_secs_f64());
        write!(f, "{} {} {on} {seconds:.1} s", self.name, self.state())
    }
}

/// All rows. Its lock is held to add, remove or copy the list of rows, never across a wait.
#[derive(Debug, Default)]
pub struct Table {
    rows: Mutex<BTreeMap<u64, Arc<Row>>>,
    next: AtomicU64,
}

impl Table {
    /// Gives the calling thread a row, until the seat is dropped.
    pub fn seat(&self, name: &str, first: State) -> Seat<'_> {
        let line = self.line(name, first);
        Seat { _sitting: line.sit(), line }
    }

    /// Adds a row that no thread works at yet, until the line is dropped.
    pub fn line(&self, name: &str, first: State) -> Line<'_> {
        let row = Arc::new(Row {
            name: name.to_owned(),
            born: Instant::now(),
            state: AtomicU8::new(first as u8),
            since_ms: AtomicU64::new(0),
            on: Mutex::new(String::new()),
        });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&row));
        Line { table: self, id, row }
    }

    /// The rows as they are now, oldest thread first.
    pub fn rows(&self) -> Vec<Arc<Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// A row's place in the table, whoever works at it.
#[derive(Debug)]
pub struct Line<'t> {
    table: &'t Table,
    id: u64,
    row: Arc<Row>,
}

impl Line<'_> {
    /// The row others see.
    pub fn row(&self) -> Arc<Row> {
        Arc::clone(&self.row)
    }

    /// What the calling thread does is told at this row, until the guard is dropped.
    pub fn sit(&self) -> Sitting {
        Sitting { before: OWN_ROW.replace(Some(self.row())) }
    }

    /// Says what is waited for at a row that no thread works at now.
    pub fn rest(&self, state: State) {
        self.row.set(state as u8);
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.table.rows.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// A thread at a row. Dropped, it is back at the one it had before.
#[derive(Debug)]
#[must_use = "who does not keep it has risen already"]
pub struct Sitting {
    before: Option<Arc<Row>>,
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
}

thread_local! {
    /// LESSON: thread-local storage: each thread sees its own variable under this one name.
    static OWN_ROW: RefCell<Option<Arc<Row>>> = const { RefCell::new(None) };
}

/// The calling thread's row says `state` until the guard is dropped. A thread without a seat (in
/// a unit test) says nothing to nobody.
#[must_use = "the state ends when the guard is dropped"]
pub fn enter(state: State) -> Doing {
    OWN_ROW.with_borrow(|row| {
        let Some(row) = row else { return Doing { before: 0, row: None } };
        let before = row.state.load(Ordering::Relaxed);
        row.set(state as u8);
        Doing { before, row: Some(Arc::clone(row)) }
    })
}

/// Notes what the calling thread works on, until it works on something else.
pub fn works_on(what: impl fmt::Display) {
    OWN_ROW.with_borrow(|row| {
        if let Some(row) = row {
            *row.on.lock().unwrap_or_else(PoisonError::into_inner) = what.to_string();
        }
    });
}

/// Restores the state that stood before, on every way out.
#[derive(Debug)]
pub struct Doing {
    before: u8,
    row: Option<Arc<Row>>,
}

impl Drop for Doing {
    fn drop(&mut self) {
        if let Some(row) = &self.row {
            row.set(self.before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_restores_what_stood_before_and_a_seat_leaves_with_its_thread() {
        let table = Table::default();
        {
            let seat = table.seat("c07", State::Run);
            works_on("PUT a");
            {
                let _outer = enter(State::Disk);
                let _inner = enter(State::WaitFile);
                assert_eq!(seat.row().state(), State::WaitFile);
                assert_eq!(table.rows()[0].to_string(), "c07 WAIT_FILE PUT a 0.0 s");
            }
            assert_eq!(seat.row().state(), State::Run);
        }
        assert!(table.rows().is_empty());
    }

    #[test]
    fn every_state_is_the_byte_it_is_stored_as() {
        for (byte, state) in State::ALL.iter().enumerate() {
            assert_eq!(byte, *state as usize, "{state}");
        }
    }
}
