//! Every reason a FAIL can have.
//!
//! Goal: a program can branch on each. Method: one test for each reason that can be brought about
//! from outside. `internal` needs a server or disk that is at fault, and `quota` needs users with
//! a space of their own; neither can be brought about by a guest.

use harness::content::{bytes, eager_put};
use harness::{Peer, eventually};
use serde_json::json;

use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, begin, hold, name_of, names, put,
    quick, quick_with, say, send_body,
};

#[test]
pub(crate) fn not_found_is_what_is_not_there() {
    let server = quick();
    let mut peer = server.peer();
    for cmd in ["LIST", "GET", "STAT", "SUM"] {
        for path in ["nothing", "/library/nothing/below", "/nothing", "/Library"] {
            assert_refused(&ask_about(&mut peer, cmd, path), "not-found");
        }
    }
}

#[test]
pub(crate) fn login_required_is_a_home_without_a_user() {
    let server = quick();
    let mut peer = server.peer();
    for path in ["/home", "/home/", "/home/f", "/home/d/f"] {
        for cmd in ["LIST", "GET", "STAT", "SUM", "MKDIR"] {
            assert_refused(&ask_about(&mut peer, cmd, path), "login-required");
        }
        assert_refused(&begin(&mut peer, path, 3), "login-required");
    }
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn denied_is_what_only_an_administrator_may() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"old"));
    assert_refused(&ask_about(&mut peer, "DELETE", "f"), "denied");
    let rename = json!({"cmd": "RENAME", "from": "f", "to": "g"});
    assert_refused(&ask(&mut peer, &rename), "denied");
    let replace = json!({"cmd": "PUT", "path": "f", "size": 3, "overwrite": true});
    assert_refused(&ask(&mut peer, &replace), "denied");
}

#[test]
pub(crate) fn bad_name_is_a_name_that_some_system_could_not_keep() {
    let server = quick();
    let mut peer = server.peer();
    for name in ["a:b", "a\\b", "what?", "CON", "nul.txt", "Com1.log", "LPT¹", "end.", "end "] {
        assert_refused(&begin(&mut peer, name, 3), "bad-name");
        assert_refused(&ask_about(&mut peer, "MKDIR", name), "bad-name");
    }
    assert_eq!(names(&mut peer, ""), [""; 0]);
}

#[test]
pub(crate) fn bad_request_is_a_line_that_is_no_request_and_the_session_goes_on() {
    let server = quick();
    let mut peer = server.peer();
    for line in ["", "hello", "{}", "[]", "{\"cmd\":\"list\"}", "{\"cmd\":\"STAT\"}"] {
        assert_refused(&peer.ask(line), "bad-request");
    }
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn busy_names_who_holds_the_name_and_how_far_they_are() {
    let server = quick();
    let (mut holder, mut other) = (server.peer(), server.peer());
    hold(&mut holder, "f");
    eventually("the refusal tells the progress", || {
        let request = json!({"cmd": "PUT", "path": "f", "size": 3, "wait": 0});
        let busy = ask(&mut other, &request);
        assert_refused(&busy, "busy");
        let message = busy["message"].as_str().unwrap();
        assert!(message.contains(&name_of(&holder)), "{message}");
        message.contains("10 of 100")
    });
    assert_goes_on(&mut other);
    other.send("{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":3,\"wait\":0,\"eager\":true}\n");
    other.send("new{\"crc32\":\"00000000\"}\n");
    assert_refused(&other.line(), "busy");
    assert_goes_on(&mut other);
}

#[test]
pub(crate) fn busy_comes_when_the_server_s_own_patience_is_over() {
    let server = quick_with(&["--claim-wait", "0"]);
    let (mut holder, mut other) = (server.peer(), server.peer());
    hold(&mut holder, "f");
    // More than the server grants, and nothing said: both are cut to what it grants.
    let request = json!({"cmd": "PUT", "path": "f", "size": 3, "wait": 3600});
    assert_refused(&ask(&mut other, &request), "busy");
    assert_refused(&begin(&mut other, "f", 3), "busy");
}

#[test]
pub(crate) fn too_large_is_over_the_largest_file() {
    let server = quick();
    let mut peer = server.peer();
    for size in [1_u64 << 63, u64::MAX] {
        let request = json!({"cmd": "PUT", "path": "f", "size": size});
        assert_refused(&ask(&mut peer, &request), "too-large");
    }
    assert_goes_on(&mut peer);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn no_space_is_told_before_a_byte_is_sent() {
    let server = quick();
    let mut peer = server.peer();
    for size in [1_u64 << 62, (1 << 63) - 1] {
        let request = json!({"cmd": "PUT", "path": "f", "size": size});
        assert_refused(&ask(&mut peer, &request), "no-space");
    }
    assert_goes_on(&mut peer);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn checksum_mismatch_keeps_nothing_and_the_session_goes_on() {
    let server = quick();
    let mut peer = server.peer();
    for size in [0, 3, 600_000] {
        let content = bytes(9, size);
        assert_ok(&begin(&mut peer, "f", size));
        peer.send(&content);
        peer.send("{\"crc32\":\"deadbeef\"}\n");
        assert_refused(&peer.line(), "checksum-mismatch");
        let mut eager = eager_put("f", &content);
        let end = eager.len();
        eager[end - 11..end - 3].copy_from_slice(b"deadbeef");
        peer.send(eager);
        assert_refused(&peer.line(), "checksum-mismatch");
        assert_refused(&ask_about(&mut peer, "STAT", "f"), "not-found");
        eventually("the part is gone", || server.parts() == 0);
    }
    assert_ok(&put(&mut peer, "f", b"right"));
}

#[test]
pub(crate) fn timeout_is_told_to_a_silent_client_before_it_is_closed() {
    let server = quick_with(&["--idle-timeout", "1"]);
    let mut silent = server.peer();
    assert_refused(&silent.line(), "timeout");
    assert!(silent.is_closed());
}

#[test]
pub(crate) fn the_silence_that_counts_is_between_requests_only() {
    let server = quick_with(&["--idle-timeout", "1"]);
    let (mut holder, mut waiter) = (server.peer(), server.peer());
    hold(&mut holder, "f");
    say(&mut waiter, &json!({"cmd": "PUT", "path": "f", "size": 3}));
    // One at once and one a second: the last comes later than a silence may last.
    for _ in 0..3 {
        assert_eq!(waiter.line()["status"], "WAIT");
    }
    drop(holder);
    assert_ok(&crate::talk::decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"abc"));
}

#[test]
pub(crate) fn full_is_told_at_the_door_and_the_next_is_let_in_when_somebody_leaves() {
    let server = quick_with(&["--max-clients", "1"]);
    let mut first = server.peer();
    assert_ok(&first.greeting);
    let mut second = server.peer();
    assert_refused(&second.greeting, "full");
    assert!(second.is_closed());
    assert_goes_on(&mut first);
    drop(first);
    eventually("there is room again", || {
        let mut third = Peer::connect(server.address());
        let let_in = third.greeting["status"] == "OK";
        if let_in {
            assert_goes_on(&mut third);
        }
        let_in
    });
}
