//! A room full of people, some of whom never read.
//!
//! ```text
//! cargo run --release --bin room                                     200 members, 20 lines a second
//! cargo run --release --bin room -- --members 500 --seconds 60
//! cargo run --release --bin room -- --files                          while files go up and down
//! ```
//!
//! A `ferryd` in a process of its own (this program plays it), members who say lines of 1,900 bytes
//! in turn and note down all they hear, and five who never read. `harness::room` says how.
//!
//! Prints how long the lines were on their way, who was put out, the server's memory, and with
//! `--files` how fast files went without and with the talk; with `--json` the same as one object.
//! Exit status: 0 everybody heard every line in the same order, nobody late, and the deaf were put
//! out; 1 something of this was not so; 2 wrong usage.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harness::actor;
use harness::room::{self, Settings};

/// A room full of people, some of whom never read.
#[derive(Debug, Parser)]
#[command(name = "room")]
struct Options {
    /// Everybody in the room
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(3..=5000))]
    members: u32,
    /// Lines a second, of all together; one member says at most five
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// How long
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Those of them who never read
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
    deaf: u32,
    /// Files go up and down, without the talk and with it
    #[arg(long)]
    files: bool,
    /// How long 99 of 100 lines may be on their way, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 50)]
    delay: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match play(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "room: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(options: &Options) -> Result<bool, Box<dyn std::error::Error>> {
    let settings = Settings {
        stage: std::env::current_exe()?,
        members: options.members,
        deaf: options.deaf,
        rate: options.rate,
        seconds: options.seconds,
        files: options.files,
        delay_max: Some(Duration::from_millis(options.delay)),
    };
    let report = room::run(&settings)?;
    if options.json {
        serde_json::to_writer(io::stdout(), &report)?;
        writeln!(io::stdout())?;
    } else {
        for line in report.summary() {
            writeln!(io::stdout(), "{line}")?;
        }
        for finding in &report.findings {
            writeln!(io::stdout(), "WRONG: {finding}")?;
        }
    }
    Ok(report.findings.is_empty())
}
