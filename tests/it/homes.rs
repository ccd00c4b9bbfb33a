//! What an owner can do in a home.
//!
//! Goal: everything, and whatever fails leaves what was there. Method: owners, administrators and
//! readers as peers of one server; uploads are held halfway by sending only a part of the body.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::content::{bytes, sum_line};
use harness::{Peer, TestServer, eventually};
use serde_json::json;

use crate::people::{
    PASSWORD, administrator, begin_overwrite, known, newcomer, overwrite, register, rename,
};
use crate::talk::{
    ask, ask_about, assert_exists, assert_ok, assert_refused, decision, get, hold, names, put,
    quick, say, send_body,
};

fn xiaoyu() -> (TestServer, Peer) {
    let server = quick();
    let peer = newcomer(&server, "xiaoyu");
    (server, peer)
}

/// Another session of hers.
fn again(server: &TestServer) -> Peer {
    known(server.address(), "xiaoyu")
}

#[test]
pub(crate) fn from_a_fresh_server_to_a_file_at_home_it_is_two_requests() {
    let server = quick();
    let mut peer = server.peer();
    let welcome = register(&mut peer, "xiaoyu", PASSWORD);
    assert_eq!(welcome, json!({"status": "OK", "user": "xiaoyu", "role": "user", "used": 0}));
    assert_ok(&put(&mut peer, "ip.txt", b"127.0.0.1"));
    assert_eq!(names(&mut peer, ""), ["ip.txt"]);
    assert_eq!(get(&mut peer, "ip.txt").1, b"127.0.0.1");
    assert_eq!(std::fs::read(server.home("xiaoyu").join("ip.txt")).unwrap(), b"127.0.0.1");
    assert_eq!(names(&mut peer, "/"), ["library", "home"]);
}

#[test]
pub(crate) fn a_relative_path_starts_in_the_library_for_a_guest_and_at_home_for_a_user() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "as-guest", b"1"));
    assert_ok(&register(&mut peer, "xiaoyu", PASSWORD));
    assert_ok(&put(&mut peer, "as-user", b"2"));
    assert_ok(&put(&mut peer, "/library/shared", b"3"));
    assert_eq!(names(&mut peer, "/library"), ["as-guest", "shared"]);
    for spelling in ["", "/home", "//home/"] {
        assert_eq!(names(&mut peer, spelling), ["as-user"], "{spelling:?}");
    }
    let bare = ask(&mut peer, &json!({"cmd": "LIST"}));
    assert_eq!(bare["entries"][0]["name"], "as-user", "{bare}");
}

#[test]
pub(crate) fn until_the_new_file_is_whole_everybody_reads_the_old_one() {
    let (server, mut peer) = xiaoyu();
    assert_ok(&put(&mut peer, "f", b"old"));
    assert_exists(&put(&mut peer, "f", b"new!"));
    assert_ok(&begin_overwrite(&mut peer, "f", 4));
    peer.send(b"ne");
    let mut reader = again(&server);
    assert_eq!(get(&mut reader, "f").1, b"old");
    peer.send(b"w!");
    assert_eq!(get(&mut reader, "f").1, b"old");
    peer.send(sum_line(b"new!"));
    assert_ok(&peer.line());
    assert_eq!(get(&mut reader, "f").1, b"new!");
    assert_eq!(ask_about(&mut reader, "STAT", "f")["size"], 4);
    // A name that is free may be asked for with `overwrite`, too; a folder is never replaced.
    assert_ok(&overwrite(&mut peer, "g", b"first"));
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_exists(&overwrite(&mut peer, "d", b"x"));
    assert_eq!(names(&mut peer, ""), ["d", "f", "g"]);
}

