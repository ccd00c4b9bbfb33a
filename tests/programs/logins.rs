//! What a rush of logins costs, and what a stranger learns from one.
//!
//! Five hundred users log in at once: for the first time, when all passwords are hashed, and again,
//! when none is. Prints of each how long it takes; the memory of `ferryd` meanwhile, against its
//! memory just before; how long a guest's `list` takes meanwhile. Then whether the replies to unknown
//! and to known users can be told apart by their bytes, or by their time (a Mann-Whitney rank test;
//! |z| under 2 is what chance gives 19 times in 20). Exits 0 if the bytes cannot be told apart, all
//! got in both times, and the memory stayed under its bound. Times are printed, never judged.
//!
//! Run it optimised: `cargo run --release --bin logins`.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::Peer;
use harness::actor::{self, Ferryd};
use harness::gauges::resident_kib;
use serde_json::{Value, json};
use server::accounts::Accounts;
use server::store::Store;

/// Users who have an account, and log in at once.
const RUSH: usize = 500;

/// How many of them, and how many who have none, a stranger tries.
const TRIED: usize = 300;

/// What one place to hash in may cost, in KiB: 19 MiB of work area and some room.
const KIB_PER_CORE: u64 = 25 * 1024;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "logins: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{words}");
}

fn measure() -> Result<bool> {
    let data = tempfile::tempdir()?;
    open_accounts(data.path())?;
    let server = Ferryd::start(&std::env::current_exe()?, data.path(), &[])?;
    let mut peers: Vec<Peer> = (0..RUSH).map(|_| Peer::connect(server.address)).collect();
    let mut rushed = true;
    for time in ["for the first time", "again"] {
        tell(format_args!("{RUSH} users log in at once, {time}:"));
        rushed &= rush(&server, &mut peers)?;
    }
    drop(peers);
    let alike = strangers(server.address)?;
    let status = server.stop()?;
    Ok(rushed && alike && status.success())
}

/// Made here, so that the server has not hashed anything yet.
fn open_accounts(data: &std::path::Path) -> Result<()> {
    let users = Store::open_users(data)?;
    let accounts = Accounts::new(&users, 6, 1);
    for n in 0..RUSH {
        let user = common::user::UserName::parse(&format!("known{n}"))?;
        let password = common::protocol::Password("123456".into());
        accounts
            .register(&user, &password, common::protocol::Role::User)
            .map_err(|e| format!("{e:?}"))?;
    }
    Ok(())
}

fn rush(server: &Ferryd, peers: &mut [Peer]) -> Result<bool> {
    let idle = resident_kib(server.id())?;
    let (over, peak, welcomed) = (AtomicBool::new(false), AtomicU64::new(idle), AtomicU64::new(0));
    let begun = Instant::now();
    let mut lists: Vec<Duration> = thread::scope(|scope| {
        let guest = scope.spawn(|| list_until(&over, server, &peak));
        let rushing: Vec<_> = (0..)
            .zip(peers)
            .map(|(n, peer)| {
                let welcomed = &welcomed;
                scope.spawn(move || {
                    let answer = log_in(peer, &format!("known{n}"), "123456");
                    welcomed.fetch_add(u64::from(answer["status"] == "OK"), Ordering::Relaxed);
                })
            })
            .collect();
        for one in rushing {
            let _ = one.join();
        }
        over.store(true, Ordering::Relaxed);
        guest.join().unwrap_or_default()
    });
    let (peak, welcomed) = (peak.into_inner(), welcomed.into_inner());
    lists.sort_unstable();
    let cores = thread::available_parallelism()?.get() as u64;
    tell(format_args!(
        "  {welcomed} of {RUSH} are in, after {:.2} s",
        begun.elapsed().as_secs_f64()
    ));
    tell(format_args!(
        "  memory: {idle} KiB with {RUSH} idle sessions, {peak} KiB at most; {} of {} KiB allowed",
        peak - idle,
        cores * KIB_PER_CORE
    ));
    let median = lists.get(lists.len() / 2).copied().unwrap_or_default();
    tell(format_args!("  a guest's list meanwhile: {} of them, median {median:.1?}", lists.len()));
    Ok(welcomed == RUSH as u64 && peak - idle <= cores * KIB_PER_CORE)
}

/// A guest that lists until it is over, and looks at the server's memory in between.
fn list_until(over: &AtomicBool, server: &Ferryd, peak: &AtomicU64) -> Vec<Duration> {
    let (mut guest, mut times) = (Peer::connect(server.address), Vec::new());
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        guest.ask(r#"{"cmd":"LIST"}"#);
        times.push(begun.elapsed());
        peak.fetch_max(resident_kib(server.id()).unwrap_or(0), Ordering::Relaxed);
    }
    times
}

fn log_in(peer: &mut Peer, user: &str, password: &str) -> Value {
    peer.ask(json!({"cmd": "LOGIN", "user": user, "password": password}).to_string())
}

/// Wrong passwords for users that are there and for users that are not, in turn, thirty from each
/// of several addresses, so that no delay falls between.
fn strangers(server: SocketAddr) -> Result<bool> {
    let (mut times, mut replies) = (Vec::new(), std::collections::BTreeSet::new());
    for n in 0..2 * TRIED {
        let known = n % 2 == 0;
        let user = format!("{}{}", if known { "known" } else { "nobody" }, n / 2);
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(1 + n / 30)?);
        let mut peer = Peer::connect_from(from.into(), server);
        let begun = Instant::now();
        replies.insert(log_in(&mut peer, &user, "not the one").to_string());
        times.push((begun.elapsed(), known));
    }
    times.sort_unstable();
    let ranks: u32 = (1..).zip(&times).filter(|(_, t)| t.1).map(|(rank, _)| rank).sum();
    let n = f64::from(u32::try_from(TRIED)?);
    let u = f64::from(ranks) - n * (n + 1.0) / 2.0;
    let z = (u - n * n / 2.0) / (n * n * (2.0 * n + 1.0) / 12.0).sqrt();
    let median = |known| {
        let of: Vec<Duration> = times.iter().filter(|t| t.1 == known).map(|t| t.0).collect();
        of.get(of.len() / 2).copied().unwrap_or_default()
    };
    tell(format_args!("{TRIED} known and {TRIED} unknown users refused: {} reply", replies.len()));
    tell(format_args!(
        "medians: known {:.1?}, unknown {:.1?}; rank test z = {z:.2}",
        median(true),
        median(false)
    ));
    Ok(replies.len() == 1)
}
