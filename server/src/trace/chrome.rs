//! The trace as JSON that viewers of traces read: Chrome's `about:tracing`, Perfetto, speedscope.
//!
//! The format is Chrome's "Trace Event Format". Of it are used: `M`, what a track is called; `X`, a
//! while on a track; `i`, a moment on one; `C`, a number that changes. Times are in microseconds.
//! A viewer forbids overlapping slices on a track; ours follow one another.

use std::io::{self, Write};
use std::process;
use std::time::Duration;

use serde::Serialize;

use super::history::{History, Lane};

/// How every trace begins. What begins so may be written over.
pub(super) const OPENING: &str = "{\"otherData\":{\"by\":\"ferryd\"},\"traceEvents\":[";

/// An entry of the list.
#[derive(Serialize)]
struct Entry<'h> {
    ph: &'static str,
    pid: u32,
    tid: usize,
    name: &'h str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    /// Of a moment: that it concerns its thread only.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args<'h>>,
}

/// What is shown of an entry that is pointed at.
#[derive(Serialize)]
#[serde(untagged)]
enum Args<'h> {
    Name {
        name: &'h str,
    },
    Place {
        sort_index: usize,
    },
    Level {
        things: u64,
    },
    Slice {
        #[serde(skip_serializing_if = "Option::is_none")]
        work: Option<&'h str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        on: Option<&'h str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'h str>,
    },
}

/// Writes all of it, an entry a line.
pub(super) fn write(history: &History, out: &mut impl Write) -> io::Result<()> {
    out.write_all(OPENING.as_bytes())?;
    let mut list = List { out, pid: process::id(), is_empty: true };
    list.meta(0, "process_name", Args::Name { name: "ferryd" })?;
    for (nth, lane) in history.lanes.iter().enumerate() {
        list.lane(history, nth + 1, lane)?;
    }
    for (name, levels) in &history.queues {
        for (at, things) in &levels.points {
            list.entry("C", 0, name, Some(*at), |entry| {
                entry.args = Some(Args::Level { things: *things });
            })?;
        }
    }
    out.write_all(b"\n],\"displayTimeUnit\":\"ms\"}\n")
}

/// A list that is being written.
struct List<'o, W> {
    out: &'o mut W,
    pid: u32,
    is_empty: bool,
}

impl<W: Write> List<'_, W> {
    fn lane(&mut self, history: &History, tid: usize, lane: &Lane) -> io::Result<()> {
        self.meta(tid, "thread_name", Args::Name { name: &lane.name })?;
        self.meta(tid, "thread_sort_index", Args::Place { sort_index: tid })?;
        for slice in &lane.slices {
            let (work, on) = (slice.work.as_deref(), slice.on.as_deref());
            let by = history.holder(slice);
            let state = slice.state.to_string();
            self.entry("X", tid, &state, Some(slice.from), |entry| {
                entry.dur = Some(micros(slice.time()));
                let says = work.or(on).or(by).is_some();
                entry.args = says.then_some(Args::Slice { work, on, by });
            })?;
        }
        for (at, deed) in &lane.deeds {
            self.entry("i", tid, deed, Some(*at), |entry| entry.s = Some("t"))?;
        }
        Ok(())
    }

    fn meta(&mut self, tid: usize, name: &str, args: Args<'_>) -> io::Result<()> {
        self.entry("M", tid, name, None, |entry| entry.args = Some(args))
    }

    fn entry<'h>(
        &mut self,
        ph: &'static str,
        tid: usize,
        name: &'h str,
        at: Option<Duration>,
        more: impl FnOnce(&mut Entry<'h>),
    ) -> io::Result<()> {
        let ts = at.map(micros);
        let mut entry = Entry { ph, pid: self.pid, tid, name, ts, dur: None, s: None, args: None };
        more(&mut entry);
        self.out.write_all(if self.is_empty { b"\n" } else { b",\n" })?;
        self.is_empty = false;
        Ok(serde_json::to_writer(&mut *self.out, &entry)?)
    }
}

/// Exact to the nanosecond for a hundred days.
fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
