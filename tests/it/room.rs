//! The room.
//!
//! Goal: everybody hears everything but what they say themselves, in one order; nobody passes for
//! somebody else; who does not listen costs nobody else anything. Method: raw peers, one for each
//! session, whose events are compared one by one.

use std::fs;
use std::time::{Duration, Instant};

use common::limits::SAY_BYTES_MAX;
use harness::content::bytes;
use serde_json::json;

use crate::console::admin;
use crate::ears::{Ears, enters, guest_enters, guest_leaves, said, said_by_guest};
use crate::people::{administrator, newcomer, register, user_task};
use crate::talk::{assert_exists, assert_ok, assert_refused, quick, quick_with};

#[test]
pub(crate) fn everybody_hears_who_comes_what_is_said_and_who_goes_but_not_themselves() {
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
pub(crate) fn joining_tells_ones_name_and_how_many_people_are_there() {
    let server = quick();
    let _first = Ears::newcomer(&server, "anna");
    let _second = Ears::known(&server, "anna");
    let mut guest = Ears::of(server.peer());
    let joined = guest.join("Bob B");
    assert_eq!(joined, json!({"status": "OK", "name": "Bob B", "members": 2, "past": 1}));
}

#[test]
pub(crate) fn a_user_is_called_as_their_account_and_a_guest_by_a_name_nobody_has() {
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
pub(crate) fn an_account_that_is_called_like_the_administrator_speaks_only_if_it_is_one() {
    let server = quick();
    let mut student = Ears::of(newcomer(&server, "administrator"));
    assert_refused(&student.ask(&json!({"cmd": "JOIN"})), "bad-name");
    let mut teacher = Ears::of(administrator(&server, "teacher"));
    assert_ok(&teacher.ask(&json!({"cmd": "JOIN"})));
}

#[test]
pub(crate) fn nobody_becomes_somebody_else_in_the_room() {
    let server = quick();
    let mut guest = Ears::guest(&server, "bob");
    assert_refused(&register(&mut guest.peer, "anna", "123456"), "bad-request");
    assert_ok(&guest.ask(&json!({"cmd": "LEAVE"})));
    assert_ok(&register(&mut guest.peer, "anna", "123456"));
}

#[test]
pub(crate) fn several_sessions_of_one_account_come_and_go_as_one_person() {
    let server = quick();
    let mut bob = Ears::guest(&server, "bob");
    let mut first = Ears::newcomer(&server, "anna");
    let mut second = Ears::known(&server, "anna");
    bob.hears_that(&enters("anna"));
    assert_ok(&first.ask(&json!({"cmd": "LEAVE"})));
    bob.hears_nothing();
    assert_ok(&second.ask(&json!({"cmd": "LEAVE"})));
    bob.hears_that(&json!({"event": "leave", "name": "anna"}));
}

#[test]
pub(crate) fn a_private_line_reaches_every_session_of_one_person_and_nobody_else() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    let mut also_anna = Ears::known(&server, "anna");
    let mut carl = Ears::guest(&server, "Carl");
    let mut bob = Ears::guest(&server, "bob");
    also_anna.hears_that(&enters("anna"));
    for ears in [&mut anna, &mut also_anna] {
        ears.hears_that(&guest_enters("Carl"));
        ears.hears_that(&guest_enters("bob"));
    }
    carl.hears_that(&enters("anna"));
    carl.hears_that(&guest_enters("bob"));
    bob.hears_that(&enters("anna"));
    bob.hears_that(&guest_enters("Carl"));
    assert_ok(&bob.say_to("Anna", "psst"));
    let private =
        json!({"event": "say", "from": "bob", "guest": true, "text": "psst", "to": "anna"});
    anna.hears_that(&private);
    also_anna.hears_that(&private);
    carl.hears_nothing();
    for nobody in ["dora", "bob", "\u{1b}[2J", ""] {
        assert_refused(&bob.say_to(nobody, "psst"), "not-found");
    }
    // Nor does a newcomer hear it.
    let mut late = Ears::guest(&server, "late");
    late.hears_that(&enters("anna"));
    late.hears_that(&guest_enters("Carl"));
    late.hears_that(&guest_enters("bob"));
    late.hears_nothing();
}

#[test]
pub(crate) fn a_newcomer_hears_the_last_fifty_lines_in_order() {
    let server = quick();
    for speaker in 0..8 {
        let mut guest = Ears::guest(&server, &format!("guest {speaker}"));
        // To come in is one of the ten that may be said at once.
        (0..9).for_each(|n| guest.say(&format!("{speaker} {n}")));
        assert_ok(&guest.ask(&json!({"cmd": "LEAVE"})));
    }
    let mut all = Vec::new();
    for speaker in 0..8 {
        let name = format!("guest {speaker}");
        all.push(guest_enters(&name));
        all.extend((0..9).map(|n| said_by_guest(&name, &format!("{speaker} {n}"))));
        all.push(guest_leaves(&name));
    }
    let mut late = Ears::guest(&server, "late");
    all[all.len() - 50..].iter().for_each(|event| late.hears_that(event));
    late.hears_nothing();
}

#[test]
pub(crate) fn who_is_not_in_the_room_says_nothing_there_and_who_is_need_not_come_twice() {
    let server = quick();
    let mut guest = Ears::of(server.peer());
    assert_refused(&guest.ask(&json!({"cmd": "SAY", "text": "hello"})), "denied");
    assert_refused(&guest.ask(&json!({"cmd": "LEAVE"})), "denied");
    guest.listen(true);
    assert_refused(&guest.ask(&json!({"cmd": "SAY", "text": "hello"})), "denied");
    assert_ok(&guest.join("bob"));
    assert_refused(&guest.join("bob"), "bad-request");
    assert_refused(&guest.ask(&json!({"cmd": "LISTEN"})), "bad-request");
    assert_ok(&guest.ask(&json!({"cmd": "LEAVE"})));
    assert_refused(&guest.ask(&json!({"cmd": "LEAVE"})), "denied");
    assert_refused(&guest.ask(&json!({"cmd": "VOTE"})), "denied");
}

#[test]
pub(crate) fn where_guests_may_not_look_they_may_not_hear() {
    let server = quick_with(&["--guests", "none"]);
    let mut guest = Ears::of(server.peer());
    assert_refused(&guest.join("bob"), "login-required");
    assert_refused(&guest.ask(&json!({"cmd": "LISTEN"})), "login-required");
    let _anna = Ears::newcomer(&server, "anna");
}

#[test]
pub(crate) fn who_speaks_too_fast_is_told_how_long_to_wait_and_the_line_is_not_said() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    let mut bob = Ears::guest(&server, "bob");
    let hello = format!("{}\n", json!({"cmd": "SAY", "text": "hello"}));
    bob.peer.send(hello.repeat(200));
    let answers: Vec<_> = (0..200).map(|_| bob.answer()).collect();
    let said = answers.iter().filter(|answer| answer["status"] == "OK").count();
    assert!((9..150).contains(&said), "{said} of 200 at once");
    let busy = answers.iter().find(|answer| answer["status"] == "FAIL").unwrap();
    assert_refused(busy, "busy");
    assert!(busy["message"].as_str().unwrap().contains("wait 0."), "{busy}");
    anna.hears_that(&guest_enters("bob"));
    (0..said).for_each(|_| anna.hears_that(&said_by_guest("bob", "hello")));
    anna.hears_nothing();
}

