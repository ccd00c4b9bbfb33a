//! GET and PUT.
//!
//! Goal: what was sent is what is served, with its size, time and checksum. Method: upload and
//! download on one connection, and changes by hand on the server's disk in between.

use std::fs;
use std::io::Read as _;
use std::net::Shutdown;

use harness::content::{bytes, crc, eager_put, sum_line};
use harness::eventually;
use serde_json::{Value, json};

use crate::people::newcomer;
use crate::talk::{
    ask, ask_about, assert_exists, assert_goes_on, assert_ok, assert_refused, begin, get, names,
    put, quick, send_body,
};

/// An eager upload in the place of whatever file is there.
fn eager_over(path: &str, bytes: &[u8]) -> Vec<u8> {
    let upload = String::from_utf8(eager_put(path, bytes)).unwrap();
    upload.replace("\"eager\"", "\"overwrite\":true,\"eager\"").into_bytes()
}

fn get_from(offset: u64) -> Value {
    json!({"cmd": "GET", "path": "f", "offset": offset})
}

#[test]
pub(crate) fn what_was_put_is_what_is_got() {
    let server = quick();
    let mut peer = server.peer();
    // Around every size at which the server does something else: nothing, a small answer, a
    // chunk, several chunks.
    for size in [0, 1, 32_768, 32_769, 524_287, 524_288, 524_289, 1_572_865] {
        let (name, content) = (format!("f{size}"), bytes(size as u64, size));
        let begun = begin(&mut peer, &name, size);
        assert_eq!(begun, json!({"status": "OK", "offset": 0}));
        assert_eq!(send_body(&mut peer, &content), json!({"status": "OK"}));
        let (line, got) = get(&mut peer, &name);
        assert!(got == content, "{size} bytes came back different");
        assert_eq!(line["size"], size);
        assert_eq!(line["crc32"], crc(&content), "the checksum should have been recorded: {line}");
        assert!(fs::read(server.library().join(&name)).unwrap() == content);
    }
}

#[test]
pub(crate) fn what_was_put_without_waiting_is_what_is_got() {
    let server = quick();
    let mut peer = server.peer();
    for size in [0, 1, 70_000, 1024 * 1024] {
        let (name, content) = (format!("f{size}"), bytes(size as u64, size));
        peer.send(eager_put(&name, &content));
        assert_eq!(peer.line(), json!({"status": "OK"}));
        assert!(get(&mut peer, &name).1 == content, "{size} bytes came back different");
    }
}

#[test]
pub(crate) fn a_file_keeps_the_time_it_was_sent_with() {
    let server = quick();
    let mut peer = server.peer();
    // From before 1970 to after 2038: what every file system in use can keep.
    for mtime in [-1_i64, 0, 1, 1_700_000_000, 4_000_000_000] {
        let path = format!("t{mtime}");
        let request = json!({"cmd": "PUT", "path": &path, "size": 1, "mtime": mtime});
        assert_ok(&ask(&mut peer, &request));
        assert_ok(&send_body(&mut peer, b"x"));
        assert_eq!(ask_about(&mut peer, "STAT", &path)["mtime"], mtime);
        assert_eq!(get(&mut peer, &path).0["mtime"], mtime);
    }
    let beyond = json!({"cmd": "PUT", "path": "t", "size": 1, "mtime": 253_402_300_800_i64});
    assert_refused(&ask(&mut peer, &beyond), "bad-request");
    let never = json!({"cmd": "PUT", "path": "t", "size": 1, "mtime": i64::MIN});
    assert_refused(&ask(&mut peer, &never), "bad-request");
    assert_refused(&ask_about(&mut peer, "STAT", "t"), "not-found");
}

