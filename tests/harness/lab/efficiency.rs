//! Does a thread make work faster? Does a process?
//!
//! **The course measures** this table, with Python on two cores, in seconds:
//!
//! ```text
//! single cpu   8.4     thread cpu   8.7     process cpu   4.2
//! single IO    5.7     thread IO    5.5     process IO    3.8
//! ```
//!
//! and concludes that threads are of no use for work that computes.
//!
//! **Predict:** the same in Rust. Four tasks that compute, one after another, in four threads, in four
//! processes; and four that only wait, for a disk or a network. Which of the six cells will be another
//! than Python's?
//!
//! **What one sees:** one. In Rust threads that compute are as fast as processes: on two cores twice as
//! fast as one. In Python they are as slow as one, and often slower. Whoever waits gains in every way
//! and in both: four waits take as long as one, on however many cores.
//!
//! **Why:** a thread that waits needs no processor, so there is nothing to share out. A thread that
//! computes needs one, and there are two: nobody can be more than twice as fast. Python has two
//! processors, too, but one *interpreter lock* (GIL) for each process, and only who has it may compute.
//! Processes have one each. It is a property of that interpreter, not of threads (and there is a build
//! of Python without it; this program says which one it found).
//!
//! **So:** more threads than cores make waiting faster and computing not. And a server waits, nearly
//! always: that is why a thread for each client is a good idea even in Python.

use std::fmt;
use std::hint::black_box;
use std::io;
use std::process::{Command, ExitCode, Output};
use std::thread;
use std::time::{Duration, Instant};

use super::findings::{Claim, Column, Findings, Row};
use super::{Lab, piped, rounds};

/// The first word of a process that does one task.
pub(super) const WORD: &str = "task";

/// How many tasks there are to do; as in the Python beside this file.
const TASKS: usize = 4;

/// The same for Python.
const SCRIPT: &str = include_str!("efficiency.py");

/// How much each task has to do.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How many steps a task of Rust computes.
    pub steps: u64,
    /// How far a task of Python counts.
    pub counts: u64,
    /// How long a task waits, in milliseconds.
    pub wait_ms: u64,
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Computing,
    Waiting,
}

/// How the tasks are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One after another.
    Single,
    /// Each in a thread.
    Threads,
    /// Each in a process.
    Processes,
}

const WAYS: [Way; 3] = [Way::Single, Way::Threads, Way::Processes];

/// Who does them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Python,
}

/// What stands in a row, with the shortest seconds of the three ways.
struct Timed {
    language: Language,
    work: Work,
    seconds: [f64; WAYS.len()],
    /// How many processors Python's threads ever had at a time. However busy the machine is, with an
    /// interpreter lock it is never more than one.
    processors: f64,
}

/// One measurement.
struct Reading {
    seconds: f64,
    /// How many processors it had at a time, where that is known; else 0.
    processors: f64,
}

/// The Python of this machine.
struct Python {
    version: String,
    has_gil: bool,
}

impl Scale {
    /// A task takes about 0.2 s.
    pub fn full() -> Self {
        Self { steps: 150_000_000, counts: 4_000_000, wait_ms: 200 }
    }

    /// Less, but still much more than it takes to start a process.
    pub fn quick() -> Self {
        Self { steps: 24_000_000, counts: 1_000_000, wait_ms: 80 }
    }
}

