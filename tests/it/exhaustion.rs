//! No descriptor, no thread, and everything else that `accept` reports.
//!
//! Goal: what the system has too little of is told as `full` or `busy`, sessions that are open go
//! on, nothing spins or fills the log meanwhile, and afterwards everything is as before. Method:
//! calls of a real `ferryd` fail by strace, and its limit on descriptors is lowered from outside.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use harness::actor::Ferryd;
use harness::eventually;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;

use crate::people::stage;
use crate::strace::{Fault, Whose, is_missing};
use crate::talk::{ask, ask_about, assert_goes_on, assert_ok, assert_refused, begin, put};
use crate::witness::Witness;

fn witness(data: &Path) -> Witness {
    let server = Ferryd::start(stage(), data, &[]).unwrap();
    Witness::of(server, data.join("library"))
}

/// The log has a line about it, and not one for each time.
#[track_caller]
fn assert_seldom_said(data: &Path, words: &str, since: Instant) {
    let log = fs::read_to_string(data.join("logs/server.log")).unwrap();
    let lines = log.lines().filter(|line| line.contains(words)).count() as u64;
    let most = 2 + since.elapsed().as_secs() / 10;
    assert!((1..=most).contains(&lines), "{lines} lines, at most {most}:\n{log}");
}

/// Every error of `accept` that accept(2) names, but for those of a program that is wrong.
const ERRORS: [&str; 10] = [
    "ECONNABORTED",
    "EMFILE",
    "ENFILE",
    "ENOBUFS",
    "ENOMEM",
    "EPROTO",
    "EPERM",
    "ENETDOWN",
    "EHOSTUNREACH",
    "EAGAIN",
];

#[test]
fn whatever_accept_reports_the_next_clients_are_served_and_those_inside_go_on() {
    if is_missing("whatever accept reports the next clients are served and those inside go on") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (witness, begun) = (witness(data.path()), Instant::now());
    let mut inside = witness.peer();
    for error in ERRORS {
        let rule = format!("accept4:error={error}:when=1..8");
        let fault = Fault::inject(&witness.server, Whose::Main, &rule, data.path().join("trace"));
        // The first may have been waited for already.
        for _ in 0..3 {
            assert_goes_on(&mut inside);
            assert_ok(&witness.peer().greeting);
        }
        assert_eq!(fault.end(), 8, "{error}");
    }
    assert_seldom_said(data.path(), "cannot accept", begun);
    drop(inside);
    witness.check();
}

/// Processor time of a process, all its threads together.
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name: proc(5) counts from 1, and the name is the second.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|field| fields[*field].parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// A process's descriptors: all their numbers, how many are `/dev/null`, how many are sockets.
struct Descriptors {
    numbers: Vec<u64>,
    null: usize,
    sockets: usize,
}

fn descriptors(pid: u32) -> Descriptors {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let mut found = Descriptors { numbers: Vec::new(), null: 0, sockets: 0 };
    for link in links {
        found.numbers.push(link.file_name().to_str().unwrap().parse().unwrap());
        // One that was closed meanwhile leads nowhere.
        let Ok(to) = fs::read_link(link.path()) else { continue };
        found.null += usize::from(to == Path::new("/dev/null"));
        found.sockets += usize::from(to.to_string_lossy().starts_with("socket:"));
    }
    found
}

/// No descriptor above those it has now; or as many as the system allows.
fn limit_descriptors(pid: u32, limit: Option<u64>) {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It was started by this process, so this is its own limit as well.
    let maximum = getrlimit(Resource::Nofile).maximum;
    prlimit(process, Resource::Nofile, Rlimit { current: limit.or(maximum), maximum }).unwrap();
}

#[test]
fn out_of_descriptors_newcomers_are_told_full_and_work_inside_is_told_busy() {
    let data = tempfile::tempdir().unwrap();
    let witness = witness(data.path());
    let pid = witness.server.id();
    let mut inside = witness.peer();
    assert_goes_on(&mut inside);
    let at_first = descriptors(pid);
    limit_descriptors(pid, at_first.numbers.iter().max().map(|highest| highest + 1));

    let (begun, before) = (Instant::now(), processor_time(pid));
    let mut held = Vec::new();
    let mut turned_away = 0;
    while turned_away < 20 {
        let mut peer = witness.peer();
        if peer.greeting["status"] == "OK" {
            held.push(peer);
        } else {
            assert_refused(&peer.greeting, "full");
            assert!(peer.greeting["message"].as_str().unwrap().contains("descriptor"));
            assert!(peer.is_closed());
            turned_away += 1;
        }
    }
    // What needs no file is done, what needs one is told to come again.
    assert_ok(&ask(&mut inside, &json!({"cmd": "WHO"})));
    assert_refused(&begin(&mut inside, "f", 3), "busy");
    assert_refused(&ask_about(&mut inside, "LIST", "/"), "busy");
    let (took, worked) = (begun.elapsed(), processor_time(pid).saturating_sub(before));
    assert!(worked < took / 2, "it spins: {worked:?} of {took:?}");
    assert_seldom_said(data.path(), "cannot accept", begun);

    // It waits with its last descriptor in hand, or will in a moment. Who comes when others have
    // given theirs back is not turned away with it.
    eventually("it waits", || descriptors(pid).null < at_first.null);
    held.clear();
    // At first there may have been one more, of a session that was just ending.
    eventually("those who were held are gone", || descriptors(pid).sockets <= at_first.sockets);
    let mut next = witness.peer();
    assert_ok(&next.greeting);
    drop(next);

    limit_descriptors(pid, None);
    next = witness.peer();
    assert_ok(&put(&mut next, "f", b"abc"));
    assert_ok(&put(&mut inside, "g", b"abc"));
}

#[test]
fn out_of_threads_newcomers_are_told_full_and_the_next_are_served() {
    if is_missing("out of threads newcomers are told full and the next are served") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (witness, begun) = (witness(data.path()), Instant::now());
    let mut inside = witness.peer();
    let rule = "/^clone3?$:error=EAGAIN:when=1..5";
    let fault = Fault::inject(&witness.server, Whose::Main, rule, data.path().join("trace"));
    for _ in 0..5 {
        let mut peer = witness.peer();
        assert_refused(&peer.greeting, "full");
        assert!(peer.is_closed());
        assert_goes_on(&mut inside);
    }
    assert_ok(&put(&mut witness.peer(), "f", b"abc"));
    assert_eq!(fault.end(), 5);
    assert_seldom_said(data.path(), "cannot start a thread", begun);
    drop(inside);
    witness.await_rest();
}

#[test]
fn out_of_threads_nobody_may_listen_and_the_session_goes_on() {
    if is_missing("out of threads nobody may listen and the session goes on") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let witness = witness(data.path());
    let mut peer = witness.peer();
    let rule = "/^clone3?$:error=EAGAIN:when=1..2";
    let fault = Fault::inject(&witness.server, Whose::Sessions, rule, data.path().join("trace"));
    for request in [json!({"cmd": "JOIN", "name": "anna"}), json!({"cmd": "LISTEN"})] {
        assert_refused(&ask(&mut peer, &request), "full");
        assert_refused(&ask(&mut peer, &json!({"cmd": "LEAVE"})), "denied");
    }
    assert_eq!(fault.end(), 2);
    let joined = ask(&mut peer, &json!({"cmd": "JOIN", "name": "anna"}));
    assert_eq!(joined["members"], 1, "{joined}");
    drop(peer);
    witness.await_rest();
}
