//! Keeping what came of an upload fails in every way.
//!
//! Goal: nothing is believed to be on disk that may not be, and a file system that cannot keep
//! parts takes uploads all the same. Method: strace makes the calls fail that keep a part.

use std::fs;

use harness::actor::Ferryd;
use harness::content::{bytes, sum_line};
use harness::{Peer, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::{PASSWORD, known, register, stage, who};
use crate::strace::{Fault, Whose, is_missing};
use crate::talk::{assert_ok, assert_refused, decision, get, say};

/// More than may come before it is made certain.
const LENGTH: usize = 20 << 20;

fn offer(peer: &mut Peer) -> Value {
    let put = json!({"cmd": "PUT", "path": "f", "size": LENGTH, "mtime": 9, "resume": true});
    say(peer, &put);
    decision(peer)
}

/// A server whose sessions' `rule` holds while `act` is done.
fn with_fault(rule: &str, act: impl FnOnce(&Ferryd)) -> (TempDir, Ferryd) {
    let (data, traces) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    let fault = Fault::inject(&server, Whose::Sessions, rule, traces.path().join("trace"));
    act(&server);
    assert!(fault.end() > 0, "nothing failed");
    (data, server)
}

fn parts(data: &TempDir) -> usize {
    fs::read_dir(data.path().join("library/.ferry")).unwrap().count()
}

#[test]
fn a_sync_that_fails_on_the_way_fails_the_upload_and_nothing_is_kept_of_it() {
    if is_missing("a sync that fails while an upload is being received") {
        return;
    }
    let (data, server) = with_fault("fdatasync:error=EIO", |server| {
        let mut peer = Peer::connect(server.address);
        assert_ok(&offer(&mut peer));
        // It may hang up before it has taken all.
        peer.try_send(bytes(1, LENGTH));
        assert_refused(&peer.line(), "internal");
    });
    assert_eq!(parts(&data), 0);
    assert_eq!(offer(&mut Peer::connect(server.address))["offset"], 0);
}

#[test]
fn what_cannot_be_synced_when_an_upload_is_cut_is_not_kept() {
    if is_missing("a sync that fails when an upload is cut") {
        return;
    }
    let (_data, server) = with_fault("fdatasync:error=EIO", |server| {
        let mut peer = Peer::connect(server.address);
        assert_ok(&offer(&mut peer));
        peer.send(bytes(1, 1 << 20));
        drop(peer);
        // Whoever has the name next finds the one before gone.
        assert_eq!(offer(&mut Peer::connect(server.address))["offset"], 0);
    });
    assert_eq!(offer(&mut Peer::connect(server.address))["offset"], 0);
}

#[test]
fn a_beginning_that_cannot_be_read_is_none_and_is_not_charged() {
    if is_missing("a beginning that cannot be read") {
        return;
    }
    let (data, traces) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    let mut peer = Peer::connect(server.address);
    assert_ok(&register(&mut peer, "xiaoyu", PASSWORD));
    // Logged in before, for accounts are read as parts are.
    let mut again = known(server.address, "xiaoyu");
    let mut looker = known(server.address, "xiaoyu");
    assert_ok(&offer(&mut peer));
    peer.send(bytes(1, 1 << 20));
    drop(peer);
    eventually("what came is kept", || who(&mut looker)["used"] == 1 << 20);

    let trace = traces.path().join("trace");
    let fault = Fault::inject(&server, Whose::Sessions, "pread64:error=EIO", trace);
    assert_eq!(offer(&mut again)["offset"], 0);
    assert_eq!(who(&mut looker)["used"], LENGTH);
    drop(again);
    eventually("what did not come is given back", || who(&mut looker)["used"] == 0);
    assert!(fault.end() > 0, "nothing failed");
}

#[test]
fn a_file_system_without_attributes_takes_uploads_and_keeps_no_beginnings() {
    if is_missing("a file system without attributes") {
        return;
    }
    let (content, all) = (bytes(1, LENGTH), LENGTH);
    with_fault("fsetxattr:error=EOPNOTSUPP", |server| {
        let mut peer = Peer::connect(server.address);
        assert_ok(&offer(&mut peer));
        peer.send(&content[..all - 1]);
        drop(peer);
        let mut peer = Peer::connect(server.address);
        let answer = offer(&mut peer);
        assert_ok(&answer);
        assert_eq!(answer["offset"], 0);
        peer.send(&content);
        peer.send(sum_line(&content));
        assert_ok(&peer.line());
        assert!(get(&mut peer, "f").1 == content);
    });
}
