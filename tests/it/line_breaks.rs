//! An upload by the real `ferry`, over a line that breaks.
//!
//! Goal: the same command goes on where it was cut off, and says so. Method: a cable that breaks
//! at a chosen byte and counts, as in `resume_get`. What a server keeps is `resume_put`'s matter.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use harness::{Cable, Fate, TestServer, actor, content, eventually};
use tempfile::TempDir;

use crate::people::{PASSWORD, newcomer, stage};
use crate::talk::quick;

const LENGTH: usize = 3_000_000;
/// What a session says besides the file.
const TALK: u64 = 1000;

/// A user of a server, with a film to send.
struct Stage {
    server: TestServer,
    here: TempDir,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { server: quick(), here: tempfile::tempdir().unwrap() };
        newcomer(&stage.server, "xiaoyu");
        stage.film(7);
        stage
    }

    /// Makes the film another one, of the same size and time.
    fn film(&self, seed: u64) {
        let film = self.here.path().join("film");
        fs::write(&film, content::bytes(seed, LENGTH)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        fs::File::options().write(true).open(film).unwrap().set_modified(time).unwrap();
    }

    fn start(&self, cable: &Cable, words: &[&str]) -> Child {
        let mut ferry = actor::ferry(stage(), cable.address, words);
        ferry.env("FERRY_USER", "xiaoyu").env("FERRY_PASSWORD", PASSWORD);
        ferry.current_dir(self.here.path()).stdin(Stdio::null());
        ferry.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs `ferry` to its end: its status, what it said, how much went over the cable.
    fn put(&self, fate: Fate, words: &[&str]) -> (i32, String, u64) {
        let cable = Cable::to(self.server.address(), fate).unwrap();
        let (status, said) = ended(self.start(&cable, words));
        (status, said, cable.sent())
    }

    fn cut_off(&self, bytes: u64) {
        let (status, said, _) = self.put(Fate::CutAfterSent(bytes), &["put", "film"]);
        let go_on = "run the same command again to go on from there";
        assert!(status == 3 && said.contains(go_on), "{status} {said}");
        assert!(!self.server.home("xiaoyu").join("film").exists());
    }

    #[track_caller]
    fn assert_stored(&self, seed: u64) {
        let stored = fs::read(self.server.home("xiaoyu").join("film")).unwrap();
        assert!(stored == content::bytes(seed, LENGTH));
    }
}

fn ended(ferry: Child) -> (i32, String) {
    let output = ferry.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_upload_cut_off_again_and_again_goes_on_with_the_same_command() {
    let stage = Stage::new();
    let cuts = [TALK, 500_000, 1_048_577];
    for cut in cuts {
        stage.cut_off(cut + TALK);
    }
    let (status, said, sent) = stage.put(Fate::Sound, &["put", "film"]);
    assert!(status == 0 && said.contains("going on with `film` at 1.6 MB of 3.0 MB"), "{said}");
    let before: u64 = cuts.iter().sum();
    assert!(sent <= LENGTH as u64 - before + TALK, "{sent} bytes after {before}");
    stage.assert_stored(7);
}

#[test]
fn what_was_kept_of_another_film_is_found_out_and_the_right_one_is_stored() {
    let stage = Stage::new();
    stage.cut_off(1_000_000);
    // It cannot be told from the first by anything but its bytes.
    stage.film(8);
    let (status, said, _) = stage.put(Fate::Sound, &["put", "film"]);
    assert!(status == 0 && said.contains("were not this file's; starting anew"), "{status} {said}");
    stage.assert_stored(8);
}

#[test]
fn whoever_says_no_resume_sends_every_byte_anew() {
    let stage = Stage::new();
    stage.cut_off(1_000_000);
    let (status, said, sent) = stage.put(Fate::Sound, &["put", "film", "--no-resume"]);
    assert!(status == 0 && sent > LENGTH as u64, "{status} {said} {sent}");
    stage.assert_stored(7);
}

#[test]
fn who_is_overtaken_by_a_later_command_of_their_own_is_told_so() {
    let stage = Stage::new();
    let cable = Cable::to(stage.server.address(), Fate::StuckAfterSent(1_000_000)).unwrap();
    let first = stage.start(&cable, &["put", "film"]);
    eventually("the first is stuck", || cable.sent() == 1_000_000);
    let (status, said, _) = stage.put(Fate::Sound, &["put", "film"]);
    assert!(status == 0, "{status} {said}");
    let (status, said) = ended(first);
    assert!(status == 8 && said.contains("another connection of yours"), "{status} {said}");
    stage.assert_stored(7);
}
