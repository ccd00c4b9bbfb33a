//! `ferryd user …`, and accounts when the server is killed.
//!
//! Goal: whoever looks after accounts and the server that uses them never disturb each other, and
//! an account that was promised is there after a crash. Method: real processes on one data folder.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use harness::actor::Ferryd;
use harness::content::eager_put;
use harness::{Peer, TestServer, eventually};
use rustix::process::Signal;
use serde_json::json;

use crate::people::{
    PASSWORD, add_administrator, known, login, newcomer, register, snapshot, stage, user_task, who,
};
use crate::talk::{
    ask_about, assert_exists, assert_ok, assert_refused, get, names, put, quick, say,
};

/// A task that must be done; what it printed.
#[track_caller]
fn done(data: &Path, words: &[&str], password: &str) -> String {
    let (status, printed, said) = user_task(data, words, password);
    assert_eq!((status, said.as_str()), (0, ""), "{words:?}: {printed}");
    printed
}

/// A task that must fail; what it complained of.
#[track_caller]
fn failed(data: &Path, words: &[&str], password: &str) -> String {
    let (status, printed, said) = user_task(data, words, password);
    assert_eq!((status, printed.as_str()), (1, ""), "{words:?}: {said}");
    said
}

#[test]
fn without_a_server_accounts_are_opened_listed_changed_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    // In a folder where nothing is, only opening an account makes sense.
    assert!(failed(data, &["list"], "").contains("--data"));
    assert_eq!(fs::read_dir(data).unwrap().count(), 0);
    done(data, &["add", "Zhang", "--admin"], PASSWORD);
    done(data, &["add", "yuki"], PASSWORD);
    let listed = done(data, &["list"], "");
    let lines: Vec<Vec<_>> = listed.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines, [["user", "yuki"], ["admin", "zhang"]]);
    assert!(failed(data, &["add", "ZHANG"], PASSWORD).contains("zhang"));
    done(data, &["passwd", "yuki"], "new password");
    done(data, &["remove", "zhang"], "");
    assert_eq!(done(data, &["list"], "").split_whitespace().collect::<Vec<_>>(), ["user", "yuki"]);
    assert!(failed(data, &["remove", "zhang"], "").contains("zhang"));
    assert!(failed(data, &["passwd", "zhang"], PASSWORD).contains("zhang"));
    for bad in ["guest", "../x", "a b", ""] {
        failed(data, &["add", bad], PASSWORD);
    }
    assert!(failed(data, &["add", "short"], "12345").contains('5'));
    assert_eq!(fs::read_dir(data.join("users")).unwrap().count(), 2, "yuki.json and .ferry");

    let server = Ferryd::start(stage(), data, &[]).unwrap();
    assert_ok(&login(&mut Peer::connect(server.address), "yuki", "new password"));
    assert_refused(&login(&mut Peer::connect(server.address), "zhang", PASSWORD), "denied");
}

#[test]
fn beside_a_running_server_what_was_done_is_in_force_at_once() {
    let server = quick();
    let data = server.data();
    done(data, &["add", "boss", "--admin"], PASSWORD);
    let mut boss = known(server.address(), "boss");
    assert_eq!(who(&mut boss)["role"], "admin");
    newcomer(&server, "xiaoyu");
    assert!(failed(data, &["add", "xiaoyu"], PASSWORD).contains("xiaoyu"));
    assert_eq!(done(data, &["list"], "").lines().count(), 2);
    done(data, &["passwd", "xiaoyu"], "new password");
    assert_refused(&login(&mut server.peer(), "xiaoyu", PASSWORD), "denied");
    assert_ok(&login(&mut server.peer(), "xiaoyu", "new password"));
    done(data, &["add", "yuki"], PASSWORD);
    assert_exists(&register(&mut server.peer(), "yuki", PASSWORD));
    // An upload that is under way meanwhile does not notice.
    assert_ok(&crate::talk::begin(&mut boss, "f", 3));
    done(data, &["remove", "yuki"], "");
    assert_ok(&crate::talk::send_body(&mut boss, b"abc"));
    assert_refused(&login(&mut server.peer(), "yuki", PASSWORD), "denied");
}

#[test]
fn a_removed_user_s_home_is_kept_and_who_takes_the_name_next_starts_empty() {
    let server = quick();
    let mut peer = newcomer(&server, "xiaoyu");
    assert_ok(&put(&mut peer, "diary", b"first"));
    let printed = done(server.data(), &["remove", "xiaoyu"], "");
    assert!(!server.home("xiaoyu").exists());
    let aside = printed.split_whitespace().last().unwrap();
    assert_eq!(fs::read(server.data().join(aside).join("diary")).unwrap(), b"first", "{printed}");

    let mut next = newcomer(&server, "xiaoyu");
    assert_eq!(names(&mut next, ""), [""; 0]);
    assert_refused(&ask_about(&mut next, "GET", "diary"), "not-found");
    add_administrator(server.data(), "boss");
    let mut boss = known(server.address(), "boss");
    assert_eq!(names(&mut boss, "/homes"), ["boss", "xiaoyu"]);
    assert_refused(&ask_about(&mut boss, "LIST", &format!("/homes/{}", &aside[5..])), "bad-name");
}

