//! A body is never taken for a request.
//!
//! Goal: whatever a file holds, sending it can do nothing but send it. Method: the file's bytes
//! are themselves a request to make a folder; wherever the body is refused, the folder must not
//! appear.

use harness::content::{eager_put, sum_line};
use harness::{Peer, TestServer};

use crate::talk::{
    assert_exists, assert_goes_on, assert_ok, assert_refused, begin, get, hold, names, put, quick,
    quick_with,
};

/// A file that would be a request, if it were read as one.
const TRAP: &str = "{\"cmd\":\"MKDIR\",\"path\":\"trap\"}\n";

/// A request for it, with more fields.
fn put_trap(more: &str) -> String {
    format!("{{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":{}{more}}}\n", TRAP.len())
}

/// The end of the connection has been seen; nothing was made of the body.
#[track_caller]
fn assert_untouched(server: &TestServer) {
    assert!(!server.library().join("trap").exists(), "a body was taken for a request");
    assert_eq!(server.parts(), 0);
}

/// Hears the refusal and the end, and that between them nothing was done.
#[track_caller]
fn assert_sent_away(server: &TestServer, mut peer: Peer, reason: &str) {
    assert_refused(&peer.line(), reason);
    assert!(peer.is_closed());
    assert_untouched(server);
}

#[test]
pub(crate) fn a_file_that_is_a_request_is_kept_as_a_file() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "asked", TRAP.as_bytes()));
    peer.send(eager_put("eager", TRAP.as_bytes()));
    assert_ok(&peer.line());
    assert_eq!(get(&mut peer, "eager").1, TRAP.as_bytes());
    assert_eq!(names(&mut peer, ""), ["asked", "eager"]);
}

#[test]
pub(crate) fn the_eager_body_of_a_taken_name_is_thrown_away() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"first"));
    peer.send(eager_put("f", TRAP.as_bytes()));
    assert_exists(&peer.line());
    assert_goes_on(&mut peer);
    assert_untouched(&server);
}

#[test]
pub(crate) fn the_eager_body_of_every_refusal_is_thrown_away() {
    let server = quick_with(&["--claim-wait", "0"]);
    let mut holder = server.peer();
    hold(&mut holder, "held");
    let mut peer = server.peer();
    for (path, reason) in [
        ("no/such", "not-found"),
        ("/home/f", "login-required"),
        ("../f", "bad-name"),
        ("held", "busy"),
    ] {
        peer.send(eager_put(path, TRAP.as_bytes()));
        assert_refused(&peer.line(), reason);
        assert_goes_on(&mut peer);
    }
    assert_eq!(names(&mut peer, ""), [""; 0]);
}

#[test]
pub(crate) fn an_eager_body_that_is_thrown_away_may_come_later() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"first"));
    peer.send(put_trap(",\"eager\":true"));
    // The answer does not wait for the body.
    assert_exists(&peer.line());
    peer.send(TRAP);
    peer.send(sum_line(TRAP.as_bytes()));
    assert_goes_on(&mut peer);
    assert_untouched(&server);
}

#[test]
pub(crate) fn a_body_sent_without_waiting_for_a_refusal_ends_the_session() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"first"));
    peer.send([put_trap("").as_str(), TRAP, &sum_line(TRAP.as_bytes())].concat());
    assert_exists(&peer.line());
    assert!(peer.is_closed());
    assert_untouched(&server);
}

#[test]
pub(crate) fn a_body_sent_without_waiting_for_a_welcome_is_taken() {
    let server = quick();
    let mut peer = server.peer();
    peer.send([put_trap("").as_str(), TRAP, &sum_line(TRAP.as_bytes())].concat());
    assert_ok(&peer.line());
    assert_ok(&peer.line());
    assert_eq!(get(&mut peer, "f").1, TRAP.as_bytes());
    assert_untouched(&server);
}

