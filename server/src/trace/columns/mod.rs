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

mod board;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use rustix::termios::tcgetwinsize;

use self::board::Board;
use crate::journal::Echo;
use crate::state::{Ear, Event, State, Table, What};

/// Events that may wait to be shown.
const EVENTS_MAX: usize = 4096;

/// Columns of the terminal, where stderr is none.
const WIDTH: usize = 100;

/// A log in columns that nobody writes yet.
#[derive(Debug)]
pub struct Columns {
    ear: Arc<Inlet>,
    events: Receiver<Event>,
}

impl Default for Columns {
    /// It hears from now on, and is written once it is [started](Self::start).
    fn default() -> Self {
        let (sender, events) = bounded(EVENTS_MAX);
        Self { ear: Arc::new(Inlet { events: sender, lost: AtomicU64::new(0) }), events }
    }
}

impl Columns {
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

#[cfg(test)]
mod tests {
    use super::board::TIME;
    use super::*;
    use crate::party::Party;
    use crate::state::{self, enter};

    /// Rows as they would be shown, on a terminal of so many columns, their times left out.
    fn shown(width: usize, scene: impl FnOnce(&Table)) -> Vec<String> {
        let columns = Columns::default();
        scene(&Table::heard_by(vec![columns.ear()]));
        let mut board = Board::default();
        let rows = columns.events.try_iter().flat_map(|event| board.rows(&event, width));
        let timeless = |row: String| row.get(TIME..).unwrap_or_default().trim_end().to_owned();
        rows.map(timeless).collect()
    }

    #[test]
    fn each_thread_speaks_in_its_own_column() {
        let wants = |session| Party::new(session, "ann", "/library/大电影.mp4", 5, None);
        let rows = shown(100, |table| {
            let (c01, c02) = (table.line("c01", State::Run), table.line("c02", State::Run));
            let held = {
                let _sitting = c01.work();
                state::works_on("PUT", "/library/大电影.mp4");
                let held = state::stake(&wants(1), 0);
                held.holds();
                held
            };
            let _sitting = c02.work();
            state::works_on("PUT", "/library/大电影.mp4");
            let _wanted = state::stake(&wants(2), 1);
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
                state::works_on("STAT", "a");
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