#[test]
pub(crate) fn a_download_begins_where_it_was_asked_to() {
    let server = quick();
    let mut peer = server.peer();
    // The one is answered from memory, the other from file to socket.
    for (seed, size) in [(1, 1000_u64), (2, 300_000)] {
        let content = bytes(seed, usize::try_from(size).unwrap());
        let _ = fs::remove_file(server.library().join("f"));
        assert_ok(&put(&mut peer, "f", &content));
        for offset in [0, 1, size / 2, size - 1, size] {
            let line = ask(&mut peer, &get_from(offset));
            assert_eq!((&line["size"], &line["crc32"]), (&json!(size), &json!(crc(&content))));
            let rest = &content[usize::try_from(offset).unwrap()..];
            assert!(peer.bytes(rest.len()) == rest, "offset {offset} of {size}");
        }
        for offset in [size + 1, u64::MAX] {
            assert_refused(&ask(&mut peer, &get_from(offset)), "bad-request");
        }
        assert_goes_on(&mut peer);
    }
}

#[test]
pub(crate) fn a_file_placed_by_hand_is_served_without_a_recorded_checksum() {
    let server = quick();
    let content = bytes(5, 3_000_000);
    fs::write(server.library().join("f"), &content).unwrap();
    let mut peer = server.peer();
    let (line, got) = get(&mut peer, "f");
    assert_eq!(line["size"], 3_000_000);
    assert_eq!(line.get("crc32"), None, "{line}");
    assert!(got == content);
    assert_eq!(ask_about(&mut peer, "SUM", "f")["crc32"], crc(&content));
    // A small one is in memory when it is sent, so its checksum costs nothing.
    fs::write(server.library().join("small"), "by hand").unwrap();
    assert_eq!(get(&mut peer, "small").0["crc32"], crc(b"by hand"));
}

#[test]
pub(crate) fn a_file_placed_by_hand_carries_its_checksum_once_somebody_asked_for_it() {
    let server = quick();
    let content = bytes(5, 100_000);
    let path = server.library().join("f");
    fs::write(&path, &content).unwrap();
    let mut peer = server.peer();
    // Not before it has lain still for as long as the coarsest clock takes to tick.
    eventually("the checksum is recorded", || {
        assert_eq!(ask_about(&mut peer, "SUM", "f")["crc32"], crc(&content));
        get(&mut peer, "f").0.get("crc32") == Some(&json!(crc(&content)))
    });
    let other = bytes(6, 100_000);
    fs::write(&path, &other).unwrap();
    let (line, got) = get(&mut peer, "f");
    assert_eq!(line.get("crc32"), None, "{line}");
    assert!(got == other);
}

#[test]
pub(crate) fn a_file_changed_by_hand_does_not_carry_its_old_checksum() {
    let server = quick();
    let mut peer = server.peer();
    // The same length, so only the time tells: an old one, for the clock of a file ticks slowly.
    let request = json!({"cmd": "PUT", "path": "f", "size": 6, "mtime": 1_000_000_000});
    assert_ok(&ask(&mut peer, &request));
    assert_ok(&send_body(&mut peer, b"before"));
    assert_eq!(get(&mut peer, "f").0["crc32"], crc(b"before"));
    fs::write(server.library().join("f"), "after!").unwrap();
    let (line, got) = get(&mut peer, "f");
    assert_eq!((&line["crc32"], got.as_slice()), (&json!(crc(b"after!")), b"after!".as_slice()));
}

