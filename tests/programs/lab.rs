//! Programs that are wrong on purpose, beside those that are right: what goes wrong, how often, why.
//!
//! ```text
//! cargo run --release --bin lab -- sticky        three sends, one recv
//! cargo run --release --bin lab -- race          two people put one name
//! cargo run --release --bin lab -- cv-if         woken for an item that is no longer there
//! cargo run --release --bin lab -- deadlock      two threads, two locks; --fix order, try or one
//! cargo run --release --bin lab -- queue         a file that is opened for every chunk
//! cargo run --release --bin lab -- efficiency    threads and processes, Rust and Python
//! cargo run --release --bin lab -- models        the four models of ferryd, in four tables
//! cargo run --release --bin lab -- check         does all of it still hold?
//! cargo run --release --bin lab -- check 5 FILE  is this a right answer to exercise 5?
//! ```
//! Each part's story, and its code to read, is in `harness::lab`; `docs/lab.md` is the course. Wrong
//! code runs in processes of their own, in folders that vanish, for at most 5 s.
//!
//! Exit status: 0 all is as it is said to be, or the answer is right; 1 something is not; 2 wrong usage;
//! 3 `deadlock` found one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum as _};
use client::interrupt::Interrupt;
use harness::lab::check::Part;
use harness::lab::deadlock::Fix;
use harness::lab::exercises::{EXERCISES, Exercise, Verdict};
use harness::lab::models::{self, Workload};
use harness::lab::{
    Findings, Lab, cv_if, deadlock, efficiency, findings, queue, race, sticky, trial,
};

/// Programs that are wrong on purpose, beside those that are right
#[derive(Debug, Parser)]
#[command(
    name = "lab",
    after_help = "\
Exit status: 0 all is as it is said to be, or the answer is right; 1 something is not; 2 wrong usage;
3 `deadlock` found one.
The course to this is docs/lab.md: predict, then run, then explain. Exercises: docs/exercises.md."
)]
struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Three sends, one recv: what does it bring?
    Sticky(Trials),
    /// Two people put one name: who is told that it is taken?
    Race(Trials),
    /// A consumer is woken for an item: is the item there?
    CvIf(Trials),
    /// Two threads, two locks, each has one: who goes first?
    Deadlock {
        #[command(flatten)]
        trials: Trials,
        /// Run a right version in place of the wrong ones
        #[arg(long)]
        fix: Option<Fix>,
    },
    /// Open, write, close for each chunk: how slow can it be?
    Queue(Measured),
    /// Does a thread make work faster? Does a process?
    Efficiency(Measured),
    /// What does each model of ferryd cost, and what is it good at?
    Models {
        /// Only this table
        workload: Option<Workload>,
        #[command(flatten)]
        measured: Measured,
    },
    /// All of it, small: does it still hold? Or: is an exercise answered?
    Check {
        /// Only this part; or the number of an exercise
        #[arg(value_name = "PART or N")]
        what: Option<What>,
        /// Your answer to that exercise; without one the question is shown
        answer: Option<String>,
        /// How often each version is run, by default 10 times, and code that is an answer 200 times
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        runs: Option<u32>,
    },
}

/// How often each version is run to check what is claimed of it, and how often code that is an answer.
const CLAIM_RUNS: u32 = 10;
const CODE_RUNS: u32 = 200;

/// What can be checked.
#[derive(Debug, Clone, Copy)]
enum What {
    Part(Part),
    Exercise(&'static Exercise),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let exercise = text.parse().ok().and_then(Exercise::of);
        let what = exercise.map(Self::Exercise);
        what.or_else(|| Part::from_str(text, false).ok().map(Self::Part)).ok_or_else(|| {
            let parts = Part::value_variants().iter().filter_map(Part::to_possible_value);
            let parts: Vec<String> = parts.map(|part| part.get_name().to_owned()).collect();
            format!("there are {}, and the exercises 1 to {}", parts.join(", "), EXERCISES.len())
        })
    }
}

