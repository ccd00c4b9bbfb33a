//! Class mode: a server that can be held up, and that everybody may watch.
//!
//! Goal: what takes microseconds stands still for as long as a class looks at it, whoever is held up
//! is let go when nobody looks any more or the server stops, and none of it is there, or reaches
//! beyond the local network, without being asked for. Method: the real `ferryd`, for what holds one
//! server up holds up its whole process; what stands still is read off the table of states.

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread;

use harness::actor::Ferryd;
use harness::content::{bytes, sum_line};
use harness::gauges::resident_kib;
use harness::{Peer, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use server::point::PLACES;
use tempfile::TempDir;

use crate::console::{Desk, admin};
use crate::network::in_a_network_of_its_own;
use crate::people::{add_administrator, known, stage};
use crate::seat::temporary;
use crate::talk::{
    ask, assert_exists, assert_ok, assert_refused, begin, decision, get, put, quick_with, say,
};
use crate::watch::{called, in_state, watched};

/// Longer than anybody here waits.
const LONG: &str = "45s";

/// A server in class mode.
pub(crate) struct Class {
    pub(crate) server: Ferryd,
    data: TempDir,
}

impl Class {
    pub(crate) fn begin(words: &[&str]) -> Self {
        let data = temporary();
        let words = [&["--durability", "none", "--class"], words].concat();
        let server = Ferryd::start(stage(), data.path(), &words).unwrap();
        Self { server, data }
    }

    fn peer(&self) -> Peer {
        Peer::connect(self.server.address)
    }

    pub(crate) fn administrator(&self) -> Peer {
        add_administrator(self.data.path(), "zhang");
        known(self.server.address, "zhang")
    }
}

/// A file is on its way, all of it; nothing was answered yet.
#[track_caller]
fn send_whole(peer: &mut Peer, path: &str, content: &[u8]) {
    assert_ok(&begin(peer, path, content.len()));
    peer.send([content, sum_line(content).as_bytes()].concat());
}

/// Waits until this thread sleeps there; the table then.
#[track_caller]
pub(crate) fn asleep(watcher: &mut Peer, thread: &str, place: &str) -> Value {
    eventually("it sleeps", || {
        let table = watched(watcher);
        let row = called(&table, "threads", thread);
        row["state"] == "SLEEP" && row["on"] == place
    });
    watched(watcher)
}

/// What `ferryd` says that does not start, and its exit status.
fn refused(words: &[&str]) -> (String, i32) {
    let data = temporary();
    let mut command = Command::new(stage());
    command.args(["ferryd", "--data"]).arg(data.path()).args(words);
    let output = command.output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

#[test]
fn whatever_holds_the_server_up_must_be_asked_for_with_class_and_class_must_be_typed() {
    for words in [["--sleep-at", "put.checked=3s"], ["--disk-rate", "256K"], ["--data-queue", "8"]]
    {
        let (said, status) = refused(&words);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(words[0]) && said.contains("add --class"), "{said}");
    }
    let folder = temporary();
    let file = folder.path().join("ferryd.toml");
    fs::write(&file, "class = true\n").unwrap();
    let (said, status) = refused(&["--config", file.to_str().unwrap()]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("must be typed"), "{said}");
    for bad in [["--sleep-at", "put.checked=46s"], ["--disk-rate", "1"], ["--data-queue", "0"]] {
        let (said, status) = refused(&["--class", bad[0], bad[1]]);
        assert_eq!(status, 2, "{said}");
    }
}

#[test]
fn a_place_that_is_none_is_refused_with_all_that_are() {
    let (said, status) = refused(&["--class", "--sleep-at", "put.check=3s"]);
    assert_eq!(status, 2, "{said}");
    assert!(PLACES.iter().all(|place| said.contains(place.name)), "{said}");
}

#[test]
fn class_mode_listens_on_no_public_address() {
    for address in ["203.0.113.7:0", "[2001:db8::7]:0", "224.0.0.1:0"] {
        let (said, status) = refused(&["--class", "--listen", address]);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains("is a public address"), "{said}");
    }
}

