//! A soak: everybody does everything at once, some over a bad network, some of bad will, and every
//! answer is held against what was promised. Afterwards nothing may be left over and nothing may
//! be missing.
//!
//! ```text
//!   clients ──────────────┬── directly ──────────┐
//!     visit    honest     ├── FaultProxy ────────┤──► ferryd, a process of its own
//!     mischief            └── FaultProxy ────────┤      │
//!     people   accounts                          │      │ /proc: threads, descriptors, memory
//!   burdens    tricklers, the deaf ──────────────┘      ▼
//!   ledger     who may see what  ◄── every answer     watch ──► progress
//!                                                     aftermath, when all are gone
//! ```
//!
//! What is done follows from the seed; in which order the threads do it does not.

mod aftermath;
mod burdens;
mod ledger;
mod mischief;
mod people;
mod raw;
mod speaker;
mod visit;
mod watch;
mod world;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use client::client::Client;
use tempfile::TempDir;

use self::people::Account;
use self::raw::Raw;
use self::speaker::{Answer, Speaker, Trouble, Upload, heard};
use self::visit::Visit;
use self::world::{BIG, PASSWORD, Role, USERS, World, user};
use crate::PATIENCE;
use crate::actor::{self, Ferryd};
use crate::dice::Dice;
use crate::fault_proxy::{Fault, FaultProxy};
use crate::gauges::Gauges;

/// The length of the file that those fetch who do not read it, in bytes.
const BIG_BYTES: usize = 8 << 20;
/// How long a raw client waits for anything on a bad network.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);
/// What a server keeps its claims and idle sessions for, in seconds. Well below what the soak
/// waits for them to end.
const SERVER_WORDS: [&str; 4] = ["--claim-wait", "3", "--idle-timeout", "30"];
/// Those who only cost, of each kind.
const BURDENS: usize = 2;

/// How to soak.
#[derive(Debug)]
pub struct Settings {
    /// The program that plays `ferryd`.
    pub stage: PathBuf,
    /// How long.
    pub time: Duration,
    /// What chance follows from.
    pub seed: u64,
    /// Clients at once, besides those who only cost.
    pub clients: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// What was done, in lines for people.
    pub summary: Vec<String>,
    /// How many things were wrong.
    pub wrong: u64,
    /// The first of them, in words.
    pub findings: Vec<String>,
    /// Where everything of the server is; gone when this is dropped, unless it is kept.
    pub data: TempDir,
}

/// Soaks, and tells how it goes. An error means that the soak itself could not be held.
pub fn run(settings: &Settings, tell: &(dyn Fn(&str) + Sync)) -> Result<Report, Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let server = Ferryd::start(&settings.stage, data.path(), &SERVER_WORDS)?;
    actor::user_task(&settings.stage, data.path(), &["add", "admin", "--admin"], PASSWORD)?;
    let world = World::new(server.address);
    furnish(&world).map_err(|trouble| format!("cannot prepare: {trouble}"))?;
    // Behind the first sessions: what a server needs once and keeps is no leak.
    let base = settled(&server)?;
    let proxies =
        [bad_network(&server, settings.seed, false)?, bad_network(&server, !settings.seed, true)?];
    let watched = thread::scope(|scope| {
        crowd(scope, settings, &world, &proxies);
        let watched = watch::watch(&world, server.id(), settings.time, &proxies, tell);
        world.end();
        watched
    });
    let mut summary = vec![watched.progress(&world, settings.time, &proxies)];
    drop(proxies);
    summary.push(watched.judge_memory(&world));
    summary.push(aftermath::gauges_return(&world, &server, &base));
    aftermath::parts_are_gone(&world, data.path());
    aftermath::promises_are_kept(&world, data.path());
    aftermath::journal_is_calm(&world, data.path());
    aftermath::stops_as_asked(&world, server);
    let (wrong, findings) = world.findings();
    Ok(Report { summary, wrong, findings, data })
}

/// Opens the homes, and lays down the big file.
fn furnish(world: &World) -> Result<(), Trouble> {
    for n in 0..USERS {
        expect(Raw::connect(world.server, PATIENCE)?.register(&user(n), PASSWORD)?)?;
    }
    let bytes = crate::content::bytes(0, BIG_BYTES);
    let upload =
        Upload { path: BIG, bytes: &bytes, eager: false, overwrite: false, mtime: None, wait: 0 };
    expect(Raw::connect(world.server, PATIENCE)?.put(upload)?)
}

fn expect<T>(answer: Answer<T>) -> Result<(), Trouble> {
    match answer {
        Answer::Ok(_) => Ok(()),
        Answer::Exists => Err(Trouble::Wrong("EXISTS".into())),
        Answer::Refused(_, message) => Err(Trouble::Wrong(message)),
    }
}

