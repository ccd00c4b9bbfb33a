//! Many who only want to be in the way, and one honest client who must not notice.
//!
//! ```text
//! cargo run --release --bin siege
//! cargo run --release --bin siege -- --tricklers 50 --idlers 500 --max-clients 100
//! ```
//!
//! A `ferryd` in a process of its own (this program plays it), 200 clients that say a byte now and
//! then in a request line or a body, and 5,000 that connect and say nothing, more than there are
//! places. An honest client, connected before, lists and puts small files all the while.
//!
//! Prints how long its rounds take, quiet and besieged; how many were held at the door and how
//! many refused; when the tricklers were sent away; and what the server holds afterwards. Takes
//! under two minutes. Exit status: 0 all was borne, 1 something was not: a round took five times as
//! long as in peace, a trickler was never sent away, somebody at the door was told nothing, or
//! something was not given back.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harness::actor;
use harness::siege::{self, Bounds, Settings};

/// The server's own default.
const STALL_SECONDS: u32 = 30;

/// Many who only want to be in the way, and one honest client.
#[derive(Debug, Parser)]
#[command(name = "siege")]
struct Options {
    /// Clients that say a byte now and then
    #[arg(long, default_value_t = 200)]
    tricklers: u16,
    /// Clients that connect and say nothing
    #[arg(long, default_value_t = 5000)]
    idlers: u16,
    /// The server's places
    #[arg(long, default_value_t = 1000)]
    max_clients: u16,
}

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match hold(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "siege: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hold(options: &Options) -> Result<bool, Box<dyn std::error::Error>> {
    let settings = Settings {
        stage: std::env::current_exe()?,
        tricklers: options.tricklers.into(),
        idlers: options.idlers.into(),
        max_clients: options.max_clients.into(),
        stall: STALL_SECONDS,
        quiet: Duration::from_secs(10),
        // A line has 10 s; a body about 30 s for so few bytes. The rest is for a busy machine.
        bounds: Bounds { header: Duration::from_secs(20), body: Duration::from_secs(60) },
        ratio_max: Some(5),
    };
    let report = siege::run(&settings)?;
    for line in &report.summary {
        let _ = writeln!(io::stdout(), "{line}");
    }
    for finding in &report.findings {
        let _ = writeln!(io::stdout(), "WRONG: {finding}");
    }
    Ok(report.findings.is_empty())
}
