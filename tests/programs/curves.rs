//! What an operation costs as something grows: clients, a file, a folder, a line for one name.
//!
//! ```text
//! cargo run --release --bin curves                                 under four minutes
//! cargo run --release --bin curves -- --svg curves --json curves.json
//! cargo run --release --bin curves -- --quick                      under twenty seconds
//! cargo run --release --bin curves -- --folder /srv/disk           what the disk adds
//! ```
//! For each it plays a `ferryd` in a process of its own, with a data folder that vanishes
//! (`harness::curves` says how it is measured). Without `--folder` that is in memory where there is
//! room, and the output says so: then what is measured is the program, not the disk. On a disk it
//! takes several times as long.
//!
//! Prints a table for each, and the power of `n` that the cost follows: `n^0.02` does not know how
//! many there are. The exit status is 0 if every client among a thousand is served for at most 1.5
//! times what one alone costs, memory does not grow with a folder, and nobody in a line was
//! overtaken; 1 if not, 2 for wrong usage.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use client::interrupt::Interrupt;
use harness::actor;
use harness::curves::ground::Ground;
use harness::curves::growth::Growth;
use harness::curves::scale::Scale;
use serde_json::{Value, json};

/// What an operation costs as something grows
#[derive(Debug, Parser)]
#[command(name = "curves")]
struct Options {
    /// Draw each curve into a file in this folder; made if missing
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// Write all of it to this file for programs, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure here, in a folder that vanishes, and not in memory
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Not as far
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match measure(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "curves: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}").and_then(|()| io::stdout().flush());
}

/// Whether everything grew as it may.
fn measure(options: &Options) -> io::Result<bool> {
    let interrupt = Interrupt::on_signals()?;
    let scale = if options.quick { Scale::quick() } else { Scale::full() };
    let ground = Ground::choose(std::env::current_exe()?, options.folder.clone(), &scale)?;
    tell(format_args!("measured in {ground}\n"));
    let curves = harness::curves::run(&ground, &scale, &interrupt, &|growth| {
        tell(format_args!("{growth}"));
    })?;
    if let Some(folder) = &options.svg {
        fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
        for growth in &curves {
            let file = folder.join(growth.name).with_extension("svg");
            write(&file, &growth.svg(&ground.to_string()))?;
        }
    }
    if let Some(file) = &options.json {
        let curves: Vec<Value> = curves.iter().map(Growth::json).collect();
        let all = json!({"ground": ground.to_string(), "curves": curves});
        write(file, &format!("{all:#}\n"))?;
    }
    Ok(curves.iter().all(|growth| growth.wrong.is_empty()))
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    fs::write(file, text).map_err(|error| unwritten(file, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!("cannot write {}: {error}", path.display()))
}