#[test]
fn who_comes_from_a_public_address_is_turned_away_and_everybody_else_may_watch() {
    in_a_network_of_its_own("class mode and public addresses", || {
        let public = ["addr", "add", "203.0.113.7/32", "dev", "lo"];
        assert!(Command::new("ip").args(public).status().unwrap().success());
        let server = quick_with(&["--class", "--listen", "0.0.0.0:0"]);
        let address = SocketAddr::from(([10, 9, 0, 1], server.address().port()));
        let mut outsider = Peer::connect_from(IpAddr::from([203, 0, 113, 7]), address);
        assert_refused(&outsider.greeting, "denied");
        let message = outsider.greeting["message"].as_str().unwrap();
        assert!(message.contains("local network only, not 203.0.113.7"), "{message}");
        assert!(outsider.is_closed());
        let mut guest = Peer::connect_from(IpAddr::from([10, 9, 0, 7]), address);
        assert_eq!(watched(&mut guest)["class"], true);
    });
}

#[test]
fn without_class_the_table_does_not_speak_of_it() {
    let server = quick_with(&[]);
    assert!(watched(&mut server.peer())["class"].is_null());
}

#[test]
fn who_sleeps_between_looking_and_taking_holds_the_name_and_the_next_one_finds_it_taken() {
    let at = format!("put.checked={LONG}");
    let class = Class::begin(&["--sleep-at", &at]);
    let (mut first, mut second) = (class.peer(), class.peer());
    let mut watcher = class.administrator();
    send_whole(&mut first, "a.txt", b"first");
    asleep(&mut watcher, "c01", "put.checked");
    say(&mut second, &json!({"cmd": "PUT", "path": "a.txt", "size": 3, "wait": 30}));
    assert_eq!(second.line()["status"], "WAIT");

    // It may still be telling so.
    eventually("the second waits for the first", || {
        let table = watched(&mut watcher);
        let waiting = called(&table, "threads", "c02");
        waiting["state"] == "WAIT_FILE" && waiting["by"] == "c01"
    });
    let table = watched(&mut watcher);
    let file = called(&table, "files", "/library/a.txt");
    assert_eq!((&file["holder"], &file["waiters"]), (&json!("c01"), &json!(["c02"])));
    assert_eq!(called(&table, "threads", "c01")["cmd"], "PUT a.txt");
    assert_eq!(
        ask(&mut watcher, &json!({"cmd": "STAT", "path": "/library/a.txt"}))["reason"],
        "not-found"
    );

    assert_ok(&admin(&mut watcher, "sleep-at put.checked=0"));
    assert_ok(&first.line());
    assert_exists(&decision(&mut second));
    assert_eq!(get(&mut second, "a.txt").1, b"first");
    // Nobody sleeps there any more.
    assert_ok(&put(&mut second, "b.txt", b"second"));
}

#[test]
fn at_the_console_places_are_shown_and_sleeps_are_set_and_ended_while_the_server_runs() {
    let mut desk = Desk::take(&["--class"]);
    desk.screen.shows("CLASS MODE, not for real use");
    for place in PLACES {
        desk.asks("sleep-at", place.name);
    }
    let at = format!("sleep-at put.checked={LONG},c02");
    desk.asks(&at, "c02 45 s at put.checked");
    desk.asks("sleep-at", "put.checked      c02 45 s");
    let (mut awake, mut sleeps, mut watcher) = (desk.peer(), desk.peer(), desk.peer());
    send_whole(&mut sleeps, "a.txt", b"x");
    asleep(&mut watcher, "c02", "put.checked");
    assert_ok(&put(&mut awake, "b.txt", b"y"));
    desk.asks("who", "SLEEP");
    desk.asks("sleep-at put.checked=0", "nobody sleeps at put.checked");
    assert_ok(&sleeps.line());
    desk.asks("sleep-at put.check=1s", "no place is called `put.check`");
    desk.asks("disk-rate 256K", "written at 262.1 kB/s, at most");
    desk.asks("disk-rate off", "as fast as the disk takes them");
}

#[test]
fn without_class_the_console_holds_nothing_up_and_under_process_it_says_why_it_cannot() {
    let mut desk = Desk::take(&[]);
    desk.asks("sleep-at put.checked=3s", "start it with --class");
    desk.asks("disk-rate 256K", "start it with --class");
    let mut desk = Desk::take(&["--class", "--model", "process"]);
    desk.asks("sleep-at put.checked=3s", "nothing that is typed here reaches it");
}

