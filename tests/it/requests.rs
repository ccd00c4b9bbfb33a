//! The session itself, and every request that moves no bytes.
//!
//! Goal: each request has exactly the answers the protocol promises. Method: one peer asks, the
//! fields of the answer are compared.

use std::fs;
use std::io::Read as _;

use harness::content::{bytes, crc, eager_put};
use serde_json::json;

use crate::talk::{
    ask, ask_about, assert_exists, assert_goes_on, assert_ok, assert_refused, get, names, put,
    quick,
};

#[test]
pub(crate) fn the_server_greets_first_with_its_name_protocol_and_a_new_session_number() {
    let server = quick();
    let (first, second) = (server.peer().greeting, server.peer().greeting);
    assert_ok(&first);
    assert_eq!(first["protocol"], 1);
    assert!(first["server"].as_str().unwrap().starts_with("ferryd "), "{first}");
    assert!(first["session"].as_u64() < second["session"].as_u64(), "{first} {second}");
}

#[test]
pub(crate) fn stat_tells_a_file_from_a_folder() {
    let server = quick();
    let mut peer = server.peer();
    fs::create_dir(server.library().join("d")).unwrap();
    let request = json!({"cmd": "PUT", "path": "f", "size": 3, "mtime": 1_000_000_007});
    assert_ok(&ask(&mut peer, &request));
    assert_ok(&crate::talk::send_body(&mut peer, b"abc"));
    let expected = json!({"status": "OK", "kind": "file", "size": 3, "mtime": 1_000_000_007});
    assert_eq!(ask_about(&mut peer, "STAT", "f"), expected);
    let folder = ask_about(&mut peer, "STAT", "/library/d/");
    assert_eq!((&folder["kind"], &folder["size"]), (&json!("folder"), &json!(0)), "{folder}");
    assert_eq!(ask_about(&mut peer, "STAT", "/")["kind"], "folder");
    assert_eq!(ask_about(&mut peer, "STAT", "/library")["kind"], "folder");
    assert_refused(&ask_about(&mut peer, "STAT", "nothing"), "not-found");
    assert_refused(&ask_about(&mut peer, "STAT", "f/below"), "not-found");
}

#[test]
pub(crate) fn sum_is_the_checksum_of_what_is_on_disk_now() {
    let server = quick();
    let mut peer = server.peer();
    for (seed, size) in [(1, 0), (2, 1), (3, 700_000)] {
        let (name, content) = (format!("f{seed}"), bytes(seed, size));
        assert_ok(&put(&mut peer, &name, &content));
        let expected = json!({"status": "OK", "crc32": crc(&content)});
        assert_eq!(ask_about(&mut peer, "SUM", &name), expected);
    }
    fs::write(server.library().join("f3"), "changed by hand").unwrap();
    assert_eq!(ask_about(&mut peer, "SUM", "f3")["crc32"], crc(b"changed by hand"));
    assert_refused(&ask_about(&mut peer, "SUM", "/library"), "not-found");
    assert_refused(&ask_about(&mut peer, "SUM", "nothing"), "not-found");
}

#[test]
pub(crate) fn mkdir_makes_one_folder_below_one_that_exists() {
    let server = quick();
    let mut peer = server.peer();
    assert_eq!(ask_about(&mut peer, "MKDIR", "a"), json!({"status": "OK"}));
    assert!(server.library().join("a").is_dir());
    assert_ok(&ask_about(&mut peer, "MKDIR", "/library/a/b"));
    assert_ok(&put(&mut peer, "a/b/f", b"inside"));
    assert_eq!(get(&mut peer, "a/b/f").1, b"inside");
    assert_refused(&ask_about(&mut peer, "MKDIR", "no/such"), "not-found");
    assert_refused(&ask_about(&mut peer, "MKDIR", "a/b/f/below"), "not-found");
    assert_exists(&ask_about(&mut peer, "MKDIR", "/library"));
    assert_exists(&ask_about(&mut peer, "MKDIR", "/"));
    assert_eq!(names(&mut peer, ""), ["a"]);
}