#[derive(Debug, Args)]
struct Trials {
    /// How often each version is run, each time in a process of its own
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
struct Measured {
    /// How often each is measured, in turn; the shortest time counts
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Less of everything: to see what it does, not for figures
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
struct Files {
    /// Write what was found to this file for programs, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw it into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    if let Some(status) = harness::lab::play() {
        return status;
    }
    match Options::parse().task.perform() {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(io::stderr(), "lab: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Task {
    fn perform(self) -> io::Result<ExitCode> {
        let lab = Lab { stage: std::env::current_exe()?, interrupt: Interrupt::on_signals()? };
        match self {
            Self::Sticky(Trials { runs, files }) => show(&sticky::measure(&lab, runs)?, &files),
            Self::Race(Trials { runs, files }) => show(&race::measure(&lab, runs)?, &files),
            Self::CvIf(Trials { runs, files }) => show(&cv_if::measure(&lab, runs)?, &files),
            Self::Deadlock { trials: Trials { runs, files }, fix } => {
                let (findings, stood) = deadlock::measure(&lab, runs, fix)?;
                let status = show(&findings, &files)?;
                Ok(if stood { ExitCode::from(trial::WRONG) } else { status })
            }
            Self::Queue(Measured { runs, quick, files }) => {
                let scale = if quick { queue::Scale::quick() } else { queue::Scale::full() };
                show(&queue::measure(&lab, scale, runs)?, &files)
            }
            Self::Efficiency(Measured { runs, quick, files }) => {
                let scale =
                    if quick { efficiency::Scale::quick() } else { efficiency::Scale::full() };
                show(&efficiency::measure(&lab, scale, runs)?, &files)
            }
            Self::Models { workload, measured } => {
                let wanted =
                    Workload::ALL.into_iter().filter(|w| workload.is_none_or(|one| one == *w));
                show_tables(&lab, wanted, &measured)
            }
            Self::Check { what: Some(What::Exercise(exercise)), answer, runs } => {
                judge(exercise, answer.as_deref(), runs.unwrap_or(CODE_RUNS))
            }
            Self::Check { answer: Some(_), .. } => Options::command()
                .error(ErrorKind::ArgumentConflict, "only an exercise is answered")
                .exit(),
            Self::Check { what: Some(What::Part(part)), runs, .. } => check(&lab, &[part], runs),
            Self::Check { what: None, runs, .. } => check(&lab, &Part::ALL, runs),
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}").and_then(|()| io::stdout().flush());
}

fn status(is_so: bool) -> ExitCode {
    if is_so { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a part has found, on the screen and wherever else it is wanted.
fn show(findings: &Findings, files: &Files) -> io::Result<ExitCode> {
    tell(format_args!("{}", findings.to_string().trim_end()));
    if let Some(file) = &files.json {
        write(file, &format!("{:#}\n", findings.json()))?;
    }
    if let Some(file) = &files.svg {
        write(file, &findings.svg())?;
    }
    Ok(status(findings.hold()))
}

/// The tables of the models, each as soon as it is there, and then all of them wherever else they are
/// wanted.
fn show_tables(
    lab: &Lab,
    wanted: impl Iterator<Item = Workload>,
    Measured { runs, quick, files }: &Measured,
) -> io::Result<ExitCode> {
    let scale = if *quick { models::Scale::quick() } else { models::Scale::full() };
    let mut tables = Vec::new();
    for workload in wanted {
        let table = workload.measure(lab, &scale, *runs)?;
        tell(format_args!("{table}"));
        tables.push(table);
    }
    if let Some(file) = &files.json {
        let tables: Vec<_> = tables.iter().map(Findings::json).collect();
        write(file, &format!("{:#}\n", serde_json::Value::from(tables)))?;
    }
    if let Some(file) = &files.svg {
        write(file, &findings::drawing(models::TITLE, &tables))?;
    }
    Ok(status(tables.iter().all(Findings::hold)))
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let why = |error| io::Error::other(format!("cannot write {}: {error}", file.display()));
    fs::write(file, text).map_err(why)
}

/// What is asked in an exercise, or what is to be said of an answer.
fn judge(exercise: &Exercise, answer: Option<&str>, runs: u32) -> io::Result<ExitCode> {
    let Some(answer) = answer else {
        tell(format_args!("{exercise}\n\nlab check {} ANSWER", exercise.number));
        return Ok(ExitCode::SUCCESS);
    };
    let verdict = exercise.check(answer, runs)?;
    tell(format_args!("{verdict}"));
    Ok(status(matches!(verdict, Verdict::Right(_))))
}

/// Every claim of some parts, each with whether it holds.
fn check(lab: &Lab, parts: &[Part], runs: Option<u32>) -> io::Result<ExitCode> {
    let (mut claims, mut wrong) = (0, 0);
    for part in parts {
        for table in part.check(lab, runs.unwrap_or(CLAIM_RUNS))? {
            for line in table.checked() {
                tell(format_args!("{line}"));
            }
            claims += table.claims.len();
            wrong += table.claims.iter().filter(|claim| !claim.holds).count();
        }
    }
    match wrong {
        0 => tell(format_args!("All {claims} hold.")),
        _ => tell(format_args!("{wrong} of {claims} DO NOT HOLD.")),
    }
    Ok(status(wrong == 0))
}
