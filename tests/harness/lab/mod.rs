//! The lab: programs that are wrong on purpose, beside those that are right.
//!
//! Who only watches a demonstration remembers what they believed before. So each part asks first:
//! **predict, then run, then explain.** Each is a page to read, with its story on top:
//!
//! | part | the question |
//! |---|---|
//! | [`sticky`] | three `send`s, one `recv`: what does it bring? |
//! | [`race`] | two people put one name: who is told that it is taken? |
//! | [`cv_if`] | a consumer is woken for an item: is the item there? |
//! | [`deadlock`] | two threads, two locks, each has one: who goes first? |
//! | [`queue`] | open, write, close for each chunk: how slow can it be? |
//! | [`efficiency`] | does a thread make work faster? Does a process? |
//!
//! The first four are *trials* ([`trial`]): a version of a program promises to go wrong always, or
//! never, and is run a hundred times. The last two are measured. All of it becomes [`Findings`]:
//! a table, a picture, and claims. **A claim is about order and ratio, never about milliseconds:** on
//! a busy machine all of them change, and what is true stays true.
//!
//! Wrong code is nowhere but here. It runs in a process of its own, in a folder that vanishes, with a
//! watchdog that ends it. The [`exercises`] are the other way round: there the student answers, and
//! the answer is tried.

pub mod check;
pub mod cv_if;
pub mod deadlock;
pub mod efficiency;
pub mod exercises;
pub mod findings;
pub mod queue;
pub mod race;
mod rounds;
pub mod sticky;
pub mod trial;
mod waits;
mod watchdog;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};

use client::interrupt::Interrupt;
use tempfile::TempDir;

pub use self::findings::Findings;
use self::trial::Experiment;
use crate::actor;
use crate::curves::ground::MEMORY;

/// What is tried, and not measured.
const EXPERIMENTS: [&Experiment; 4] =
    [&sticky::EXPERIMENT, &race::EXPERIMENT, &cv_if::EXPERIMENT, &deadlock::EXPERIMENT];

/// Who runs the lab: its own program, which plays every part, and their wish to stop.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The program whose `main` calls [`play`].
    pub stage: PathBuf,
    /// Between two runs everything looks whether somebody pressed Ctrl-C.
    pub interrupt: Interrupt,
}

/// Plays the part this process was started for, if it was started for one: one run of a version, or
/// an actor of the harness.
pub fn play() -> Option<ExitCode> {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [trial::WORD, experiment, version, folder] => {
            let experiment = EXPERIMENTS.into_iter().find(|known| known.name == *experiment)?;
            trial::play(experiment.version(version)?, folder.as_ref())
        }
        [queue::WORD, way, kib, folder] => queue::play(way, kib, folder.as_ref()),
        [efficiency::WORD, work, amount] => efficiency::play(work, amount),
        _ => return actor::play(),
    }
    .map_or_else(|error| Some(trial::failed(&error)), Some)
}

impl Lab {
    /// Starts itself, to play a part.
    fn spawn(&self, words: &[&str]) -> io::Result<Child> {
        piped(Command::new(&self.stage).args(words)).spawn()
    }

    /// Starts itself, and waits for what comes of it.
    fn run(&self, words: &[&str]) -> io::Result<Output> {
        self.spawn(words)?.wait_with_output()
    }

    /// An error once somebody has pressed Ctrl-C.
    fn check(&self) -> io::Result<()> {
        if self.interrupt.is_set() { Err(io::Error::other("ended by Ctrl-C")) } else { Ok(()) }
    }
}

/// A folder that vanishes; in memory where there is one, for what is to be seen is the program and
/// not the disk.
fn folder() -> io::Result<TempDir> {
    let memory = Path::new(MEMORY);
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

/// With nothing to read, and what it says for us.
fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())
}