/// Does all tasks in every way, `runs` times in turn or some more; the shortest time counts.
pub fn measure(lab: &Lab, scale: Scale, runs: u32) -> io::Result<Findings> {
    let python = Python::find()?;
    let languages = [Language::Rust, Language::Python];
    let languages = languages.into_iter().filter(|l| *l == Language::Rust || python.is_some());
    let mut rows: Vec<Timed> = languages
        .flat_map(|language| {
            [Work::Computing, Work::Waiting].map(|work| Timed {
                language,
                work,
                seconds: [f64::MAX; WAYS.len()],
                processors: 0.0,
            })
        })
        .collect();
    let has_gil = python.as_ref().is_some_and(|python| python.has_gil);
    let claims = rounds::measure(runs, || {
        rows.iter_mut().try_for_each(|row| row.measure(lab, scale))?;
        Ok(rows.iter().flat_map(|row| row.claims(has_gil)).collect())
    })?;
    let cores = thread::available_parallelism()?.get();
    let found = python.as_ref().map_or("Python not found: only Rust".into(), Python::to_string);
    let times = |title| Column { title, unit: Some("times as fast as single"), decimals: 2 };
    Ok(Findings {
        name: "efficiency",
        title: format!("{TASKS} tasks, one after another, in threads, in processes ({cores} cores)"),
        subject: "tasks",
        columns: vec![
            Column { title: "single s", unit: None, decimals: 3 },
            Column { title: "threads s", unit: None, decimals: 3 },
            Column { title: "processes s", unit: None, decimals: 3 },
            times("threads ×"),
            times("processes ×"),
        ],
        rows: rows.iter().map(Timed::row).collect(),
        notes: vec![found],
        why: "\
Who waits needs no processor: all waits pass at the same time, in threads as in processes. Who computes
needs one: on two cores nobody is more than twice as fast. Python's threads share one interpreter lock
(GIL), and only who has it may compute; its processes have one each. Rust has no such lock.",
        claims,
        unclaimed: rows.iter().filter_map(Timed::unclaimed).collect(),
    })
}

/// Does all tasks once.
fn time(lab: &Lab, language: Language, work: Work, way: Way, scale: Scale) -> io::Result<Reading> {
    match language {
        Language::Rust => {
            let amount = if work == Work::Computing { scale.steps } else { scale.wait_ms };
            let begun = Instant::now();
            do_tasks(lab, work, way, amount)?;
            Ok(Reading { seconds: begun.elapsed().as_secs_f64(), processors: 0.0 })
        }
        Language::Python => {
            let amount = if work == Work::Computing { scale.counts } else { scale.wait_ms };
            let words = [way.word(), work.word(), &amount.to_string()];
            let said = python(&words)?;
            let mut figures = said.split_whitespace().map_while(|word| word.parse().ok());
            let (Some(seconds), Some(used)) = (figures.next(), figures.next()) else {
                return Err(io::Error::other(format!("python3 said `{}`", said.trim())));
            };
            let processors: f64 = used / seconds;
            Ok(Reading { seconds, processors })
        }
    }
}

fn do_tasks(lab: &Lab, work: Work, way: Way, amount: u64) -> io::Result<()> {
    match way {
        Way::Single => (0..TASKS).for_each(|_| work.perform(amount)),
        Way::Threads => thread::scope(|scope| {
            for _ in 0..TASKS {
                scope.spawn(|| work.perform(amount));
            }
        }),
        Way::Processes => {
            let words = [WORD, work.word(), &amount.to_string()];
            let all = (0..TASKS).map(|_| lab.spawn(&words)).collect::<io::Result<Vec<_>>>()?;
            for child in all {
                done(&child.wait_with_output()?)?;
            }
        }
    }
    Ok(())
}

fn done(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("a task ended with {}: {}", output.status, errors.trim())))
}

/// Does one task, in this process.
pub(super) fn play(work: &str, amount: &str) -> io::Result<ExitCode> {
    let amount = amount.parse().map_err(io::Error::other)?;
    let known = [Work::Computing, Work::Waiting].into_iter().find(|known| known.word() == work);
    known.ok_or_else(|| io::Error::other("there is no such work"))?.perform(amount);
    Ok(ExitCode::SUCCESS)
}