#[test]
pub(crate) fn mkdir_of_a_taken_name_says_exists_and_what_is_there() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&ask_about(&mut peer, "MKDIR", "a"));
    assert_ok(&put(&mut peer, "f", b"four"));
    let folder = ask_about(&mut peer, "MKDIR", "a");
    assert_exists(&folder);
    assert_eq!(folder["kind"], "folder", "{folder}");
    let file = ask_about(&mut peer, "MKDIR", "f");
    assert_exists(&file);
    assert_eq!((&file["kind"], &file["size"]), (&json!("file"), &json!(4)), "{file}");
}

#[test]
pub(crate) fn a_guest_removes_and_renames_nothing() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"stays"));
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    for path in ["f", "d", "/library/f", "nothing"] {
        assert_refused(&ask_about(&mut peer, "DELETE", path), "denied");
        let rename = json!({"cmd": "RENAME", "from": path, "to": "g"});
        assert_refused(&ask(&mut peer, &rename), "denied");
    }
    assert_eq!(names(&mut peer, ""), ["d", "f"]);
}

#[test]
pub(crate) fn quit_closes_without_another_word() {
    let server = quick();
    let mut peer = server.peer();
    peer.send("{\"cmd\":\"QUIT\"}\n{\"cmd\":\"MKDIR\",\"path\":\"late\"}\n");
    assert!(peer.is_closed());
    assert!(!server.library().join("late").exists());
}

/// A connection that is closed over unread bytes is reset, and a reset can overtake what is owed.
#[test]
pub(crate) fn what_is_owed_before_a_quit_arrives_whatever_stands_behind_it() {
    let server = quick();
    let mut peer = server.peer();
    let behind = "\n".repeat(100_000);
    peer.send(format!("{{\"cmd\":\"LIST\"}}\n{{\"cmd\":\"QUIT\"}}\n{behind}"));
    let mut rest = String::new();
    let read = peer.stream().read_to_string(&mut rest);
    assert_eq!((read.ok(), rest.as_str()), (Some(19), "{\"status\":\"EMPTY\"}\n"));
}

#[test]
pub(crate) fn a_line_may_end_as_windows_and_telnet_end_theirs() {
    let server = quick();
    let mut peer = server.peer();
    peer.send("{\"cmd\":\"MKDIR\",\"path\":\"d\"}\r\n");
    assert_ok(&peer.line());
    assert_eq!(names(&mut peer, ""), ["d"]);
}

#[test]
pub(crate) fn requests_sent_ahead_are_answered_in_their_order() {
    let server = quick();
    let mut peer = server.peer();
    let (a, b) = (bytes(1, 9000), bytes(2, 40_000));
    let mut wire = eager_put("a", &a);
    wire.extend(eager_put("b", &b));
    wire.extend(b"{\"cmd\":\"LIST\"}\n{\"cmd\":\"GET\",\"path\":\"b\"}\n");
    wire.extend(eager_put("a", b"again"));
    wire.extend(b"{\"cmd\":\"STAT\",\"path\":\"c\"}\n");
    wire.extend(eager_put("c", b"new"));
    wire.extend(b"{\"cmd\":\"GET\",\"path\":\"a\"}\n{\"cmd\":\"STAT\",\"path\":\"c\"}\n");
    peer.send(wire);
    assert_eq!(peer.line(), json!({"status": "OK"}));
    assert_eq!(peer.line(), json!({"status": "OK"}));
    let page = peer.line();
    let sizes: Vec<_> = page["entries"].as_array().unwrap().iter().map(|e| &e["size"]).collect();
    assert_eq!(sizes, [9000, 40_000], "{page}");
    assert_eq!(peer.line()["size"], 40_000);
    assert_eq!(peer.bytes(b.len()), b);
    assert_exists(&peer.line());
    assert_refused(&peer.line(), "not-found");
    assert_eq!(peer.line(), json!({"status": "OK"}));
    assert_eq!(peer.line()["size"], 9000);
    assert_eq!(peer.bytes(a.len()), a);
    assert_eq!(peer.line()["size"], 3);
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn the_same_name_twice_in_one_breath_is_ok_once_and_then_exists() {
    let server = quick();
    let mut peer = server.peer();
    peer.send([eager_put("a", b"first"), eager_put("a", b"second!")].concat());
    assert_ok(&peer.line());
    let second = peer.line();
    assert_exists(&second);
    assert_eq!(second["size"], 5, "{second}");
    assert_eq!(get(&mut peer, "a").1, b"first");
}
