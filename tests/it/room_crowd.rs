//! A room full of people, some of whom do not read.
//!
//! Goal: the order is the same for everybody; who does not read is told what they missed, then put
//! out, and delays nobody. Method: many speakers; members whose system takes next to nothing for
//! them. The whole room at once is what the program `room` plays; here it plays a small one.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use harness::actor::Ferryd;
use harness::gauges::Gauges;
use harness::{Peer, eventually, room, skipped};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::ears::{Ears, guest_enters, guest_leaves};
use crate::people::{register, stage};
use crate::talk::{assert_ok, assert_refused, quick};

/// Lines that one session may say at once, having come in.
const AT_ONCE: usize = 9;

/// A line so long that few of them fit anywhere.
pub(crate) fn long_line(n: usize) -> String {
    format!("{n} {}", "long ".repeat(400))
}

/// Comes, says as much as one may at once, and goes.
pub(crate) fn chatter(address: SocketAddr, speaker: usize, line: fn(usize) -> String) {
    let mut guest = Ears::of(Peer::connect(address));
    assert_ok(&guest.join(&format!("speaker {speaker}")));
    (0..AT_ONCE).for_each(|n| guest.say(&line(n)));
    assert_ok(&guest.ask(&json!({"cmd": "LEAVE"})));
}

/// A guest in the room whose system takes next to nothing for them.
fn deaf(address: SocketAddr, name: &str) -> Ears {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut ears = Ears::of(Peer::over(socket.into()));
    assert_ok(&ears.join(name));
    ears
}

#[test]
pub(crate) fn the_order_is_the_same_for_everybody() {
    let server = quick();
    let mut hearers: Vec<Ears> =
        (0..4).map(|n| Ears::guest(&server, &format!("hearer {n}"))).collect();
    thread::scope(|scope| {
        for speaker in 0..8 {
            let server = &server;
            scope.spawn(move || chatter(server.address(), speaker, |n| n.to_string()));
        }
    });
    let mut heard = hearers.iter_mut().map(|ears| {
        let is_about = |event: &Value| event.to_string().contains("speaker");
        let all = std::iter::repeat_with(|| ears.hears()).filter(is_about);
        all.take(8 * (AT_ONCE + 2)).collect::<Vec<_>>()
    });
    let first = heard.next().unwrap();
    assert!(heard.all(|other| other == first));
}

#[test]
pub(crate) fn who_does_not_read_is_told_what_they_missed_and_put_out_and_delays_nobody() {
    let server = quick();
    let mut deaf = deaf(server.address(), "deaf");
    let mut honest = Ears::guest(&server, "honest");
    honest.hears_that(&guest_enters("deaf"));
    // The honest one hears everything, and that the other has gone.
    let heard = thread::scope(|scope| {
        let hearing = scope.spawn(|| {
            let (mut heard, gone) = (Vec::new(), guest_leaves("deaf"));
            while heard.last() != Some(&gone) {
                heard.push(honest.hears());
            }
            heard
        });
        let mut speakers = 0;
        while !hearing.is_finished() {
            chatter(server.address(), speakers, long_line);
            speakers += 1;
        }
        hearing.join().unwrap()
    });
    let lines = |from: &str| heard.iter().filter(|event| event["from"] == from).count();
    assert_eq!(lines("speaker 0"), AT_ONCE);
    assert!(heard.len() > 256, "put out after {} lines", heard.len());
    // Now it reads: some of the lines, in order, how many it missed, and why it was put out.
    let mut missed = 0;
    let told = loop {
        let line = deaf.peer.line();
        match line["event"].as_str() {
            Some("missed") => missed += line["lines"].as_u64().unwrap(),
            Some(_) => {}
            None => break line,
        }
    };
    assert!(missed >= 256, "{missed}");
    assert_refused(&told, "timeout");
    assert!(deaf.peer.is_closed());
}

