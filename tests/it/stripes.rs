//! Who waits for whom when several servers share a folder.
//!
//! Goal: who waits for another server is told for whom, waits no longer than that one writes, and
//! has their turn, whatever goes on there. Method: peers that hold a name at one server by sending
//! only a part of the body; which names share a stripe is computed here, from what the architecture
//! page says.

use harness::{Peer, eventually};
use serde_json::{Value, json};

use crate::pair::{Pair, shared};
use crate::people::{PASSWORD, begin_overwrite, login, register, rename};
use crate::talk::{
    ask, ask_about, assert_ok, assert_refused, begin, decision, get, hold, name_of, names, put,
    say, send_body,
};

/// The stripe a path falls under.
fn stripe(path: &str) -> u32 {
    crc32fast::hash(path.as_bytes()) % 64
}

/// Names in the library that share the stripe of `path`.
fn neighbours(path: &str) -> impl Iterator<Item = String> {
    let wanted = stripe(path);
    (0..).map(|n| format!("n{n}")).filter(move |name| stripe(&format!("/library/{name}")) == wanted)
}

/// Asks for a name that is held at the other server: the first line.
fn wait_for(peer: &mut Peer, path: &str) -> Value {
    say(peer, &json!({"cmd": "PUT", "path": path, "size": 3}));
    let wait = peer.line();
    assert_eq!(wait["status"], "WAIT", "{wait}");
    wait
}

#[test]
fn who_waits_is_told_who_writes_the_name_at_which_other_server() {
    let pair = Pair::start();
    let (mut holder, mut waiter) = (pair.peer(0), pair.peer(1));
    hold(&mut holder, "f");
    let wait = wait_for(&mut waiter, "f");
    assert_eq!(wait["holder"], format!("{} at {}", name_of(&holder), pair.address(0)));
    assert_eq!(wait["size"], 100);
    assert!(wait["since"].as_u64().is_some_and(|seconds| seconds < 60), "{wait}");
    drop(holder);
    assert_ok(&decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"new"));
    assert_eq!(pair.read("f"), b"new");
}

#[test]
fn who_waits_hears_exists_when_the_other_server_has_published() {
    let pair = Pair::start();
    let (mut holder, mut waiter) = (pair.peer(0), pair.peer(1));
    assert_ok(&begin(&mut holder, "f", 3));
    wait_for(&mut waiter, "f");
    assert_ok(&send_body(&mut holder, b"own"));
    assert_eq!(decision(&mut waiter)["status"], "EXISTS");
    assert_eq!(pair.read("f"), b"own");
}

#[test]
fn what_is_written_at_one_server_is_neither_removed_nor_renamed_at_the_other() {
    let pair = Pair::start();
    let (mut writer, mut other) = (pair.peer(0), pair.peer(1));
    assert_ok(&register(&mut writer, "xiaoyu", PASSWORD));
    assert_ok(&put(&mut writer, "f", b"old"));
    assert_ok(&begin_overwrite(&mut writer, "f", 3));
    assert_ok(&login(&mut other, "xiaoyu", PASSWORD));
    for refused in [ask_about(&mut other, "DELETE", "f"), rename(&mut other, "f", "g")] {
        assert_refused(&refused, "busy");
        let holder = format!("xiaoyu at {} is writing", pair.address(0));
        assert!(refused["message"].as_str().unwrap().contains(&holder), "{refused}");
    }
    assert_ok(&send_body(&mut writer, b"new"));
    assert_eq!(get(&mut other, "f").1, b"new");
    assert_ok(&ask_about(&mut other, "DELETE", "f"));
}

#[test]
fn names_under_one_stripe_do_not_block_each_other_at_one_server() {
    let pair = Pair::start();
    let mut holder = pair.peer(0);
    hold(&mut holder, "f");
    for name in neighbours("/library/f").take(3) {
        let mut peer = pair.peer(0);
        say(&mut peer, &json!({"cmd": "PUT", "path": name, "size": 3}));
        // No WAIT: the very first line.
        assert_eq!(peer.line(), json!({"status": "OK", "offset": 0}));
        assert_ok(&send_body(&mut peer, b"abc"));
    }
}

