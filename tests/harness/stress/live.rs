//! How a load goes, while it goes: one line on a terminal, one now and then in a log.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::figures;
use super::ledger::Ledger;
use super::plan::Plan;

/// How often the line on a terminal changes.
const GLANCE: Duration = Duration::from_millis(250);

/// How often a log gets a line.
const LOG: Duration = Duration::from_secs(10);

/// The line, on stderr: results alone go to stdout.
#[derive(Debug)]
pub(super) struct Live {
    terminal: bool,
    begun: Instant,
}

impl Live {
    pub(super) fn new() -> Self {
        Self { terminal: io::stderr().is_terminal(), begun: Instant::now() }
    }

    /// How long to wait before the next line.
    pub(super) fn pause(&self) -> Duration {
        if self.terminal { GLANCE } else { LOG }
    }

    pub(super) fn coming_in(&self, clients: u32) {
        if self.terminal {
            self.say(format_args!("{clients} clients are coming in …"));
        }
    }

    /// All who could come are in, and it begins.
    pub(super) fn begin(&mut self, inside: u64) {
        let took = self.begun.elapsed().as_secs_f64();
        self.begun = Instant::now();
        self.say(format_args!("{inside} clients came in, in {took:.1} s; it begins"));
    }

    pub(super) fn show(&self, plan: &Plan, inside: u64, ledger: &Ledger) {
        let seconds = self.begun.elapsed().as_secs_f64();
        self.say(format_args!(
            "{seconds:.0} s of {}: {} operations, {:.0} MB/s, {inside} clients, {} \
             refused, {} errors, {} mismatches",
            plan.time.as_secs(),
            ledger.total_done(),
            figures::megabytes(ledger.total_bytes()) / seconds,
            ledger.total_refused(),
            ledger.failed.count,
            ledger.wrong.count,
        ));
    }

    /// Leaves the terminal clean.
    pub(super) fn end(&self) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn say(&self, line: fmt::Arguments<'_>) {
        // Nobody listening is no reason to stop.
        let _ = if self.terminal {
            write!(io::stderr(), "\r\x1b[K{line}")
        } else {
            writeln!(io::stderr(), "{line}")
        };
    }
}
