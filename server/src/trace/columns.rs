//! The log in columns: one for each thread, time from top to bottom. It is on stderr in place of the
//! journal's lines, for who wants to see what happens between threads more than what was done.
//!
//! ```text
//!      ms  c01                 c02                 writer              c03                 data
//!    2301  PUT a.txt
//!    2301  holds a.txt
//!    4012                      PUT a.txt
//!    4012                      waits (c01): a.txt
//!    6100  queues 100 B
//!    6101                                          wrote 100 B, c01                       0/256
//! ```
//!
//! # Who has a column
//! A thread takes one when it first has something to say: one that is free, else that of a session
//! which waits for its client's next request and has been silent longest. If there is none, it
//! speaks in the last column, with its name in front. A row above says whose columns they are now.
//!
//! # What it takes
//! As with the journal, nobody waits for a terminal: events go through a bounded queue to one thread,
//! and those that find it full are counted. That thread has a row in the table and never changes its
//! state, or what it shows would be news to show.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use common::escape::Safe;
use crossbeam_channel::{Receiver, Sender, bounded, select};
use rustix::termios::tcgetwinsize;

use super::text::{fitted, short};
use crate::journal::Echo;
use crate::state::{Ear, Event, State, Table, What};

/// Events that may wait to be shown.
const EVENTS_MAX: usize = 4096;

/// Columns of the terminal, where stderr is none.
const WIDTH: usize = 100;

/// What the time takes of it at the left, and the queue at the right.
const TIME: usize = 8;
const QUEUE: usize = 8;

/// A thread's column is about so wide; there are never fewer of them than that.
const COLUMN: usize = 20;
const COLUMNS_MIN: usize = 4;

/// After so many rows it is said again whose columns they are.
const ROWS: usize = 20;

/// A log in columns that nobody writes yet.
#[derive(Debug)]
pub struct Columns {
    ear: Arc<Inlet>,
    events: Receiver<Event>,
}

impl Columns {
    /// It hears from now on, and is written once it is [started](Self::start).
    pub fn new() -> Self {
        let (sender, events) = bounded(EVENTS_MAX);
        Self { ear: Arc::new(Inlet { events: sender, lost: AtomicU64::new(0) }), events }
    }

    /// Who has to be told what happens.
    pub fn ear(&self) -> Arc<dyn Ear> {
        Arc::clone(&self.ear) as Arc<dyn Ear>
    }

    /// Hands each row to `echo`, which must not wait. Its thread has a row in `table`.
    pub fn start(self, mut echo: Echo, table: Arc<Table>) -> io::Result<ColumnLog> {
        let (over, ended) = bounded::<Infallible>(0);
        let thread = thread::Builder::new().name("columns".into()).spawn(move || {
            let _seat = table.seat("columns", State::WaitQueueEmpty);
            let mut board = Board::default();
            let mut show = |event: &Event| {
                let lost = self.ear.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    echo(format!("… {lost} rows lost: they came too fast\n").as_bytes());
                }
                for row in board.rows(event, width()) {
                    echo(row.as_bytes());
                }
            };
            loop {
                select! {
                    recv(self.events) -> event => {
                        let Ok(event) = event else { return };
                        show(&event);
                    }
                    recv(ended) -> _ => {
                        self.events.try_iter().for_each(|event| show(&event));
                        return;
                    }
                }
            }
        })?;
        Ok(ColumnLog { over: Some(over), thread: Some(thread) })
    }
}

