//! The room.
//!
//! Goal: everybody hears everything but what they say themselves, in one order; nobody passes for
//! somebody else; who does not listen costs nobody else anything. Method: raw peers, one for each
//! session, whose events are compared one by one.

use serde_json::json;

use crate::ears::{Ears, enters, guest_enters, guest_leaves, said, said_by_guest};
use crate::people::{administrator, newcomer, register};
use crate::talk::{assert_exists, assert_ok, assert_refused, quick};

#[test]
fn everybody_hears_who_comes_what_is_said_and_who_goes_but_not_themselves() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    let mut bob = Ears::guest(&server, "张三");
    anna.hears_that(&guest_enters("张三"));
    bob.hears_that(&enters("anna"));
    bob.say("hello");
    anna.say("你好");
    bob.hears_that(&said("anna", "你好"));
    anna.hears_that(&said_by_guest("张三", "hello"));
    assert_ok(&bob.ask(&json!({"cmd": "LEAVE"})));
    anna.hears_that(&guest_leaves("张三"));
    anna.say("alone");
    anna.hears_nothing();
    bob.hears_nothing();
}

#[test]
fn joining_tells_ones_name_and_how_many_people_are_there() {
    let server = quick();
    let _first = Ears::newcomer(&server, "anna");
    let _second = Ears::known(&server, "anna");
    let mut guest = Ears::of(server.peer());
    let joined = guest.join("Bob B");
    assert_eq!(joined, json!({"status": "OK", "name": "Bob B", "members": 2}));
}

#[test]
fn a_user_is_called_as_their_account_and_a_guest_by_a_name_nobody_has() {
    let server = quick();
    let mut anna = Ears::of(newcomer(&server, "anna"));
    assert_refused(&anna.join("bob"), "bad-name");
    assert_ok(&anna.join("Anna"));
    let mut guest = Ears::of(server.peer());
    assert_refused(&guest.ask(&json!({"cmd": "JOIN"})), "bad-name");
    for name in ["", " x", "\u{202e}x", "\u{1b}[2J", "Admin", "管理员", "ferryd", &"x".repeat(33)]
    {
        assert_refused(&guest.join(name), "bad-name");
    }
    // Also of somebody who is not there.
    newcomer(&server, "carl");
    for name in ["anna", "ANNA", "carl"] {
        assert_exists(&guest.join(name));
    }
    assert_ok(&guest.join("Bob"));
    assert_exists(&Ears::of(server.peer()).join("bob"));
    assert_refused(&guest.join("Bob"), "bad-request");
    drop(guest);
    // Free as soon as the other is gone.
    anna.hears_that(&guest_enters("Bob"));
    anna.hears_that(&guest_leaves("Bob"));
    assert_ok(&Ears::of(server.peer()).join("bob"));
}

#[test]
fn an_account_that_is_called_like_the_administrator_speaks_only_if_it_is_one() {
    let server = quick();
    let mut student = Ears::of(newcomer(&server, "administrator"));
    assert_refused(&student.ask(&json!({"cmd": "JOIN"})), "bad-name");
    let mut teacher = Ears::of(administrator(&server, "teacher"));
    assert_ok(&teacher.ask(&json!({"cmd": "JOIN"})));
}

#[test]
fn nobody_becomes_somebody_else_in_the_room() {
    let server = quick();
    let mut guest = Ears::guest(&server, "bob");
    assert_refused(&register(&mut guest.peer, "anna", "123456"), "bad-request");
    assert_ok(&guest.ask(&json!({"cmd": "LEAVE"})));
    assert_ok(&register(&mut guest.peer, "anna", "123456"));
}
