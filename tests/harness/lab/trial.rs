//! A program that may go wrong, run again and again, each time in a process of its own.
//!
//! "It ran, so it is right" is how most of these mistakes live for years. A *version* therefore says
//! beforehand what it promises, is run a hundred times, and is counted.
//!
//! The lab starts itself as `lab trial EXPERIMENT VERSION FOLDER`. That process does one run and ends
//! with 0 if all went well; with 3 if it went wrong, and how, it says on stdout.
//!
//! LESSON: a *sleep point* is a sleep in a place where the scheduler might have stopped the thread
//! anyway. It makes no program wrong that was right. It makes what never happens while somebody is
//! looking happen always.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::findings::{Claim, Column, Findings, Row};
use super::{Lab, watchdog};

/// The first word of a process that does one run.
pub(super) const WORD: &str = "trial";

/// The exit status of a run that went wrong.
pub const WRONG: u8 = 3;

/// How long a thread sleeps at a sleep point: for a processor an age, for a person nothing.
pub(super) const SLEEP_POINT: Duration = Duration::from_millis(1);

/// How many times in one run it is tried: until it goes wrong, or so often.
///
/// On a busy machine even a sleep point may be missed: two threads that were to meet do not, because
/// one of them has no processor. Twenty times in a row that does not happen.
pub(super) const TRIES: u32 = 20;

/// Some versions of one program.
#[derive(Debug)]
pub struct Experiment {
    /// A word for it: the part's name.
    pub(super) name: &'static str,
    /// What they do, in a line.
    pub(super) title: &'static str,
    /// What it means to go wrong here: the title of that column.
    pub(super) wrong: &'static str,
    /// Why it is so, in a few lines.
    pub(super) why: &'static str,
    /// The versions, wrong ones first.
    pub(super) versions: &'static [Version],
}

/// A version.
#[derive(Debug)]
pub struct Version {
    /// A word for it, on the command line of its process.
    pub(super) name: &'static str,
    /// What it does, in a few words.
    pub(super) label: &'static str,
    /// How often it goes wrong.
    pub(super) promise: Promise,
    /// One run in an empty folder.
    pub(super) run: fn(&Path) -> io::Result<Ending>,
}

/// How often a version goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// In every run.
    Always,
    /// In no run.
    Never,
    /// Who knows: that is what is wrong with it.
    Perhaps,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// As it should.
    Right,
    /// Not so, and what happened.
    Wrong(String),
}

/// What came of all runs of a version.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) label: &'static str,
    pub(super) promise: Promise,
    pub(super) runs: u32,
    /// What was said of those that went wrong, and how often.
    pub(super) wrong: BTreeMap<String, u32>,
}

impl Experiment {
    /// The version of this name.
    pub(super) fn version(&self, name: &str) -> Option<&'static Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// Runs some versions so often each.
    pub(super) fn run(
        &self,
        lab: &Lab,
        runs: u32,
        mut wanted: impl FnMut(&Version) -> bool,
    ) -> io::Result<Vec<Tally>> {
        let wanted = self.versions.iter().filter(|version| wanted(version));
        wanted.map(|version| self.run_version(version, lab, runs)).collect()
    }

    fn run_version(&self, version: &Version, lab: &Lab, runs: u32) -> io::Result<Tally> {
        let Version { label, promise, .. } = *version;
        let mut tally = Tally { label, promise, runs, wrong: BTreeMap::new() };
        for _ in 0..runs {
            lab.check()?;
            let folder = super::folder()?;
            let place = folder.path().to_string_lossy();
            let output = lab.run(&[WORD, self.name, version.name, &place])?;
            tally.note(ending(&output)?);
        }
        Ok(tally)
    }

    /// What came of it, for people, for programs and for the eye.
    pub(super) fn findings(&self, tallies: &[Tally]) -> Findings {
        Findings {
            name: self.name,
            title: self.title.into(),
            subject: "version",
            columns: vec![
                Column { title: "runs", unit: None, decimals: 0 },
                Column { title: self.wrong, unit: Some(self.wrong), decimals: 0 },
            ],
            rows: tallies.iter().map(Tally::row).collect(),
            notes: tallies.iter().filter_map(Tally::note_of_wrong).collect(),
            why: self.why,
            claims: tallies.iter().filter_map(Tally::claim).collect(),
            unclaimed: vec![],
        }
    }
}

impl Tally {
    pub(super) fn note(&mut self, ending: Ending) {
        if let Ending::Wrong(what) = ending {
            *self.wrong.entry(what).or_default() += 1;
        }
    }

    /// How many runs went wrong.
    pub(super) fn count(&self) -> u32 {
        self.wrong.values().sum()
    }

    fn row(&self) -> Row {
        Row { label: self.label.into(), values: vec![self.runs.into(), self.count().into()] }
    }

    /// What happened most often.
    fn note_of_wrong(&self) -> Option<String> {
        let (what, times) = self.wrong.iter().max_by_key(|(_, times)| **times)?;
        // Or the figure would seem to disagree with the table's, which counts all that went wrong.
        let among = if self.wrong.len() > 1 { "most often, " } else { "" };
        Some(format!("{}, {among}{times} of {} times:\n  {what}", self.label, self.runs))
    }

    fn claim(&self) -> Option<Claim> {
        let (wrong, runs) = (self.count(), self.runs);
        let (promised, holds) = match self.promise {
            Promise::Always => ("always", wrong == runs),
            Promise::Never => ("never", wrong == 0),
            Promise::Perhaps => return None,
        };
        let text = format!("`{}` {promised} goes wrong: {wrong} of {runs} runs", self.label);
        Some(Claim { text, holds })
    }
}

/// How a run ended, from what its process left.
fn ending(output: &std::process::Output) -> io::Result<Ending> {
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Ending::Right),
        Some(code) if code == i32::from(WRONG) => Ok(Ending::Wrong(said)),
        _ => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("a run ended with {}: {}", output.status, errors.trim())))
        }
    }
}

/// Does one run, in this process.
pub(super) fn play(version: &Version, folder: &Path) -> io::Result<ExitCode> {
    watchdog::limit()?;
    Ok(match (version.run)(folder)? {
        Ending::Right => ExitCode::SUCCESS,
        Ending::Wrong(what) => {
            writeln!(io::stdout(), "{what}")?;
            ExitCode::from(WRONG)
        }
    })
}

/// The exit status of a process that could not play its part.
pub(super) fn failed(error: &io::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::FAILURE
}
