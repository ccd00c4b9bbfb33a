//! One name, many writers: one at a time, in line, told about each other.
//!
//! Goal: two writers never blend, nobody overtakes, and nobody who wants another name waits.
//! Method: peers that hold a name by sending only a part of their body; the WAIT lines of the
//! others show that they stand in line.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use harness::content::{bytes, eager_put, sum_line};
use harness::{Peer, TestServer, eventually};
use serde_json::{Value, json};

use crate::talk::{
    ask_about, assert_exists, assert_ok, assert_refused, begin, decision, get, hold, name_of,
    names, put, quick, say, send_body,
};

/// A peer that stands in line for the name, as its first WAIT line shows.
fn waiter(server: &TestServer, path: &str) -> (Peer, Value) {
    let mut peer = server.peer();
    say(&mut peer, &json!({"cmd": "PUT", "path": path, "size": 3}));
    let wait = peer.line();
    assert_eq!(wait["status"], "WAIT", "{wait}");
    (peer, wait)
}

#[test]
pub(crate) fn of_sixteen_who_send_one_name_at_once_exactly_one_is_ok_and_the_file_is_theirs() {
    const PEERS: u64 = 16;
    let server = quick();
    let start = Barrier::new(16);
    let answers: Vec<Value> = thread::scope(|scope| {
        let run = |seed| {
            let (server, start) = (&server, &start);
            move || {
                let (mut peer, content) = (server.peer(), bytes(seed, 200_000));
                start.wait();
                if seed % 2 == 0 {
                    return put(&mut peer, "f", &content);
                }
                peer.send(eager_put("f", &content));
                decision(&mut peer)
            }
        };
        let peers: Vec<_> = (0..PEERS).map(|seed| scope.spawn(run(seed))).collect();
        peers.into_iter().map(|peer| peer.join().unwrap()).collect()
    });
    let winners: Vec<_> = (0..PEERS).zip(&answers).filter(|(_, a)| a["status"] == "OK").collect();
    let [(winner, _)] = winners[..] else { panic!("not one winner: {answers:?}") };
    for (_, answer) in (0..PEERS).zip(&answers).filter(|(seed, _)| *seed != winner) {
        assert!(answer["status"] == "EXISTS" || answer["reason"] == "busy", "{answer}");
    }
    let mut peer = server.peer();
    assert!(get(&mut peer, "f").1 == bytes(winner, 200_000), "the content is not the winner's");
    assert_eq!(names(&mut peer, ""), ["f"]);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn who_waits_is_told_for_whom_and_then_exists_when_they_finish() {
    let server = quick();
    let mut holder = server.peer();
    let content = bytes(1, 100);
    assert_ok(&begin(&mut holder, "f", 100));
    holder.send(&content[..40]);
    let (mut peer, first) = waiter(&server, "f");
    let mut wait = first;
    // The first may have been said before the 40 bytes were read.
    while wait["received"] != 40 {
        wait = peer.line();
        assert_eq!(wait["status"], "WAIT", "{wait}");
    }
    assert_eq!(wait["holder"], name_of(&holder));
    assert_eq!(wait["size"], 100);
    assert!(wait["since"].as_u64().is_some_and(|seconds| seconds < 60), "{wait}");
    holder.send(&content[40..]);
    holder.send(sum_line(&content));
    assert_ok(&holder.line());
    let answer = decision(&mut peer);
    assert_exists(&answer);
    assert_eq!(answer["size"], 100, "{answer}");
    assert_eq!(get(&mut peer, "f").1, content);
}

#[test]
pub(crate) fn who_waits_gets_the_name_when_the_holder_vanishes() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "f");
    let (mut peer, _) = waiter(&server, "f");
    drop(holder);
    assert_eq!(decision(&mut peer), json!({"status": "OK", "offset": 0}));
    assert_ok(&send_body(&mut peer, b"new"));
    assert_eq!(get(&mut peer, "f").1, b"new");
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn who_waits_gets_the_name_when_the_holder_s_checksum_is_wrong() {
    let server = quick();
    let mut holder = server.peer();
    assert_ok(&begin(&mut holder, "f", 3));
    let (mut peer, _) = waiter(&server, "f");
    holder.send("old{\"crc32\":\"00000000\"}\n");
    assert_refused(&holder.line(), "checksum-mismatch");
    assert_ok(&decision(&mut peer));
    assert_ok(&send_body(&mut peer, b"new"));
}

