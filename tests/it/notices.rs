//! Notices: who brought what into the library.
//!
//! Goal: whoever asked for them hears of every file, at most once a second from one session, and of
//! nothing that is not for them. Method: one uploads, others listen.

use harness::TestServer;
use harness::content::eager_put;
use serde_json::{Value, json};

use crate::ears::Ears;
use crate::people::newcomer;
use crate::talk::{assert_exists, assert_ok, name_of, put, quick};

fn notice(user: &str, path: &str, size: u64) -> Value {
    json!({"event": "notice", "user": user, "path": path, "size": size})
}

fn listener(server: &TestServer, notices: bool) -> Ears {
    let mut ears = Ears::of(server.peer());
    ears.listen(notices);
    ears
}

#[test]
pub(crate) fn a_file_in_the_library_is_told_to_the_room_and_to_who_asked_and_to_nobody_else() {
    let server = quick();
    let (mut asked, mut did_not) = (listener(&server, true), listener(&server, false));
    let mut member = Ears::guest(&server, "bob");
    let mut uploader = server.peer();
    let user = name_of(&uploader);
    assert_ok(&put(&mut uploader, "notes.pdf", b"twelve bytes"));
    for ears in [&mut asked, &mut member] {
        ears.hears_that(&notice(&user, "/library/notes.pdf", 12));
        ears.hears_nothing();
    }
    did_not.hears_nothing();
    // Asked for again, and no longer.
    asked.listen(false);
    did_not.listen(true);
    assert_exists(&put(&mut uploader, "notes.pdf", b"other"));
    let mut anna = newcomer(&server, "anna");
    assert_ok(&put(&mut anna, "/library/film", b"x"));
    did_not.hears_that(&notice("anna", "/library/film", 1));
    asked.hears_nothing();
}

#[test]
pub(crate) fn what_is_put_into_a_home_is_nobody_else_s_business() {
    let server = quick();
    let mut listener = listener(&server, true);
    let mut anna = newcomer(&server, "anna");
    assert_ok(&put(&mut anna, "/home/secret", b"x"));
    assert_ok(&put(&mut anna, "/library/public", b"x"));
    listener.hears_that(&notice("anna", "/library/public", 1));
}

#[test]
pub(crate) fn of_many_files_the_last_is_told_with_how_many_more_there_were_and_none_is_forgotten() {
    let server = quick();
    let mut listener = listener(&server, true);
    let mut uploader = server.peer();
    uploader.send((0..200).flat_map(|n| eager_put(&format!("f{n}"), b"x")).collect::<Vec<u8>>());
    (0..200).for_each(|_| assert_ok(&uploader.line()));
    // The uploader stays and says nothing more.
    let (mut told, mut notices) = (0, 0);
    while told < 200 {
        let event = listener.hears();
        assert_eq!(event["event"], "notice", "{event}");
        told += 1 + event.get("more").map_or(0, |more| more.as_u64().unwrap());
        notices += 1;
    }
    assert!(told == 200 && notices < 20, "{told} files in {notices} notices");
    // Nor is what was put just before one goes.
    uploader.send([eager_put("g1", b"x"), eager_put("g2", b"x")].concat());
    uploader.send("{\"cmd\":\"QUIT\"}\n");
    let mut last = 0;
    while last < 2 {
        last += 1 + listener.hears().get("more").map_or(0, |more| more.as_u64().unwrap());
    }
}

#[test]
pub(crate) fn one_s_own_files_are_no_news() {
    let server = quick();
    let mut bob = Ears::guest(&server, "bob");
    let mut listener = listener(&server, true);
    assert_ok(&bob.ask(&json!({"cmd": "PUT", "path": "f", "size": 0})));
    bob.peer.send("{\"crc32\":\"00000000\"}\n");
    assert_ok(&bob.answer());
    assert_eq!(listener.hears()["path"], "/library/f");
    bob.hears_nothing();
}