#[test]
pub(crate) fn what_acts_on_a_terminal_or_is_too_long_is_not_said_and_nobody_else_notices() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    let mut bob = Ears::guest(&server, "bob");
    anna.hears_that(&guest_enters("bob"));
    bob.hears_that(&enters("anna"));
    for text in ["", "  ", "\u{1b}]0;x\u{7}", "a\nb", "\u{9b}2J", "\u{202e}abc", "a\u{2028}b", "\0"]
    {
        assert_refused(&bob.ask(&json!({"cmd": "SAY", "text": text})), "bad-request");
    }
    for length in [SAY_BYTES_MAX + 1, 60_000] {
        let text = "x".repeat(length);
        assert_refused(&bob.ask(&json!({"cmd": "SAY", "text": text})), "too-large");
    }
    let longest = "\"".repeat(SAY_BYTES_MAX);
    bob.say(&longest);
    anna.hears_that(&said_by_guest("bob", &longest));
    anna.say("still here");
    bob.hears_that(&said("anna", "still here"));
}

#[test]
pub(crate) fn a_line_that_is_none_is_refused_and_one_without_an_end_ends_its_own_session_only() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    let mut guest = Ears::guest(&server, "bob");
    guest.peer.send(b"{\"cmd\":\"SAY\",\"text\":\"\xff\xfe\"}\n");
    assert_refused(&guest.answer(), "bad-request");
    guest.say("sorry");
    guest.peer.try_send(format!("{{\"cmd\":\"SAY\",\"text\":\"{}\"}}\n", "x".repeat(65_536)));
    assert_refused(&guest.answer(), "bad-request");
    anna.hears_that(&guest_enters("bob"));
    anna.hears_that(&said_by_guest("bob", "sorry"));
    anna.hears_that(&guest_leaves("bob"));
    anna.hears_nothing();
}

#[test]
pub(crate) fn whoever_goes_without_a_word_is_no_ghost() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    for end in ["closed", "quit", "half closed", "closed in a line"] {
        let mut guest = Ears::guest(&server, end);
        match end {
            "quit" => guest.peer.send("{\"cmd\":\"QUIT\"}\n"),
            "half closed" => guest.peer.half_close(),
            "closed in a line" => guest.peer.send("{\"cmd\":"),
            _ => {}
        }
        if end.starts_with("closed") {
            drop(guest);
        }
        anna.hears_that(&guest_enters(end));
        anna.hears_that(&guest_leaves(end));
    }
}

