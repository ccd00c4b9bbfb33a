//! What happens in the table, told as it happens.
//!
//! The table says how things stand. To say how they came to stand so (a trace, a log in columns),
//! somebody has to be told of each step. Who wants to be is an [`Ear`] of the table from its
//! beginning on; each row knows from its birth whether there is one. So where nobody listens, a step
//! costs one look at a word that never changes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::State;
use crate::party::Path;

/// Something that happened at a row.
#[derive(Debug, Clone)]
pub struct Event {
    /// When, counted from the table's beginning.
    pub at: Duration,
    /// At which row. A younger row has a larger number.
    pub row: u64,
    /// What it was.
    pub what: What,
}

/// What can happen at a row.
#[derive(Debug, Clone)]
pub enum What {
    /// It was added.
    Began {
        /// What it is called.
        name: Arc<str>,
        /// In what state.
        state: State,
    },
    /// Its thread does something else from now on.
    Enters {
        /// What it does.
        state: State,
        /// On what it waits, if that is a queue or shared with others.
        on: &'static str,
    },
    /// It works on something else from now on.
    WorksOn(Arc<str>),
    /// The same, for another row.
    WorksFor(Arc<str>),
    /// What it sends to the writer bears this number there.
    Feeds {
        /// The number.
        upload: u64,
        /// Of what.
        path: Path,
    },
    /// It writes the upload of this number from now on.
    Writes(u64),
    /// It stands in line for a name.
    Wants(Path),
    /// It has the name now.
    Holds(Path),
    /// It has it no more, or has left the line.
    LetsGo(Path),
    /// It has put something into a queue, or taken something out.
    Queue {
        /// What the queue is called.
        name: &'static str,
        /// How many things stand in it now.
        len: u64,
        /// How many there is room for.
        places: u64,
    },
    /// A step of its work that is worth reading is done.
    Did(Arc<str>),
    /// It is gone.
    Ended,
}

/// Somebody who is told of every event, by the thread to which it happens. So it must never wait.
pub trait Ear: fmt::Debug + Send + Sync {
    /// This happened just now.
    fn hear(&self, event: &Event);
}

/// All who listen to one table, and since when.
#[derive(Debug)]
pub(super) struct Audience {
    begun: Instant,
    ears: Vec<Arc<dyn Ear>>,
}

impl Audience {
    /// None where nobody listens.
    pub(super) fn of(ears: Vec<Arc<dyn Ear>>) -> Option<Arc<Self>> {
        (!ears.is_empty()).then(|| Arc::new(Self { begun: Instant::now(), ears }))
    }

    pub(super) fn tell(&self, row: u64, what: impl FnOnce() -> What) {
        // First the time: how full a queue is, is then true at that time or later, and the last word
        // on it is never an old one.
        let at = self.begun.elapsed();
        let event = Event { at, row, what: what() };
        for ear in &self.ears {
            ear.hear(&event);
        }
    }
}