#[test]
fn a_slow_disk_fills_the_queue_holds_up_the_senders_and_costs_no_memory() {
    const SENDERS: usize = 8;
    const FILE: usize = 16 * 1024 * 1024;
    let class = Class::begin(&["--disk-rate", "16K", "--data-queue", "2"]);
    let before = resident_kib(class.server.id()).unwrap();
    let mut watcher = class.administrator();
    let content = bytes(1, FILE);
    thread::scope(|scope| {
        let mut peers: Vec<Peer> = (0..SENDERS).map(|_| class.peer()).collect();
        for (n, peer) in peers.iter_mut().enumerate() {
            assert_ok(&begin(peer, &format!("{n}"), FILE));
            let mut stream = peer.stream().try_clone().unwrap();
            let content = &content;
            // The server goes before they have sent all.
            scope.spawn(move || drop(stream.write_all(content)));
        }
        eventually("the queue is full and somebody waits for it", || {
            let table = watched(&mut watcher);
            let queue = called(&table, "queues", "data");
            assert!(queue["bytes"].as_u64() <= Some(2 * 64 * 1024 + 64 * 1024), "{queue}");
            let blocked = in_state(&table, "WAIT_QFULL");
            queue["len"] == 2 && queue["cap"] == 2 && blocked.iter().any(|row| row["on"] == "data")
        });
        asleep(&mut watcher, "writer", "disk-rate");
        let after = resident_kib(class.server.id()).unwrap();
        // Three chunks of 64 KiB for each, and a thread's own; not the 128 MiB they want to send.
        assert!(after < before + 32 * 1024, "{before} KiB, then {after} KiB");
        class.server.signal(Signal::KILL).unwrap();
    });
}

#[test]
fn a_slow_disk_loses_nothing_and_may_be_made_fast_again() {
    let class = Class::begin(&["--disk-rate", "16K"]);
    let (mut peer, mut watcher) = (class.peer(), class.administrator());
    let content = bytes(1, 1_000_000);
    assert_ok(&begin(&mut peer, "film", content.len()));
    let mut stream = peer.stream().try_clone().unwrap();
    let wire = [&content[..], sum_line(&content).as_bytes()].concat();
    thread::scope(|scope| {
        scope.spawn(move || stream.write_all(&wire).unwrap());
        asleep(&mut watcher, "writer", "disk-rate");
        assert_ok(&admin(&mut watcher, "disk-rate off"));
        assert_ok(&peer.line());
    });
    assert_eq!(get(&mut peer, "film").1, content);
}

/// Held up for longer than the grace, it would be cut off.
#[test]
fn a_stop_wakes_who_sleeps_and_what_they_do_is_done() {
    let at = format!("put.checked={LONG}");
    for model in ["thread", "iterative", "process", "select"] {
        let class = Class::begin(&["--sleep-at", &at, "--model", model]);
        let mut peer = class.peer();
        send_whole(&mut peer, "a.txt", b"first");
        if model == "thread" {
            asleep(&mut class.peer(), "c01", "put.checked");
        }
        assert!(class.server.stop().unwrap().success(), "{model}");
        assert_ok(&peer.line());
        assert!(peer.is_closed());
        let file = fs::read(Path::new(class.data.path()).join("library/a.txt"));
        assert_eq!(file.unwrap(), b"first", "{model}");
    }
}

#[test]
fn under_select_a_writer_that_sleeps_stops_nobody_else() {
    let at = format!("writer.chunk={LONG}");
    let class = Class::begin(&["--model", "select", "--sleep-at", &at]);
    let (mut peer, mut watcher) = (class.peer(), class.administrator());
    send_whole(&mut peer, "a.txt", b"first");
    let table = asleep(&mut watcher, "writer", "writer.chunk");
    assert_eq!(called(&table, "threads", "writer")["cmd"], "c01 PUT /library/a.txt");
    assert_ok(&admin(&mut watcher, "sleep-at writer.chunk=0"));
    assert_ok(&peer.line());
}

/// In their process, as the command line said.
#[test]
fn processes_sleep_too_and_others_wait_for_their_name() {
    let at = format!("put.checked={LONG}");
    let class = Class::begin(&["--model", "process", "--sleep-at", &at]);
    let (mut first, mut second) = (class.peer(), class.peer());
    send_whole(&mut first, "a.txt", b"first");
    say(&mut second, &json!({"cmd": "PUT", "path": "a.txt", "size": 3, "wait": 30}));
    assert_eq!(second.line()["status"], "WAIT");
    assert!(class.server.stop().unwrap().success());
    assert_ok(&first.line());
}
