//! Ferry beside the limit of this machine and beside its peers.
//!
//! ```text
//! cargo run --release --bin bench                                   Ferry and the limit, and who is in PATH
//! cargo run --release --bin bench -- --only ferry,raw --workload down,up --repeat 3
//! cargo run --release --bin bench -- --peers DIR --peer-user NAME:PASSWORD --disk /srv/disk
//! cargo run --release --bin bench -- --quick                        whether it works; no figure means anything
//! ```
//! How it is measured is in `harness::bench`, how to get the peers in `docs/performance.md`. The exit
//! status is 0 if all who began got to the end, with every byte right, and no target was missed that
//! could be measured; 1 if not, 2 for wrong usage.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use client::interrupt::Interrupt;
use harness::actor;
use harness::bench::contestants::{NAMES, Peers, Programs};
use harness::bench::report::Report;
use harness::bench::scale::Scale;
use harness::bench::workload::Workload;
use harness::bench::{Plan, part};
use harness::stress::plan::Account;

/// Ferry beside the limit of this machine and beside its peers
#[derive(Debug, Parser)]
#[command(name = "bench", after_help = AFTER)]
struct Options {
    /// How often each is measured; the middle value counts
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u16).range(1..=100))]
    repeat: u16,
    /// Only these take part
    #[arg(long, value_name = "NAME,…", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(NAMES))]
    only: Vec<String>,
    /// Only this is done
    #[arg(long, value_name = "NAME,…", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(Workload::ALL.map(Workload::name)))]
    workload: Vec<String>,
    /// Where, in a folder that vanishes; in memory, so that what is measured is no disk
    #[arg(long, value_name = "DIR", default_value = "/dev/shm")]
    folder: PathBuf,
    /// Do the uploads here, too, on a real disk
    #[arg(long, value_name = "DIR")]
    disk: Option<PathBuf>,
    /// Look for peers below this folder, too: in usr/sbin, usr/bin, venv/bin; may be repeated
    #[arg(long, value_name = "DIR")]
    peers: Vec<PathBuf>,
    /// A user of this system who may log in at vsftpd and pure-ftpd; others on this machine can see
    /// the password while this runs
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = account)]
    peer_user: Option<Account>,
    /// The PAM service that lets this user in at vsftpd
    #[arg(long, value_name = "NAME", default_value = "other")]
    peer_pam: String,
    /// What the order follows from; another each time if not given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write every reading to this file for programs, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables to this file for a page, too
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// With so little of everything that it is over in seconds
    #[arg(long)]
    quick: bool,
}

const AFTER: &str = "\
In the tables: × best peer and × raw say how many times as fast as the fastest peer and as the limit;
raw is no server for use, and raw-window has 32 small files under way. Server MiB is memory that is no
file's, at its most.

Exit status: 0 all got to the end with every byte right and no target was missed, 1 not so, 2 wrong
usage. Ctrl-C ends it; nothing is left behind.";

fn account(text: &str) -> Result<Account, String> {
    let (user, password) = text.split_once(':').ok_or("give a name and a password, as in a:b")?;
    Ok(Account { user: user.into(), password: password.into() })
}

impl Options {
    fn plan(&self, stage: PathBuf) -> Plan {
        let asked: BTreeSet<&str> = self.workload.iter().map(String::as_str).collect();
        let is_asked = |workload: &Workload| asked.is_empty() || asked.contains(workload.name());
        Plan {
            stage,
            folders: std::iter::once(&self.folder).chain(&self.disk).cloned().collect(),
            scale: if self.quick { Scale::quick() } else { Scale::full() },
            workloads: Workload::ALL.into_iter().filter(is_asked).collect(),
            only: self.only.clone(),
            repeat: self.repeat.into(),
            seed: self.seed.unwrap_or_else(|| u64::from(std::process::id())),
            peers: Peers {
                programs: Programs::below(&self.peers),
                account: self.peer_user.clone(),
                pam: self.peer_pam.clone(),
            },
        }
    }
}

fn main() -> ExitCode {
    if let Some(status) = actor::play().or_else(part::play) {
        return status;
    }
    match measure(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}").and_then(|()| io::stdout().flush());
}

fn measure(options: &Options) -> io::Result<bool> {
    let interrupt = Interrupt::on_signals()?;
    // Servers leave children behind when they are killed. They become ours, not init's, so that we
    // can see them end.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let plan = options.plan(std::env::current_exe()?);
    let (races, missing) =
        harness::bench::run(&plan, &interrupt, &mut |race| tell(format_args!("{race}")))?;
    let Plan { repeat, seed, scale: Scale { is_real, .. }, .. } = plan;
    let report = Report { races, missing, is_real, repeat, seed };
    tell(format_args!("{report}"));
    if let Some(file) = &options.json {
        write(file, &format!("{:#}\n", report.json()))?;
    }
    if let Some(file) = &options.markdown {
        write(file, &report.markdown())?;
    }
    Ok(report.is_good())
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let why = |error| io::Error::other(format!("cannot write {}: {error}", file.display()));
    fs::write(file, text).map_err(why)
}
