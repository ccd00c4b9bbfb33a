//! What each of the four models of `ferryd` is good at, and what it costs.
//!
//! **The course builds** the same server several times: one client at a time, a process for each, a
//! thread for each, one loop for all. Which is best? It depends on what is asked of it, so there are
//! four questions:
//!
//! | table | the question |
//! |---|---|
//! | [`storm`] | what does it cost to let somebody in, and out again? |
//! | [`busy`] | eight compute, eight wait: how long do they take together? |
//! | [`slow`] | one reads slowly: how long do the others wait? |
//! | [`idle`] | three hundred do nothing: who is served, and what does each of them take? |
//!
//! **Predict** each table's order before you run it. No model is first in all four.
//!
//! It is the real `ferryd --model …`, in a process of its own; the clients are threads here, so what
//! they use is not counted. What a server uses is that of all its processes, also of those that have
//! ended: who forgets to ask for their time (`wait4`, `cutime` in proc(5)) finds processes cheap.

pub mod busy;
pub mod idle;
pub mod slow;
pub mod storm;

use std::fs;
use std::io;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use client::client::Client;
use tempfile::TempDir;

use super::findings::{Claim, Findings};
use super::{Lab, folder};
use crate::actor::Ferryd;
use crate::tree::Tree;

/// The models, by their names on the command line. Who is compared with comes first.
const MODELS: [&str; 4] = ["iterative", "select", "thread", "process"];

/// Where they stand there.
const ITERATIVE: usize = 0;
const SELECT: usize = 1;
const THREAD: usize = 2;
const PROCESS: usize = 3;

/// What most clients ask for, and its size in bytes.
const SMALL: &str = "small.bin";
const SMALL_BYTES: u64 = 4096;

/// The headline of all four tables.
pub const TITLE: &str = "The four models of ferryd";

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Workload {
    /// Clients come, ask for little, and go
    Storm,
    /// Eight compute, and eight wait
    Busy,
    /// One reads slowly
    Slow,
    /// Many do nothing
    Idle,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How many connections each client of the storm makes, one after the other.
    pub connections: u32,
    /// How often each busy client has a file's checksum computed.
    pub sums: u32,
    /// That file, in MiB.
    pub summed_mib: u64,
    /// How long each waiting client lets its server wait.
    pub wait: Duration,
    /// How long the slow reader takes, at least.
    pub slow: Duration,
    /// How often each fast client comes meanwhile.
    pub visits: u32,
    /// How many connections do nothing.
    pub idle: u32,
}

impl Scale {
    /// What the course's tables are of.
    pub fn full() -> Self {
        Self {
            connections: 400,
            sums: 4,
            summed_mib: 64,
            wait: Duration::from_millis(100),
            slow: Duration::from_secs(2),
            visits: 100,
            idle: 300,
        }
    }

    /// As little as shows the same.
    pub fn quick() -> Self {
        Self {
            connections: 60,
            sums: 2,
            summed_mib: 32,
            wait: Duration::from_millis(40),
            slow: Duration::from_millis(600),
            visits: 20,
            idle: 60,
        }
    }
}

impl Workload {
    /// All of them, in the order of the course.
    pub const ALL: [Self; 4] = [Self::Storm, Self::Busy, Self::Slow, Self::Idle];

    /// Does it with every model, `runs` times in turn or some more.
    pub fn measure(self, lab: &Lab, scale: &Scale, runs: u32) -> io::Result<Findings> {
        match self {
            Self::Storm => storm::measure(lab, scale, runs),
            Self::Busy => busy::measure(lab, scale, runs),
            Self::Slow => slow::measure(lab, scale, runs),
            Self::Idle => idle::measure(lab, scale, runs),
        }
    }
}

/// A server of one model, and what it serves.
struct Subject {
    ferryd: Ferryd,
    data: TempDir,
}

impl Subject {
    /// Starts it, with a small file to fetch.
    fn start(lab: &Lab, model: &str) -> io::Result<Self> {
        lab.check()?;
        let data = folder()?;
        let library = data.path().join("library");
        fs::create_dir(&library)?;
        fill(&library.join(SMALL), SMALL_BYTES)?;
        let words = ["--model", model, "--durability", "none"];
        let ferryd = Ferryd::start(&lab.stage, data.path(), &words)?;
        Ok(Self { ferryd, data })
    }

    /// Lays another file there.
    fn lay(&self, name: &str, bytes: u64) -> io::Result<()> {
        fill(&self.data.path().join("library").join(name), bytes)
    }

    fn client(&self) -> io::Result<Client> {
        Client::connect(&self.ferryd.address.to_string()).map_err(io::Error::other)
    }

    /// Comes, fetches the small file, and goes.
    fn visit(&self) -> io::Result<()> {
        let mut client = self.client()?;
        client.get(SMALL, &mut io::sink()).map(drop).map_err(io::Error::other)
    }

    fn tree(&self) -> Tree {
        Tree::of(self.ferryd.id())
    }
}

/// Real bytes, not a hole.
fn fill(file: &Path, bytes: u64) -> io::Result<()> {
    fs::write(file, vec![b'f'; usize::try_from(bytes).map_err(io::Error::other)?])
}

/// So many clients at once, each in a thread. What they found; an error if one failed.
fn at_once<T: Send>(count: u32, one: impl Fn(u32) -> io::Result<T> + Sync) -> io::Result<Vec<T>> {
    let one = &one;
    thread::scope(|scope| {
        let start = |n| thread::Builder::new().spawn_scoped(scope, move || one(n));
        // All are started before the first is waited for, and each that was is joined.
        let clients: Vec<_> = (0..count).map(start).collect();
        clients.into_iter().map(|client| joined(client?)).collect()
    })
}

fn joined<T>(client: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    client.join().unwrap_or_else(|_| Err(io::Error::other("a client panicked")))
}

/// That one figure is at least so many times another.
fn times(least: f64, more: (&str, f64), less: (&str, f64), what: &str) -> Claim {
    let ratio = more.1 / less.1;
    let text =
        format!("`{}` has at least {least} times the {what} of `{}`: {ratio:.1}", more.0, less.0);
    Claim { text, holds: ratio >= least }
}

/// The better of what was seen before and now: others who use the machine only add to it.
fn keep_less(best: &mut f64, now: f64) {
    *best = best.min(now);
}