#[test]
fn who_takes_a_removed_user_s_name_is_not_charged_for_their_files() {
    let server = quick();
    let mut peer = newcomer(&server, "xiaoyu");
    assert_ok(&put(&mut peer, "diary", b"first"));
    done(server.data(), &["remove", "xiaoyu"], "");
    assert_eq!(who(&mut newcomer(&server, "xiaoyu"))["used"], 0);
}

#[test]
fn a_name_that_is_removed_again_and_again_never_shows_what_its_last_owner_left() {
    let server = quick();
    for owner in 0..4 {
        let mut peer = newcomer(&server, "xiaoyu");
        assert_eq!(names(&mut peer, ""), [""; 0], "owner {owner}");
        assert_ok(&put(&mut peer, "diary", b"mine"));
        done(server.data(), &["remove", "xiaoyu"], "");
    }
    let kept = snapshot(&server.data().join("home"));
    assert_eq!(kept.iter().filter(|(_, content)| content == b"mine").count(), 4, "{kept:?}");
}

#[test]
fn a_session_of_a_removed_user_is_not_let_into_the_home_of_the_next_of_that_name() {
    let server = quick();
    let mut former = newcomer(&server, "xiaoyu");
    done(server.data(), &["remove", "xiaoyu"], "");
    let mut next = newcomer(&server, "xiaoyu");
    assert_ok(&put(&mut next, "diary", b"mine alone"));
    let (line, bytes) = get(&mut former, "/home/diary");
    assert_ne!(bytes, b"mine alone", "{line}");
    ask_about(&mut former, "DELETE", "/home/diary");
    assert_eq!(get(&mut next, "diary").1, b"mine alone");
}

#[test]
fn what_a_removed_user_had_sent_ahead_for_home_is_not_laid_into_the_library() {
    let server = quick();
    let mut former = newcomer(&server, "xiaoyu");
    done(server.data(), &["remove", "xiaoyu"], "");
    former.send(eager_put("diary", b"mine alone"));
    former.send(eager_put("/home/diary", b"mine alone"));
    former.send(eager_put("letter", b"mine alone"));
    for _ in 0..3 {
        assert_refused(&former.line(), "login-required");
    }
    assert_eq!(names(&mut server.peer(), "/library"), [""; 0]);
    // Who was somebody can be somebody again, on the same session.
    assert_ok(&register(&mut former, "xiaoyu", PASSWORD));
    assert_ok(&put(&mut former, "diary", b"new"));
}

#[test]
fn a_password_that_is_changed_while_its_account_is_removed_does_not_bring_the_account_back() {
    let server = quick();
    for n in 0..5 {
        let user = format!("user{n}");
        let mut peer = newcomer(&server, &user);
        say(&mut peer, &json!({"cmd": "PASSWD", "old": PASSWORD, "new": "new password"}));
        done(server.data(), &["remove", &user], "");
        // Which of the two came first is open; what is so afterwards is not.
        let answer = peer.line();
        assert!(["OK", "FAIL"].contains(&answer["status"].as_str().unwrap()), "{answer}");
        let file = server.data().join(format!("users/{user}.json"));
        assert!(!file.exists(), "{user} was removed, and is back; PASSWD said {answer}");
    }
}

/// Twenty threads register ten users each, as long as the server answers; those told OK.
fn register_until_it_dies(server: &Ferryd) -> Vec<String> {
    let told_ok = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..20 {
            let (told_ok, mut peer) = (&told_ok, Peer::connect(server.address));
            scope.spawn(move || {
                for n in 0..10 {
                    let user = format!("user{thread}-{n}");
                    let request = json!({"cmd": "REGISTER", "user": user, "password": PASSWORD});
                    if !peer.try_send(format!("{request}\n")) || peer.line()["status"] != "OK" {
                        return;
                    }
                    told_ok.lock().unwrap().push(user);
                }
            });
        }
        eventually("accounts are being opened", || told_ok.lock().unwrap().len() > 40);
        server.signal(Signal::KILL).unwrap();
    });
    told_ok.into_inner().unwrap()
}

#[test]
fn after_a_crash_everybody_who_was_told_ok_has_an_account_and_nothing_is_half() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Ferryd::start(stage(), data, &[]).unwrap();
    let told_ok = register_until_it_dies(&server);
    assert!(told_ok.len() < 200, "it was killed too late to show anything");
    drop(server);

    let server = Ferryd::start(stage(), data, &[]).unwrap();
    for user in &told_ok {
        let mut peer = known(server.address, user);
        assert_ok(&put(&mut peer, "f", b"x"));
    }
    assert_eq!(fs::read_dir(data.join("users/.ferry")).unwrap().count(), 0);
    for entry in fs::read_dir(data.join("users")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name == ".ferry" {
            continue;
        }
        // Not everybody there was told OK: the answer may have died with the server. But every
        // account there is whole, and its user can come in.
        let user = name.strip_suffix(".json").unwrap_or_else(|| panic!("what is {name}?"));
        if !told_ok.iter().any(|told| told == user) {
            known(server.address, user);
        }
    }
}

#[test]
fn a_task_leaves_nothing_behind_and_takes_no_lock() {
    let server: TestServer = quick();
    let before = snapshot(server.data()).len();
    done(server.data(), &["add", "yuki"], PASSWORD);
    done(server.data(), &["remove", "yuki"], "");
    assert_eq!(snapshot(server.data()).len(), before);
}
