//! What the tests say and hear.
//!
//! Goal: a test reads as the rule it checks, and how a request is spelled stands only here.
//! Method: requests go out as JSON values, answers are compared field by field.

use harness::content::sum_line;
pub(crate) use harness::properties::is_obeyed;
use harness::{Peer, TestServer};
use serde_json::{Value, json};

/// A server whose OK does not wait for the disk, for tests that are not about that.
pub(crate) fn quick() -> TestServer {
    quick_with(&[])
}

/// Such a server, with more words on its command line.
pub(crate) fn quick_with(words: &[&str]) -> TestServer {
    TestServer::with(&[&["--durability", "none"], words].concat())
}

/// Sends a request and reads one line.
#[track_caller]
pub(crate) fn ask(peer: &mut Peer, request: &Value) -> Value {
    peer.ask(request.to_string())
}

/// Asks `cmd` about `path`.
#[track_caller]
pub(crate) fn ask_about(peer: &mut Peer, cmd: &str, path: &str) -> Value {
    ask(peer, &json!({"cmd": cmd, "path": path}))
}

/// Sends a request and reads nothing yet.
#[track_caller]
pub(crate) fn say(peer: &mut Peer, request: &Value) {
    peer.send(format!("{request}\n"));
}

/// The next line that is more than a `WAIT`.
#[track_caller]
pub(crate) fn decision(peer: &mut Peer) -> Value {
    loop {
        let line = peer.line();
        if line["status"] != "WAIT" {
            return line;
        }
    }
}

/// Asks to put `size` bytes; the answer that follows any waiting.
#[track_caller]
pub(crate) fn begin(peer: &mut Peer, path: &str, size: usize) -> Value {
    say(peer, &json!({"cmd": "PUT", "path": path, "size": size}));
    decision(peer)
}

/// Begins to put 100 bytes and sends 10 of them: from now on this peer holds the name.
#[track_caller]
pub(crate) fn hold(peer: &mut Peer, path: &str) {
    assert_ok(&begin(peer, path, 100));
    peer.send([b'x'; 10]);
}

/// Sends a body and its checksum line; the answer.
#[track_caller]
pub(crate) fn send_body(peer: &mut Peer, bytes: &[u8]) -> Value {
    peer.send(bytes);
    peer.send(sum_line(bytes));
    peer.line()
}

/// A whole upload, waiting for the answer before the body; the last answer.
#[track_caller]
pub(crate) fn put(peer: &mut Peer, path: &str, bytes: &[u8]) -> Value {
    let first = begin(peer, path, bytes.len());
    if first["status"] == "OK" { send_body(peer, bytes) } else { first }
}

/// A whole download: the line, and the bytes that line announced.
#[track_caller]
pub(crate) fn get(peer: &mut Peer, path: &str) -> (Value, Vec<u8>) {
    let line = ask_about(peer, "GET", path);
    let size = line["size"].as_u64().unwrap_or(0);
    (line, peer.bytes(usize::try_from(size).unwrap()))
}

/// Every entry of a folder, page after page.
#[track_caller]
pub(crate) fn list(peer: &mut Peer, path: &str) -> Vec<Value> {
    let mut page = ask_about(peer, "LIST", path);
    let mut entries = Vec::new();
    while page["status"] == "OK" {
        entries.extend(page["entries"].as_array().unwrap().iter().cloned());
        if page["more"] == false {
            return entries;
        }
        page = peer.line();
    }
    assert_eq!(page["status"], "EMPTY", "{page}");
    entries
}

/// The names of a folder's entries.
#[track_caller]
pub(crate) fn names(peer: &mut Peer, path: &str) -> Vec<String> {
    list(peer, path).iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

/// What others are told this peer is called.
pub(crate) fn name_of(peer: &Peer) -> String {
    format!("guest c{:02}", peer.greeting["session"].as_u64().unwrap())
}

#[track_caller]
pub(crate) fn assert_ok(answer: &Value) {
    assert_eq!(answer["status"], "OK", "{answer}");
}

#[track_caller]
pub(crate) fn assert_exists(answer: &Value) {
    assert_eq!(answer["status"], "EXISTS", "{answer}");
}

/// Refused for `reason`, with a message that no terminal would obey.
#[track_caller]
pub(crate) fn assert_refused(answer: &Value, reason: &str) {
    assert_eq!(answer["status"], "FAIL", "{answer}");
    assert_eq!(answer["reason"], reason, "{answer:.300}");
    let message = answer["message"].as_str().unwrap();
    assert!(!message.is_empty() && !message.contains(is_obeyed), "{message:.300?}");
}

/// The session still answers, and to this request, not to one before.
#[track_caller]
pub(crate) fn assert_goes_on(peer: &mut Peer) {
    let root = ask_about(peer, "LIST", "/");
    assert_eq!(root["entries"][0]["name"], "library", "{root}");
}
