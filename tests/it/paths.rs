//! No spelling, link or special file leads anywhere it should not.
//!
//! Goal: beneath the library and nowhere else, through regular files and folders and nothing
//! else. Method: a canary lies just outside; every request tries every spelling; afterwards
//! nothing outside has been read, changed or made.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use harness::content::eager_put;
use harness::{Peer, TestServer, skipped};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use serde_json::{Value, json};

use crate::talk::{
    ask, ask_about, assert_exists, assert_goes_on, assert_refused, begin, names, quick,
};

/// What lies outside, and must never be seen.
const CANARY: &str = "the canary sings";

const SPELLINGS: &[&str] = &[
    "..",
    "../",
    "../.",
    "../..",
    "../canary",
    "../../canary",
    "/..",
    "/../",
    "/../canary",
    "/library/..",
    "/library/../canary",
    "/library/../../canary",
    "/library/d/../../canary",
    "d/..",
    "d/../",
    "d/../..",
    "d/../../canary",
    "d/./../../canary",
    "./..",
    "./../canary",
    ".",
    "./",
    "./canary",
    "/.",
    "/./library",
    "//../canary",
    "..//canary",
    "/library//..//canary",
    ".../canary",
    "....//canary",
    "..\\canary",
    "\\..\\canary",
    "d\\..\\..\\canary",
    "\\..",
    "C:\\canary",
    "%2e%2e",
    "%2e%2e/canary",
    "%2e%2e%2fcanary",
    "..%2fcanary",
    "..%c0%afcanary",
    "%252e%252e%252fcanary",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    "etc/passwd",
    "~",
    "~/canary",
    "~root",
    "$HOME",
    "file:///etc/passwd",
    ".ferry",
    ".ferry/",
    ".ferry/x",
    "/library/.ferry",
    "/library/.ferry/x",
    "d/.ferry/x",
    "/library/.ferry/../canary",
    "\u{ff0e}\u{ff0e}/canary",
    "\u{2024}\u{2024}/canary",
    "..;/canary",
];

/// Those that cannot be written between quotes as they are.
fn unprintable_spellings() -> Vec<String> {
    let mut spellings: Vec<String> =
        ["\0", "f\0", "f\0/../canary", "..\0", "a\nb", "a\r", "\u{1b}[2J", "a\u{7f}", "a\u{202e}b"]
            .map(str::to_owned)
            .to_vec();
    spellings.push(format!("{}canary", "../".repeat(1000)));
    spellings.push(format!("{}canary", "d/../".repeat(700)));
    spellings
}

fn every_spelling() -> impl Iterator<Item = String> {
    SPELLINGS.iter().map(|&text| text.to_owned()).chain(unprintable_spellings())
}

/// The folder the library lies in, with a canary beside it.
fn outside(server: &TestServer) -> PathBuf {
    let data = server.library().parent().unwrap().to_owned();
    fs::write(data.join("canary"), CANARY).unwrap();
    fs::create_dir(data.join("nest")).unwrap();
    fs::write(data.join("nest/egg"), CANARY).unwrap();
    fs::create_dir(server.library().join("d")).unwrap();
    data
}

