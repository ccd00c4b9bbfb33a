//! A home is its owner's, and nobody else's.
//!
//! Goal: no request, however it spells the way, shows, changes or makes anything in somebody
//! else's home. Method: xiaoyu has a secret; a guest and a user with links into that home try
//! every request on every spelling; no byte of the secret comes back, and the home stays as it is.

use std::os::unix::fs::symlink;

use harness::content::sum_line;
use harness::{Peer, TestServer};
use serde_json::{Value, json};

use crate::people::{administrator, bytes_below, newcomer, rename, snapshot};
use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, get, names, put, quick,
};

const SECRET: &str = "dear diary, the canary sings";

/// Ways that look as if they led into the home of xiaoyu. For mallory, some are plain names in a
/// home of his own; none may be more than that.
const WAYS: &[&str] = &[
    "/homes/xiaoyu",
    "//homes//xiaoyu",
    "/homes/xiaoyu/",
    "/homes/XiaoYu",
    "/homes/./xiaoyu",
    "/homes/mallory/../xiaoyu",
    "/home/../homes/xiaoyu",
    "/home/../xiaoyu",
    "/home/xiaoyu",
    "/home/mallory/../xiaoyu",
    "/home/.",
    "/home/..",
    "/HOMES/xiaoyu",
    "/homes",
    "/homes/",
    "/library/../home/xiaoyu",
    "/library/../homes/xiaoyu",
    "/library/home/xiaoyu",
    "/xiaoyu",
    "/home/link",
    "/home/absolute",
    "/home/up",
    "/home/up/xiaoyu",
    "/home/homes/xiaoyu",
    "../xiaoyu",
    "../../home/xiaoyu",
    "xiaoyu",
    "link",
    "absolute",
    "up/xiaoyu",
    "~xiaoyu",
    "%2e%2e/xiaoyu",
    "..\\xiaoyu",
    "/homes%2fxiaoyu",
    "/home\\..\\homes\\xiaoyu",
    "/homes/xiaoyu\0",
];

/// The ways themselves, to what lies at their end, and a link straight to the secret.
fn ways() -> impl Iterator<Item = String> {
    let below =
        |way: &&str| ["", "/diary", "/notes", "/notes/deep"].map(|end| format!("{way}{end}"));
    WAYS.iter().flat_map(below).chain(["/home/file-link".into(), "file-link".into()])
}

/// A server where xiaoyu has a secret, and the two who want it: a guest and mallory.
fn stage_set() -> (TestServer, Vec<Peer>) {
    let server = quick();
    let mut xiaoyu = newcomer(&server, "xiaoyu");
    assert_ok(&put(&mut xiaoyu, "diary", SECRET.as_bytes()));
    assert_ok(&ask_about(&mut xiaoyu, "MKDIR", "notes"));
    assert_ok(&put(&mut xiaoyu, "notes/deep", SECRET.as_bytes()));
    let thieves = vec![server.peer(), newcomer(&server, "mallory")];
    let own = server.home("mallory");
    symlink("../xiaoyu", own.join("link")).unwrap();
    symlink(server.home("xiaoyu"), own.join("absolute")).unwrap();
    symlink("..", own.join("up")).unwrap();
    symlink("../xiaoyu/diary", own.join("file-link")).unwrap();
    (server, thieves)
}

#[track_caller]
fn assert_silent(answer: &Value, what: &str) {
    let said = answer.to_string();
    assert!(!said.contains("canary") && !said.contains("\"entries\""), "{what}: {said}");
}

#[test]
pub(crate) fn no_way_shows_anything_in_somebody_else_s_home() {
    let (server, thieves) = stage_set();
    for mut peer in thieves {
        for way in ways() {
            for cmd in ["GET", "LIST", "STAT", "SUM"] {
                let answer = ask_about(&mut peer, cmd, &way);
                let what = format!("{cmd} {way:?}");
                assert_silent(&answer, &what);
                let reason = answer["reason"].as_str().unwrap_or_else(|| panic!("{what} {answer}"));
                let known = ["bad-name", "not-found", "denied", "login-required"];
                assert!(known.contains(&reason), "{what}: {answer}");
            }
        }
        assert_goes_on(&mut peer);
        assert!(!names(&mut peer, "/").iter().any(|name| name == "homes"));
    }
    // The same requests do find it for its owner: the test would see it.
    let mut xiaoyu = crate::people::known(server.address(), "xiaoyu");
    assert_eq!(get(&mut xiaoyu, "diary").1, SECRET.as_bytes());
}

