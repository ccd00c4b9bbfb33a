//! Every limit, and what happens one step beyond it.
//!
//! Goal: nothing a peer sends takes the server down, fills it, or is taken for something else.
//! Method: each limit is met exactly, then crossed by one.

use std::net::Shutdown;

use common::limits::{EAGER_BYTES_MAX, LINE_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX};
use harness::content::{bytes, eager_put};
use harness::eventually;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::talk::{
    ask_about, assert_goes_on, assert_ok, assert_refused, begin, get, names, put, quick, quick_with,
};

/// A LIST of exactly `len` bytes, its `\n` included.
fn line_of(len: usize) -> String {
    let (head, tail) = ("{\"cmd\":\"LIST\"", "}\n");
    format!("{head}{}{tail}", " ".repeat(len - head.len() - tail.len()))
}

#[test]
pub(crate) fn the_longest_line_is_answered() {
    let server = quick();
    let mut peer = server.peer();
    for _ in 0..3 {
        peer.send(line_of(LINE_BYTES_MAX));
        assert_eq!(peer.line(), json!({"status": "EMPTY"}));
    }
}

#[test]
pub(crate) fn a_line_of_one_byte_more_ends_the_session() {
    let server = quick();
    let mut peer = server.peer();
    peer.send(line_of(LINE_BYTES_MAX + 1));
    assert_refused(&peer.line(), "bad-request");
    assert!(peer.is_closed());
}

#[test]
pub(crate) fn a_line_without_an_end_is_not_read_to_its_end() {
    let server = quick();
    let mut peer = server.peer();
    let piece = vec![b'x'; 64 * 1024];
    // The server stops taking bytes long before; then sending fails.
    let sent = (0..160).take_while(|_| peer.try_send(&piece)).count();
    assert!(sent < 160, "all 10 MiB were taken");
    assert_goes_on(&mut server.peer());
}

#[test]
pub(crate) fn a_line_that_is_begun_must_be_ended_soon() {
    let server = quick();
    let mut peer = server.peer();
    peer.send("{\"cmd\":");
    assert_refused(&peer.line(), "timeout");
    assert!(peer.is_closed());
}

#[test]
pub(crate) fn the_longest_name_is_kept_and_one_byte_more_is_a_bad_name() {
    let server = quick();
    let mut peer = server.peer();
    let longest = ["n".repeat(NAME_BYTES_MAX), format!("{}n", "é".repeat(127))];
    for name in &longest {
        assert_eq!(name.len(), NAME_BYTES_MAX);
        assert_ok(&put(&mut peer, name, b"kept"));
        assert_eq!(get(&mut peer, name).1, b"kept");
        let longer = format!("{name}n");
        for cmd in ["GET", "LIST", "STAT", "SUM", "MKDIR"] {
            assert_refused(&ask_about(&mut peer, cmd, &longer), "bad-name");
        }
        assert_refused(&begin(&mut peer, &longer, 3), "bad-name");
    }
    assert_eq!(names(&mut peer, ""), longest);
}

/// A path of `len` bytes, of many names.
fn path_of(len: usize) -> String {
    let mut path = format!("/library/{}", "nnnnnnnnn/".repeat(len / 10));
    path.truncate(len);
    path.replace_range(len - 1.., "n");
    path
}

#[test]
pub(crate) fn the_longest_path_is_looked_for_and_one_byte_more_is_a_bad_name() {
    let server = quick();
    let mut peer = server.peer();
    for cmd in ["GET", "LIST", "STAT", "SUM", "MKDIR"] {
        assert_refused(&ask_about(&mut peer, cmd, &path_of(PATH_BYTES_MAX)), "not-found");
        assert_refused(&ask_about(&mut peer, cmd, &path_of(PATH_BYTES_MAX + 1)), "bad-name");
    }
    assert_refused(&begin(&mut peer, &path_of(PATH_BYTES_MAX), 3), "not-found");
    assert_refused(&begin(&mut peer, &path_of(PATH_BYTES_MAX + 1), 3), "bad-name");
    // Short as written, too long where it leads.
    let relative = path_of(PATH_BYTES_MAX).replacen('/', "l", 1);
    assert_refused(&ask_about(&mut peer, "STAT", &relative), "bad-name");
}

#[test]
pub(crate) fn folders_can_be_nested_as_deep_as_a_path_can_say() {
    let server = quick();
    let mut peer = server.peer();
    let mut path = String::from("/library");
    while path.len() + 2 <= PATH_BYTES_MAX - 2 {
        path.push_str("/d");
        assert_ok(&ask_about(&mut peer, "MKDIR", &path));
    }
    path.push_str("/f");
    assert_ok(&put(&mut peer, &path, b"deep"));
    assert_eq!(get(&mut peer, &path).1, b"deep");
}

#[test]
pub(crate) fn the_largest_eager_body_is_taken_and_one_byte_more_ends_the_session() {
    let server = quick();
    let mut peer = server.peer();
    let mut content = bytes(1, usize::try_from(EAGER_BYTES_MAX).unwrap());
    peer.send(eager_put("f", &content));
    assert_ok(&peer.line());
    content.push(0);
    peer.try_send(eager_put("g", &content));
    assert_refused(&peer.line(), "too-large");
    assert!(peer.is_closed());
    assert_eq!(names(&mut server.peer(), ""), ["f"]);
}

#[test]
pub(crate) fn the_connections_of_the_patient_are_not_the_limit_of_the_honest() {
    let server = quick_with(&["--max-clients", "200"]);
    let patient: Vec<_> = (0..150).map(|_| server.peer()).collect();
    assert_ok(&put(&mut server.peer(), "f", b"served"));
    drop(patient);
}

/// Bytes as a fuzzer would send them, pieces of requests among them.
fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[{}\\[\\]\":,a-zA-Z0-9 \n]{0,80}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "{\"cmd\":\"LIST\"}\n",
            "{\"cmd\":\"PUT\",\"path\":\"p\",\"size\":",
            "9}\n",
            "0}\n",
            "{\"cmd\":\"MKDIR\",\"path\":\"",
            "\"}\n",
            "{\"crc32\":\"00000000\"}\n",
            "\n",
            "\\u0000",
            "9,\"eager\":true}\n",
            "{\"cmd\":\"GET\",\"path\":\"p\",\"offset\":",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

#[test]
pub(crate) fn whatever_is_sent_the_server_answers_in_lines_and_serves_the_next() {
    let server = quick();
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&nonsense(), |bytes| {
        let mut peer = server.peer();
        if peer.try_send(&bytes) {
            let _ = peer.stream().shutdown(Shutdown::Write);
        }
        // Every line that comes is JSON, or reading it fails the test.
        while !peer.line().is_null() {}
        assert_goes_on(&mut server.peer());
        Ok(())
    });
    outcome.unwrap();
    eventually("no part is left", || server.parts() == 0);
}