#[test]
pub(crate) fn who_reads_while_a_file_is_replaced_again_and_again_reads_one_whole_version() {
    const ROUNDS: u64 = 40;
    let (server, mut peer) = xiaoyu();
    let version = |round: u64| bytes(round, 200_000 + 10_000 * usize::try_from(round).unwrap());
    assert_ok(&put(&mut peer, "f", &version(0)));
    let over = AtomicBool::new(false);
    let read = || {
        let mut reader = again(&server);
        let mut seen = vec![0];
        while !over.load(Ordering::Relaxed) {
            let content = get(&mut reader, "f").1;
            let round = (content.len() as u64 - 200_000) / 10_000;
            assert!(content == version(round), "a mix of {} bytes", content.len());
            seen.push(round);
        }
        seen.dedup();
        seen
    };
    let seen: Vec<Vec<u64>> = thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        for round in 1..=ROUNDS {
            assert_ok(&overwrite(&mut peer, "f", &version(round)));
        }
        over.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    for seen in seen {
        assert!(seen.is_sorted() && seen.len() > 2, "{seen:?}");
    }
    assert_eq!(get(&mut peer, "f").1, version(ROUNDS));
}

#[test]
pub(crate) fn an_overwrite_that_fails_keeps_the_old_file() {
    let (server, mut peer) = xiaoyu();
    assert_ok(&put(&mut peer, "f", b"old"));
    let parts = || std::fs::read_dir(server.data().join("home/.ferry")).unwrap().count();

    assert_ok(&begin_overwrite(&mut peer, "f", 3));
    peer.send("new{\"crc32\":\"00000000\"}\n");
    assert_refused(&peer.line(), "checksum-mismatch");
    assert_eq!(get(&mut peer, "f").1, b"old");

    let mut cut = again(&server);
    assert_ok(&begin_overwrite(&mut cut, "f", 100));
    cut.send(b"new");
    eventually("the part is there", || parts() == 1);
    drop(cut);
    eventually("the part is gone", || parts() == 0);
    assert_eq!(get(&mut peer, "f").1, b"old");

    let mut garbled = again(&server);
    assert_ok(&begin_overwrite(&mut garbled, "f", 3));
    garbled.send("new is not followed by a checksum\n");
    assert_refused(&garbled.line(), "bad-request");
    eventually("the part is gone", || parts() == 0);
    assert_eq!(get(&mut peer, "f").1, b"old");
}

#[test]
pub(crate) fn an_owner_deletes_files_and_empty_folders_and_the_home_itself_stays() {
    let (server, mut peer) = xiaoyu();
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_ok(&put(&mut peer, "d/f", b"x"));
    let full = ask_about(&mut peer, "DELETE", "d");
    assert_refused(&full, "denied");
    assert!(full["message"].as_str().unwrap().contains("not empty"), "{full}");
    assert_eq!(ask_about(&mut peer, "DELETE", "d/f"), json!({"status": "OK"}));
    assert_eq!(ask_about(&mut peer, "DELETE", "/home/d"), json!({"status": "OK"}));
    assert_refused(&ask_about(&mut peer, "DELETE", "d"), "not-found");
    for top in ["", "/home", "/home/"] {
        assert_refused(&ask_about(&mut peer, "DELETE", top), "denied");
        assert_refused(&rename(&mut peer, top, "elsewhere"), "denied");
        assert_exists(&ask_about(&mut peer, "MKDIR", top));
        assert_exists(&put(&mut peer, top, b"x"));
    }
    assert_eq!(names(&mut peer, ""), [""; 0]);
    assert!(server.home("xiaoyu").is_dir());
}

