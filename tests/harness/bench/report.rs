//! Everything that was measured, to be read: by people at a terminal, in a page, and by programs.

use std::fmt::{self, Write as _};
use std::fs;

use common::escape::Safe;
use serde_json::{Value, json};

use super::contestants::{Missing, Standing};
use super::measure::Reading;
use super::race::{Entry, Race};
use super::target::{Verdict, judge};
use crate::table::Table;

/// What stands where there is no figure.
const NONE: &str = "–";

/// All that was measured, and who was not there.
#[derive(Debug)]
pub struct Report {
    /// What was done.
    pub races: Vec<Race>,
    /// Peers that are not on this machine.
    pub missing: Vec<Missing>,
    /// Whether it was measured with sizes that the targets are for.
    pub is_real: bool,
    /// How often each was measured.
    pub repeat: usize,
    /// What the order followed from.
    pub seed: u64,
}

impl Report {
    /// Whether everybody did what they could, and no target was missed.
    pub fn is_good(&self) -> bool {
        let failed = self.races.iter().flat_map(|race| &race.entries).any(|e| e.failure.is_some());
        let missed = |verdict: &Verdict| matches!(verdict.reached, Some((_, false)));
        !failed && !self.verdicts().iter().any(missed)
    }

    fn verdicts(&self) -> Vec<Verdict> {
        if self.is_real { judge(&self.races) } else { vec![] }
    }

    /// The targets of what was measured, or why there are none.
    fn targets(&self) -> Option<Table> {
        let mut table = Table::new(&["target", "to reach", "reached", ""]);
        // What was not done at all is not listed.
        for verdict in self.verdicts().into_iter().filter(|verdict| verdict.title.is_some()) {
            let Verdict { target, reached, .. } = verdict;
            let shown = reached.map_or(NONE.into(), |(value, _)| target.shown(value));
            let word = match reached {
                Some((_, true)) => "met",
                Some((_, false)) => "MISSED",
                None => "not measured",
            };
            table.row(vec![target.subject(), target.to_string(), shown, word.into()]);
        }
        (!table.is_empty()).then_some(table)
    }

    /// For a page.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n", self.occasion());
        for race in &self.races {
            let _ = writeln!(text, "\n### {}\n", race.headline());
            text += &race.table().markdown();
            for failure in race.failures() {
                let _ = writeln!(text, "\n{failure}");
            }
        }
        if let Some(targets) = self.targets() {
            let _ = write!(text, "\n### Targets\n\n{}", targets.markdown());
        }
        for absence in self.absences() {
            let _ = writeln!(text, "\n{absence}");
        }
        text
    }

    /// For programs: every reading, in seconds and KiB.
    pub fn json(&self) -> Value {
        let verdicts = self.verdicts().into_iter().map(|verdict| {
            let (value, met) = verdict.reached.unzip();
            let target = verdict.target;
            json!({"of": target.subject(), "target": target.to_string(), "is": value, "met": met})
        });
        json!({
            "machine": machine(),
            "repeat": self.repeat,
            "seed": self.seed,
            "races": self.races.iter().map(Race::json).collect::<Vec<Value>>(),
            "targets": verdicts.collect::<Vec<Value>>(),
            "missing": self.absences().collect::<Vec<String>>(),
        })
    }

    fn occasion(&self) -> String {
        let Self { repeat, seed, .. } = self;
        format!("{}. Medians of {repeat}, seed {seed}.", machine())
    }

    fn absences(&self) -> impl Iterator<Item = String> {
        self.missing.iter().map(|peer| format!("{} took no part: {}.", peer.name, peer.why))
    }
}

/// What comes behind the races, which are shown as they come.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(targets) = self.targets() {
            writeln!(f, "{targets}")?;
        }
        self.absences().try_for_each(|absence| writeln!(f, "{absence}"))?;
        write!(f, "{}", self.occasion())
    }
}

impl Race {
    fn headline(&self) -> String {
        format!("{} ({}), {}", self.workload.name(), self.title, self.ground)
    }

    fn failures(&self) -> impl Iterator<Item = String> {
        let failed = self.entries.iter().filter_map(|e| Some((e.name, e.failure.as_ref()?)));
        failed.map(|(name, why)| format!("FAILED: {name}: {}", Safe(why)))
    }

    /// The fastest first.
    fn table(&self) -> Table {
        let idle = self.entries.iter().any(|entry| entry.idle(|idle| idle.next).is_some());
        let mut table = Table::new(if idle { &IDLE } else { &TIMED });
        let mut entries: Vec<&Entry> = self.entries.iter().filter(|e| e.wall().is_some()).collect();
        let wall = |entry: &Entry| entry.wall().unwrap_or(f64::INFINITY);
        entries.sort_by(|one, other| wall(one).total_cmp(&wall(other)));
        for entry in entries {
            table.row(if idle { idle_row(entry) } else { self.timed_row(entry) });
        }
        table
    }

    fn timed_row(&self, entry: &Entry) -> Vec<String> {
        let best = self.fastest(Standing::is_peer).and_then(Entry::wall);
        let raw = self.entry("raw").and_then(Entry::wall);
        let times = |whom: Option<f64>| shown(whom.zip(entry.wall()).map(|(a, b)| a / b), 2);
        let range = entry.range().map_or(NONE.into(), |(a, b)| format!("{a:.3}–{b:.3}"));
        vec![
            entry.name.into(),
            shown(entry.wall(), 3),
            range,
            times(best),
            times(raw),
            shown(entry.median(|reading| Some(reading.cpu)), 2),
            mebibytes(entry),
        ]
    }

    fn json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            let readings: Vec<Value> = entry.readings.iter().map(Reading::json).collect();
            json!({"name": entry.name, "readings": readings, "failure": entry.failure})
        });
        json!({
            "workload": self.workload.name(),
            "title": self.title,
            "ground": self.ground,
            "contestants": entries.collect::<Vec<Value>>(),
        })
    }
}

const TIMED: [&str; 7] =
    ["", "seconds", "min–max", "× best peer", "× raw", "server CPU s", "server MiB"];
const IDLE: [&str; 6] =
    ["", "came in, s", "KiB a session", "next client, ms", "server CPU s", "server MiB"];

impl fmt::Display for Race {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        write!(f, "{}", self.table())?;
        self.failures().try_for_each(|failure| writeln!(f, "{failure}"))
    }
}

impl Reading {
    fn json(&self) -> Value {
        json!({
            "wall": self.wall,
            "cpu": self.cpu,
            "anonymous_kib": self.anonymous_kib,
            "session_kib": self.idle.map(|idle| idle.session_kib),
            "next": self.idle.map(|idle| idle.next),
        })
    }
}

fn idle_row(entry: &Entry) -> Vec<String> {
    vec![
        entry.name.into(),
        shown(entry.wall(), 2),
        shown(entry.idle(|idle| idle.session_kib), 1),
        shown(entry.idle(|idle| idle.next * 1e3), 1),
        shown(entry.median(|reading| Some(reading.cpu)), 2),
        mebibytes(entry),
    ]
}

fn mebibytes(entry: &Entry) -> String {
    shown(entry.median(|reading| Some(reading.anonymous_kib / 1024.0)), 1)
}

fn shown(value: Option<f64>, decimals: usize) -> String {
    value.map_or(NONE.into(), |value| format!("{value:.decimals$}"))
}

/// What was measured on: cores, processor, system.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, name)| name);
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    format!("{cores} cores of {model}, Linux {release}")
}
