//! An upload that ends early leaves nothing.
//!
//! Goal: wherever an upload is cut, no file is listed, no part is left, and the name is free.
//! Method: both forms of an upload are cut at every place that matters, by closing and by a
//! reset. The servers have one place only: that the next peer is let in proves that the session
//! that was cut is over, so what is looked at then is what is left for good.

use std::net::Shutdown;
use std::time::Duration;

use harness::content::{bytes, eager_put, sum_line};
use harness::{Peer, TestServer, eventually};
use rustix::net::sockopt::set_socket_linger;
use serde_json::json;

use crate::talk::{
    ask, ask_about, assert_ok, assert_refused, begin, names, quick, quick_with, send_body,
};

/// How a client vanishes.
#[derive(Debug, Clone, Copy)]
enum Vanishing {
    /// Closes its connection.
    Close,
    /// Has it reset, as the system does when a program is killed with unread bytes.
    Reset,
    /// Closes its own side first and hears the server out.
    HalfClose,
}

const WAYS: [Vanishing; 3] = [Vanishing::Close, Vanishing::Reset, Vanishing::HalfClose];

fn vanish(mut peer: Peer, how: Vanishing) {
    match how {
        Vanishing::Close => {}
        Vanishing::Reset => set_socket_linger(peer.stream(), Some(Duration::ZERO)).unwrap(),
        Vanishing::HalfClose => {
            peer.stream().shutdown(Shutdown::Write).unwrap();
            let answer = peer.line();
            assert!(answer.is_null(), "half an upload was answered: {answer}");
        }
    }
}

fn with_one_place() -> TestServer {
    quick_with(&["--max-clients", "1"])
}

/// The next peer, once the one before is gone for good.
fn next(server: &TestServer) -> Peer {
    let mut found = None;
    eventually("the cut session ends", || {
        found = Some(server.peer()).filter(|peer| peer.greeting["status"] == "OK");
        found.is_some()
    });
    found.unwrap()
}

/// Nothing is left of what was cut; gives the peer that looked.
#[track_caller]
fn look_around(server: &TestServer, cut: &str) -> Peer {
    let mut peer = next(server);
    assert_eq!(server.parts(), 0, "a part is left after {cut}");
    let listing = ask(&mut peer, &json!({"cmd": "LIST"}));
    assert_eq!(listing["status"], "EMPTY", "{listing} after {cut}");
    peer
}

/// An upload as it goes over the wire.
struct Wire {
    /// Its first line.
    request: Vec<u8>,
    /// Its body and checksum line.
    rest: Vec<u8>,
    /// Whether the client reads an answer between the two.
    asks: bool,
}

impl Wire {
    fn of(content: &[u8], asks: bool) -> Self {
        let eager = eager_put("f", content);
        let line = eager.iter().position(|&b| b == b'\n').unwrap() + 1;
        let (request, rest) = eager.split_at(line);
        let mut request = String::from_utf8(request.to_vec()).unwrap();
        if asks {
            request = request.replace(",\"eager\":true", "");
        }
        Self { request: request.into(), rest: rest.to_vec(), asks }
    }

    fn len(&self) -> usize {
        self.request.len() + self.rest.len()
    }

    /// Sends the first `len` bytes.
    fn send(&self, peer: &mut Peer, server: &TestServer, len: usize) {
        let Some(of_rest) = len.checked_sub(self.request.len()) else {
            return peer.send(&self.request[..len]);
        };
        peer.send(&self.request);
        if self.asks {
            assert_ok(&peer.line());
        } else {
            // A reset takes back what was not read yet. The part shows that the line was.
            eventually("the upload begins", || server.parts() == 1);
        }
        peer.send(&self.rest[..of_rest]);
    }
}

fn cut_everywhere(content: &[u8], how: Vanishing, step: usize) {
    let server = with_one_place();
    let mut peer = next(&server);
    for asks in [false, true] {
        let wire = Wire::of(content, asks);
        for len in (0..wire.len()).step_by(step) {
            wire.send(&mut peer, &server, len);
            vanish(peer, how);
            peer = look_around(&server, &format!("{len} bytes, asks: {asks}, {how:?}"));
        }
    }
    assert_ok(&begin(&mut peer, "f", content.len()));
    assert_ok(&send_body(&mut peer, content));
}

#[test]
pub(crate) fn a_small_upload_that_is_closed_at_any_byte_leaves_nothing() {
    cut_everywhere(b"abc", Vanishing::Close, 1);
}

#[test]
pub(crate) fn a_small_upload_that_is_reset_at_any_byte_leaves_nothing() {
    cut_everywhere(b"abc", Vanishing::Reset, 1);
}

#[test]
pub(crate) fn a_small_upload_that_is_half_closed_at_any_byte_leaves_nothing() {
    cut_everywhere(b"abc", Vanishing::HalfClose, 1);
}

#[test]
pub(crate) fn an_upload_that_is_cut_anywhere_leaves_nothing() {
    for how in WAYS {
        cut_everywhere(&bytes(1, 100 * 1024), how, 7919);
    }
}

#[test]
pub(crate) fn an_upload_of_several_chunks_that_is_cut_leaves_nothing() {
    for how in WAYS {
        cut_everywhere(&bytes(1, 1024 * 1024), how, 262_144);
    }
}

#[test]
pub(crate) fn what_was_whole_before_the_cut_is_kept() {
    let server = with_one_place();
    for how in WAYS {
        let names_now = ["a", "b", "c"].map(|name| format!("{name}-{how:?}"));
        let mut peer = next(&server);
        peer.send(eager_put(&names_now[0], b"whole"));
        peer.send(eager_put(&names_now[1], b"whole"));
        assert_ok(&peer.line());
        assert_ok(&peer.line());
        let third = eager_put(&names_now[2], b"never whole");
        peer.send(&third[..third.len() - 1]);
        vanish(peer, how);
        let mut peer = next(&server);
        let kept = names(&mut peer, "");
        let present = names_now.each_ref().map(|name| kept.contains(name));
        assert_eq!(present, [true, true, false], "{kept:?} after {how:?}");
        assert_eq!(server.parts(), 0);
    }
}

#[test]
pub(crate) fn an_upload_that_arrived_whole_is_kept_although_nobody_waits_for_the_answer() {
    let server = with_one_place();
    let mut peer = next(&server);
    peer.send(eager_put("f", b"whole"));
    peer.half_close();
    drop(peer);
    assert_eq!(names(&mut next(&server), ""), ["f"]);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn a_name_is_free_again_as_soon_as_its_upload_is_cut() {
    let server = quick();
    for how in WAYS {
        let mut peer = server.peer();
        let path = format!("{how:?}");
        crate::talk::hold(&mut peer, &path);
        vanish(peer, how);
        let mut next = server.peer();
        assert_refused(&ask_about(&mut next, "STAT", &path), "not-found");
        assert_ok(&begin(&mut next, &path, 3));
        assert_ok(&send_body(&mut next, b"abc"));
    }
    eventually("no part is left", || server.parts() == 0);
}

#[test]
pub(crate) fn a_checksum_line_that_is_all_there_but_its_end_publishes_nothing() {
    let server = with_one_place();
    let mut peer = next(&server);
    assert_ok(&begin(&mut peer, "f", 3));
    peer.send("abc");
    peer.send(sum_line(b"abc").trim_end());
    vanish(peer, Vanishing::HalfClose);
    look_around(&server, "a checksum line without its end");
}