#[test]
pub(crate) fn first_come_first_served() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "f");
    let mut line: Vec<Peer> = (0..3).map(|_| waiter(&server, "f").0).collect();
    while !line.is_empty() {
        drop(holder);
        holder = line.remove(0);
        // Had anybody overtaken, this one would be told to wait on, and at last busy.
        assert_ok(&decision(&mut holder));
        for waiting in &mut line {
            let told = |wait: &Value| wait["holder"] == name_of(&holder);
            eventually("the others are told of the new holder", || {
                let wait = waiting.line();
                assert_eq!(wait["status"], "WAIT", "{wait}");
                told(&wait)
            });
        }
    }
    assert_ok(&send_body(&mut holder, b"abc"));
}

#[test]
pub(crate) fn one_who_leaves_the_line_does_not_stop_it() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "f");
    let (leaver, _) = waiter(&server, "f");
    let (mut stayer, _) = waiter(&server, "f");
    drop(leaver);
    drop(holder);
    assert_ok(&decision(&mut stayer));
    assert_ok(&send_body(&mut stayer, b"abc"));
}

#[test]
pub(crate) fn another_name_does_not_wait() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "f");
    let (_waiting, _) = waiter(&server, "f");
    let mut peer = server.peer();
    for name in ["g", "F", "f.txt"] {
        say(&mut peer, &json!({"cmd": "PUT", "path": name, "size": 3}));
        // No WAIT: the very first line.
        assert_ok(&peer.line());
        assert_ok(&send_body(&mut peer, b"abc"));
    }
    // The same name in another folder is another name, and however written, the same is the same.
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_ok(&put(&mut peer, "d/f", b"abc"));
    let same = json!({"cmd": "PUT", "path": "//library///f", "size": 3, "wait": 0});
    assert_refused(&crate::talk::ask(&mut peer, &same), "busy");
}

#[test]
pub(crate) fn what_is_being_received_cannot_be_seen() {
    let server = quick();
    let (mut holder, mut peer) = (server.peer(), server.peer());
    hold(&mut holder, "f");
    eventually("the part is there", || server.parts() == 1);
    for cmd in ["GET", "STAT", "SUM"] {
        assert_refused(&ask_about(&mut peer, cmd, "f"), "not-found");
    }
    assert_eq!(names(&mut peer, ""), [""; 0]);
}

#[test]
pub(crate) fn a_name_taken_meanwhile_by_other_means_is_not_replaced() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&begin(&mut peer, "f", 3));
    std::fs::write(server.library().join("f"), "by hand").unwrap();
    let answer = send_body(&mut peer, b"new");
    assert_exists(&answer);
    assert_eq!(answer["size"], 7, "{answer}");
    assert_eq!(get(&mut peer, "f").1, b"by hand");
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn a_wait_is_as_long_as_was_asked_for() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "f");
    let mut peer = server.peer();
    let begun = std::time::Instant::now();
    say(&mut peer, &json!({"cmd": "PUT", "path": "f", "size": 3, "wait": 1}));
    assert_refused(&decision(&mut peer), "busy");
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}

#[test]
pub(crate) fn nobody_waits_for_a_name_while_holding_another() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "held");
    let mut peer = server.peer();
    peer.send([eager_put("own", b"whole"), eager_put("held", b"later")].concat());
    assert_ok(&peer.line());
    assert_eq!(peer.line()["status"], "WAIT");
    assert_eq!(names(&mut server.peer(), ""), ["own"]);
    drop(holder);
    assert_ok(&decision(&mut peer));
}

/// Two who each hold what the other wants next would wait for ever, if claims were kept while
/// waiting for another.
#[test]
pub(crate) fn many_names_sent_ahead_in_opposite_orders_do_not_lock_each_other_out() {
    const NAMES: usize = 60;
    let server = quick();
    let start = Barrier::new(4);
    let send_all = |who: usize| {
        let mut peer = server.peer();
        let mut order: Vec<usize> = (0..NAMES).collect();
        if who % 2 == 1 {
            order.reverse();
        }
        let content = format!("from {who}");
        start.wait();
        for name in &order {
            peer.send(eager_put(&format!("f{name}"), content.as_bytes()));
        }
        order.iter().filter(|_| decision(&mut peer)["status"] == "OK").count()
    };
    let published: usize = thread::scope(|scope| {
        let send_all = &send_all;
        let peers: Vec<_> = (0..4).map(|who| scope.spawn(move || send_all(who))).collect();
        peers.into_iter().map(|peer| peer.join().unwrap()).sum()
    });
    assert_eq!(published, NAMES);
    assert_eq!(names(&mut server.peer(), "").len(), NAMES);
}