/// The server's gauges, once the sessions that prepared it are gone.
fn settled(server: &Ferryd) -> Result<Gauges, Box<dyn Error>> {
    let mut last = Gauges::of(server.id())?;
    crate::eventually("the first sessions are gone", || {
        let now = Gauges::of(server.id()).unwrap_or(last);
        // main, journal, signals, writer, countdown.
        let done = now.threads <= 5;
        last = now;
        done
    });
    Ok(last)
}

/// A proxy whose every connection has something wrong with it, or nothing.
fn bad_network(server: &Ferryd, seed: u64, with_holes: bool) -> std::io::Result<FaultProxy> {
    let mut dice = Dice::for_one_of_many(seed, u64::MAX);
    FaultProxy::start(server.address, move |_| {
        // Somewhere in the greeting, the login, or one of the first requests and bodies.
        let end = dice.pick(&[200, 2_000, 20_000, 200_000]).copied().unwrap_or(1);
        let after = dice.below(end) as u64;
        match dice.below(20) {
            0..2 => Fault::None,
            2..4 => Fault::Delay(Duration::from_millis(dice.between(1, 20) as u64)),
            4..6 => Fault::Throttle(dice.between(300_000, 1_000_000)),
            6..11 => Fault::Close(after),
            11..16 => Fault::Reset(after),
            16..19 => Fault::HalfClose(after),
            _ if with_holes => Fault::BlackHole(after),
            _ => Fault::Reset(after),
        }
    })
}

/// Starts everybody.
fn crowd<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    settings: &Settings,
    world: &'scope World,
    proxies: &'scope [FaultProxy; 2],
) {
    let seed = settings.seed;
    for n in 0..settings.clients {
        scope.spawn(move || live(world, n, Dice::for_one_of_many(seed, n as u64), proxies));
    }
    for n in 0..BURDENS {
        let mut dice = Dice::for_one_of_many(!seed, n as u64);
        scope.spawn(move || burdens::trickle(world, &mut dice));
        scope.spawn(move || burdens::turn_a_deaf_ear(world));
    }
}

/// A client, visit after visit, until all is over.
fn live(world: &World, n: usize, mut dice: Dice, proxies: &[FaultProxy; 2]) {
    let mut account = Account::new(n);
    while !world.is_over() {
        let role = Role::of(&mut dice);
        let [whole, holed] = proxies.each_ref().map(FaultProxy::address);
        let kind = dice.below(20);
        let (how, clean, came) = match kind {
            0..7 => ("by the client library", true, by_library(world, &mut dice, role, None)),
            7..11 => ("raw", true, raw(world, &mut dice, role, None)),
            11..14 => ("raw, badly connected", false, raw(world, &mut dice, role, Some(holed))),
            14 | 15 => (
                "by the client library, badly connected",
                false,
                by_library(world, &mut dice, role, Some(whole)),
            ),
            16..19 => ("with mischief", true, mischief(world, &mut dice, role)),
            _ => ("about accounts", true, account.attend(world, &mut dice)),
        };
        match came {
            Ok(()) => {}
            Err(Trouble::Lost(_)) if !clean => {
                world.tally.lost.fetch_add(1, Ordering::Relaxed);
            }
            Err(trouble) => world.found(format!("client {n}, {how}, {role:?}: {trouble}")),
        }
    }
}

fn by_library(
    world: &World,
    dice: &mut Dice,
    role: Role,
    through: Option<SocketAddr>,
) -> Result<(), Trouble> {
    let address = through.unwrap_or(world.server).to_string();
    let mut client = match heard(Client::connect(&address))? {
        Answer::Ok(client) => client,
        other => return Err(Trouble::Wrong(format!("no greeting: {other:?}"))),
    };
    visit(world, dice, role, through.is_none(), &mut client)
}

fn raw(
    world: &World,
    dice: &mut Dice,
    role: Role,
    through: Option<SocketAddr>,
) -> Result<(), Trouble> {
    let patience = if through.is_some() { SHORT_PATIENCE } else { PATIENCE };
    let mut raw = Raw::connect(through.unwrap_or(world.server), patience)?;
    visit(world, dice, role, through.is_none(), &mut raw)
}

fn visit(
    world: &World,
    dice: &mut Dice,
    role: Role,
    clean: bool,
    speaker: &mut dyn Speaker,
) -> Result<(), Trouble> {
    let errands = dice.between(1, 40);
    Visit { world, dice, role, clean }.pay(speaker, errands)
}

fn mischief(world: &World, dice: &mut Dice, role: Role) -> Result<(), Trouble> {
    Visit { world, dice, role, clean: true }.misbehave()
}

impl Report {
    /// Says everything, and where the server's folder is if something was wrong; that is kept.
    pub fn tell(self, tell: &dyn Fn(&str)) -> bool {
        self.summary.iter().for_each(|line| tell(line));
        for finding in &self.findings {
            tell(&format!("WRONG: {finding}"));
        }
        if self.wrong == 0 {
            return true;
        }
        let kept: &Path = &self.data.keep();
        tell(&format!(
            "{} things were wrong; the server's folder is {}",
            self.wrong,
            kept.display()
        ));
        false
    }
}
