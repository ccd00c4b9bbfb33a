//! How full a home is, and that it never gets fuller than it may.
//!
//! Goal: `used` is what lies in the home and what is promised to it, whoever puts or takes it, and
//! however many do so at once. Method: after each step the counter that WHO and STAT show is
//! compared with what is on disk.

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use harness::actor::Ferryd;
use harness::content::{bytes, eager_put, sum_line};
use harness::{Peer, TestServer, eventually};
use serde_json::json;

use crate::people::{
    PASSWORD, add_administrator, administrator, begin_overwrite, bytes_below, known, newcomer,
    overwrite, register, rename, stage, who,
};
use crate::talk::{
    ask_about, assert_exists, assert_ok, assert_refused, begin, decision, hold, put, quick_with,
    say, send_body,
};

const LIMIT: u64 = 1 << 20;

fn one_mebibyte() -> (TestServer, Peer) {
    let server = quick_with(&["--quota", "1M"]);
    let peer = newcomer(&server, "xiaoyu");
    (server, peer)
}

/// What the counter says: `WHO` and `STAT /home`, which must agree.
#[track_caller]
fn used(peer: &mut Peer) -> u64 {
    let (identity, home) = (who(peer), ask_about(peer, "STAT", "/home"));
    assert_eq!(identity["used"], home["used"], "{identity} {home}");
    assert_eq!(identity["quota"], home["quota"], "{identity} {home}");
    identity["used"].as_u64().unwrap_or_else(|| panic!("no count: {identity}"))
}

/// The counter says `bytes`, and so much is on disk.
#[track_caller]
fn assert_used(server: &TestServer, peer: &mut Peer, bytes: u64) {
    assert_eq!(used(peer), bytes);
    assert_eq!(bytes_below(&server.home("xiaoyu")), bytes);
}

#[test]
pub(crate) fn who_and_stat_say_how_full_a_home_is_and_only_a_home() {
    let (server, mut peer) = one_mebibyte();
    let identity = who(&mut peer);
    assert_eq!((&identity["quota"], &identity["used"]), (&json!(LIMIT), &json!(0)), "{identity}");
    assert_ok(&put(&mut peer, "f", &bytes(1, 1000)));
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_used(&server, &mut peer, 1000);
    for other in ["f", "d", "/", "/library"] {
        let stat = ask_about(&mut peer, "STAT", other);
        assert!(stat["quota"].is_null() && stat["used"].is_null(), "{other}: {stat}");
    }
    let guest = who(&mut server.peer());
    assert!(guest["quota"].is_null() && guest["used"].is_null(), "{guest}");
}

#[test]
pub(crate) fn what_is_put_counts_what_is_deleted_does_not_and_a_new_name_changes_nothing() {
    let (server, mut peer) = one_mebibyte();
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_ok(&put(&mut peer, "d/a", &bytes(1, 300_000)));
    assert_ok(&put(&mut peer, "b", &bytes(2, 200_000)));
    peer.send(eager_put("c", &bytes(3, 100_000)));
    assert_ok(&peer.line());
    assert_used(&server, &mut peer, 600_000);
    assert_ok(&overwrite(&mut peer, "d/a", &bytes(4, 50_000)));
    assert_used(&server, &mut peer, 350_000);
    assert_ok(&overwrite(&mut peer, "d/a", &bytes(5, 500_000)));
    assert_used(&server, &mut peer, 800_000);
    assert_ok(&overwrite(&mut peer, "new", &[]));
    assert_ok(&rename(&mut peer, "d/a", "a"));
    assert_used(&server, &mut peer, 800_000);
    for (name, left) in [("a", 300_000), ("b", 100_000), ("d", 100_000), ("c", 0), ("new", 0)] {
        assert_ok(&ask_about(&mut peer, "DELETE", name));
        assert_used(&server, &mut peer, left);
    }
}

#[test]
pub(crate) fn what_does_not_fit_is_refused_and_the_message_says_what_is_left() {
    let (server, mut peer) = one_mebibyte();
    assert_ok(&put(&mut peer, "f", &bytes(1, 1_000_000)));
    let left = LIMIT - 1_000_000;
    let refusal = begin(&mut peer, "g", usize::try_from(left).unwrap() + 1);
    assert_refused(&refusal, "quota");
    assert!(refusal["message"].as_str().unwrap().contains(&left.to_string()), "{refusal}");
    peer.send(eager_put("g", &bytes(2, 900_000)));
    assert_refused(&peer.line(), "quota");
    // The old file and the new one are both there for a moment, so both must fit.
    assert_refused(&begin_overwrite(&mut peer, "f", 500_000), "quota");
    assert_used(&server, &mut peer, 1_000_000);
    // To the last byte; and then not one more.
    assert_ok(&put(&mut peer, "g", &bytes(3, usize::try_from(left).unwrap())));
    assert_used(&server, &mut peer, LIMIT);
    assert_refused(&begin(&mut peer, "h", 1), "quota");
    assert_ok(&put(&mut peer, "h", &[]));
}

