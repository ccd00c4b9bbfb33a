//! What a difference between two builds of `ferryd` costs: throughput, and the server's processor.
//!
//! ```text
//! cargo build --release -p ferry-server && cp target/release/ferryd /tmp/told
//! cargo build --release -p ferry-server --features untold && cp target/release/ferryd /tmp/untold
//! cargo run --release --bin cost -- /tmp/untold /tmp/told      what the state table costs
//! cargo run --release --bin cost -- /tmp/told /tmp/told        what this cannot see
//! ```
//! How it is measured is in `harness::cost`. Exit status: 0 measured, 1 it could not be, 2 wrong
//! usage.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use client::interrupt::Interrupt;
use harness::cost::{Scale, compare, table};

/// What a difference between two builds of ferryd costs
#[derive(Debug, Parser)]
#[command(
    name = "cost",
    after_help = "\
Each figure is the other one's by the one's: the middle of all rounds, the interval in which the true
middle lies in 95 of 100 cases, and the smallest and largest.

Exit status: 0 measured, 1 it could not be, 2 wrong usage. Ctrl-C ends it; nothing is left behind."
)]
struct Options {
    /// A ferryd
    one: PathBuf,
    /// The one it is compared with
    other: PathBuf,
    /// How many rounds, each with new servers
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// With so little of everything that it is over at once, and no figure means anything
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> io::Result<()> {
    let interrupt = Interrupt::on_signals()?;
    let scale = if options.quick { Scale::quick() } else { Scale::full() };
    let programs = [options.one.as_path(), options.other.as_path()];
    let comparisons = compare(programs, scale, options.rounds, &interrupt)?;
    writeln!(io::stdout(), "{} rounds\n\n{}", options.rounds, table(&comparisons))
}
