//! Programs that are wrong on purpose, beside those that are right: what goes wrong, how often, why.
//!
//! ```text
//! cargo run --release --bin lab -- sticky        three sends, one recv
//! cargo run --release --bin lab -- race          two people put one name
//! cargo run --release --bin lab -- cv-if         woken for an item that is no longer there
//! cargo run --release --bin lab -- deadlock      two threads, two locks; --fix order, try or one
//! cargo run --release --bin lab -- queue         a file that is opened for every chunk
//! cargo run --release --bin lab -- efficiency    threads and processes, Rust and Python
//! cargo run --release --bin lab -- check         does all of it still hold?
//! ```
//! Each part's story, and its code to read, is in `harness::lab`; `docs/lab.md` is the course. Wrong
//! code runs in processes of their own, in folders that vanish, for at most 5 s.
//!
//! Exit status: 0 all is as it is said to be; 1 something is not; 2 wrong usage; 3 `deadlock` found
//! one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use client::interrupt::Interrupt;
use harness::lab::check::Part;
use harness::lab::deadlock::Fix;
use harness::lab::{Findings, Lab, cv_if, deadlock, efficiency, queue, race, sticky, trial};

/// Programs that are wrong on purpose, beside those that are right
#[derive(Debug, Parser)]
#[command(
    name = "lab",
    after_help = "\
Exit status: 0 all is as it is said to be, 1 something is not, 2 wrong usage, 3 `deadlock` found one.
The course to this is docs/lab.md: predict, then run, then explain."
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
    /// All of it, small: does it still hold?
    Check {
        /// Only this part
        part: Option<Part>,
        /// How often each version is run
        #[arg(long, value_name = "N", default_value_t = 10,
              value_parser = clap::value_parser!(u32).range(1..=10_000))]
        runs: u32,
    },
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
            Self::Check { part, runs } => check(&lab, part, runs),
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

fn write(file: &Path, text: &str) -> io::Result<()> {
    let why = |error| io::Error::other(format!("cannot write {}: {error}", file.display()));
    fs::write(file, text).map_err(why)
}

/// Every claim of some parts, each with whether it holds.
fn check(lab: &Lab, part: Option<Part>, runs: u32) -> io::Result<ExitCode> {
    let (mut claims, mut wrong) = (0, 0);
    for part in Part::ALL.into_iter().filter(|known| part.is_none_or(|part| part == *known)) {
        let findings = part.check(lab, runs)?;
        for claim in &findings.claims {
            tell(format_args!("{:<10}  {claim}", findings.name));
            claims += 1;
            wrong += u32::from(!claim.holds);
        }
        for why_not in &findings.unclaimed {
            tell(format_args!("{:<10}  {:<6}  {why_not}", findings.name, "–"));
        }
    }
    match wrong {
        0 => tell(format_args!("All {claims} hold.")),
        _ => tell(format_args!("{wrong} of {claims} DO NOT HOLD.")),
    }
    Ok(status(wrong == 0))
}
