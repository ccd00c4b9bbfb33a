//! All parts, small, and what must be so: for a teacher before class, and for those who changed
//! something.
//!
//! Asserted are orders and ratios, with room to spare, and how often a program goes wrong; how many
//! milliseconds anything takes is nobody's promise.

use std::io;

use super::{Findings, Lab, cv_if, deadlock, efficiency, models, queue, race, sticky};

/// A part of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Three sends, one recv.
    Sticky,
    /// Two people put one name.
    Race,
    /// Woken for an item that is no longer there.
    CvIf,
    /// Two threads, two locks, each has one.
    Deadlock,
    /// What a file costs that is opened for every chunk.
    Queue,
    /// Does a thread make work faster? Does a process?
    Efficiency,
    /// What the four models of the server cost, and what they are good at.
    Models,
}

/// How often what is measured, and not tried, is measured.
const REPEATS: u32 = 3;

/// The same for the models, of whom each measurement starts sixteen servers.
const MODEL_REPEATS: u32 = 2;

impl Part {
    /// All of them, in the order of the course.
    pub const ALL: [Self; 7] = [
        Self::Sticky,
        Self::Race,
        Self::CvIf,
        Self::Deadlock,
        Self::Queue,
        Self::Efficiency,
        Self::Models,
    ];

    /// Tries a part with all its versions, so often each, or measures it, small. One part has
    /// several tables.
    pub fn check(self, lab: &Lab, runs: u32) -> io::Result<Vec<Findings>> {
        let table = match self {
            Self::Sticky => sticky::measure(lab, runs),
            Self::Race => race::measure(lab, runs),
            Self::CvIf => cv_if::measure(lab, runs),
            Self::Deadlock => deadlock::measure_all(lab, runs),
            Self::Queue => queue::measure(lab, queue::Scale::quick(), REPEATS),
            Self::Efficiency => efficiency::measure(lab, efficiency::Scale::quick(), REPEATS),
            Self::Models => {
                let scale = models::Scale::quick();
                let all = models::Workload::ALL.into_iter();
                return all.map(|workload| workload.measure(lab, &scale, MODEL_REPEATS)).collect();
            }
        };
        Ok(vec![table?])
    }
}
