//! What happens between threads, as it happens and afterwards: two ears of the [state](crate::state)
//! table.
//!
//! ```text
//! threads ── events ──► bounded queue ──► columns       a row for each, at once (`--log columns`)
//!
//!         ── events ──► bounded queue                   (`--trace NAME.json`) nobody takes anything
//!                         at the end └─► history ─┬─► NAME.json    for a viewer of traces
//!                                                 └─► NAME.svg     a picture
//! ```
//!
//! # Recording
//! The queue *is* the recording. It has room for so many events; to put one in takes no lock and
//! never waits, and when it is full the recording is over. So a trace is whole as far as it reaches,
//! and has no holes.
//!
//! # The files
//! Both are opened at the start, so a name that cannot be had is refused then and not after the
//! lesson. A trace is made again and again under one name, so an earlier trace is written over. What
//! is there and does not begin as a trace does is somebody's work, and is refused.
//!
//! `history` turns events into what each thread did from when to when; `chrome` and `picture` write
//! it, `scale` says where on the picture a moment stands. `columns` is the other ear.

mod chrome;
mod columns;
mod history;
mod picture;
mod scale;
mod text;

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

pub use self::columns::{ColumnLog, Columns};
use self::history::History;
use crate::state::{Ear, Event};

/// As many events as are recorded. Viewers of traces have a hard time with more.
pub const EVENTS_MAX: usize = 100_000;

/// Why a trace cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// There is something else under that name.
    #[error("{0} is there and is no trace of ferryd's; give --trace another name")]
    Taken(PathBuf),
    /// The file cannot be made or written.
    #[error("cannot write the trace {0}: {1}")]
    Unusable(PathBuf, io::Error),
}

/// A recording under way, and the files it will be in.
#[derive(Debug)]
pub struct Trace {
    recorder: Arc<Recorder>,
    events: Receiver<Event>,
    json: Target,
    svg: Target,
}

impl Trace {
    /// Begins to record. `path` will be the trace; the picture will be beside it, and end in `.svg`.
    pub fn begin(path: &Path) -> Result<Self, TraceError> {
        let json = Target::open(path.to_owned(), chrome::OPENING)?;
        let svg = Target::open(path.with_extension("svg"), picture::OPENING)?;
        let (sender, events) = bounded(EVENTS_MAX);
        let recorder = Arc::new(Recorder { events: sender, is_over: AtomicBool::new(false) });
        Ok(Self { recorder, events, json, svg })
    }

    /// Who has to be told what happens.
    pub fn ear(&self) -> Arc<dyn Ear> {
        Arc::clone(&self.recorder) as Arc<dyn Ear>
    }

    /// Ends the recording and writes both files.
    pub fn write(self) -> Result<(), TraceError> {
        let is_cut = self.recorder.is_over.swap(true, Ordering::Relaxed);
        let history = History::of(self.events.try_iter().collect(), is_cut);
        let name = self.json.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.json.write(|out| chrome::write(&history, out))?;
        self.svg.write(|out| out.write_all(picture::draw(&history, &name).as_bytes()))
    }
}

/// What puts events into the queue.
#[derive(Debug)]
struct Recorder {
    events: Sender<Event>,
    is_over: AtomicBool,
}

impl Ear for Recorder {
    fn hear(&self, event: &Event) {
        if self.is_over.load(Ordering::Relaxed) || self.events.try_send(event.clone()).is_ok() {
            return;
        }
        if !self.is_over.swap(true, Ordering::Relaxed) {
            log::warn!("the trace is full after {EVENTS_MAX} events; what comes now is not in it");
        }
    }
}

/// A file that will be written at the end.
#[derive(Debug)]
struct Target {
    path: PathBuf,
    file: File,
}

impl Target {
    /// Opens it and leaves it as it is. Refuses one that is neither empty nor begins with `opening`.
    fn open(path: PathBuf, opening: &str) -> Result<Self, TraceError> {
        let begun = || {
            let mut options = File::options();
            let mut file =
                options.read(true).write(true).create(true).truncate(false).open(&path)?;
            let mut found = Vec::new();
            io::Read::by_ref(&mut file).take(opening.len() as u64).read_to_end(&mut found)?;
            Ok((file, found.is_empty() || found == opening.as_bytes()))
        };
        match begun() {
            Ok((file, true)) => Ok(Self { path, file }),
            Ok((_, false)) => Err(TraceError::Taken(path)),
            Err(error) => Err(TraceError::Unusable(path, error)),
        }
    }

    fn write(
        mut self,
        content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
    ) -> Result<(), TraceError> {
        let written = self.file.rewind().and_then(|()| self.file.set_len(0)).and_then(|()| {
            let mut out = BufWriter::new(&self.file);
            content(&mut out)?;
            out.flush()
        });
        written.map_err(|error| TraceError::Unusable(self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{self, State, Table};

    #[test]
    fn an_earlier_trace_is_written_over_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.json");
        for _ in 0..2 {
            Trace::begin(&path).unwrap().write().unwrap();
        }
        std::fs::write(folder.path().join("t.svg"), "a drawing of mine").unwrap();
        let refused = Trace::begin(&path).unwrap_err().to_string();
        assert!(refused.contains("t.svg is there and is no trace"), "{refused}");
        let nowhere = Trace::begin(&folder.path().join("no/t.json")).unwrap_err().to_string();
        assert!(nowhere.contains("cannot write the trace"), "{nowhere}");
    }

    #[test]
    fn a_full_recording_is_over_and_what_it_has_is_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let trace = Trace::begin(&folder.path().join("t.json")).unwrap();
        let table = Table::heard_by(vec![trace.ear()]);
        let _seat = table.seat("c01", State::Run);
        for _ in 0..EVENTS_MAX {
            state::did("something");
        }
        assert!(trace.recorder.is_over.load(Ordering::Relaxed));
        let history = History::of(trace.events.try_iter().collect(), true);
        // The first event is that the row began.
        assert_eq!(history.lanes[0].deeds.len(), EVENTS_MAX - 1);
    }
}