#[test]
pub(crate) fn only_a_file_can_be_got() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    for path in ["d", "nothing", "/", "/library", "", "d/nothing", "/elsewhere/f"] {
        assert_refused(&ask_about(&mut peer, "GET", path), "not-found");
    }
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn put_needs_a_name_in_a_folder_that_is_there() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"a file"));
    for path in ["no/such", "f/below", "/elsewhere/f"] {
        assert_refused(&begin(&mut peer, path, 3), "not-found");
    }
    for path in ["/", "/library", "", "//"] {
        assert_exists(&begin(&mut peer, path, 3));
    }
    assert_eq!(names(&mut peer, ""), ["f"]);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn a_taken_name_is_exists_with_what_is_there_and_stays_as_it_was() {
    let server = quick();
    let mut peer = server.peer();
    let first = json!({"cmd": "PUT", "path": "f", "size": 5, "mtime": 77});
    assert_ok(&ask(&mut peer, &first));
    assert_ok(&send_body(&mut peer, b"first"));
    let waiting = begin(&mut peer, "f", 7);
    peer.send(eager_put("f", b"second!"));
    for answer in [waiting, peer.line()] {
        assert_exists(&answer);
        assert_eq!(answer["kind"], "file", "{answer}");
        assert_eq!((&answer["size"], &answer["mtime"]), (&json!(5), &json!(77)), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("/library/f"), "{answer}");
    }
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_eq!(begin(&mut peer, "d", 7)["kind"], "folder");
    assert_eq!(get(&mut peer, "f").1, b"first");
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn a_guest_overwrites_nothing_but_may_say_so_for_a_free_name() {
    let server = quick();
    let mut peer = server.peer();
    let request = json!({"cmd": "PUT", "path": "f", "size": 3, "overwrite": true});
    assert_ok(&ask(&mut peer, &request));
    assert_ok(&send_body(&mut peer, b"old"));
    assert_refused(&ask(&mut peer, &request), "denied");
    assert_eq!(get(&mut peer, "f").1, b"old");
}

/// Sent ahead, the second is not there yet when the third is looked at.
#[test]
pub(crate) fn a_name_is_taken_by_what_was_sent_last_and_not_by_what_that_replaced() {
    let server = quick();
    let mut peer = newcomer(&server, "yuki");
    peer.send([eager_put("f", b"old"), eager_over("f", b"newer"), eager_put("f", b"")].concat());
    assert_ok(&peer.line());
    assert_ok(&peer.line());
    assert_eq!(peer.line()["size"], 5);
}

/// Sent ahead, the first is not there yet when the second is looked at.
#[test]
pub(crate) fn a_guest_overwrites_not_even_what_it_has_just_sent() {
    let server = quick();
    let mut peer = server.peer();
    peer.send([eager_put("f", b"old"), eager_over("f", b"new")].concat());
    assert_ok(&peer.line());
    assert_refused(&peer.line(), "denied");
    assert_eq!(get(&mut peer, "f").1, b"old");
}

#[test]
pub(crate) fn a_client_that_has_closed_its_side_still_gets_its_answer() {
    let server = quick();
    for (name, size) in [("small", 10), ("large", 900_000)] {
        let content = bytes(1, size);
        let mut eager = server.peer();
        eager.send(eager_put(&format!("eager-{name}"), &content));
        eager.half_close();
        assert_ok(&eager.line());
        assert!(eager.is_closed());

        let mut asked = server.peer();
        assert_ok(&begin(&mut asked, name, size));
        asked.send(&content);
        asked.send(sum_line(&content));
        asked.half_close();
        assert_ok(&asked.line());
        assert!(asked.is_closed());

        let mut reader = server.peer();
        reader.send(format!("{{\"cmd\":\"GET\",\"path\":\"{name}\"}}\n"));
        reader.half_close();
        assert_eq!(reader.line()["size"], size);
        assert!(reader.bytes(size) == content);
        assert!(reader.is_closed());
    }
}

#[test]
pub(crate) fn a_reader_that_leaves_in_the_middle_costs_nobody_else_anything() {
    let server = quick();
    fs::write(server.library().join("f"), bytes(1, 8_000_000)).unwrap();
    let mut leaver = server.peer();
    leaver.send("{\"cmd\":\"GET\",\"path\":\"f\"}\n");
    leaver.stream().read_exact(&mut [0; 100]).unwrap();
    leaver.stream().shutdown(Shutdown::Both).unwrap();
    let mut peer = server.peer();
    assert_eq!(get(&mut peer, "f").1.len(), 8_000_000);
}
