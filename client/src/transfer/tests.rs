//! Transfers against a server that says exactly what the test wants.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use common::protocol::{Crc32, Download};
use tempfile::TempDir;

use super::*;
use crate::client::scripted::{Peer, client};
use crate::client::{Client, PutOptions};
use crate::command::Output;
use crate::printer::Printer;
use crate::words::Lang;

/// A file long enough to be kept in part.
const LENGTH: usize = 3_000_000;

static CONTENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..LENGTH).map(|n| (n / 251 + n % 251).to_le_bytes()[0]).collect());
static CRC: LazyLock<Crc32> = LazyLock::new(|| Crc32(crc32fast::hash(&CONTENT)));

fn content() -> &'static [u8] {
    &CONTENT
}

fn crc() -> Crc32 {
    *CRC
}

fn printer() -> Printer {
    Printer::new(Output { quiet: true, ..Output::default() }, Lang::En)
}

/// A folder to receive into, and nobody else's.
struct Here(TempDir);

impl Here {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn target(&self) -> PathBuf {
        self.0.path().join("a")
    }

    fn fetch(&self, client: &mut Client, path: &str, resume: bool) -> Result<Download, Error> {
        let (printer, target) = (&printer(), &self.target());
        let progress = &printer.progress();
        Fetch { path, shown: "a", target, force: false, resume, progress, printer }.run(client)
    }

    fn get(&self, script: impl FnOnce(&mut Peer) + Send + 'static) -> Result<Download, Error> {
        self.fetch(&mut client(script), "/library/a", true)
    }

    /// A `get` of which `length` bytes come.
    fn cut_off(&self, length: usize) {
        let cut = self.get(move |peer| {
            assert!(!peer.hear().contains("offset"));
            peer.say(&announced(LENGTH, 9, Some(crc())));
            peer.send(&content()[..length]);
        });
        assert!(matches!(cut, Err(Error::Unfinished(_))), "{cut:?}");
        assert_eq!(cut.unwrap_err().exit_status(), 3);
        assert_eq!(self.kept(), Some(length as u64));
    }

    /// How long the part is that was kept; nothing else may be there.
    fn kept(&self) -> Option<u64> {
        let entries = fs::read_dir(self.0.path()).unwrap().map(Result::unwrap);
        let files: Vec<_> = entries.map(|e| (e.file_name().into_string().unwrap(), e)).collect();
        assert!(files.iter().all(|(name, _)| name.starts_with(".a.ferry-")), "{files:?}");
        let part = files.iter().find(|(name, _)| name.ends_with("part"));
        assert_eq!(files.len(), if part.is_some() { 2 } else { 0 }, "{files:?}");
        part.map(|(_, entry)| entry.metadata().unwrap().len())
    }

    fn assert_whole(&self) {
        assert!(fs::read(self.target()).unwrap() == content());
        assert_eq!(fs::read_dir(self.0.path()).unwrap().count(), 1);
    }
}

