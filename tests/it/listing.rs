//! LIST and its pages.
//!
//! Goal: a listing shows all that is served and nothing else. Method: entries are made by hand on
//! the server's disk and by upload, then listed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;

use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, list, names, put, quick,
};

#[test]
pub(crate) fn an_empty_folder_is_empty_and_not_an_empty_page() {
    let server = quick();
    let mut peer = server.peer();
    assert_eq!(ask(&mut peer, &json!({"cmd": "LIST"})), json!({"status": "EMPTY"}));
    assert_ok(&ask_about(&mut peer, "MKDIR", "d"));
    assert_eq!(ask_about(&mut peer, "LIST", "/library/d"), json!({"status": "EMPTY"}));
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn an_entry_has_its_name_kind_size_and_time() {
    let server = quick();
    let library = server.library();
    fs::write(library.join("b"), "seven b").unwrap();
    fs::create_dir(library.join("a")).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    for name in ["a", "b"] {
        File::open(library.join(name)).unwrap().set_modified(time).unwrap();
    }
    let expected = json!({"status": "OK", "more": false, "entries": [
        {"name": "a", "kind": "folder", "size": 0, "mtime": 1_234_567_890},
        {"name": "b", "kind": "file", "size": 7, "mtime": 1_234_567_890},
    ]});
    let mut peer = server.peer();
    for path in ["", "/library", "/library/", "//library//"] {
        assert_eq!(ask_about(&mut peer, "LIST", path), expected, "{path:?}");
    }
}

#[test]
pub(crate) fn the_root_holds_the_library_and_nothing_else() {
    let server = quick();
    let mut peer = server.peer();
    let root = ask_about(&mut peer, "LIST", "/");
    assert_eq!(root["more"], false, "{root}");
    let entries = root["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{root}");
    assert_eq!((&entries[0]["name"], &entries[0]["kind"]), (&json!("library"), &json!("folder")));
}

#[test]
pub(crate) fn two_hundred_and_fifty_entries_are_pages_of_100_100_and_50() {
    let server = quick();
    let expected: BTreeSet<String> = (0..250).map(|n| format!("file {n}")).collect();
    for name in &expected {
        fs::write(server.library().join(name), name).unwrap();
    }
    let mut peer = server.peer();
    let mut listed = BTreeSet::new();
    let mut page = ask(&mut peer, &json!({"cmd": "LIST"}));
    for (count, more) in [(100, true), (100, true), (50, false)] {
        let entries = page["entries"].as_array().unwrap();
        assert_eq!((entries.len(), &page["more"]), (count, &json!(more)));
        let on_page: Vec<&str> = entries.iter().map(|e| e["name"].as_str().unwrap()).collect();
        assert!(on_page.is_sorted(), "{on_page:?}");
        listed.extend(on_page.into_iter().map(str::to_owned));
        if more {
            page = peer.line();
        }
    }
    assert_eq!(listed, expected);
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn exactly_a_hundred_entries_are_one_page() {
    let server = quick();
    for n in 0..100 {
        fs::write(server.library().join(format!("{n}")), "").unwrap();
    }
    let mut peer = server.peer();
    let page = ask(&mut peer, &json!({"cmd": "LIST"}));
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["more"]), (100, &json!(false)));
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn a_page_of_the_longest_and_widest_names_arrives_whole() {
    let server = quick();
    // A quote is the one printable sign that JSON must write as two.
    let expected: Vec<String> = (100..200).map(|n| format!("{n}{}", "\"".repeat(252))).collect();
    for name in &expected {
        fs::write(server.library().join(name), "").unwrap();
    }
    assert_eq!(names(&mut server.peer(), ""), expected);
}

#[test]
pub(crate) fn what_is_hidden_linked_or_special_is_not_listed() {
    let server = quick();
    let library = server.library();
    fs::write(library.join(".hidden"), "").unwrap();
    fs::create_dir(library.join(".folder")).unwrap();
    fs::write(library.join("escape\u{1b}[2J"), "").unwrap();
    symlink("seen", library.join("link")).unwrap();
    symlink("nowhere", library.join("dangling")).unwrap();
    mknodat(CWD, library.join("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let mut peer = server.peer();
    assert_eq!(ask(&mut peer, &json!({"cmd": "LIST"})), json!({"status": "EMPTY"}));
    assert_ok(&put(&mut peer, "seen", b""));
    assert_eq!(names(&mut peer, ""), ["seen"]);
}

#[test]
pub(crate) fn what_other_programs_named_is_listed_and_served() {
    let server = quick();
    let mut expected = ["a:b", "CON", "end.", "back\\slash", "笔记.txt", "%2e%2e"];
    for name in expected {
        fs::write(server.library().join(name), name).unwrap();
    }
    expected.sort_unstable();
    let mut peer = server.peer();
    assert_eq!(names(&mut peer, ""), expected);
    for name in expected {
        assert_eq!(crate::talk::get(&mut peer, name).1, name.as_bytes());
    }
}

#[test]
pub(crate) fn only_a_folder_that_is_there_can_be_listed() {
    let server = quick();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b""));
    for path in ["f", "nothing", "f/below", "nothing/below", "/elsewhere", "/lib"] {
        assert_refused(&ask_about(&mut peer, "LIST", path), "not-found");
    }
    assert_eq!(list(&mut peer, "").len(), 1);
}
