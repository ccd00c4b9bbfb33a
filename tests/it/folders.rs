//! Folders with one command, and what else names more than one file.
//!
//! Goal: a folder that goes up and comes back is the same, and one that was cut off goes on where
//! it was: what has arrived does not travel again. Method: the real `ferry`, over a cable that
//! breaks at a chosen byte and counts; both sides are read from disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use harness::{Cable, Fate, TestServer, actor, content, eventually};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::people::{PASSWORD, bytes_below, newcomer, snapshot, stage};
use crate::talk::quick;

/// What a session says besides the files: a question or two for each.
const TALK: u64 = 35_000;

/// What lies in a folder: where, with a slash behind folders, and what files hold.
type Tree = BTreeMap<String, Vec<u8>>;

fn tree(top: &Path) -> Tree {
    let below = |(path, held): (String, Vec<u8>)| {
        let slash = if Path::new(&path).is_dir() { "/" } else { "" };
        let below = Path::new(&path).strip_prefix(top).unwrap();
        (format!("{}{slash}", below.display()), held)
    };
    snapshot(top).into_iter().map(below).collect()
}

fn names(top: &Path) -> Vec<String> {
    tree(top).into_keys().collect()
}

/// Makes folders in and beside each other, and files in all of them, every seventh empty.
fn grow(top: &Path, folders: usize, files: usize, size: usize) {
    let mut paths = vec![top.to_owned()];
    for n in 1..folders {
        let name = ["plain", "with space", "笔记"][n % 3];
        paths.push(paths[n / 3].join(format!("{name} {n}")));
    }
    for path in &paths {
        fs::create_dir_all(path).unwrap();
    }
    for n in 0..files {
        let size = if n % 7 == 0 { 0 } else { size + n % 100 };
        let name = ["a", "a b", "文件", "'$x;#"][n % 4];
        let path = paths[n % folders].join(format!("{name} {n}.txt"));
        fs::write(path, content::bytes(n as u64, size)).unwrap();
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The same with a time that is always the same.
fn write_then(path: &Path, text: &str) {
    write(path, text);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A server, its user xiaoyu, and a folder here.
struct Stage {
    server: TestServer,
    here: TempDir,
}

/// How a `ferry` ended, and how many bytes went over its cable, there and back.
struct Ended {
    status: i32,
    out: String,
    said: String,
    sent: u64,
    carried: u64,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { server: quick(), here: tempfile::tempdir().unwrap() };
        newcomer(&stage.server, "xiaoyu");
        stage
    }

    /// With a folder `notes` here.
    fn with_notes(folders: usize, files: usize, size: usize) -> Self {
        let stage = Self::new();
        grow(&stage.at("notes"), folders, files, size);
        stage
    }

    fn at(&self, path: &str) -> PathBuf {
        self.here.path().join(path)
    }

    fn home(&self, path: &str) -> PathBuf {
        self.server.home("xiaoyu").join(path)
    }

    fn command(&self, cable: &Cable, words: &[&str]) -> Command {
        let mut ferry = actor::ferry(stage(), cable.address, words);
        ferry.env("FERRY_USER", "xiaoyu").env("FERRY_PASSWORD", PASSWORD);
        ferry.current_dir(self.here.path()).stdin(Stdio::null());
        ferry
    }

    fn ferry_over(&self, fate: Fate, words: &[&str]) -> Ended {
        let cable = Cable::to(self.server.address(), fate).unwrap();
        let output = self.command(&cable, words).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, said) = (text(output.stdout), text(output.stderr));
        let status = output.status.code().unwrap();
        Ended { status, out, said, sent: cable.sent(), carried: cable.carried() }
    }

    #[track_caller]
    fn cut_off(&self, fate: Fate, words: &[&str]) {
        let ended = self.ferry_over(fate, words);
        let go_on = "run the same command again to go on";
        assert!(ended.status == 3 && ended.said.contains(go_on), "{}", ended.said);
    }

    fn ferry(&self, words: &[&str]) -> Ended {
        self.ferry_over(Fate::Sound, words)
    }

    #[track_caller]
    fn done(&self, words: &[&str]) -> Ended {
        let ended = self.ferry(words);
        assert_eq!(ended.status, 0, "{words:?}: {}", ended.said);
        ended
    }

    /// What `get` says of each file, without its size.
    #[track_caller]
    fn got(&self, words: &[&str]) -> Vec<String> {
        let ended = self.done(&[&["get", "--force"], words].concat());
        ended.out.lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_folder_goes_up_and_comes_back_the_same() {
    let stage = Stage::with_notes(100, 1500, 600);
    fs::create_dir(stage.at("notes/nothing in it")).unwrap();
    fs::write(stage.at("notes/film"), content::bytes(7, 3_000_000)).unwrap();
    let ended = stage.done(&["--quiet", "put", "-r", "notes"]);
    assert_eq!((ended.out, ended.said), (String::new(), String::new()));
    let notes = tree(&stage.at("notes"));
    assert!(tree(&stage.home("notes")) == notes);
    fs::create_dir(stage.at("back")).unwrap();
    let ended = stage.done(&["get", "-r", "notes", "--to", "back"]);
    assert!(ended.said.starts_with("1501 files, 3.8 MB in "), "{}", ended.said);
    assert_eq!(ended.out.lines().count(), 1501);
    assert!(tree(&stage.at("back/notes")) == notes);
}

#[test]
fn a_put_that_breaks_anywhere_goes_on_with_the_same_command() {
    for cut in [700, 40_000, 400_000, 1_000_000] {
        let stage = Stage::with_notes(10, 70, 20_000);
        stage.cut_off(Fate::CutAfterSent(cut), &["put", "-r", "notes"]);
        let left = bytes_below(&stage.at("notes")) - bytes_below(&stage.home(""));
        let ended = stage.done(&["put", "-r", "notes"]);
        assert!(ended.sent <= left + TALK, "{} bytes, and {left} were left", ended.sent);
        assert!(tree(&stage.home("notes")) == tree(&stage.at("notes")));
        let again = stage.done(&["put", "-r", "notes"]);
        assert!(again.sent <= TALK && again.said.contains("; 70 unchanged"), "{}", again.said);
    }
}

#[test]
fn a_get_that_breaks_anywhere_goes_on_with_the_same_command() {
    for cut in [700, 40_000, 400_000, 1_500_000, 2_000_000] {
        let stage = Stage::new();
        grow(&stage.home("notes"), 10, 70, 20_000);
        fs::write(stage.home("notes/film"), content::bytes(7, 1_000_000)).unwrap();
        stage.cut_off(Fate::CutAfter(cut), &["get", "-r", "notes"]);
        let arrived = bytes_below(stage.here.path());
        let ended = stage.done(&["get", "-r", "notes"]);
        let left = bytes_below(&stage.home("notes")) - arrived;
        assert!(ended.carried <= left + TALK, "{} bytes, and {left} were left", ended.carried);
        assert!(tree(&stage.at("notes")) == tree(&stage.home("notes")));
        let again = stage.done(&["get", "-r", "notes"]);
        assert!(again.carried <= TALK && again.said.contains("; 71 unchanged"), "{}", again.said);
    }
}

#[test]
fn a_folder_stopped_by_ctrl_c_goes_on_with_the_same_command() {
    let stage = Stage::with_notes(10, 70, 20_000);
    let cable = Cable::to(stage.server.address(), Fate::StuckAfterSent(500_000)).unwrap();
    let mut ferry = stage.command(&cable, &["put", "-r", "notes"]);
    let ferry = ferry.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the cable is stuck", || cable.sent() == 500_000);
    let id = i32::try_from(ferry.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(id, Signal::INT).unwrap();
    let output = ferry.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted; run the same command again to go on"), "{said}");
    // Or the server would not know that the client is gone.
    drop(cable);
    stage.done(&["put", "-r", "notes"]);
    assert!(tree(&stage.home("notes")) == tree(&stage.at("notes")));
}

#[test]
fn what_is_not_the_same_byte_for_byte_is_never_taken_for_it() {
    let stage = Stage::new();
    for name in ["a", "b", "c"] {
        write_then(&stage.at("notes").join(name), name);
    }
    stage.done(&["put", "-r", "notes"]);
    // As long, as old, and another.
    write_then(&stage.at("notes/b"), "B");
    for (command, at) in [("put", "/home/notes/b"), ("get", "notes/b")] {
        let ended = stage.ferry(&[command, "-r", "notes"]);
        assert_eq!(ended.status, 5, "{}", ended.said);
        assert!(ended.said.contains(&format!("`{at}` exists")), "{}", ended.said);
        assert!(ended.said.contains("; 2 unchanged; 1 failed"), "{}", ended.said);
    }
    let out = stage.done(&["--json", "put", "-r", "notes", "--force"]).out;
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<_> =
        lines.map(|line| (line["path"].clone(), line["unchanged"] == true)).collect();
    assert_eq!(
        told,
        [("notes/a", true), ("notes/b", false), ("notes/c", true)].map(|(p, u)| (p.into(), u))
    );
    assert_eq!(fs::read(stage.home("notes/b")).unwrap(), b"B");
    // Without -r a name that is taken is taken, whatever it holds.
    assert_eq!(stage.ferry(&["put", "notes/a", "--to", "notes"]).status, 5);
}

#[test]
fn what_cannot_go_is_told_and_costs_the_rest_nothing() {
    let stage = Stage::new();
    let notes = stage.at("notes");
    for name in ["a", "sub/b", ".git/HEAD", "sub/.x", "what?/c", "NUL", "file/d"] {
        write(&notes.join(name), name);
    }
    symlink("a", notes.join("link")).unwrap();
    mknodat(CWD, notes.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    write(&stage.home("notes/file"), "");
    let ended = stage.ferry(&["put", "-r", "notes"]);
    assert_eq!(ended.status, 1, "{}", ended.said);
    for told in [
        "`NUL` cannot be a name on every system",
        "left out `notes/link`: a link\n",
        "left out `notes/pipe`: no regular file\n",
        "`/home/notes/file` is a file on the server; no folder can be made there",
        "`what?` cannot be a name on every system",
        "; 2 left out; 2 hidden left out (.git, .x); 3 failed",
    ] {
        assert!(ended.said.contains(told), "{told}: {}", ended.said);
    }
    assert_eq!(names(&stage.home("notes")), ["a", "file", "sub/", "sub/b"]);
}

#[test]
fn a_folder_without_r_is_refused() {
    let stage = Stage::with_notes(2, 3, 10);
    let ended = stage.ferry(&["put", "notes"]);
    assert!(ended.status == 1 && ended.said.contains("put -r sends it"), "{}", ended.said);
    fs::create_dir(stage.home("monday")).unwrap();
    let ended = stage.ferry(&["get", "monday"]);
    assert!(ended.status == 6 && ended.said.contains("it is a folder"), "{}", ended.said);
}

#[test]
fn what_is_in_the_current_folder_goes_without_a_folder_of_its_own() {
    let stage = Stage::with_notes(3, 6, 10);
    fs::create_dir(stage.home("there")).unwrap();
    stage.done(&["put", "-r", ".", "--to", "there"]);
    assert!(tree(&stage.home("there/notes")) == tree(&stage.at("notes")));
    fs::create_dir(stage.at("back")).unwrap();
    stage.done(&["get", "-r", ".", "--to", "back"]);
    assert!(tree(&stage.at("back")) == tree(&stage.home("")));
}

#[test]
fn a_pattern_names_what_matches_it_and_a_name_wins_over_a_pattern() {
    let stage = Stage::new();
    for name in ["a.pdf", "b.pdf", "c.txt", "mon/d.pdf", "tue/d.pdf", "tue/e", "wed/x", "[ab].pdf"]
    {
        write(&stage.home(name), name);
    }
    assert_eq!(stage.got(&["?.pdf"]), ["get a.pdf", "get b.pdf"]);
    assert_eq!(stage.got(&["[ab].pdf"]), ["get [ab].pdf"]);
    assert_eq!(stage.got(&["/home/*.txt", "wed/x"]), ["get /home/c.txt", "get wed/x"]);
    assert_eq!(stage.got(&["[mw]*/?", "*/d.pdf"]), ["get wed/x", "get mon/d.pdf", "get tue/d.pdf"]);
    let ended = stage.ferry(&["get", "*.doc", "c.txt", "--force"]);
    assert!(ended.status == 6 && ended.said.contains("no name matches `*.doc`"), "{}", ended.said);
    assert_eq!(ended.out, "get c.txt  5 B\n");
    // Here the same, for who has no shell that does it.
    let ended = stage.done(&["put", "[a-c].*", "--to", "wed"]);
    assert_eq!(ended.out, "put wed/a.pdf  5 B\nput wed/b.pdf  5 B\nput wed/c.txt  5 B\n");
    assert_eq!(stage.ferry(&["put", "*.doc"]).status, 6);
    // Only at the prompt there are numbers.
    assert_eq!(stage.ferry(&["get", "1"]).status, 6);
}

#[test]
fn one_thing_may_get_another_name() {
    let stage = Stage::with_notes(2, 3, 10);
    write(&stage.at("a"), "a");
    assert_eq!(stage.done(&["put", "a", "--as", "b"]).out, "put b  1 B\n");
    stage.done(&["get", "b", "--as", "c", "--to", "notes"]);
    assert_eq!(fs::read(stage.at("notes/c")).unwrap(), b"a");
    stage.done(&["put", "-r", "notes", "--as", "kept"]);
    stage.done(&["get", "-r", "kept", "--as", "again"]);
    assert!(tree(&stage.at("again")) == tree(&stage.at("notes")));
    for words in [
        ["put", "a", "notes/c", "--as", "d"],
        ["get", "b", "kept", "--as", "d"],
        ["put", "notes/*", "--wait=0", "--as", "d"],
        ["get", "kept/*", "--force", "--as", "d"],
    ] {
        let ended = stage.ferry(&words);
        assert!(ended.status == 2 && ended.said.contains("--as is a name for one"), "{words:?}");
    }
}

#[test]
fn a_folder_is_removed_with_all_that_is_in_it() {
    let stage = Stage::new();
    for name in ["notes/a", "notes/sub/deep/b", "other"] {
        write(&stage.home(name), name);
    }
    assert_eq!(stage.ferry(&["rm", "notes"]).status, 1);
    let ended = stage.done(&["rm", "-r", "notes/", "other"]);
    let told = ["notes/a", "notes/sub/deep/b", "notes/sub/deep", "notes/sub", "notes/", "other"];
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), told.map(|path| format!("rm {path}")));
    assert!(names(&stage.home("")).is_empty());
    assert_eq!(stage.ferry(&["rm", "-r", "notes"]).status, 6);
}

#[test]
fn what_moves_to_a_folder_keeps_its_name() {
    let stage = Stage::new();
    for name in ["a.txt", "b.txt", "notes/x"] {
        write(&stage.home(name), name);
    }
    stage.done(&["mv", "a.txt", "notes/"]);
    stage.done(&["mv", "notes/x", "."]);
    stage.done(&["mv", "b.txt", "notes/c.txt"]);
    assert_eq!(names(&stage.home("")), ["notes/", "notes/a.txt", "notes/c.txt", "x"]);
    assert_eq!(stage.ferry(&["mv", "x", "nowhere/"]).status, 6);
}

#[test]
fn a_listing_may_be_to_the_byte() {
    let stage = Stage::new();
    write(&stage.home("a"), &"x".repeat(1_234_567));
    let exact = stage.done(&["list", "-l"]).out;
    assert!(exact.starts_with("1234567  20") && exact.ends_with("  a\n"), "{exact}");
}