#[test]
pub(crate) fn the_body_behind_a_put_that_cannot_be_read_ends_the_session() {
    let server = quick();
    for line in [
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":-1}\n",
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":-1,\"eager\":true}\n",
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":99999999999999999999,\"eager\":true}\n",
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":5,\"unknown\":1,\"eager\":true}\n",
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"eager\":true}\n",
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":5,\"eager\":true\n",
        "{\"cmd\":\"PUT\",\"cmd\":\"PUT\",\"path\":\"f\",\"size\":5,\"eager\":true}\n",
        "{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":5,\"eager\":true}]\n",
    ] {
        let mut peer = server.peer();
        peer.send([line, TRAP, &sum_line(TRAP.as_bytes())].concat());
        assert_sent_away(&server, peer, "bad-request");
    }
}

#[test]
pub(crate) fn a_put_spelled_with_escapes_is_a_put_also_when_it_cannot_be_read() {
    let server = quick();
    let whole = put_trap(",\"eager\":true").replace("PUT", "\\u0050\\u0055\\u0054");
    let mut peer = server.peer();
    peer.send([whole.as_str(), TRAP, &sum_line(TRAP.as_bytes())].concat());
    assert_ok(&peer.line());
    assert_eq!(names(&mut peer, ""), ["f"]);

    let mut peer = server.peer();
    let line = whole.replace("\"eager\"", "\"unknown\":1,\"eager\"");
    peer.send([line.as_str(), TRAP, &sum_line(TRAP.as_bytes())].concat());
    assert_sent_away(&server, peer, "bad-request");
}

#[test]
pub(crate) fn an_eager_body_over_the_limit_ends_the_session() {
    let server = quick();
    let mut peer = server.peer();
    let many = TRAP.repeat(1024 * 1024 / TRAP.len() + 1);
    peer.try_send(eager_put("f", many.as_bytes()));
    assert_sent_away(&server, peer, "too-large");
}

#[test]
pub(crate) fn a_body_longer_than_announced_is_refused_whole() {
    let server = quick();
    for eager in ["", ",\"eager\":true"] {
        let mut peer = server.peer();
        let line = put_trap(eager).replace(&TRAP.len().to_string(), "3");
        peer.send([line.as_str(), "abc", TRAP, &sum_line(TRAP.as_bytes())].concat());
        if eager.is_empty() {
            assert_ok(&peer.line());
        }
        assert_sent_away(&server, peer, "bad-request");
        assert!(!server.library().join("f").exists());
    }
}

#[test]
pub(crate) fn what_stands_behind_a_body_and_is_no_checksum_ends_the_session() {
    let server = quick();
    for line in [
        "\n",
        "{}\n",
        "null\n",
        "[\"352441c2\"]\n",
        "{\"crc32\":352441794}\n",
        "{\"crc32\":\"352441\"}\n",
        "{\"crc32\":\"352441c2 \"}\n",
        "{\"crc32\":\"+52441c2\"}\n",
        "{\"crc32\":\"352441c2\",\"more\":1}\n",
        "{\"crc32\":\"352441c2\",\"crc32\":\"352441c2\"}\n",
        "{\"md5\":\"352441c2\"}\n",
        "352441c2\n",
        "{\"cmd\":\"LIST\"}\n",
    ] {
        for eager in ["", ",\"eager\":true"] {
            let mut peer = server.peer();
            peer.send(format!("{{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":3{eager}}}\nabc{line}"));
            peer.send(TRAP);
            if eager.is_empty() {
                assert_ok(&peer.line());
            }
            assert_sent_away(&server, peer, "bad-request");
            assert!(!server.library().join("f").exists(), "published after {line}");
        }
    }
    let mut peer = server.peer();
    assert_ok(&begin(&mut peer, "f", 3));
    peer.send("abc{\"crc32\":\"352441C2\"}\r\n");
    assert_ok(&peer.line());
}

#[test]
pub(crate) fn a_checksum_line_without_an_end_ends_the_session() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&begin(&mut peer, "f", 3));
    peer.send("abc");
    peer.send(" ".repeat(64 * 1024));
    assert_sent_away(&server, peer, "bad-request");
    assert!(!server.library().join("f").exists());
}
