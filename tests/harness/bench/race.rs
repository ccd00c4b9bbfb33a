//! One workload, and all who took part in it.

use super::contestants::Standing;
use super::ground::Ground;
use super::measure::{Idle, Reading, median};
use super::scale::Scale;
use super::workload::Workload;

/// A workload that was done by several.
#[derive(Debug)]
pub struct Race {
    /// What was done.
    pub workload: Workload,
    /// The same in a line.
    pub title: String,
    /// Where.
    pub ground: String,
    /// Whether that is no disk.
    pub in_memory: bool,
    /// Who did it.
    pub entries: Vec<Entry>,
}

/// What one of them did.
#[derive(Debug)]
pub struct Entry {
    /// Who.
    pub name: &'static str,
    /// What they are to the others.
    pub standing: Standing,
    /// Each time.
    pub readings: Vec<Reading>,
    /// Why they did not go on, if they did not.
    pub failure: Option<String>,
}

impl Entry {
    pub(super) fn new(name: &'static str, standing: Standing) -> Self {
        Self { name, standing, readings: vec![], failure: None }
    }

    /// The middle one of a figure; `None` if it was never measured, or if they failed once.
    pub fn median(&self, of: impl Fn(&Reading) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.readings.iter().filter_map(of).collect();
        (self.failure.is_none() && !values.is_empty()).then(|| median(values))
    }

    /// How long it took, in seconds.
    pub fn wall(&self) -> Option<f64> {
        self.median(|reading| Some(reading.wall))
    }

    /// The shortest and the longest it took, in seconds.
    pub fn range(&self) -> Option<(f64, f64)> {
        let walls = || self.readings.iter().map(|reading| reading.wall);
        Some((walls().reduce(f64::min)?, walls().reduce(f64::max)?))
    }

    /// A figure of idle sessions.
    pub fn idle(&self, of: impl Fn(Idle) -> f64) -> Option<f64> {
        self.median(|reading| reading.idle.map(&of))
    }
}

impl Race {
    pub(super) fn new(
        ground: &Ground,
        workload: Workload,
        scale: &Scale,
        entries: Vec<Entry>,
    ) -> Self {
        let (title, in_memory) = (workload.title(scale), ground.is_in_memory());
        Self { workload, title, ground: ground.to_string(), in_memory, entries }
    }

    /// Whoever has that name, if they finished.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name && entry.wall().is_some())
    }

    /// Who was fastest of those who are meant.
    pub fn fastest(&self, is_meant: impl Fn(Standing) -> bool) -> Option<&Entry> {
        let meant = self.entries.iter().filter(|entry| is_meant(entry.standing));
        let timed = meant.filter_map(|entry| Some((entry.wall()?, entry)));
        timed.min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, entry)| entry)
    }
}