#[test]
fn who_takes_nothing_at_all_is_let_go_and_everything_is_given_back() {
    let data = tempfile::tempdir().unwrap();
    let words = ["--durability", "none", "--stall-timeout", "1"];
    let server = Ferryd::start(stage(), data.path(), &words).unwrap();
    let mut anna = Ears::of(Peer::connect(server.address));
    assert_ok(&register(&mut anna.peer, "anna", "123456"));
    assert_ok(&anna.ask(&json!({"cmd": "JOIN"})));
    let base = Gauges::of(server.id()).unwrap();
    let mut others: Vec<Ears> = (0..20).map(|_| Ears::of(Peer::connect(server.address))).collect();
    for (n, ears) in others.iter_mut().enumerate() {
        assert_ok(&ears.join(&format!("guest {n}")));
    }
    // Nobody of them reads. Those who hold out until the end just go.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        let _ = anna.ask(&json!({"cmd": "SAY", "text": long_line(0)}));
    }
    drop(others);
    eventually("everything is given back", || Gauges::of(server.id()).unwrap().is_back_to(&base));
}

#[test]
fn who_is_given_up_by_the_system_while_something_is_sent_to_them_is_lost_for_that_reason() {
    const MANY: usize = 20;
    let data = tempfile::tempdir().unwrap();
    let words = ["--class", "--durability", "none", "--stall-timeout", "3"];
    let server = Ferryd::start(stage(), data.path(), &words).unwrap();
    let deaf: Vec<Ears> = (0..MANY).map(|n| deaf(server.address, &format!("deaf {n}"))).collect();
    // From these lines on they have no room for more, and the system counts its six seconds. The
    // server's three must not be over first, so it has nothing to wait for until four have passed.
    chatter(server.address, 0, long_line);
    thread::sleep(Duration::from_secs(4));
    (1..8).for_each(|speaker| chatter(server.address, speaker, long_line));
    // Two threads have asked for each of them, and the system tells the reason to one of the two.
    let log = data.path().join("logs/server.log");
    eventually("all of them are gone", || {
        let log = fs::read_to_string(&log).unwrap();
        assert!(!log.contains("Broken pipe"), "{log}");
        [" lost: ", " cut off: "].map(|why| log.matches(why).count()).iter().sum::<usize>() == MANY
    });
    assert!(fs::read_to_string(&log).unwrap().contains(" lost: Connection timed out"));
    drop(deaf);
}

#[test]
fn a_session_that_panics_leaves_the_room_and_takes_its_other_thread_along() {
    if !cfg!(debug_assertions) {
        return skipped("a session that panics in the room", "build with debug assertions");
    }
    let data = tempfile::tempdir().unwrap();
    let server = Ferryd::start_with_faults(stage(), data.path(), &[], "panic@list.page").unwrap();
    let mut anna = Ears::of(Peer::connect(server.address));
    assert_ok(&anna.join("anna"));
    let base = Gauges::of(server.id()).unwrap();
    let mut bob = Ears::of(Peer::connect(server.address));
    assert_ok(&bob.join("bob"));
    fs::write(data.path().join("library/f"), "x").unwrap();
    bob.peer.send("{\"cmd\":\"LIST\"}\n");
    anna.hears_that(&guest_enters("bob"));
    anna.hears_that(&guest_leaves("bob"));
    eventually("its threads have ended", || Gauges::of(server.id()).unwrap().is_back_to(&base));
    anna.say("goes on");
}

#[test]
fn a_small_room_hears_every_line_in_one_order_and_the_deaf_are_put_out() {
    let settings = room::Settings {
        stage: stage().to_owned(),
        members: 20,
        deaf: 2,
        rate: 40,
        line_bytes: 1000,
        seconds: 12,
        files: true,
        delay_max: None,
    };
    let mut report = room::run(&settings).unwrap();
    // How fast files go on a machine that runs other tests says nothing.
    report.findings.retain(|finding| !finding.starts_with("files went"));
    assert_eq!(report.findings, [""; 0], "{:#?}", report.summary());
}
