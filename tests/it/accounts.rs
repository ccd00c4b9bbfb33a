//! REGISTER, LOGIN, PASSWD, WHO.
//!
//! Goal: a name is one person's, and who has its password is that person. Method: peers that
//! register, log in and go on; the files of the accounts are looked at on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Barrier;
use std::thread;

use harness::Peer;
use serde_json::{Value, json};

use crate::people::{PASSWORD, administrator, login, newcomer, register, who};
use crate::talk::{
    ask, assert_exists, assert_goes_on, assert_ok, assert_refused, names, put, quick, quick_with,
};

#[track_caller]
fn passwd(peer: &mut Peer, old: &str, new: &str) -> Value {
    ask(peer, &json!({"cmd": "PASSWD", "old": old, "new": new}))
}

/// The files in `users/`.
fn accounts(data: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(data.join("users")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
pub(crate) fn who_one_is_is_said_by_register_login_and_who_in_the_same_words() {
    let server = quick();
    let mut peer = server.peer();
    assert_eq!(who(&mut peer), json!({"status": "OK", "user": "guest", "role": "guest"}));
    let mine = json!({"status": "OK", "user": "xiaoyu", "role": "user", "used": 0});
    assert_eq!(register(&mut peer, "xiaoyu", PASSWORD), mine);
    assert_eq!(who(&mut peer), mine);
    let mut other = server.peer();
    assert_eq!(login(&mut other, "xiaoyu", PASSWORD), mine);
    assert_eq!(who(&mut other), mine);
    let boss = json!({"status": "OK", "user": "boss", "role": "admin", "used": 0});
    assert_eq!(who(&mut administrator(&server, "boss")), boss);
}

#[test]
pub(crate) fn a_session_goes_on_as_whoever_logged_in_last_and_a_failed_login_changes_nothing() {
    let server = quick();
    let mut peer = newcomer(&server, "yuki");
    assert_ok(&put(&mut peer, "f", b"yuki's"));
    assert_ok(&register(&mut peer, "xiaoyu", PASSWORD));
    assert_eq!(names(&mut peer, ""), [""; 0]);
    assert_ok(&login(&mut peer, "yuki", PASSWORD));
    assert_eq!(names(&mut peer, ""), ["f"]);
    assert_refused(&login(&mut peer, "xiaoyu", "wrong one"), "denied");
    assert_exists(&register(&mut peer, "xiaoyu", PASSWORD));
    assert_eq!(who(&mut peer)["user"], "yuki");
    assert_eq!(names(&mut peer, ""), ["f"]);
}

#[test]
pub(crate) fn capitals_do_not_make_another_user() {
    let server = quick();
    assert_eq!(register(&mut server.peer(), "XiaoYu", PASSWORD)["user"], "xiaoyu");
    assert_eq!(login(&mut server.peer(), "xIAOyU", PASSWORD)["user"], "xiaoyu");
    let taken = register(&mut server.peer(), "XIAOYU", "another");
    assert_exists(&taken);
    assert!(taken["message"].as_str().unwrap().contains("`xiaoyu`"), "{taken}");
    assert_eq!(accounts(server.data()), [".ferry", "xiaoyu.json"]);
    // The role is not in the name.
    assert_eq!(register(&mut server.peer(), "Admin", PASSWORD)["role"], "user");
}

#[test]
pub(crate) fn what_cannot_be_a_name_is_refused_and_makes_nothing() {
    let server = quick();
    let mut peer = server.peer();
    let long = "a".repeat(33);
    for bad in [
        "",
        ".",
        "..",
        ".a",
        "-a",
        "_a",
        "a b",
        "a/b",
        "../a",
        "a\\b",
        "a\0",
        "a\n",
        "张三",
        "ä",
        "a\u{1b}[2J",
        "guest",
        "Guest",
        "a:b",
        "a*",
        &long,
    ] {
        assert_refused(&register(&mut peer, bad, PASSWORD), "bad-name");
        assert_refused(&login(&mut peer, bad, PASSWORD), "bad-name");
    }
    assert_eq!(accounts(server.data()), [".ferry"]);
    assert_goes_on(&mut peer);
    for good in ["0", "a.b_c-9", &"a".repeat(32), "x.json", "con"] {
        assert_eq!(register(&mut peer, good, PASSWORD)["user"], good);
        assert_ok(&put(&mut peer, "f", b"x"));
    }
}

#[test]
pub(crate) fn a_password_has_6_to_1024_bytes_whatever_they_are() {
    let server = quick();
    let mut peer = server.peer();
    for (n, (bytes, fits)) in
        [(0, false), (5, false), (6, true), (1024, true), (1025, false)].into_iter().enumerate()
    {
        let (user, password) = (format!("user{n}"), "p".repeat(bytes));
        let answer = register(&mut peer, &user, &password);
        if fits {
            assert_ok(&answer);
            assert_ok(&login(&mut server.peer(), &user, &password));
        } else {
            assert_refused(&answer, "bad-request");
            assert_refused(&login(&mut server.peer(), &user, &password), "denied");
        }
        // The same rule for a new password, which is not taken unless it fits.
        let mut own = newcomer(&server, &format!("own{n}"));
        let changed = passwd(&mut own, PASSWORD, &password);
        assert_eq!(changed["status"] == "OK", fits, "{changed}");
    }
    // Bytes, not letters; and none of them is trimmed or folded.
    assert_ok(&register(&mut peer, "zhang", "密码"));
    assert_ok(&register(&mut peer, "blank", " Pass word\0\n "));
    assert_ok(&login(&mut peer, "blank", " Pass word\0\n "));
    for near in ["Pass word\0\n", " pass word\0\n ", " Pass word", " Pass word\0\n  "] {
        assert_refused(&login(&mut server.peer(), "blank", near), "denied");
    }
}

#[test]
pub(crate) fn the_shortest_password_is_a_setting() {
    let server = quick_with(&["--password-min", "9"]);
    let mut peer = server.peer();
    assert_refused(&register(&mut peer, "yuki", "12345678"), "bad-request");
    assert_ok(&register(&mut peer, "yuki", "123456789"));
}

#[test]
pub(crate) fn only_who_knows_the_old_password_sets_a_new_one_and_then_only_the_new_one_works() {
    let server = quick();
    let mut peer = newcomer(&server, "xiaoyu");
    assert_refused(&passwd(&mut peer, "wrong one", "new password"), "denied");
    assert_ok(&login(&mut server.peer(), "xiaoyu", PASSWORD));
    assert_eq!(passwd(&mut peer, PASSWORD, "new password"), json!({"status": "OK"}));
    assert_refused(&login(&mut server.peer(), "xiaoyu", PASSWORD), "denied");
    assert_refused(&passwd(&mut peer, PASSWORD, "third password"), "denied");
    assert_ok(&login(&mut server.peer(), "xiaoyu", "new password"));
    assert_refused(&passwd(&mut server.peer(), PASSWORD, "new password"), "login-required");
    assert_eq!(accounts(server.data()), [".ferry", "xiaoyu.json"]);
}

#[test]
pub(crate) fn where_registration_is_closed_only_those_who_have_accounts_come_in() {
    let server = quick_with(&["--registration", "closed"]);
    for user in ["yuki", "Boss", "b a d"] {
        assert_refused(&register(&mut server.peer(), user, PASSWORD), "denied");
    }
    assert_eq!(accounts(server.data()), [".ferry"]);
    administrator(&server, "boss");
}

#[test]
pub(crate) fn an_account_is_one_file_that_only_the_server_s_own_account_can_read() {
    let server = quick();
    let mut peer = newcomer(&server, "xiaoyu");
    let file = server.data().join("users/xiaoyu.json");
    let check = |password: &str| {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        let account: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert!(account["password"].as_str().unwrap().starts_with("$argon2id$"), "{account}");
        assert!(!account.to_string().contains(password), "{account}");
    };
    check(PASSWORD);
    assert_ok(&passwd(&mut peer, PASSWORD, "new password"));
    check("new password");
}

#[test]
pub(crate) fn of_sixty_four_who_register_one_name_at_once_one_is_ok() {
    const PEERS: usize = 64;
    let server = quick();
    let start = Barrier::new(PEERS);
    let answers: Vec<(String, Value)> = thread::scope(|scope| {
        let run = |n: usize| {
            let (server, start) = (&server, &start);
            scope.spawn(move || {
                let (mut peer, password) = (server.peer(), format!("password {n}"));
                start.wait();
                let answer = register(&mut peer, "xiaoyu", &password);
                (password, answer)
            })
        };
        let peers: Vec<_> = (0..PEERS).map(run).collect();
        peers.into_iter().map(|peer| peer.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, a)| a["status"] == "OK");
    for (_, answer) in lost {
        assert_exists(answer);
    }
    let [(password, _)] = won[..] else { panic!("not one winner: {won:?}") };
    assert_ok(&login(&mut server.peer(), "xiaoyu", password));
    assert_eq!(accounts(server.data()), [".ferry", "xiaoyu.json"]);
    assert_eq!(fs::read_dir(server.data().join("users/.ferry")).unwrap().count(), 0);
}
