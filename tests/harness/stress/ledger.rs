//! What was done, and how long it took; what was refused, and why; what went wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use super::mix::Verb;
use super::notes::Notes;

/// How many slots of time a load is cut into, at most, for the picture of its course.
const SLOTS: u32 = 60;

/// The shortest slot. A shorter one would show chance.
const SLOT_MIN: Duration = Duration::from_millis(250);

/// What all clients of a load write into; whoever holds its lock adds a few numbers.
#[derive(Debug)]
pub struct Ledger {
    /// When the load began.
    pub start: Instant,
    /// How long a slot of [`Figures::course`] is.
    pub slot: Duration,
    /// By [`Verb::index`].
    pub verbs: [Figures; 3],
    /// How often a verb met which refusal: a reason of the protocol's, or `EXISTS`.
    pub refusals: BTreeMap<(Verb, String), u64>,
    /// What the server did or gave that cannot be true.
    pub wrong: Notes,
    /// What got no answer.
    pub failed: Notes,
}

/// What was done of one verb.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// How long each took.
    pub latency: Histogram,
    /// How many bytes of files moved.
    pub bytes: u64,
    /// The same by slots of time, the first from the start.
    pub course: Vec<Slot>,
}

/// What was done in one slot of time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slot {
    /// How many operations came to their end in it.
    pub done: u64,
    /// How many bytes of files those had moved.
    pub bytes: u64,
}

impl Ledger {
    /// For a load of this length that begins now.
    pub fn begin(time: Duration) -> Self {
        Self {
            start: Instant::now(),
            slot: (time / SLOTS).max(SLOT_MIN),
            verbs: Default::default(),
            refusals: BTreeMap::new(),
            wrong: Notes::default(),
            failed: Notes::default(),
        }
    }

    /// Something was done, which should have begun at `due`.
    pub fn done(&mut self, verb: Verb, due: Instant, bytes: u64) {
        let now = Instant::now();
        let slot = now.duration_since(self.start).as_nanos() / self.slot.as_nanos().max(1);
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        let figures = &mut self.verbs[verb.index()];
        figures.latency.add(now.duration_since(due));
        figures.bytes += bytes;
        if figures.course.len() <= slot {
            figures.course.resize(slot + 1, Slot::default());
        }
        figures.course[slot].done += 1;
        figures.course[slot].bytes += bytes;
    }

    /// Something was refused.
    pub fn refused(&mut self, verb: Verb, reason: impl fmt::Display) {
        *self.refusals.entry((verb, reason.to_string())).or_default() += 1;
    }

    /// How many operations were done.
    pub fn total_done(&self) -> u64 {
        self.verbs.iter().map(|figures| figures.latency.total()).sum()
    }

    /// How many bytes of files moved.
    pub fn total_bytes(&self) -> u64 {
        self.verbs.iter().map(|figures| figures.bytes).sum()
    }

    /// How many operations were refused.
    pub fn total_refused(&self) -> u64 {
        self.refusals.values().sum()
    }
}