/// The log while it is written. Dropping it shows what is still queued and joins the thread.
#[derive(Debug)]
pub struct ColumnLog {
    /// Nothing is ever sent: its end is the message.
    over: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for ColumnLog {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where events come in that are worth a row.
#[derive(Debug)]
struct Inlet {
    events: Sender<Event>,
    lost: AtomicU64,
}

impl Ear for Inlet {
    fn hear(&self, event: &Event) {
        let is_told = match &event.what {
            What::Enters { state, .. } => {
                matches!(state, State::WaitFile | State::WaitQueueFull | State::Idle)
            }
            What::WorksFor(_) => false,
            _ => true,
        };
        if is_told && self.events.try_send(event.clone()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How wide the terminal is now.
fn width() -> usize {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => size.ws_col.into(),
        _ => WIDTH,
    }
}

/// What is known of the threads, and who has which column.
#[derive(Debug, Default)]
struct Board {
    threads: HashMap<u64, Thread>,
    /// Which row holds which name.
    holders: HashMap<String, u64>,
    columns: Vec<Option<Column>>,
    /// How wide the terminal was when they were made.
    width: usize,
    /// How full the queue to the writer is.
    queue: String,
    /// Rows since it was said whose columns they are; none if that is not true any more.
    shown: Option<usize>,
}

/// A thread that there is.
#[derive(Debug)]
struct Thread {
    name: Arc<str>,
    /// The name it waits for.
    wants: Option<String>,
    /// On what it waits, as it said last: a wait that goes on is said once.
    waits: Option<String>,
}

impl Thread {
    /// What it waits for, if that is new.
    fn begins_to_wait(&mut self, what: String) -> Option<String> {
        let goes_on = self.waits.as_ref() == Some(&what);
        self.waits = Some(what.clone());
        (!goes_on).then_some(what)
    }
}

/// A column that somebody has.
#[derive(Debug)]
struct Column {
    row: u64,
    /// It waits for the next request, so somebody else may have its column.
    rests: bool,
    /// For how many rows it has been silent.
    silent: usize,
}

impl Board {
    /// What there is to show of an event: mostly a row, and now and then the heads above it.
    fn rows(&mut self, event: &Event, width: usize) -> Vec<String> {
        let Some(said) = self.said(event) else { return Vec::new() };
        let Some(thread) = self.threads.get_mut(&event.row) else { return Vec::new() };
        if !matches!(event.what, What::Enters { .. }) {
            thread.waits = None;
        }
        let name = Arc::clone(&thread.name);
        self.fit(width);
        let (place, is_own) = self.place(event.row);
        let said = if is_own { said } else { format!("{name}: {said}") };
        let mut rows = Vec::new();
        if self.shown.is_none_or(|shown| shown >= ROWS) {
            rows.push(self.heads());
            self.shown = Some(0);
        }
        self.shown = self.shown.map(|shown| shown + 1);
        let cells = (0..self.columns.len()).map(|nth| if nth == place { &*said } else { "" });
        rows.push(self.row(&event.at.as_millis().to_string(), cells, &self.queue));
        rows
    }

    /// What an event says, in a few words; and what it means for others.
    fn said(&mut self, Event { row, what, .. }: &Event) -> Option<String> {
        if let What::Began { name, .. } = what {
            let thread = Thread { name: Arc::clone(name), wants: None, waits: None };
            self.threads.insert(*row, thread);
            return None;
        }
        let thread = self.threads.get_mut(row)?;
        match what {
            What::WorksOn(work) if !work.is_empty() => return Some(short(work)),
            What::Did(deed) => return Some(short(deed)),
            What::Wants(stake) => thread.wants = Some(stake.path().to_owned()),
            What::Holds(stake) => {
                thread.wants = None;
                self.holders.insert(stake.path().to_owned(), *row);
                return Some(short(&format!("holds {}", Safe(stake.path()))));
            }
            What::LetsGo(stake) => {
                thread.wants.take_if(|path| path == stake.path());
                if self.holders.get(stake.path()) == Some(row) {
                    self.holders.remove(stake.path());
                }
            }
            What::Enters { state: State::WaitFile, .. } => {
                let path = thread.begins_to_wait(thread.wants.clone()?)?;
                let holder = self.holders.get(&path).and_then(|row| self.threads.get(row));
                let by = holder.map_or_else(String::new, |by| format!(" ({})", by.name));
                return Some(format!("waits{by}: {}", short(&Safe(&path).to_string())));
            }
            // For its own buffers an upload waits all the time; a queue that is full concerns all.
            What::Enters { state: State::WaitQueueFull, on } if *on != "writer" => {
                let queue = thread.begins_to_wait((*on).to_owned())?;
                return Some(format!("waits: {queue} is full"));
            }
            What::Enters { state: State::Idle, .. } => {
                let mut columns = self.columns.iter_mut().flatten();
                if let Some(column) = columns.find(|column| column.row == *row) {
                    column.rests = true;
                }
            }
            What::Queue { name: "data", len, places } => self.queue = format!("{len}/{places}"),
            What::Ended => {
                self.threads.remove(row);
                for column in &mut self.columns {
                    column.take_if(|column| column.row == *row);
                }
            }
            _ => {}
        }
        None
    }

    /// As many columns as there is room for now.
    fn fit(&mut self, width: usize) {
        if self.width != width {
            self.width = width;
            let count = (width.saturating_sub(TIME + QUEUE) / COLUMN).max(COLUMNS_MIN);
            self.columns.resize_with(count, || None);
            self.shown = None;
        }
    }

    /// In which column a thread speaks, and whether that is its own.
    fn place(&mut self, row: u64) -> (usize, bool) {
        for column in self.columns.iter_mut().flatten() {
            column.silent += 1;
        }
        let is_own = |column: &Option<Column>| column.as_ref().is_some_and(|own| own.row == row);
        let found = self.columns.iter().position(is_own);
        let place = found.or_else(|| self.columns.iter().position(Option::is_none)).or_else(|| {
            let resting = self.columns.iter().enumerate().filter_map(|(nth, column)| {
                let column = column.as_ref().filter(|column| column.rests)?;
                Some((nth, column.silent))
            });
            resting.max_by_key(|(_, silent)| *silent).map(|(nth, _)| nth)
        });
        let Some(place) = place else { return (self.columns.len().saturating_sub(1), false) };
        if found.is_none() {
            self.shown = None;
        }
        if let Some(column) = self.columns.get_mut(place) {
            *column = Some(Column { row, rests: false, silent: 0 });
        }
        (place, true)
    }

    /// Whose columns they are.
    fn heads(&self) -> String {
        let names = self.columns.iter().map(|column| {
            let thread = column.as_ref().and_then(|column| self.threads.get(&column.row));
            thread.map_or("", |thread| &thread.name)
        });
        self.row("ms", names, "data")
    }

    fn row<'t>(&self, time: &str, cells: impl Iterator<Item = &'t str>, queue: &str) -> String {
        let room = self.width.saturating_sub(TIME + QUEUE);
        let wide = (room / self.columns.len().max(1)).clamp(COLUMN / 2, 2 * COLUMN);
        let cells = cells.map(|cell| fitted(cell, wide - 1) + " ").collect::<String>();
        let (time_room, queue_room) = (TIME - 1, QUEUE - 1);
        let row = format!("{time:>time_room$} {cells}{queue:>queue_room$}");
        row.trim_end().to_owned() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{self, enter};

    /// Rows as they would be shown, on a terminal of so many columns, their times left out.
    fn shown(width: usize, scene: impl FnOnce(&Table)) -> Vec<String> {
        let columns = Columns::new();
        scene(&Table::heard_by(vec![columns.ear()]));
        let mut board = Board::default();
        let rows = columns.events.try_iter().flat_map(|event| board.rows(&event, width));
        let timeless = |row: String| row.get(TIME..).unwrap_or_default().trim_end().to_owned();
        rows.map(timeless).collect()
    }

    #[test]
    fn each_thread_speaks_in_its_own_column() {
        let rows = shown(100, |table| {
            let (c01, c02) = (table.line("c01", State::Run), table.line("c02", State::Run));
            let held = {
                let _sitting = c01.work();
                state::works_on("PUT /library/大电影.mp4");
                let held = state::stake("/library/大电影.mp4", 5, 0);
                held.holds();
                held
            };
            let _sitting = c02.work();
            state::works_on("PUT /library/大电影.mp4");
            let _wanted = state::stake("/library/大电影.mp4", 5, 1);
            let _waiting = enter(State::WaitFile);
            // What is sent meanwhile does not end the wait, nor say it again.
            drop(enter(State::Send));
            drop(held);
        });
        let said = [
            &format!("{:<87}data", "c01"),
            "PUT 大电影.mp4",
            "holds 大电影.mp4",
            &format!("{:<21}{:<66}data", "c01", "c02"),
            "                     PUT 大电影.mp4",
            "                     waits (c01): 大电影~",
        ];
        assert_eq!(rows, said);
    }

    #[test]
    fn who_finds_no_column_speaks_in_the_last_with_its_name_and_takes_that_of_who_rests() {
        let rows = shown(80, |table| {
            let lines: Vec<_> =
                (1..=5).map(|n| table.line(&format!("c{n:02}"), State::Run)).collect();
            for line in &lines {
                let _sitting = line.work();
                state::works_on("STAT a");
            }
            lines[1].rest(State::Idle, "");
            let _sitting = lines[4].work();
            state::did("OK a");
        });
        let last: Vec<_> = rows.iter().rev().take(3).rev().collect();
        let said = [
            "                                                c05: STAT a",
            &format!("c01             c05             c03             {:<19}data", "c04"),
            "                OK a",
        ];
        assert_eq!(last, said);
    }

    #[test]
    fn after_twenty_rows_it_is_said_again_whose_columns_they_are() {
        let rows = shown(100, |table| {
            let _seat = table.seat("c01", State::Run);
            for _ in 0..45 {
                state::did("OK");
            }
        });
        let heads = rows.iter().enumerate().filter(|(_, row)| row.starts_with("c01"));
        assert_eq!(heads.map(|(nth, _)| nth).collect::<Vec<_>>(), [0, 21, 42]);
    }
}
