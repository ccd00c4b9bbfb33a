//! What happened, put together from events: what each thread did from when to when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use common::escape::Safe;

use crate::state::{Event, State, What};

/// All that was recorded.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The threads, in the order they began; under the model *select* the clients' rows.
    pub(super) lanes: Vec<Lane>,
    /// The queues.
    pub(super) queues: BTreeMap<&'static str, Levels>,
    /// When the recording ended.
    pub(super) end: Duration,
    /// It was full before the server ended.
    pub(super) is_cut: bool,
}

/// One thread.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: Arc<str>,
    /// One behind the other.
    pub(super) slices: Vec<Slice>,
    /// What it has done, and when.
    pub(super) deeds: Vec<(Duration, Arc<str>)>,
}

/// A while in which a thread did one thing.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) state: State,
    /// What it worked on.
    pub(super) work: Option<Arc<str>>,
    /// On what it waited.
    pub(super) on: Option<Arc<str>>,
    /// Which lane held that.
    pub(super) by: Option<usize>,
}

impl Slice {
    pub(super) fn time(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }

    /// Whether it did anything at all.
    pub(super) fn is_busy(&self) -> bool {
        !self.state.is_rest()
    }
}

/// How full a queue was from when on.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) places: u64,
    pub(super) points: Vec<(Duration, u64)>,
}

impl History {
    pub(super) fn of(mut events: Vec<Event>, is_cut: bool) -> Self {
        // Each thread tells in order; between two of them the queue may have mixed the order up.
        events.sort_by_key(|event| event.at);
        let mut replay = Replay::default();
        for event in &events {
            replay.take(event);
        }
        let mut history = replay.history;
        history.is_cut = is_cut;
        history.end = events.last().map_or(Duration::ZERO, |event| event.at);
        for doing in replay.doing.into_values() {
            doing.end(history.end, &mut history.lanes);
        }
        history
    }

    /// How the lane is called that held what a slice waited for.
    pub(super) fn holder(&self, slice: &Slice) -> Option<&str> {
        Some(&*self.lanes.get(slice.by?)?.name)
    }
}

/// What is known in the middle of it.
#[derive(Default)]
struct Replay {
    history: History,
    /// By the number of its row, what each thread is doing.
    doing: HashMap<u64, Doing>,
    /// Which lane holds which name.
    holders: HashMap<String, usize>,
    /// What the writer is sent, by its number: from which lane, and that in words.
    uploads: HashMap<u64, (usize, Arc<str>)>,
}

/// What a thread is doing now.
struct Doing {
    lane: usize,
    slice: Slice,
    work: Option<Arc<str>>,
    /// The name it waits for, if it waits for one.
    wants: Option<String>,
    /// From which lane comes what it writes, if it writes for others.
    writes: Option<usize>,
}

impl Doing {
    /// The same is done for something else.
    fn works_on(&mut self, work: Option<Arc<str>>, now: Duration, lanes: &mut [Lane]) {
        self.work.clone_from(&work);
        self.turn(now, lanes, |slice| slice.work = work);
    }

    /// What it does is over, and something else begins.
    fn turn(&mut self, now: Duration, lanes: &mut [Lane], change: impl FnOnce(&mut Slice)) {
        let mut next = Slice { from: now, to: now, ..self.slice.clone() };
        change(&mut next);
        let same = next.state == self.slice.state
            && next.work == self.slice.work
            && next.on == self.slice.on;
        if !same {
            self.close(now, lanes);
            self.slice = next;
        }
    }

    fn close(&mut self, now: Duration, lanes: &mut [Lane]) {
        self.slice.to = now;
        if self.slice.to > self.slice.from
            && let Some(lane) = lanes.get_mut(self.lane)
        {
            lane.slices.push(self.slice.clone());
        }
    }

    fn end(mut self, now: Duration, lanes: &mut [Lane]) {
        self.close(now, lanes);
    }
}

impl Replay {
    fn take(&mut self, Event { at, row, what }: &Event) {
        if let What::Began { name, state } = what {
            self.begin(*at, *row, name, *state);
            return;
        }
        let (lanes, at) = (&mut self.history.lanes, *at);
        let Some(doing) = self.doing.get_mut(row) else { return };
        let lane = doing.lane;
        match what {
            What::Began { .. } => {}
            What::Enters { state, on } => {
                let wants = doing.wants.clone().filter(|_| *state == State::WaitFile);
                let by = wants.as_ref().and_then(|path| self.holders.get(path)).copied();
                let on = wants.or_else(|| (!on.is_empty()).then(|| (*on).to_owned()));
                let work = doing.work.clone().filter(|_| !state.is_rest());
                doing.turn(at, lanes, |slice| {
                    (slice.state, slice.work, slice.by) = (*state, work, by);
                    slice.on = on.map(|on| Safe(&on).to_string().into());
                });
            }
            What::WorksOn(work) | What::WorksFor(work) => {
                doing.works_on(Some(Arc::clone(work)), at, lanes);
            }
            What::Feeds { upload, path } => {
                let lane = self.history.lanes.get(lane).map_or("", |lane| &lane.name);
                let label = format!("{lane} PUT {}", Safe(path));
                self.uploads.insert(*upload, (doing.lane, label.into()));
            }
            What::Writes(upload) => {
                let (of, label) = self.uploads.get(upload).cloned().unzip();
                doing.writes = of;
                doing.works_on(label, at, lanes);
            }
            What::Wants(path) => doing.wants = Some(path.to_string()),
            What::Holds(path) => {
                doing.wants = None;
                self.holders.insert(path.to_string(), lane);
                self.is_held(path, lane);
                self.note(lane, at, format!("holds {}", Safe(path)).into());
            }
            What::LetsGo(path) => {
                doing.wants.take_if(|wanted| **wanted == **path);
                if self.holders.get(&**path) == Some(&lane) {
                    self.holders.remove(&**path);
                }
            }
            What::Queue { name, len, places } => {
                let levels = self.history.queues.entry(name).or_default();
                levels.places = *places;
                levels.points.push((at, *len));
            }
            What::Did(deed) => {
                let of = doing.writes.and_then(|of| lanes.get(of));
                let deed =
                    of.map_or_else(|| Arc::clone(deed), |of| format!("{deed}, {}", of.name).into());
                self.note(lane, at, deed);
            }
            What::Ended => {
                if let Some(doing) = self.doing.remove(row) {
                    doing.end(at, lanes);
                }
            }
        }
    }

    fn begin(&mut self, at: Duration, row: u64, name: &Arc<str>, state: State) {
        let lane = self.history.lanes.len();
        let (slices, deeds) = (Vec::new(), Vec::new());
        self.history.lanes.push(Lane { name: Arc::clone(name), slices, deeds });
        let slice = Slice { from: at, to: at, state, work: None, on: None, by: None };
        self.doing.insert(row, Doing { lane, slice, work: None, wants: None, writes: None });
    }

    /// Whoever began to wait for a name before it was known who holds it, waits for this lane.
    fn is_held(&mut self, path: &str, lane: usize) {
        for doing in self.doing.values_mut() {
            if doing.slice.state == State::WaitFile && doing.wants.as_deref() == Some(path) {
                doing.slice.by.get_or_insert(lane);
            }
        }
    }

    fn note(&mut self, lane: usize, at: Duration, deed: Arc<str>) {
        if let Some(lane) = self.history.lanes.get_mut(lane) {
            lane.deeds.push((at, deed));
        }
    }
}
