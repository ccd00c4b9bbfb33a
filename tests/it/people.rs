//! How a test becomes somebody.
//!
//! Goal: a test says whose session it is in one word. Method: users register over the protocol;
//! administrators are made as people make them, by `ferryd user add … --admin` on the data folder
//! of the running server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use harness::{Peer, TestServer, actor};
use serde_json::{Value, json};

use crate::talk::{ask, assert_ok, decision, say, send_body};

/// Everybody's password: the lesson's own.
pub(crate) const PASSWORD: &str = "123456";

/// The program that plays every part.
pub(crate) fn stage() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_demo"))
}

#[track_caller]
pub(crate) fn register(peer: &mut Peer, user: &str, password: &str) -> Value {
    ask(peer, &json!({"cmd": "REGISTER", "user": user, "password": password}))
}

#[track_caller]
pub(crate) fn login(peer: &mut Peer, user: &str, password: &str) -> Value {
    ask(peer, &json!({"cmd": "LOGIN", "user": user, "password": password}))
}

#[track_caller]
pub(crate) fn who(peer: &mut Peer) -> Value {
    ask(peer, &json!({"cmd": "WHO"}))
}

#[track_caller]
pub(crate) fn rename(peer: &mut Peer, from: &str, to: &str) -> Value {
    ask(peer, &json!({"cmd": "RENAME", "from": from, "to": to}))
}

/// A session of a user who registers now.
#[track_caller]
pub(crate) fn newcomer(server: &TestServer, user: &str) -> Peer {
    let mut peer = server.peer();
    assert_ok(&register(&mut peer, user, PASSWORD));
    peer
}

/// Another session of a user.
#[track_caller]
pub(crate) fn known(address: SocketAddr, user: &str) -> Peer {
    let mut peer = Peer::connect(address);
    assert_ok(&login(&mut peer, user, PASSWORD));
    peer
}

/// A session of an administrator, whose account is opened now.
#[track_caller]
pub(crate) fn administrator(server: &TestServer, user: &str) -> Peer {
    add_administrator(server.data(), user);
    known(server.address(), user)
}

/// Opens the account of an administrator.
#[track_caller]
pub(crate) fn add_administrator(data: &Path, user: &str) {
    let (status, _, said) = user_task(data, &["add", user, "--admin"], PASSWORD);
    assert_eq!(status, 0, "{said}");
}

/// Runs `ferryd user …`: its exit status, what it printed, and what it complained of.
#[track_caller]
pub(crate) fn user_task(data: &Path, words: &[&str], password: &str) -> (i32, String, String) {
    let output = actor::user_task(stage(), data, words, password).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Asks to put `size` bytes in the place of whatever file is there.
#[track_caller]
pub(crate) fn begin_overwrite(peer: &mut Peer, path: &str, size: usize) -> Value {
    say(peer, &json!({"cmd": "PUT", "path": path, "size": size, "overwrite": true}));
    decision(peer)
}

/// A whole upload in the place of whatever file is there; the last answer.
#[track_caller]
pub(crate) fn overwrite(peer: &mut Peer, path: &str, bytes: &[u8]) -> Value {
    let first = begin_overwrite(peer, path, bytes.len());
    if first["status"] == "OK" { send_body(peer, bytes) } else { first }
}

/// Everything below a folder, by path, with what the files hold; hidden things, too.
pub(crate) fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let content = if kind.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        found.push((path.to_string_lossy().into_owned(), content));
        if kind.is_dir() {
            found.extend(snapshot(&path));
        }
    }
    found.sort();
    found
}

/// Bytes of all files below a folder.
pub(crate) fn bytes_below(folder: &Path) -> u64 {
    snapshot(folder).iter().map(|(_, content)| content.len() as u64).sum()
}