impl Work {
    fn word(self) -> &'static str {
        match self {
            Self::Computing => "computing",
            Self::Waiting => "waiting",
        }
    }

    fn perform(self, amount: u64) {
        match self {
            // A generator of numbers (Marsaglia, 2003): each needs the one before, so no compiler and
            // no processor does two at a time.
            Self::Computing => {
                let mut x = black_box(1_u64);
                for _ in 0..amount {
                    x ^= x << 13;
                    x ^= x >> 7;
                    x ^= x << 17;
                }
                black_box(x);
            }
            // LESSON: who sleeps, reads from a disk or waits for a peer is not on any processor. A
            // thousand of them cost a thousand stacks, and no time.
            Self::Waiting => thread::sleep(Duration::from_millis(amount)),
        }
    }
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }
}

impl Timed {
    /// Does its tasks once more in every way.
    fn measure(&mut self, lab: &Lab, scale: Scale) -> io::Result<()> {
        for (best, way) in self.seconds.iter_mut().zip(WAYS) {
            lab.check()?;
            let reading = time(lab, self.language, self.work, way, scale)?;
            *best = reading.seconds.min(*best);
            if way == Way::Threads {
                self.processors = reading.processors.max(self.processors);
            }
        }
        Ok(())
    }

    /// Whether the machine gave these tasks more than one processor. Processes know nothing of each
    /// other: if four of them are no faster than one after another, there is only one processor, or
    /// somebody else has the others; then threads cannot be faster either.
    fn had_processors(&self) -> bool {
        let [single, _, processes] = self.seconds;
        processes <= 0.75 * single
    }

    /// What must be so.
    fn claims(&self, has_gil: bool) -> Vec<Claim> {
        let [single, threads, processes] = self.seconds;
        let at_most = |most: f64, what: &str, seconds: f64| {
            let ratio = seconds / single;
            let text =
                format!("{self}: {what} take at most {most} of what single takes: {ratio:.2}");
            Claim { text, holds: ratio <= most }
        };
        let mut claims = Vec::new();
        match (self.work, self.language) {
            (Work::Waiting, _) => {
                claims.push(at_most(0.75, "threads", threads));
                claims.push(at_most(0.75, "processes", processes));
            }
            (Work::Computing, Language::Rust) if self.had_processors() => {
                claims.push(at_most(0.85, "threads", threads));
            }
            (Work::Computing, Language::Python) if has_gil => {
                let had = self.processors;
                let text =
                    format!("{self}: threads have at most 1.2 processors at a time: {had:.2}");
                claims.push(Claim { text, holds: had <= 1.2 });
                if self.had_processors() {
                    let ratio = threads / processes;
                    let text =
                        format!("{self}: threads take longer than processes: {ratio:.2} times");
                    claims.push(Claim { text, holds: ratio > 1.0 });
                }
            }
            (Work::Computing, _) => {}
        }
        claims
    }

    fn unclaimed(&self) -> Option<String> {
        let alone = self.work == Work::Computing && !self.had_processors();
        alone.then(|| {
            format!("{self}: what takes two processors; four processes were given no more than one")
        })
    }

    fn row(&self) -> Row {
        let [single, threads, processes] = self.seconds;
        let values = vec![single, threads, processes, single / threads, single / processes];
        Row { label: self.to_string(), values }
    }
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.language, self.work.word())
    }
}

impl Python {
    /// That of this machine, if it has one.
    fn find() -> io::Result<Option<Self>> {
        match python(&["single", "waiting", "0"]) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(said) => {
                let version = said.split_whitespace().last().unwrap_or("?").to_owned();
                Ok(Some(Self { version, has_gil: !said.contains("no GIL") }))
            }
        }
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = if self.has_gil { "with its interpreter lock (GIL)" } else { "without the GIL" };
        write!(f, "Python {}, {has}; its tasks and Rust's are not the same amount", self.version)
    }
}

/// What the script prints.
fn python(words: &[&str]) -> io::Result<String> {
    let output = piped(Command::new("python3").args(["-c", SCRIPT]).args(words)).output()?;
    done(&output)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
