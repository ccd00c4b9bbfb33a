//! Puts a server under load from many clients at once, looks at every byte, and says how fast it
//! was.
//!
//! ```text
//! cargo run --release --bin stress                                    a load for a server of its own
//! cargo run --release --bin stress -- --clients 200 --seconds 20 --svg load.svg
//! cargo run --release --bin stress -- --rate 300                      latency with its queues
//! cargo run --release --bin stress -- --server HOST --hold 2000       sessions that do nothing
//! cargo run --release --bin stress -- --server HOST --visits 2000 --file README.md
//! ```
//! Without `--server` it plays a `ferryd` in a process of its own, with a data folder that vanishes.
//! What it checks and how is in `harness::stress`. The exit status is 0 if every answer was true
//! and every request had one, 1 if not, 2 for wrong usage.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use client::address::Address;
use client::interrupt::Interrupt;
use harness::actor;
use harness::stress::figures::float;
use harness::stress::hold::hold;
use harness::stress::mix::Mix;
use harness::stress::plan::{Account, Percent, Plan, Rate, Target};
use harness::stress::sizes::Sizes;
use harness::stress::visits::Visits;

/// Put a server under load from many clients at once, look at every byte, say how fast it was
#[derive(Debug, Parser)]
#[command(name = "stress", after_help = EXAMPLES)]
struct Options {
    /// The server; without it, one is started for the load, on a folder that vanishes
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<Address>,
    /// Log in as this user and work in their home, where files are replaced and removed again
    #[arg(long, value_name = "NAME", requires_all = ["server", "password"])]
    user: Option<String>,
    /// Their password; others on this machine can see it while this runs
    #[arg(long, requires = "user")]
    password: Option<String>,

    /// How many clients at once, each with a thread and a connection of its own
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=5000))]
    clients: u32,
    /// How long to begin operations
    #[arg(long, value_name = "S", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// What to do: put, get, list; with weights as in put=3:get=6:list=1
    #[arg(long, default_value = "put:get:list")]
    mix: Mix,
    /// How large the files are, as in 4K..8M; each doubling is as frequent as the next
    #[arg(long, default_value = "4K..8M")]
    sizes: Sizes,
    /// How many of the puts go to a name that others want at the same moment
    #[arg(long, value_name = "P%", default_value = "10%")]
    same_name: Percent,
    /// Let so many operations arrive in a second, whether or not those before are done
    #[arg(long, value_name = "R/s")]
    rate: Option<Rate>,
    /// What chance follows from; another each time if not given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the report to this file for programs, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw it into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Instead: open N sessions, say READY, and hold them until stdin closes
    #[arg(long, value_name = "N", requires = "server",
          conflicts_with_all = ["visits", "clients", "seconds", "mix", "sizes", "same_name", "rate",
                                "seed", "json", "svg"],
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hold: Option<u32>,
    /// Instead: come, fetch --file and go, N times, --clients at a time
    #[arg(long, value_name = "N", requires_all = ["server", "file"],
          conflicts_with_all = ["seconds", "mix", "sizes", "same_name", "rate", "seed", "json",
                                "svg"],
          value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    visits: Option<u64>,
    /// What each visit fetches
    #[arg(long, value_name = "NAME", requires = "visits")]
    file: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  stress                                       50 clients, 10 s, a server of its own
  stress --clients 200 --seconds 20 --svg load.svg --json load.json
  stress --mix put=1:get=9 --sizes 64K         small files, mostly read
  stress --mix put --same-name 100%            everybody wants one name
  stress --rate 300 --seconds 30               300 arrive each second: latency with its queues
  stress --server 192.168.1.5 --user xiaoyu --password 123456
  stress --server 127.0.0.1:9021 --hold 2000   what do sessions cost that do nothing?
  stress --server 127.0.0.1:9021 --visits 2000 --clients 8 --file README.md

A guest's load stays on the server, in a folder `stress-…`: guests may not remove.

Exit status: 0 every answer was true and every request had one, 1 not so, 2 wrong usage. Ctrl-C
ends a load early, with its report; twice ends at once.";

/// What was asked for. Exactly one.
enum Task {
    Load(Plan),
    Hold(Target, u32),
    Visits(Visits),
}

impl Options {
    fn task(&self) -> Task {
        let target = self.target();
        match (target, self.hold, self.visits, &self.file) {
            (Some(target), Some(count), _, _) => Task::Hold(target, count),
            (Some(target), None, Some(count), Some(file)) => {
                Task::Visits(Visits { target, count, clients: self.clients, file: file.clone() })
            }
            (target, ..) => Task::Load(self.plan(target)),
        }
    }

    fn target(&self) -> Option<Target> {
        let account = self.user.clone().zip(self.password.clone());
        let account = account.map(|(user, password)| Account { user, password });
        self.server.clone().map(|server| Target { server, account })
    }

    fn plan(&self, target: Option<Target>) -> Plan {
        Plan {
            target,
            clients: self.clients,
            time: Duration::from_secs(self.seconds),
            mix: self.mix,
            sizes: self.sizes,
            same_name: self.same_name,
            rate: self.rate,
            seed: self.seed.unwrap_or_else(|| u64::from(std::process::id())),
        }
    }
}

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    let options = Options::parse();
    let done = match options.task() {
        Task::Load(plan) => load(&plan, &options),
        Task::Hold(target, count) => hold_until_told(&target, count),
        Task::Visits(visits) => visit(&visits),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "stress: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}").and_then(|()| io::stdout().flush());
}

/// Whether every answer was true and every request had one.
fn load(plan: &Plan, options: &Options) -> io::Result<bool> {
    let interrupt = Interrupt::on_signals()?;
    let report = harness::stress::run(&std::env::current_exe()?, plan, &interrupt)?;
    tell(format_args!("{report}"));
    if let Some(file) = &options.json {
        write(file, &format!("{:#}\n", report.json()))?;
    }
    if let Some(file) = &options.svg {
        write(file, &report.svg())?;
    }
    Ok(report.is_good())
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let why = |error| io::Error::other(format!("cannot write {}: {error}", file.display()));
    fs::write(file, text).map_err(why)
}

/// Whether the server kept all of them until the end.
fn hold_until_told(target: &Target, count: u32) -> io::Result<bool> {
    let begun = Instant::now();
    let held = hold(target, count)?;
    tell(format_args!("READY {count} {:.3}", begun.elapsed().as_secs_f64()));
    io::copy(&mut io::stdin(), &mut io::sink())?;
    let lost = held.lost();
    if lost > 0 {
        tell(format_args!("the server ended {lost} of them meanwhile"));
    }
    Ok(lost == 0)
}

/// Whether each of them got the file, whole.
fn visit(visits: &Visits) -> io::Result<bool> {
    let visited = visits.make()?;
    let (count, failed) = (visits.count, &visited.failed);
    for note in &failed.first {
        tell(format_args!("{note}"));
    }
    if failed.count > 0 {
        tell(format_args!("{} of {count} visits failed", failed.count));
    }
    let seconds = visited.time.as_secs_f64();
    let per_second = float(count) / seconds;
    tell(format_args!("{seconds:.3} s for {count} visits: {per_second:.0} visits/s"));
    Ok(failed.count == 0)
}
