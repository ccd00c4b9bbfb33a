//! Who has which column, and what is said in it.

use std::collections::HashMap;
use std::sync::Arc;

use common::escape::Safe;

use super::super::text::{fitted, short};
use crate::party::Path;
use crate::state::{Event, State, What};

/// What the time takes of it at the left, and the queue at the right.
pub(super) const TIME: usize = 8;
const QUEUE: usize = 8;

/// A thread's column is about so wide; there are never fewer of them than that.
const COLUMN: usize = 20;
const COLUMNS_MIN: usize = 4;

/// After so many rows it is said again whose columns they are.
const ROWS: usize = 20;

/// What is known of the threads, and who has which column.
#[derive(Debug, Default)]
pub(super) struct Board {
    threads: HashMap<u64, Thread>,
    /// Which row holds which name.
    holders: HashMap<String, u64>,
    /// What the writer is sent, by its number: which row sends it, and under what name.
    uploads: HashMap<u64, (u64, Path)>,
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
    /// The number of the upload it writes for another.
    writes: Option<u64>,
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
    pub(super) fn rows(&mut self, event: &Event, width: usize) -> Vec<String> {
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
            let thread = Thread { name: Arc::clone(name), wants: None, waits: None, writes: None };
            self.threads.insert(*row, thread);
            return None;
        }
        let thread = self.threads.get_mut(row)?;
        match what {
            What::WorksOn(work) if !work.is_empty() => return Some(short(work)),
            What::Did(deed) => {
                let upload = thread.writes.and_then(|upload| self.uploads.get(&upload));
                let by = upload.and_then(|(row, _)| self.threads.get(row));
                let whose = by.map_or_else(String::new, |by| format!(", {}", by.name));
                return Some(short(&format!("{deed}{whose}")));
            }
            What::Feeds { upload, path } => {
                self.uploads.insert(*upload, (*row, Arc::clone(path)));
            }
            What::Writes(upload) => thread.writes = Some(*upload),
            What::Wants(path) => thread.wants = Some(path.to_string()),
            What::Holds(path) => {
                thread.wants = None;
                self.holders.insert(path.to_string(), *row);
                return Some(short(&format!("holds {}", Safe(path))));
            }
            What::LetsGo(path) => {
                thread.wants.take_if(|wanted| **wanted == **path);
                if self.holders.get(&**path) == Some(row) {
                    self.holders.remove(&**path);
                }
                self.uploads.retain(|_, (of, sent)| !(of == row && sent == path));
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