#[test]
fn a_neighbour_under_the_same_stripe_is_waited_for_and_not_named() {
    let pair = Pair::start();
    let mut owner = pair.peer(0);
    assert_ok(&register(&mut owner, "xiaoyu", PASSWORD));
    hold(&mut owner, "diary");
    let name = neighbours("/homes/xiaoyu/diary").next().unwrap();
    let mut waiter = pair.peer(1);
    let wait = wait_for(&mut waiter, &name);
    assert_eq!(wait["holder"], format!("somebody at {}", pair.address(0)));
    assert_eq!((&wait["size"], &wait["received"]), (&json!(0), &json!(0)));
    drop(owner);
    assert_ok(&decision(&mut waiter));
}

/// At one server there is always somebody under the stripe, each new one before the last is gone.
/// Who waits at the other server must have their turn all the same.
#[test]
fn a_server_that_is_never_done_with_a_stripe_gives_it_to_the_one_that_waits() {
    let pair = Pair::start();
    let mut relay = neighbours("/library/f");
    let mut waiter = pair.peer(1);
    let mut holder = pair.peer(0);
    hold(&mut holder, &relay.next().unwrap());
    wait_for(&mut waiter, "f");
    eventually("nobody new is let in before the one who waits", || {
        let mut next = pair.peer(0);
        let path = relay.next().unwrap();
        let answer = ask(&mut next, &json!({"cmd": "PUT", "path": path, "size": 3, "wait": 0}));
        if answer["status"] != "OK" {
            assert_refused(&decision_after(&mut next, answer), "busy");
            return true;
        }
        holder = next;
        false
    });
    drop(holder);
    assert_ok(&decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"abc"));
    // And then it is the first one's again.
    assert_ok(&put(&mut pair.peer(0), &relay.next().unwrap(), b"abc"));
}

#[test]
fn who_waited_at_one_server_and_gave_up_is_in_nobodys_way_at_the_other() {
    let pair = Pair::start();
    let mut relay = neighbours("/library/f");
    let mut holder = pair.peer(0);
    hold(&mut holder, &relay.next().unwrap());
    let asked = json!({"cmd": "PUT", "path": "f", "size": 3, "wait": 1});
    let mut leaver = pair.peer(1);
    say(&mut leaver, &asked);
    assert_refused(&decision(&mut leaver), "busy");
    let (mut next, path) = (pair.peer(0), relay.next().unwrap());
    say(&mut next, &json!({"cmd": "PUT", "path": path, "size": 3}));
    // No WAIT: the very first line.
    assert_ok(&next.line());
}

fn decision_after(peer: &mut Peer, line: Value) -> Value {
    if line["status"] == "WAIT" { decision(peer) } else { line }
}

#[test]
fn a_server_that_is_killed_leaves_its_stripes_to_the_other_at_once() {
    let data = tempfile::tempdir().unwrap();
    let (first, second) = (shared(data.path()), shared(data.path()));
    let mut holders: Vec<Peer> = (0..16).map(|_| Peer::connect(first.address)).collect();
    for (n, holder) in holders.iter_mut().enumerate() {
        hold(holder, &format!("f{n}"));
    }
    let mut waiter = Peer::connect(second.address);
    wait_for(&mut waiter, "f0");
    first.kill().unwrap();
    assert_ok(&decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"abc"));
    let mut peer = Peer::connect(second.address);
    for n in 1..16 {
        say(&mut peer, &json!({"cmd": "PUT", "path": format!("f{n}"), "size": 3}));
        // The very first line. At the name that waited, the lock was passed on; here it is free.
        assert_ok(&peer.line());
        assert_ok(&send_body(&mut peer, b"abc"));
    }
    let again = shared(data.path());
    assert_eq!(names(&mut Peer::connect(again.address), "").len(), 16);
}
