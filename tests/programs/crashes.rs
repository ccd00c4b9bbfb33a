//! Kills a busy server again and again over one data folder, and looks whether every OK was true.
//!
//! ```text
//! cargo run --release --bin crashes -- --kills 200
//! cargo run --release --bin crashes -- --kills 20 --seed 7      the same chance again
//! ```
//!
//! Eight clients are busy when `ferryd` gets its SIGKILL. A fresh one on the same folder must have
//! all that was told OK, whole, show nothing half, and have swept what the dead one left (see
//! `harness::crashes`). The exit status is 0 only if nothing was lost, wrong, partial or left over.
//! What `kill -9` cannot show is whether anything is on disk; `powercut` can.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use client::interrupt::Interrupt;
use harness::actor;
use harness::crashes::Trial;
use harness::verdict::Verdict;

/// Kills a busy server again and again, and looks whether every OK was true
#[derive(Debug, Parser)]
#[command(name = "crashes")]
struct Options {
    /// How often to kill it
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    kills: u64,
    /// What chance follows from; another each time if not given
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "crashes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}");
}

/// Whether every promise was kept.
fn run(options: &Options) -> io::Result<bool> {
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()));
    tell(format_args!("seed {seed}"));
    let interrupt = Interrupt::on_signals()?;
    let (stage, data) = (std::env::current_exe()?, tempfile::tempdir()?);
    let trial = Trial { stage: &stage, data: data.path() };
    let verdict = trial.kill(options.kills, seed, || !interrupt.is_set())?;
    for note in &verdict.notes {
        tell(format_args!("{note}"));
    }
    tell(format_args!("{}\n{verdict}", Verdict::HEADER));
    Ok(!interrupt.is_set() && verdict.is_good())
}
