//! Many files with one command.
//!
//! Goal: however they travel, each file is what it should be, each name is answered for in its
//! turn, and one that cannot be had costs the others nothing. Method: the real `ferry`, with names
//! of every kind among each other; its `--json` lines say what became of each.

use std::fs;

use harness::{Cable, Fate, TestServer, actor, content};
use serde_json::Value;
use tempfile::TempDir;

use crate::people::stage;
use crate::talk::quick;

const NAMES: usize = 150;

/// What is on the server under the `n`th name.
fn file(n: usize) -> Option<Vec<u8>> {
    match n % 10 {
        3 => None,
        5 => Some(Vec::new()),
        // Not small: it has no checksum, for it was laid there by hand.
        7 => Some(content::bytes(n as u64, 100_000)),
        _ => Some(content::bytes(n as u64, 100 + n)),
    }
}

fn name(n: usize) -> String {
    format!("f{n:03}")
}

fn with_files() -> TestServer {
    let server = quick();
    for n in 0..NAMES {
        if let Some(bytes) = file(n) {
            fs::write(server.library().join(name(n)), bytes).unwrap();
        }
    }
    fs::create_dir(server.library().join("folder")).unwrap();
    server
}

#[test]
fn each_of_many_names_is_answered_for_in_its_turn() {
    let (server, here) = (with_files(), TempDir::new().unwrap());
    fs::write(here.path().join(name(11)), "mine").unwrap();
    let mut names: Vec<String> = (0..NAMES).map(name).collect();
    names.insert(40, "folder".into());
    names.insert(80, "no/such".into());
    let words = ["--json", "get"].into_iter().chain(names.iter().map(String::as_str));
    let ended =
        actor::ferry(stage(), server.address(), words).current_dir(here.path()).output().unwrap();
    // The first failure's: f003 is not there.
    assert_eq!(ended.status.code(), Some(6));
    let text = String::from_utf8(ended.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<&str> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(told, names);
    for (line, path) in lines.iter().zip(&names) {
        let Some(n) = path.strip_prefix('f').and_then(|n| n.parse().ok()) else {
            assert_eq!((&line["status"], &line["exit"]), (&"FAIL".into(), &6.into()), "{line}");
            continue;
        };
        match file(n) {
            Some(_) if n == 11 => assert_eq!(line["exit"], 5, "{line}"),
            Some(bytes) => {
                assert_eq!(line["crc32"], content::crc(&bytes), "{line}");
                assert!(fs::read(here.path().join(path)).unwrap() == bytes, "{path}");
            }
            None => assert_eq!(line["exit"], 6, "{line}"),
        }
    }
    assert_eq!(fs::read_to_string(here.path().join(name(11))).unwrap(), "mine");
}

#[test]
fn a_line_that_breaks_among_many_small_files_leaves_none_in_part() {
    let (server, here) = (with_files(), TempDir::new().unwrap());
    let names: Vec<String> = (0..NAMES).filter(|n| n % 10 < 3).map(name).collect();
    for bytes in [0, 60, 1000, 3000, 6000, 9000] {
        let cable = Cable::to(server.address(), Fate::CutAfter(bytes)).unwrap();
        let words = ["get", "--force"].into_iter().chain(names.iter().map(String::as_str));
        let ended =
            actor::ferry(stage(), cable.address, words).current_dir(here.path()).output().unwrap();
        assert_eq!(ended.status.code(), Some(3), "after {bytes} bytes");
        for entry in fs::read_dir(here.path()).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let n = name.strip_prefix('f').unwrap_or_else(|| panic!("{name} is left")).parse();
            assert!(fs::read(entry.path()).unwrap() == file(n.unwrap()).unwrap(), "{name}");
        }
    }
}
