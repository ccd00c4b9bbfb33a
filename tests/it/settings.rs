//! The settings file, and what is wrong with it.
//!
//! Goal: a settings file says what the command line can, the command line wins, and a mistake in
//! it keeps the server from starting. Method: a real `ferryd` with a settings file; what it was
//! told shows in what it does, and its exit status and its last words in what it refuses.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::actor::Ferryd;
use harness::{Peer, eventually};
use tempfile::TempDir;

use crate::people::{PASSWORD, register, stage, who};
use crate::talk::{ask_about, assert_ok, assert_refused, begin, put};

/// A folder for a server, with a settings file in it.
struct Place {
    folder: TempDir,
    file: PathBuf,
}

fn settings(text: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ferryd.toml");
    fs::write(&file, text).unwrap();
    Place { folder, file }
}

impl Place {
    fn start(&self, words: &[&str]) -> Ferryd {
        let file = self.file.to_str().unwrap();
        let words = [&["--config", file], words].concat();
        Ferryd::start(stage(), self.folder.path(), &words).unwrap()
    }
}

#[test]
fn what_a_settings_file_says_is_in_force() {
    let place = settings(
        "# A class that logs in.\n\
         guests = \"read\"\n\
         library-writers = \"admins\"\n\
         quota = \"1K\"\n\
         password-min = 8\n\
         durability = \"none\"\n",
    );
    let server = place.start(&[]);
    let mut peer = Peer::connect(server.address);
    assert_eq!(ask_about(&mut peer, "LIST", "/library")["status"], "EMPTY");
    assert_refused(&begin(&mut peer, "f", 1), "denied");
    assert_refused(&register(&mut peer, "xiaoyu", "1234567"), "bad-request");
    assert_ok(&register(&mut peer, "xiaoyu", "12345678"));
    assert_eq!(who(&mut peer)["quota"], 1024);
    assert_refused(&begin(&mut peer, "f", 1025), "quota");
    assert_refused(&begin(&mut peer, "/library/f", 1), "denied");
}

#[test]
fn the_command_line_wins_before_and_behind_the_settings_file() {
    let place = settings("guests = \"none\"\nregistration = \"closed\"\nquota = \"1K\"\n");
    for words in [["--guests", "write", "--quota", "2K"], ["--quota", "2K", "--guests", "write"]] {
        let server = place.start(&words);
        let mut peer = Peer::connect(server.address);
        assert_ok(&put(&mut peer, &format!("f{}", words.len() + words[1].len()), b"x"));
        // What was not typed is as the file says.
        assert_refused(&register(&mut peer, "xiaoyu", PASSWORD), "denied");
    }
}

#[test]
fn the_address_may_stand_in_the_settings_file() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = settings(&format!("listen = \"{free}\"\n"));
    let mut child = Command::new(stage())
        .args(["ferryd", "--config"])
        .arg(&place.file)
        .arg("--data")
        .arg(place.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it listens there", || std::net::TcpStream::connect(free).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Starts a server that should not start: its exit status and what it complained of.
fn refused(place: &Place) -> (Option<i32>, String) {
    let mut child = Command::new(stage())
        .args(["ferryd", "--config"])
        .arg(&place.file)
        .arg("--data")
        .arg(place.folder.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The end of its output if it has ended; a line if it serves after all, and then it is killed.
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    if !first.is_empty() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), first + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_mistake_in_the_settings_file_is_wrong_usage_and_says_where_and_what() {
    // The settings, and what the message must name besides the file.
    for (text, named) in [
        ("max-cleints = 7", "max-cleints"),
        ("max-clients = 0", "max-clients"),
        ("idle-timeout = 0", "idle-timeout"),
        ("quota = \"0\"", "quota"),
        ("quota = 0", "quota"),
        ("quota = \"much\"", "quota"),
        ("password-min = 0", "password-min"),
        ("password-min = 1025", "password-min"),
        ("guests = \"some\"", "guests"),
        ("guests = \"\"", "guests"),
        ("guests = true", "guests"),
        ("library-writers = [\"all\"]", "library-writers"),
        ("listen = \"no.such.host.invalid:1\"", "listen"),
        ("listen = \"127.0.0.1\"", "listen"),
        ("claim-wait = -1", "claim-wait"),
        ("durability = 1.5", "durability"),
        ("[server]\nguests = \"read\"", "server"),
        ("help = \"me\"", "help"),
        ("version = 1", "version"),
        ("user = \"add\"", "user"),
        ("guests = \"read\"\nguests = \"none\"", "guests"),
        ("guests = read", "line 1"),
        ("guests", "line 1"),
    ] {
        let place = settings(&format!("{text}\n"));
        let (status, said) = refused(&place);
        assert_eq!(status, Some(2), "{text}: {said}");
        assert!(said.contains(named), "{text}: {said}");
        assert!(said.contains(place.file.to_str().unwrap()), "{text}: {said}");
        assert!(!place.folder.path().join("data").exists(), "{text}: it had begun");
    }
}

#[test]
fn a_settings_file_that_is_not_there_is_wrong_usage() {
    let mut place = settings("");
    place.file = place.folder.path().join("missing.toml");
    let (status, said) = refused(&place);
    assert!(status == Some(2) && said.contains("missing.toml"), "{status:?} {said}");
}

#[test]
fn a_settings_file_cannot_name_another() {
    let place = settings("config = \"other.toml\"\n");
    let (status, said) = refused(&place);
    assert!(status == Some(2) && said.contains("config"), "{status:?} {said}");
}