#[test]
pub(crate) fn an_upload_is_charged_when_it_begins_and_one_that_fails_gives_its_charge_back() {
    let (server, mut peer) = one_mebibyte();
    let mut cut = known(server.address(), "xiaoyu");
    assert_ok(&begin(&mut cut, "f", 700_000));
    cut.send([b'x'; 10]);
    assert_eq!(used(&mut peer), 700_000);
    assert_refused(&begin(&mut peer, "g", 700_000), "quota");
    drop(cut);
    eventually("the charge of the cut upload is back", || who(&mut peer)["used"] == 0);

    assert_ok(&begin(&mut peer, "f", 3));
    peer.send("new{\"crc32\":\"00000000\"}\n");
    assert_refused(&peer.line(), "checksum-mismatch");
    assert_used(&server, &mut peer, 0);

    assert_ok(&put(&mut peer, "f", b"four"));
    assert_exists(&begin(&mut peer, "f", 500_000));
    assert_refused(&begin(&mut peer, "no/such", 500_000), "not-found");
    assert_refused(&begin(&mut peer, "con", 500_000), "bad-name");
    peer.send(eager_put("f", &bytes(1, 500_000)));
    assert_exists(&peer.line());
    let mut failed = begin_overwrite(&mut peer, "f", 500_000);
    assert_ok(&failed);
    peer.send(bytes(2, 500_000));
    peer.send(sum_line(b"something else"));
    failed = peer.line();
    assert_refused(&failed, "checksum-mismatch");
    assert_used(&server, &mut peer, 4);
}

#[test]
pub(crate) fn who_waits_in_line_is_not_charged_before_their_turn() {
    let (server, mut peer) = one_mebibyte();
    let mut holder = known(server.address(), "xiaoyu");
    hold(&mut holder, "f");
    let mut leaver = known(server.address(), "xiaoyu");
    say(&mut leaver, &json!({"cmd": "PUT", "path": "f", "size": 400_000}));
    assert_eq!(leaver.line()["status"], "WAIT");
    assert_eq!(used(&mut peer), 100);
    drop(leaver);
    say(&mut peer, &json!({"cmd": "PUT", "path": "f", "size": 400_000, "wait": 0}));
    assert_refused(&decision(&mut peer), "busy");
    drop(holder);
    eventually("nobody is charged", || who(&mut peer)["used"] == 0);
}

#[test]
pub(crate) fn a_hundred_uploads_at_once_into_a_home_that_is_nearly_full_never_overfill_it() {
    const EACH: usize = 7000;
    let (server, mut peer) = one_mebibyte();
    let full = usize::try_from(LIMIT).unwrap() / 100 * 95;
    assert_ok(&put(&mut peer, "most", &bytes(1, full)));
    let mut peers: Vec<Peer> = (0..20).map(|_| known(server.address(), "xiaoyu")).collect();
    let start = Barrier::new(peers.len());
    let done: usize = thread::scope(|scope| {
        let uploads = peers.iter_mut().enumerate().map(|(n, peer)| {
            let start = &start;
            scope.spawn(move || {
                let content = bytes(n as u64, EACH);
                let ahead: Vec<u8> =
                    (0..5).flat_map(|i| eager_put(&format!("f{n}-{i}"), &content)).collect();
                start.wait();
                peer.send(ahead);
                let answers = [(); 5].map(|()| decision(peer));
                let known = |a: &&serde_json::Value| a["status"] == "OK" || a["reason"] == "quota";
                assert_eq!(answers.iter().filter(known).count(), 5, "{answers:?}");
                answers.iter().filter(|a| a["status"] == "OK").count()
            })
        });
        let uploads: Vec<_> = uploads.collect();
        uploads.into_iter().map(|upload| upload.join().unwrap()).sum()
    });
    let fit = (usize::try_from(LIMIT).unwrap() - full) / EACH;
    // Every upload was charged at once or not at all, so as many are in as fit.
    assert_eq!(done, fit);
    assert_used(&server, &mut peer, (full + fit * EACH) as u64);
}

