//! Everybody does everything at once, for as long as you like.
//!
//! ```text
//! cargo run --release --bin soak                          one minute
//! cargo run --release --bin soak -- --minutes 30
//! cargo run --release --bin soak -- --seconds 20 --seed 7 --clients 32
//! ```
//!
//! A `ferryd` in a process of its own (this program plays it, as the demo does), and clients that
//! put, get, list, rename, remove, register, guess, talk nonsense, vanish, trickle, and never
//! read, half of them over a network that is slow, cut or silent (`harness::soak` says how). Every
//! answer is held against what was promised. Afterwards threads, descriptors and parts must be
//! back to what they were, memory must not have grown, every name must be free, and every file
//! that was told OK must be on disk.
//!
//! A line of progress every 10 s, then a summary. Exit status: 0 all was as promised, 1 something
//! was not, and what; then the server's folder, with its log, is kept and named.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harness::actor;
use harness::soak::{self, Settings};

/// Everybody does everything at once.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Options {
    /// How long, in minutes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
    /// How long, in seconds, instead
    #[arg(long)]
    seconds: Option<u64>,
    /// What chance follows from; another each time if not given
    #[arg(long)]
    seed: Option<u64>,
    /// Clients at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=200))]
    clients: u16,
}

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    let options = Options::parse();
    match hold(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "soak: cannot be held: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn hold(options: &Options) -> Result<bool, Box<dyn std::error::Error>> {
    let seconds = options.seconds.unwrap_or(options.minutes * 60);
    let seed = options.seed.unwrap_or_else(|| std::process::id().into());
    tell(&format!("{seconds} s, {} clients, --seed {seed}", options.clients));
    let settings = Settings {
        stage: std::env::current_exe()?,
        time: Duration::from_secs(seconds),
        seed,
        clients: options.clients.into(),
    };
    Ok(soak::run(&settings, &tell)?.tell(&tell))
}