/// The folder and everything in it is as [`outside`] made it.
#[track_caller]
fn assert_untouched(server: &TestServer, data: &Path) {
    let entries = |folder: &Path| {
        let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(entries(data), ["canary", "home", "library", "locks", "logs", "nest", "users"]);
    assert_eq!(entries(&data.join("nest")), ["egg"]);
    assert_eq!(fs::read_to_string(data.join("canary")).unwrap(), CANARY);
    assert_eq!(fs::read_to_string(data.join("nest/egg")).unwrap(), CANARY);
    assert_eq!(server.parts(), 0);
}

/// An answer that gives away nothing of what lies outside.
#[track_caller]
fn assert_silent(answer: &Value, spelling: &str) {
    assert!(!answer.to_string().contains(CANARY), "{spelling:?}: {answer}");
}

/// Every request that names something that should be there.
const READING: [&str; 4] = ["GET", "LIST", "STAT", "SUM"];

#[test]
pub(crate) fn no_spelling_reads_anything_outside_the_library() {
    let server = quick();
    let data = outside(&server);
    let mut peer = server.peer();
    for spelling in every_spelling() {
        for cmd in READING {
            let answer = ask_about(&mut peer, cmd, &spelling);
            assert_eq!(answer["status"], "FAIL", "{cmd} {spelling:?}: {answer}");
            let reason = answer["reason"].as_str().unwrap();
            assert!(["bad-name", "not-found"].contains(&reason), "{cmd} {spelling:?}: {answer}");
            assert_refused(&answer, reason);
            assert_silent(&answer, &spelling);
        }
    }
    assert_goes_on(&mut peer);
    assert_untouched(&server, &data);
}

#[test]
pub(crate) fn no_spelling_makes_anything_outside_the_library() {
    let server = quick();
    let data = outside(&server);
    let mut peer = server.peer();
    for spelling in every_spelling() {
        for taken in ["canary", "nest/egg", "new"] {
            let path = spelling.replace("canary", taken);
            assert_silent(&ask_about(&mut peer, "MKDIR", &path), &path);
            let rename = json!({"cmd": "RENAME", "from": "d", "to": &path});
            assert_eq!(ask(&mut peer, &rename)["status"], "FAIL");
            assert_eq!(ask_about(&mut peer, "DELETE", &path)["status"], "FAIL");
            // Eager, so that a refused body leaves the session in step.
            let mut request = json!({"cmd": "PUT", "path": &path, "size": 4, "eager": true});
            for overwrite in [false, true] {
                request["overwrite"] = json!(overwrite);
                let body = String::from_utf8(eager_put("", b"evil")).unwrap();
                let body = body.split_once('\n').unwrap().1;
                peer.send(format!("{request}\n{body}"));
                assert_silent(&peer.line(), &path);
            }
        }
    }
    assert_goes_on(&mut peer);
    assert_untouched(&server, &data);
    // What is a plain name, however it looks, is a plain name in the library.
    assert!(names(&mut peer, "").iter().any(|name| name == "%2e%2e"));
}

/// Each request about a path that must look as if nothing were there.
#[track_caller]
fn assert_reads_as_nothing(peer: &mut Peer, path: &str) {
    for cmd in READING {
        let answer = ask_about(peer, cmd, path);
        assert_eq!(answer["reason"], "not-found", "{cmd} {path}: {answer}");
        assert_silent(&answer, path);
    }
}

#[test]
pub(crate) fn no_link_is_followed_wherever_it_leads() {
    let server = quick();
    let (data, library) = (outside(&server), server.library());
    fs::write(library.join("file"), "inside").unwrap();
    fs::write(library.join("d/file"), "inside").unwrap();
    for (name, target) in [
        ("to-canary", data.join("canary")),
        ("to-canary-by-dots", "../canary".into()),
        ("to-file", "file".into()),
        ("to-nowhere", data.join("new")),
        ("to-itself", "to-itself".into()),
        ("to-nest", data.join("nest")),
        ("to-nest-by-dots", "../nest".into()),
        ("to-d", "d".into()),
        ("to-parts", ".ferry".into()),
        ("to-root", "/".into()),
    ] {
        symlink(target, library.join(name)).unwrap();
    }
    let mut peer = server.peer();
    let links: Vec<_> = fs::read_dir(&library).unwrap().map(|e| e.unwrap().file_name()).collect();
    for link in links.iter().filter_map(|name| name.to_str()).filter(|n| n.starts_with("to-")) {
        assert_reads_as_nothing(&mut peer, link);
        assert_reads_as_nothing(&mut peer, &format!("{link}/"));
        for below in ["egg", "file", "etc/passwd"] {
            assert_reads_as_nothing(&mut peer, &format!("{link}/{below}"));
        }
        assert_exists(&begin(&mut peer, link, 4));
        assert_exists(&ask_about(&mut peer, "MKDIR", link));
        let below = format!("{link}/new");
        assert_refused(&begin(&mut peer, &below, 4), "not-found");
        assert_refused(&ask_about(&mut peer, "MKDIR", &below), "not-found");
    }
    assert_eq!(names(&mut peer, ""), ["d", "file"]);
    assert_eq!(names(&mut peer, "d"), ["file"]);
    assert_untouched(&server, &data);
}

#[test]
pub(crate) fn a_special_file_is_answered_for_at_once_and_never_opened() {
    let server = quick();
    let library = server.library();
    mknodat(CWD, library.join("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _listening = UnixListener::bind(library.join("socket")).unwrap();
    let mut specials = vec!["fifo", "socket"];
    // The number of /dev/zero: to read it would never end.
    let zero = makedev(1, 5);
    match mknodat(CWD, library.join("zero"), FileType::CharacterDevice, Mode::RWXU, zero) {
        Ok(()) => specials.push("zero"),
        Err(_) => skipped("a device in the library", "right to make one"),
    }
    let mut peer = server.peer();
    for special in specials {
        assert_reads_as_nothing(&mut peer, special);
        assert_reads_as_nothing(&mut peer, &format!("{special}/below"));
        assert_exists(&begin(&mut peer, special, 4));
        assert_exists(&ask_about(&mut peer, "MKDIR", special));
    }
    assert_eq!(names(&mut peer, ""), [""; 0]);
}

#[test]
pub(crate) fn a_name_that_a_terminal_would_obey_is_refused_and_not_repeated() {
    let server = quick();
    let mut peer = server.peer();
    for evil in [
        "\u{1b}[2J",
        "a\u{1b}]0;title\u{7}",
        "\u{9b}2J",
        "a\rb",
        "a\u{8}",
        "a\u{7f}",
        "\u{202e}gpj",
        "\u{2066}a",
        "\u{61c}a",
        "\u{200e}a",
        "a\u{2028}b",
        "\u{feff}a",
    ] {
        for cmd in ["GET", "LIST", "STAT", "SUM", "MKDIR", "DELETE"] {
            assert_refused(&ask_about(&mut peer, cmd, evil), "bad-name");
        }
        assert_refused(&begin(&mut peer, evil, 4), "bad-name");
    }
    assert_eq!(names(&mut peer, ""), [""; 0]);
}