#[test]
pub(crate) fn who_listens_may_be_silent_for_as_long_as_they_like_and_is_seen_by_nobody() {
    let server = quick_with(&["--idle-timeout", "1"]);
    let mut listener = Ears::of(server.peer());
    listener.listen(true);
    let mut member = Ears::guest(&server, "bob");
    assert_eq!(member.ask(&json!({"cmd": "WHO"}))["status"], "OK");
    // Both were silent for longer than this one, who came last and is sent away for it.
    let mut silent = server.peer();
    assert_refused(&silent.line(), "timeout");
    assert!(silent.is_closed());
    member.hears_nothing();
    listener.hears_nothing();
    // And who hears no more has no more time than anybody.
    assert_ok(&listener.ask(&json!({"cmd": "LEAVE"})));
    assert_refused(&listener.answer(), "timeout");
}

#[test]
pub(crate) fn a_stop_dismisses_the_room_and_who_listens_at_once() {
    let server = quick_with(&["--grace", "60"]);
    let mut members: Vec<Ears> =
        (0..10).map(|n| Ears::guest(&server, &format!("guest {n}"))).collect();
    let mut listener = Ears::of(server.peer());
    listener.listen(true);
    let begun = Instant::now();
    server.stop();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    for ears in members.iter_mut().chain([&mut listener]) {
        assert!(ears.answer().is_null());
    }
}

#[test]
pub(crate) fn a_file_is_never_cut_by_what_is_said() {
    let server = quick();
    let content = bytes(1, 30_000_000);
    fs::write(server.library().join("film"), &content).unwrap();
    let mut anna = Ears::guest(&server, "anna");
    let mut bob = Ears::guest(&server, "bob");
    anna.hears_that(&guest_enters("bob"));
    bob.hears_that(&guest_enters("anna"));
    anna.peer.send("{\"cmd\":\"GET\",\"path\":\"film\"}\n");
    assert_ok(&anna.answer());
    // It is on its way, and much too long for whatever lies between.
    (0..9).for_each(|n| bob.say(&format!("{n}")));
    assert!(anna.peer.bytes(content.len()) == content);
    (0..9).for_each(|n| anna.hears_that(&said_by_guest("bob", &n.to_string())));
    // Small ones and listings have events between them, and are whole.
    bob.peer.send("{\"cmd\":\"LIST\"}\n".repeat(50));
    anna.say("hello");
    (0..50).for_each(|_| assert_eq!(bob.answer()["entries"][0]["size"], 30_000_000));
    bob.hears_that(&said_by_guest("anna", "hello"));
}

#[test]
pub(crate) fn an_account_that_is_closed_is_out_of_the_room_with_its_next_word() {
    let server = quick();
    let mut anna = Ears::newcomer(&server, "anna");
    let mut bob = Ears::guest(&server, "bob");
    let (status, _, said) = user_task(server.data(), &["remove", "anna"], "");
    assert_eq!(status, 0, "{said}");
    assert_refused(&anna.ask(&json!({"cmd": "SAY", "text": "hello"})), "login-required");
    bob.hears_that(&enters("anna"));
    bob.hears_that(&json!({"event": "leave", "name": "anna"}));
    assert_refused(&anna.ask(&json!({"cmd": "LEAVE"})), "login-required");
}

#[test]
pub(crate) fn a_class_that_votes_at_once_is_told_once_a_second_how_the_vote_stands() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let mut ears = Ears::of(server.peer());
    ears.listen(false);
    assert_ok(&admin(&mut zhang, "ask 'both?' yes no"));
    let (begun, yes) = (Instant::now(), json!({"cmd": "VOTE", "choice": "yes"}));
    for nth in 1..=30 {
        // Each is told at once how it stands, and goes: what others are owed is told without them.
        let stands = Ears::guest(&server, &format!("student {nth}")).ask(&yes);
        assert_eq!(stands["choices"][0], json!({"choice": "yes", "votes": nth}));
    }
    let mut told = Vec::new();
    while told.last() != Some(&30) {
        let event = ears.hears();
        assert_eq!((&event["event"], &event["open"]), (&json!("vote"), &json!(true)));
        told.push(event["choices"][0]["votes"].as_u64().unwrap());
    }
    // When it began, with the first vote, and then once a second.
    assert!(told.len() as u64 <= 2 + begun.elapsed().as_secs(), "{told:?}");
    assert!(told.is_sorted(), "{told:?}");
    // What is untold at the end is told with it.
    for voter in ["anna", "bob"] {
        assert_ok(&Ears::newcomer(&server, voter).ask(&yes));
    }
    assert_ok(&admin(&mut zhang, "ask close"));
    let last = std::iter::repeat_with(|| ears.hears()).find(|event| event["open"] == false);
    assert_eq!(last.unwrap()["choices"][0]["votes"], 32);
}
