//! What came out of a load, as text; [`json`](Report::json) and [`svg`](Report::svg) say the same
//! to programs and to the eye.

mod chart;
mod json;

use std::fmt;
use std::time::Duration;

use super::figures::{float, megabytes, time};
use super::histogram::Histogram;
use super::ledger::{Figures, Ledger};
use super::mix::Verb;
use super::notes::Notes;
use super::plan::Plan;
use crate::prose::filled;

/// The quantiles that are shown, each with its name; per mille.
const QUANTILES: [(&str, u64); 4] = [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999)];

/// The longest bar of a text histogram.
const BAR: usize = 50;

/// What came out.
#[derive(Debug)]
pub struct Report {
    /// What the load was.
    pub plan: Plan,
    /// How long it took from the first operation's beginning to the last one's end.
    pub time: Duration,
    /// What was done, refused, wrong.
    pub ledger: Ledger,
    /// How many `WAIT` lines were heard.
    pub waits: u64,
    /// Of the operations that arrived on a schedule, those that no client was free for.
    pub never_begun: Option<u64>,
    /// Whether Ctrl-C ended it early.
    pub interrupted: bool,
    /// What of it stays behind, in words.
    pub remains: Option<String>,
}

impl Report {
    /// Whether every answer was true, and every request had one.
    pub fn is_good(&self) -> bool {
        self.ledger.wrong.count == 0 && self.ledger.failed.count == 0
    }

    fn figures(&self, verb: Verb) -> &Figures {
        &self.ledger.verbs[verb.index()]
    }

    /// The verbs that were done.
    fn verbs(&self) -> impl Iterator<Item = (Verb, &Figures)> {
        let all = Verb::ALL.into_iter().map(|verb| (verb, self.figures(verb)));
        all.filter(|(_, figures)| figures.latency.total() > 0)
    }

    fn a_second(&self, count: f64) -> f64 {
        count / self.time.as_secs_f64().max(1e-6)
    }

    /// A line of the table.
    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str, done: &Figures) -> fmt::Result {
        let (latency, bytes) = (&done.latency, megabytes(done.bytes));
        let per_second = self.a_second(float(latency.total()));
        write!(f, "{name:<5} {:>9} {per_second:>9.1} ", latency.total())?;
        write!(f, "{:>9.1} ", self.a_second(bytes))?;
        for (_, per_mille) in QUANTILES {
            write!(f, "{:>9} ", time(latency.quantile(per_mille)))?;
        }
        writeln!(f, "{:>9}", time(latency.max()))
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<5} {:>9} {:>9} {:>9} ", "", "done", "ops/s", "MB/s")?;
        for (name, _) in QUANTILES {
            write!(f, "{name:>9} ")?;
        }
        writeln!(f, "{:>9}", "max")?;
        let mut all = Figures::default();
        for verb in Verb::ALL {
            let figures = self.figures(verb);
            self.row(f, verb.name(), figures)?;
            all.latency.absorb(&figures.latency);
            all.bytes += figures.bytes;
        }
        self.row(f, "all", &all)
    }

    fn refusals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nrefused: {}", self.ledger.total_refused())?;
        for ((verb, reason), count) in &self.ledger.refusals {
            writeln!(f, "  {:<5} {reason:<20} {count:>9}", verb.name())?;
        }
        writeln!(f, "told to wait, and for whom: {} times", self.waits)
    }

    /// How to read the latencies.
    fn loop_note(&self) -> String {
        match (self.plan.rate, self.never_begun) {
            (Some(rate), Some(never_begun)) => format!(
                "Open loop: {rate} arrived on a schedule, and latency counts from when each was \
                 due, so waiting for a free client shows. {never_begun} were due and never begun."
            ),
            _ => "Closed loop: a client asks again only when it was answered, so a slow moment is \
                  met by fewer requests and hides the queue it would cause (coordinated omission); \
                  --rate shows it."
                .into(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.plan)?;
        if self.interrupted {
            writeln!(f, "ended early, after {:.1} s", self.time.as_secs_f64())?;
        }
        writeln!(f)?;
        self.table(f)?;
        for (verb, figures) in self.verbs() {
            bars(f, verb, &figures.latency)?;
        }
        self.refusals(f)?;
        notes(f, "mismatches", &self.ledger.wrong)?;
        notes(f, "errors", &self.ledger.failed)?;
        writeln!(f)?;
        writeln!(f, "{}", filled(&self.loop_note()))?;
        self.remains.iter().try_for_each(|remains| writeln!(f, "{remains}"))
    }
}

/// A histogram in which each line is twice as long as the one above it.
fn bars(f: &mut fmt::Formatter<'_>, verb: Verb, latency: &Histogram) -> fmt::Result {
    writeln!(f, "\nlatency of {}, and how many", verb.name())?;
    let steps = latency.steps(0);
    let most = steps.iter().map(|step| step.count).max().unwrap_or(1).max(1);
    for step in steps {
        // A few among many still show.
        let length = usize::try_from((step.count * BAR as u64).div_ceil(most)).unwrap_or(BAR);
        let (to, count) = (time(step.to), step.count);
        writeln!(f, "  < {to:>8} {count:>9} {}", "#".repeat(length))?;
    }
    Ok(())
}

fn notes(f: &mut fmt::Formatter<'_>, what: &str, notes: &Notes) -> fmt::Result {
    writeln!(f, "{what}: {}", notes.count)?;
    notes.first.iter().try_for_each(|note| writeln!(f, "  {note}"))
}
