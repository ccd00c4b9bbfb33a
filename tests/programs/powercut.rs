//! Cuts the power under a busy server, and looks whether every OK was true.
//!
//! ```text
//! cargo run --release --bin powercut -- --cuts 50        as root; 4 × 50 cuts
//! cargo run --bin powercut -- --cuts 5 --seed 7          the same chance again
//! cargo run --bin powercut -- --cuts 5 --without part.sync --expect-loss
//! ```
//!
//! On a disk of its own, with ext4 and with xfs, with the file system's log flushed at the cut and
//! with the log lost: eight clients are busy, the power goes, and a fresh `ferryd` on what is left
//! must have all that was told OK, whole, and nothing half (see `harness::powercut`). Every second
//! cut comes right behind the last OK, the others in the middle. The exit status is 0 only if
//! nothing was lost, wrong, partial or left over.
//!
//! `--without` leaves a sync out of the server; with `--expect-loss` the exit status is then 0 only
//! if the cuts found it out. That takes a debug build. It needs root, loop devices, and the
//! programs of xfsprogs and e2fsprogs. Ctrl-C ends it after the cut under way, and tidies up.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use client::interrupt::Interrupt;
use harness::actor;
use harness::dice::Dice;
use harness::image::{FileSystem, Image, Log};
use harness::powercut::Trial;
use harness::verdict::Verdict;

/// Cuts the power under a busy server, and looks whether every OK was true
#[derive(Debug, Parser)]
#[command(name = "powercut")]
struct Options {
    /// How many cuts on each file system, each time with the log flushed and with the log lost
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    cuts: u64,
    /// What chance follows from; another each time if not given
    #[arg(long)]
    seed: Option<u64>,
    /// Leave this sync out of the server (debug builds only)
    #[arg(long, value_enum)]
    without: Option<Sync>,
    /// Succeed only if something was lost
    #[arg(long)]
    expect_loss: bool,
}

/// A sync that an OK waits for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sync {
    /// Of a file's bytes, before it has its name
    #[value(name = "part.sync")]
    Part,
    /// Of a folder's names
    #[value(name = "folder.sync")]
    Folder,
}

/// How many broken promises are told of in words, of each way to cut; all are counted.
const NOTES_MAX: usize = 10;

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "powercut: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}");
}

/// Whether what came out is what was expected.
fn run(options: &Options) -> io::Result<bool> {
    if options.without.is_some() && !cfg!(debug_assertions) {
        let why = "a release build cannot leave a sync out; run it without --release";
        return Err(io::Error::other(why));
    }
    let faults = match options.without {
        None => "",
        Some(Sync::Part) => "skip@part.sync",
        Some(Sync::Folder) => "skip@folder.sync",
    };
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()));
    tell(format_args!("seed {seed}"));
    let interrupt = Interrupt::on_signals()?;
    let (stage, mut dice) = (std::env::current_exe()?, Dice::new(seed));
    let mut rows = Vec::new();
    for file_system in FileSystem::ALL {
        let image = Image::make(file_system)
            .map_err(|missing| io::Error::other(format!("this machine has no {missing}")))?;
        for log in Log::ALL {
            let trial = Trial { stage: &stage, image: &image, log, faults };
            let verdict = trial.cut(0..options.cuts, dice.throw(), || !interrupt.is_set())?;
            rows.push((format!("{file_system}, {log}"), verdict));
        }
    }
    for (way, verdict) in &rows {
        for note in verdict.notes.iter().take(NOTES_MAX) {
            tell(format_args!("{way}: {note}"));
        }
    }
    tell(format_args!("{:<18}{}", "", Verdict::HEADER));
    for (way, verdict) in &rows {
        tell(format_args!("{way:<18}{verdict}"));
    }
    let good = rows.iter().all(|(_, verdict)| verdict.is_good());
    Ok(!interrupt.is_set() && good != options.expect_loss)
}
