//! A download that is cut off goes on where it was.
//!
//! Goal: whatever ends a `get`, no half file has a name, no byte travels twice, and the next one
//! brings the rest; unless the file is another by then. Method: the real `ferry`, in a process of
//! its own, speaks to a server over a cable that breaks at a chosen byte and counts what it
//! carries.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, SystemTime};

use harness::{Cable, Fate, TestServer, actor, content, eventually};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::people::stage;
use crate::talk::{assert_ok, put, quick};

const LENGTH: usize = 3_000_000;
/// What a session says besides the file: a greeting and two lines, none longer than this.
const TALK: u64 = 1000;
const GO_ON: &str = "run the same command again to go on from there";

/// A server with one long file, and a folder to fetch it into.
struct Stage {
    server: TestServer,
    film: Vec<u8>,
    here: TempDir,
}

impl Stage {
    fn new() -> Self {
        let (server, film) = (quick(), content::bytes(7, LENGTH));
        assert_ok(&put(&mut server.peer(), "film", &film));
        Self { server, film, here: tempfile::tempdir().unwrap() }
    }

    fn cable(&self, fate: Fate) -> Cable {
        Cable::to(self.server.address(), fate).unwrap()
    }

    fn start(&self, cable: &Cable, words: &[&str]) -> Child {
        let mut ferry = actor::ferry(stage(), cable.address, words);
        ferry.current_dir(self.here.path()).stdin(Stdio::null());
        ferry.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs `ferry` to its end: its status, what it said, how much came over the cable.
    fn ferry(&self, fate: Fate, words: &[&str]) -> (i32, String, u64) {
        let cable = self.cable(fate);
        let (status, said) = ended(self.start(&cable, words).wait_with_output().unwrap());
        (status, said, cable.carried())
    }

    /// A `get` that is cut off after so many bytes.
    fn cut_off(&self, bytes: u64) {
        let (status, said, carried) = self.ferry(Fate::CutAfter(bytes), &["get", "film"]);
        assert!(status == 3 && said.contains(GO_ON), "{status} {said}");
        assert_eq!(carried, bytes);
        assert!(!self.path("film").exists());
        assert!(self.names().iter().all(|name| name.starts_with(".film.ferry-")));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.here.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.here.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// How much of the film is here, under whatever name.
    fn kept(&self) -> u64 {
        let part = self.names().into_iter().find(|name| name.ends_with("part"));
        part.map_or(0, |name| fs::metadata(self.path(&name)).map_or(0, |part| part.len()))
    }

    #[track_caller]
    fn assert_only_the_film(&self) {
        assert_eq!(self.names(), ["film"]);
        assert!(fs::read(self.path("film")).unwrap() == self.film);
    }
}

fn ended(output: Output) -> (i32, String) {
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
pub(crate) fn a_download_cut_off_again_and_again_ends_whole_and_no_byte_comes_twice() {
    const BLOCK: u64 = 1024 * 1024;
    let stage = Stage::new();
    let mut came = 0;
    let cuts = [TALK, 1, 65_536, BLOCK, BLOCK + 7, 300_000];
    for cut in cuts {
        let before = stage.kept();
        stage.cut_off(cut + TALK);
        came += cut + TALK;
        assert!(stage.kept() >= before + cut, "{cut} bytes more than {before}");
    }
    let (status, said, carried) = stage.ferry(Fate::Sound, &["get", "film"]);
    assert!(status == 0 && said.contains("going on with `film` at 2."), "{status} {said}");
    came += carried;
    assert!(came <= LENGTH as u64 + TALK * (cuts.len() as u64 + 1), "{came} bytes came");
    stage.assert_only_the_film();
}

#[test]
pub(crate) fn a_file_that_changed_on_the_server_is_fetched_anew_and_that_is_said() {
    let mut stage = Stage::new();
    stage.cut_off(1_000_000);
    stage.film = content::bytes(8, LENGTH);
    let there = stage.server.library().join("film");
    fs::write(&there, &stage.film).unwrap();
    let later = SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(there).unwrap().set_modified(later).unwrap();
    let (status, said, _) = stage.ferry(Fate::Sound, &["get", "film"]);
    assert!(status == 0, "{status} {said}");
    assert!(said.contains("`film` changed on the server since; starting anew"), "{said}");
    stage.assert_only_the_film();
}

#[test]
pub(crate) fn another_file_of_the_same_name_has_nothing_of_this_one() {
    let mut stage = Stage::new();
    stage.cut_off(1_000_000);
    let other = content::bytes(9, LENGTH);
    fs::create_dir(stage.server.library().join("monday")).unwrap();
    let (there, film) = (stage.server.library().join("monday/film"), stage.server.library());
    fs::write(&there, &other).unwrap();
    // As like the first as a file can be: only its path tells them apart.
    let time = film.join("film").metadata().unwrap().modified().unwrap();
    fs::File::options().write(true).open(there).unwrap().set_modified(time).unwrap();
    let (status, said, _) = stage.ferry(Fate::Sound, &["get", "monday/film"]);
    assert!(status == 0, "{status} {said}");
    stage.film = other;
    stage.assert_only_the_film();
}

#[test]
pub(crate) fn whoever_says_no_resume_gets_every_byte_anew() {
    let stage = Stage::new();
    stage.cut_off(1_000_000);
    let (status, said, carried) = stage.ferry(Fate::Sound, &["get", "film", "--no-resume"]);
    assert!(status == 0 && carried > LENGTH as u64, "{status} {said} {carried}");
    stage.assert_only_the_film();
}

#[test]
pub(crate) fn when_only_the_checksum_is_missing_only_that_is_asked() {
    let stage = Stage::new();
    // Laid there by hand, so its checksum is asked for when all bytes are here.
    fs::write(stage.server.library().join("by-hand"), &stage.film).unwrap();
    let (status, said, _) = stage.ferry(Fate::CutBefore("SUM"), &["get", "by-hand"]);
    assert!(status == 3 && said.contains(GO_ON), "{status} {said}");
    assert_eq!(stage.kept(), LENGTH as u64);
    let (status, said, carried) = stage.ferry(Fate::Sound, &["get", "by-hand"]);
    assert!(status == 0 && carried < TALK, "{status} {said} {carried}");
    assert_eq!(stage.names(), ["by-hand"]);
    assert!(fs::read(stage.path("by-hand")).unwrap() == stage.film);
}

#[test]
pub(crate) fn an_empty_file_is_whole_at_once() {
    let stage = Stage::new();
    fs::write(stage.server.library().join("empty"), "").unwrap();
    // All there is to it comes with the answer: nothing more is asked.
    assert_eq!(stage.ferry(Fate::CutBefore("SUM"), &["get", "empty"]).0, 0);
    assert_eq!(stage.names(), ["empty"]);
    assert_eq!(fs::read(stage.path("empty")).unwrap(), b"");
}

#[test]
pub(crate) fn a_client_that_is_stopped_or_killed_leaves_what_it_has_for_the_next() {
    for (how, status_then) in [(Signal::INT, 130), (Signal::TERM, 130), (Signal::KILL, -1)] {
        let stage = Stage::new();
        let cable = stage.cable(Fate::StuckAfter(2_000_000));
        let ferry = stage.start(&cable, &["get", "film"]);
        // What came is written in blocks of a mebibyte.
        eventually("a part is here", || stage.kept() >= 1024 * 1024);
        signal(&ferry, how);
        let (status, said) = ended(ferry.wait_with_output().unwrap());
        assert_eq!(status, status_then, "{said}");
        assert!(how == Signal::KILL || said.contains(GO_ON), "{said}");
        assert!(!stage.path("film").exists());
        let kept = stage.kept();
        let (status, said, carried) = stage.ferry(Fate::Sound, &["get", "film"]);
        assert!(status == 0 && carried <= LENGTH as u64 - kept + TALK, "{status} {said}");
        stage.assert_only_the_film();
    }
}

#[test]
pub(crate) fn two_at_once_do_not_write_into_one_part() {
    let stage = Stage::new();
    let mut cable = stage.cable(Fate::StuckAfter(2_000_000));
    let first = stage.start(&cable, &["get", "film"]);
    eventually("the first has a part", || stage.kept() >= 1024 * 1024);
    let (status, said, carried) = stage.ferry(Fate::Sound, &["get", "film"]);
    assert!(status == 0 && carried > LENGTH as u64, "{status} {said}");
    assert!(fs::read(stage.path("film")).unwrap() == stage.film);
    assert!(stage.kept() >= 1024 * 1024, "the first still has its part");
    cable.mend();
    let (status, said) = ended(first.wait_with_output().unwrap());
    assert!(status == 5 && said.contains("exists here"), "{status} {said}");
    stage.assert_only_the_film();
}

#[test]
pub(crate) fn a_part_that_was_damaged_here_is_found_out_and_thrown_away() {
    let stage = Stage::new();
    stage.cut_off(1_000_000);
    let part = stage.names().into_iter().find(|name| name.ends_with("part")).unwrap();
    let mut bytes = fs::read(stage.path(&part)).unwrap();
    bytes[1000] ^= 1;
    fs::write(stage.path(&part), bytes).unwrap();
    let (status, said, _) = stage.ferry(Fate::Sound, &["get", "film"]);
    assert!(status == 7 && said.contains("damaged"), "{status} {said}");
    assert!(stage.names().is_empty());
    assert_eq!(stage.ferry(Fate::Sound, &["get", "film"]).0, 0);
    stage.assert_only_the_film();
}