#[test]
pub(crate) fn no_way_changes_or_makes_anything_in_somebody_else_s_home() {
    let (server, thieves) = stage_set();
    let before = snapshot(&server.home("xiaoyu"));
    for (n, mut peer) in thieves.into_iter().enumerate() {
        // What can be taken away or moved is tried first, while nothing of mallory's own is there.
        for way in ways() {
            for answer in [
                ask_about(&mut peer, "DELETE", &way),
                rename(&mut peer, &way, "/home/loot"),
                rename(&mut peer, &way, "/library/loot"),
            ] {
                assert_eq!(answer["status"], "FAIL", "{way:?}: {answer}");
                assert_silent(&answer, &way);
            }
        }
        for way in ways() {
            for flag in [false, true] {
                let request = json!({
                    "cmd": "PUT", "path": way, "size": 4, "overwrite": flag, "eager": true
                });
                peer.send(format!("{request}\nevil{}", sum_line(b"evil")));
                assert_silent(&peer.line(), &way);
            }
            assert_silent(&ask_about(&mut peer, "MKDIR", &way), &way);
            let mine = format!("mine-{n}");
            put(&mut peer, &mine, b"evil");
            assert_silent(&rename(&mut peer, &mine, &format!("{way}/planted")), &way);
            assert_silent(&ask(&mut peer, &json!({"cmd": "SUM", "path": way})), &way);
        }
        assert_goes_on(&mut peer);
        assert_eq!(snapshot(&server.home("xiaoyu")), before, "thief {n}");
    }
    // Nothing was made beside the two homes either.
    let mut homes: Vec<_> = std::fs::read_dir(server.data().join("home"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    homes.sort();
    assert_eq!(homes, [".ferry", "mallory", "xiaoyu"]);
    assert_eq!(bytes_below(&server.data().join("home/.ferry")), 0);
}

#[test]
pub(crate) fn an_administrator_sees_all_homes_and_may_do_everything_there() {
    let (server, _) = stage_set();
    let mut boss = administrator(&server, "boss");
    assert_eq!(names(&mut boss, "/"), ["library", "home", "homes"]);
    assert_eq!(names(&mut boss, "/homes"), ["boss", "mallory", "xiaoyu"]);
    assert_eq!(names(&mut boss, "/homes/xiaoyu"), ["diary", "notes"]);
    assert_eq!(get(&mut boss, "/homes/xiaoyu/diary").1, SECRET.as_bytes());
    assert_ok(&put(&mut boss, "/homes/xiaoyu/marks", b"one"));
    assert_ok(&rename(&mut boss, "/homes/xiaoyu/marks", "/homes/xiaoyu/notes/marks"));
    assert_ok(&ask_about(&mut boss, "DELETE", "/homes/xiaoyu/diary"));
    let mut xiaoyu = crate::people::known(server.address(), "xiaoyu");
    assert_eq!(names(&mut xiaoyu, ""), ["notes"]);
    assert_eq!(get(&mut xiaoyu, "notes/marks").1, b"one");
    // Links are not followed for anybody.
    assert_refused(&ask_about(&mut boss, "GET", "/homes/mallory/link/notes/deep"), "not-found");
    // A home comes with its account and stays as long.
    assert_refused(&ask_about(&mut boss, "DELETE", "/homes/xiaoyu"), "denied");
    assert_refused(&rename(&mut boss, "/homes/xiaoyu", "/homes/other"), "denied");
    assert_refused(&ask_about(&mut boss, "MKDIR", "/homes/nobody"), "denied");
    assert_refused(&put(&mut boss, "/homes/nobody", b"x"), "denied");
    assert_refused(&put(&mut boss, "/homes/nobody/x", b"x"), "not-found");
    assert_refused(&ask_about(&mut boss, "DELETE", "/homes"), "denied");
}