#[test]
pub(crate) fn an_owner_renames_within_the_home_and_nothing_is_ever_replaced() {
    let (server, mut peer) = xiaoyu();
    for folder in ["a", "a/b", "c"] {
        assert_ok(&ask_about(&mut peer, "MKDIR", folder));
    }
    assert_ok(&put(&mut peer, "f", b"moves"));
    assert_ok(&put(&mut peer, "taken", b"stays"));
    for taken in ["taken", "c", "/home/a/b", ""] {
        assert_exists(&rename(&mut peer, "f", taken));
        assert_exists(&rename(&mut peer, "c", if taken == "c" { "a" } else { taken }));
    }
    assert_eq!(rename(&mut peer, "f", "/home/a/b/g"), json!({"status": "OK"}));
    assert_eq!(rename(&mut peer, "a", "c/moved"), json!({"status": "OK"}));
    assert_eq!(get(&mut peer, "c/moved/b/g").1, b"moves");
    for below in ["c/moved/c", "c/c", "c/moved/b/c"] {
        assert_refused(&rename(&mut peer, "c", below), "bad-request");
    }
    for elsewhere in ["/library/f", "/library/c"] {
        assert_refused(&rename(&mut peer, "taken", elsewhere), "bad-request");
        assert_refused(&rename(&mut peer, "c", elsewhere), "bad-request");
    }
    assert_refused(&rename(&mut peer, "nothing", "g"), "not-found");
    assert_refused(&rename(&mut peer, "taken", "no/such"), "not-found");
    assert_refused(&rename(&mut peer, "taken", "con"), "bad-name");
    assert_eq!(names(&mut peer, ""), ["c", "taken"]);
    assert_eq!(get(&mut peer, "taken").1, b"stays");
    // Nor can an administrator move things from one home, or place, to another.
    let mut boss = administrator(&server, "boss");
    for elsewhere in ["/homes/boss/x", "/home/x", "/library/x"] {
        assert_refused(&rename(&mut boss, "/homes/xiaoyu/taken", elsewhere), "bad-request");
    }
}

#[test]
pub(crate) fn a_name_that_is_renamed_to_itself_exists() {
    let (_server, mut peer) = xiaoyu();
    assert_ok(&put(&mut peer, "f", b"x"));
    assert_exists(&rename(&mut peer, "f", "f"));
    assert_exists(&rename(&mut peer, "f", "/home//f"));
    assert_eq!(get(&mut peer, "f").1, b"x");
}

#[test]
pub(crate) fn a_name_that_another_session_writes_is_busy_for_delete_and_rename() {
    let (server, mut peer) = xiaoyu();
    assert_ok(&put(&mut peer, "f", b"old"));
    assert_ok(&put(&mut peer, "other", b"x"));
    let mut writer = again(&server);
    assert_ok(&begin_overwrite(&mut writer, "f", 3));
    let mut boss = administrator(&server, "boss");
    for answer in [
        ask_about(&mut peer, "DELETE", "f"),
        rename(&mut peer, "f", "g"),
        rename(&mut peer, "other", "f"),
        ask_about(&mut boss, "DELETE", "/homes/xiaoyu/f"),
    ] {
        assert_refused(&answer, "busy");
        assert!(answer["message"].as_str().unwrap().starts_with("xiaoyu is writing"), "{answer}");
    }
    assert_ok(&send_body(&mut writer, b"new"));
    assert_eq!(get(&mut peer, "f").1, b"new");
    // Nothing is left held.
    assert_ok(&rename(&mut peer, "f", "g"));
    assert_ok(&ask_about(&mut peer, "DELETE", "g"));
}

#[test]
pub(crate) fn home_and_homes_are_two_names_of_one_place_with_one_claim_for_each_file() {
    let (server, mut owner) = xiaoyu();
    let mut boss = administrator(&server, "boss");
    hold(&mut owner, "/home/f");
    say(&mut boss, &json!({"cmd": "PUT", "path": "/homes/xiaoyu/f", "size": 3}));
    let wait = boss.line();
    assert_eq!((&wait["status"], &wait["holder"]), (&json!("WAIT"), &json!("xiaoyu")), "{wait}");
    drop(owner);
    assert_ok(&decision(&mut boss));
    let mut owner = again(&server);
    say(&mut owner, &json!({"cmd": "PUT", "path": "f", "size": 3}));
    let wait = owner.line();
    assert_eq!((&wait["status"], &wait["holder"]), (&json!("WAIT"), &json!("boss")), "{wait}");
    assert_ok(&send_body(&mut boss, b"abc"));
    assert_exists(&decision(&mut owner));
    // The same name in another home, and in the library, is another file.
    hold(&mut boss, "/homes/xiaoyu/g");
    let mut other = known(server.address(), "boss");
    for path in ["/home/g", "/library/g"] {
        say(&mut other, &json!({"cmd": "PUT", "path": path, "size": 3}));
        assert_ok(&other.line());
        assert_ok(&send_body(&mut other, b"abc"));
    }
}