#[test]
pub(crate) fn an_administrator_who_puts_into_a_home_fills_that_home() {
    let (server, mut peer) = one_mebibyte();
    let mut boss = administrator(&server, "boss");
    assert_ok(&put(&mut boss, "/homes/xiaoyu/f", &bytes(1, 600_000)));
    assert_used(&server, &mut peer, 600_000);
    assert_eq!(ask_about(&mut boss, "STAT", "/homes/xiaoyu")["used"], 600_000);
    assert_eq!(used(&mut boss), 0);
    assert_refused(&begin(&mut boss, "/homes/xiaoyu/g", 600_000), "quota");
    assert_refused(&begin(&mut peer, "g", 600_000), "quota");
    assert_ok(&overwrite(&mut boss, "/homes/xiaoyu/f", &bytes(2, 100_000)));
    assert_used(&server, &mut peer, 100_000);
    assert_ok(&ask_about(&mut boss, "DELETE", "/homes/xiaoyu/f"));
    assert_used(&server, &mut peer, 0);
}

#[test]
pub(crate) fn the_library_is_charged_to_nobody() {
    let (server, mut peer) = one_mebibyte();
    assert_ok(&put(&mut peer, "/library/f", &bytes(1, 2_000_000)));
    let mut boss = administrator(&server, "boss");
    assert_ok(&overwrite(&mut boss, "/library/f", &bytes(1, 3_000_000)));
    assert_ok(&ask_about(&mut boss, "DELETE", "/library/f"));
    assert_eq!((used(&mut peer), used(&mut boss)), (0, 0));
}

/// A server that can be started again on the same folder.
fn ferryd(data: &Path) -> Ferryd {
    Ferryd::start(stage(), data, &["--quota", "1M", "--durability", "none"]).unwrap()
}

/// A data folder where xiaoyu has left 300,000 bytes in `big` and 1,000 in `d/small`.
fn left_by_an_earlier_server() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let server = ferryd(data.path());
    let mut peer = Peer::connect(server.address);
    assert_ok(&register(&mut peer, "xiaoyu", PASSWORD));
    assert_ok(&put(&mut peer, "big", &bytes(1, 300_000)));
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_ok(&put(&mut peer, "d/small", &bytes(2, 1000)));
    assert_eq!(used(&mut peer), 301_000);
    assert!(server.stop().unwrap().success());
    data
}

#[test]
pub(crate) fn a_new_server_measures_anew_and_finds_the_same() {
    let data = left_by_an_earlier_server();
    let server = ferryd(data.path());
    let mut peer = known(server.address, "xiaoyu");
    assert_eq!(used(&mut peer), 301_000);
    assert_refused(&begin(&mut peer, "more", 800_000), "quota");
    assert_ok(&begin(&mut peer, "more", 5));
    assert_ok(&send_body(&mut peer, b"fifth"));
    assert_eq!(used(&mut peer), 301_005);
}

#[test]
pub(crate) fn what_an_administrator_deletes_before_its_owner_has_come_is_counted_once() {
    let data = left_by_an_earlier_server();
    let server = ferryd(data.path());
    add_administrator(data.path(), "boss");
    let mut boss = known(server.address, "boss");
    assert_ok(&ask_about(&mut boss, "DELETE", "/homes/xiaoyu/big"));
    let mut peer = known(server.address, "xiaoyu");
    assert_eq!(bytes_below(&data.path().join("home/xiaoyu")), 1000);
    assert_eq!(used(&mut peer), 1000);
}

#[test]
pub(crate) fn a_home_that_is_deeper_than_a_path_can_say_is_measured_all_the_same() {
    let data = tempfile::tempdir().unwrap();
    let server = ferryd(data.path());
    let mut peer = Peer::connect(server.address);
    assert_ok(&register(&mut peer, "xiaoyu", PASSWORD));
    // Two chains of folders, each as long as a path may be; then one hangs from the other.
    for top in ["a", "b"] {
        let mut path = top.to_owned();
        for _ in 0..18 {
            assert_ok(&ask_about(&mut peer, "MKDIR", &path));
            path = format!("{path}/{}", "d".repeat(200));
        }
        assert_ok(&put(&mut peer, &path, b"at the bottom"));
    }
    let bottom = format!("a{}/b", format!("/{}", "d".repeat(200)).repeat(17));
    assert_ok(&rename(&mut peer, "b", &bottom));
    assert_eq!(used(&mut peer), 26);
    assert!(server.stop().unwrap().success());

    let server = ferryd(data.path());
    let mut peer = known(server.address, "xiaoyu");
    assert_eq!(used(&mut peer), 26);
    assert_ok(&put(&mut peer, "more", b"fits"));
}
