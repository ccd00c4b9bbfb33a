//! A server whose disk is slow, as its clients meet it.
//!
//! Goal: who waits for it, or for their turn, is told so, and not that it has failed; and a server that is
//! slow is told from one that is gone. Method: class mode, where a disk is as slow as the test wants,
//! and the real `ferry`. How long it waits stands in minutes, so those are not waited for here.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use harness::actor::{self, Ferryd};
use harness::content::bytes;
use harness::{Peer, Screen, eventually};
use tempfile::TempDir;

use crate::class::{Class, asleep};
use crate::console::admin;
use crate::people::stage;
use crate::seat::{Seat, temporary};
use crate::talk::assert_ok;

/// The slowest disk there is, and how many bytes it takes in four seconds.
const RATE: &str = "16K";
const SMALL: usize = 64 * 1024;

/// How a lull is told.
const LULL: &str = "waiting for the server, ";

/// A small file, one that sockets and queues take in at once, and a folder of more small ones than they
/// do.
fn files() -> TempDir {
    let here = temporary();
    fs::write(here.path().join("small"), bytes(1, SMALL)).unwrap();
    fs::write(here.path().join("film"), bytes(2, 4 * SMALL)).unwrap();
    fs::create_dir(here.path().join("album")).unwrap();
    for n in 0..64 {
        fs::write(here.path().join(format!("album/{n}")), bytes(n, SMALL)).unwrap();
    }
    here
}

#[test]
fn who_waits_for_a_slow_disk_sees_for_how_long_and_ok_comes() {
    let (class, here) = (Class::begin(&[]), files());
    let mut administrator = class.administrator();
    let mut seat = Seat::take(class.server.address, here.path(), &[]);
    for (command, done) in [
        ("put film\r", "put film  262.1 kB"),
        ("put small\r", "put small  65.5 kB"),
        ("put -r album\r", "64 files, 4.2 MB in "),
    ] {
        assert_ok(&admin(&mut administrator, &format!("disk-rate {RATE}")));
        seat.types(command);
        seat.screen.shows(LULL);
        seat.screen.shows(" s: it may be busy, its disk or the network slow; Ctrl-C to stop");
        assert_ok(&admin(&mut administrator, "disk-rate off"));
        seat.screen.shows(done);
        seat.is_asked("guest", "/library");
        let shown = seat.screen.text();
        assert!(!shown.contains(LULL), "{shown}");
    }
    seat.leaves();
}

#[test]
fn who_is_connected_and_not_served_sees_for_how_long() {
    let (data, here) = (temporary(), temporary());
    let server = Ferryd::start(stage(), data.path(), &["--model", "iterative"]).unwrap();
    let first = Peer::connect(server.address);
    let mut command = actor::ferry(stage(), server.address, ["list"]);
    command.current_dir(here.path());
    let mut second = Screen::of(command).unwrap();
    second.shows(LULL);
    drop(first);
    assert!(second.ended().success(), "{}", second.text());
    assert_eq!(second.text().trim(), "(empty)");
}

#[test]
fn who_reads_through_a_pipe_is_not_told_of_a_slow_disk() {
    let (class, here) = (Class::begin(&["--disk-rate", RATE]), files());
    let begun = Instant::now();
    let put = actor::ferry(stage(), class.server.address, ["put", "small"]);
    let output = { put }.current_dir(here.path()).output().unwrap();
    assert!(begun.elapsed() > Duration::from_secs(3));
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    assert_eq!(said, ["put small  65.5 kB\n", ""]);
}

#[test]
fn who_watches_is_not_told_that_nothing_comes_between_two_tables() {
    let (class, here) = (Class::begin(&[]), temporary());
    let mut seat = Seat::take(class.server.address, here.path(), &[]);
    seat.types("watch --every 3\r");
    seat.screen.shows("model thread");
    let first = seat.screen.text();
    eventually("something else is shown", || seat.screen.text() != first);
    assert!(!seat.screen.transcript().contains(LULL), "{}", seat.screen.transcript());
}

/// Else one whose machine is gone would be waited for as long as one whose disk is slow.
#[test]
fn while_an_answer_is_waited_for_the_system_looks_whether_the_server_is_there() {
    let (class, here) = (Class::begin(&["--disk-rate", RATE]), files());
    let mut watcher = class.administrator();
    let mut put = actor::ferry(stage(), class.server.address, ["put", "small"]);
    let mut ferry = put.current_dir(here.path()).spawn().unwrap();
    asleep(&mut watcher, "writer", "disk-rate");
    eventually("the system is to ask", || asks_whether_it_is_there(class.server.address));
    assert_ok(&admin(&mut watcher, "disk-rate off"));
    assert!(ferry.wait().unwrap().success());
}

/// Whether a connection to this server has a timer for keepalive. Nobody else here has one to it.
fn asks_whether_it_is_there(server: SocketAddr) -> bool {
    let connections = fs::read_to_string(Path::new("/proc/self/net/tcp")).unwrap();
    let port = format!(":{:04X}", server.port());
    // local, remote, state, bytes in its queues, timer:when.
    connections.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|fields| {
        fields.len() > 5 && fields[2].ends_with(&port) && fields[5].starts_with("02:")
    })
}