fn announced(size: usize, mtime: i64, crc32: Option<Crc32>) -> String {
    let crc32 = crc32.map_or_else(String::new, |crc32| format!(r#","crc32":"{crc32}""#));
    format!(r#"{{"status":"OK","size":{size},"mtime":{mtime}{crc32}}}"#)
}

fn say_stat(peer: &mut Peer, size: usize, mtime: i64) {
    assert!(peer.hear().contains("STAT"));
    peer.say(&format!(r#"{{"status":"OK","kind":"file","size":{size},"mtime":{mtime}}}"#));
}

/// Hears a `GET` from `offset` on.
fn hear_get(peer: &mut Peer, offset: usize) {
    let heard = peer.hear();
    let wanted = if offset > 0 { format!(r#""offset":{offset}"#) } else { r#"a"}"#.to_owned() };
    assert!(heard.contains("GET") && heard.contains(&wanted), "{heard}");
}

#[test]
fn a_download_goes_on_wherever_it_was_cut_off() {
    const BLOCK: usize = 512 * 1024;
    for length in [1, 65_537, BLOCK - 1, BLOCK, BLOCK + 1, LENGTH - 1] {
        let here = Here::new();
        here.cut_off(length);
        let got = here.get(move |peer| {
            say_stat(peer, LENGTH, 9);
            hear_get(peer, length);
            peer.say(&announced(LENGTH, 9, Some(crc())));
            peer.send(&content()[length..]);
        });
        assert_eq!(got.unwrap().crc32, Some(crc()), "cut off at {length}");
        here.assert_whole();
    }
}

#[test]
fn where_all_bytes_are_here_only_the_checksum_is_asked() {
    let here = Here::new();
    let cut = here.get(|peer| {
        hear_get(peer, 0);
        peer.say(&announced(LENGTH, 9, None));
        peer.send(content());
        assert!(peer.hear().contains("SUM"));
    });
    assert!(matches!(cut, Err(Error::Unfinished(_))), "{cut:?}");
    assert_eq!(here.kept(), Some(LENGTH as u64));
    let got = here.get(|peer| {
        say_stat(peer, LENGTH, 9);
        hear_get(peer, LENGTH);
        peer.say(&announced(LENGTH, 9, None));
        assert!(peer.hear().contains("SUM"));
        peer.say(&format!(r#"{{"status":"OK","crc32":"{}"}}"#, crc()));
    });
    assert_eq!(got.unwrap().size, LENGTH as u64);
    here.assert_whole();
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_from_its_beginning() {
    for (size, mtime) in [(LENGTH, 10), (LENGTH - 1, 9), (3, 9)] {
        let here = Here::new();
        here.cut_off(1000);
        let new = vec![7; size];
        let (sent, crc32) = (new.clone(), Some(Crc32(crc32fast::hash(&new))));
        let got = here.get(move |peer| {
            say_stat(peer, size, mtime);
            hear_get(peer, 0);
            peer.say(&announced(size, mtime, crc32));
            peer.send(&sent);
        });
        assert_eq!(got.unwrap().mtime, mtime);
        assert!(fs::read(here.target()).unwrap() == new);
        assert_eq!(fs::read_dir(here.0.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_server_that_answers_otherwise_than_it_said_before_is_not_believed() {
    let lies = [
        (LENGTH + 1, 9, Some(crc())),
        (10, 9, None),
        (LENGTH, 8, None),
        (LENGTH, 9, Some(Crc32(1))),
    ];
    for (size, mtime, crc32) in lies {
        let here = Here::new();
        here.cut_off(1000);
        let got = here.get(move |peer| {
            say_stat(peer, LENGTH, 9);
            hear_get(peer, 1000);
            peer.say(&announced(size, mtime, crc32));
            peer.hear();
        });
        assert!(matches!(got, Err(Error::ChangedThere(_))), "{got:?}");
        assert_eq!(here.kept(), None);
    }
}

#[test]
fn bytes_that_are_not_the_files_are_thrown_away() {
    let here = Here::new();
    here.cut_off(1000);
    let got = here.get(|peer| {
        say_stat(peer, LENGTH, 9);
        hear_get(peer, 1000);
        peer.say(&announced(LENGTH, 9, Some(crc())));
        peer.send(&vec![0; LENGTH - 1000]);
    });
    assert_eq!(got.unwrap_err().exit_status(), 7);
    assert_eq!(here.kept(), None);
}

#[test]
fn a_refusal_says_nothing_against_what_is_here() {
    let here = Here::new();
    here.cut_off(1000);
    let got = here.get(|peer| {
        peer.hear();
        peer.say(r#"{"status":"FAIL","reason":"login-required","message":"log in first"}"#);
    });
    assert_eq!(got.unwrap_err().exit_status(), 4);
    assert_eq!(here.kept(), Some(1000));
}

#[test]
fn who_wants_another_file_or_all_of_it_is_given_nothing_of_this_one() {
    for (path, resume) in [("/library/monday/a", true), ("/library/a", false)] {
        let here = Here::new();
        here.cut_off(1000);
        let mut client = client(move |peer| {
            hear_get(peer, 0);
            peer.say(&announced(LENGTH, 9, Some(crc())));
            peer.send(content());
        });
        here.fetch(&mut client, path, resume).unwrap();
        here.assert_whole();
    }
}

/// Sends a file of [`content`], asking for it to be resumed.
fn put(script: impl FnOnce(&mut Peer) + Send + 'static) -> Result<(), Error> {
    let here = Here::new();
    fs::write(here.target(), content()).unwrap();
    let mut source = Source::open(&here.target()).unwrap();
    let options = PutOptions { mtime: source.mtime(), resume: true, ..PutOptions::default() };
    let (printer, path) = (&printer(), "/library/a");
    let progress = &printer.progress();
    Deliver { path, shown: "a", options, progress, printer }.run(&mut client(script), &mut source)
}

/// Takes the rest of [`content`] from `offset` on, with the checksum of all of it.
fn take_rest(peer: &mut Peer, offset: usize) {
    let asked = peer.hear();
    assert!(asked.contains(r#""resume":true"#) && asked.contains("mtime"), "{asked}");
    peer.say(&format!(r#"{{"status":"OK","offset":{offset}}}"#));
    assert!(peer.take(LENGTH - offset) == content()[offset..], "from {offset} on");
    assert!(peer.hear().contains(&crc().to_string()), "from {offset} on");
}

const MISMATCH: &str = r#"{"status":"FAIL","reason":"checksum-mismatch","message":"no"}"#;
const OK: &str = r#"{"status":"OK"}"#;

#[test]
fn an_upload_goes_on_wherever_the_server_says() {
    for offset in [0, 1, 1024 * 1024 + 1, LENGTH - 1, LENGTH] {
        put(move |peer| {
            take_rest(peer, offset);
            peer.say(OK);
        })
        .unwrap();
    }
}

#[test]
fn what_the_server_kept_of_another_file_costs_one_more_try() {
    put(|peer| {
        take_rest(peer, 1000);
        peer.say(MISMATCH);
        take_rest(peer, 0);
        peer.say(OK);
    })
    .unwrap();
    let tries = |second| {
        put(move |peer| {
            take_rest(peer, 1000);
            peer.say(MISMATCH);
            take_rest(peer, second);
            peer.say(MISMATCH);
            assert_eq!(peer.hear(), "");
        })
    };
    assert_eq!(tries(0).unwrap_err().exit_status(), 7);
    assert_eq!(tries(1000).unwrap_err().exit_status(), 7);
    // Damaged on the way, and nothing of it was there before: to send it again is up to the person.
    let once = put(|peer| {
        take_rest(peer, 0);
        peer.say(MISMATCH);
        assert_eq!(peer.hear(), "");
    });
    assert_eq!(once.unwrap_err().exit_status(), 7);
}

#[test]
fn an_upload_that_is_cut_off_says_how_to_go_on() {
    let cut = put(|peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","offset":1000}"#);
        peer.take(1000);
    });
    let error = cut.unwrap_err();
    assert!(matches!(error, Error::Unfinished(_)) && error.exit_status() == 3, "{error:?}");
    assert!(error.to_string().ends_with("run the same command again to go on from there"));
}

#[test]
fn times_before_1970_come_back_as_they_went() {
    for seconds in [-1, 0, 1_800_000_000] {
        assert_eq!(from_seconds(seconds).and_then(to_seconds), Some(seconds));
    }
}

#[test]
fn a_name_that_cannot_be_stored_is_refused_before_it_is_sent() {
    assert_eq!(remote_name(Path::new("a/b.txt")).unwrap().as_str(), "b.txt");
    for bad in ["..", "/", ".hidden", "a/con.txt", "what?"] {
        assert!(remote_name(Path::new(bad)).is_err(), "{bad}");
    }
}
