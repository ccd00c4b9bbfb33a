//! A session that panics, and a writer that dies.
//!
//! Goal: a mistake of ours in one session is felt by that session alone; one in the writer, which
//! everybody needs, ends the server in order, and no OK is a lie. Method: traps in a debug build of
//! a real `ferryd` (see the server's `point/trap.rs`), a server for each.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use harness::actor::Ferryd;
use harness::content::{bytes, eager_put, sum_line};
use harness::{Peer, eventually, skipped};
use serde_json::json;

use crate::people::{PASSWORD, login, register, stage};
use crate::talk::{assert_goes_on, assert_ok, assert_refused, begin, decision, say};
use crate::witness::Witness;

/// Whether there are no traps in this build.
fn is_release(check: &str) -> bool {
    let release = !cfg!(debug_assertions);
    if release {
        skipped(check, "build with debug assertions");
    }
    release
}

/// How large the file is that is read.
const FILM: usize = 5_000_000;

/// Where a session panics, what it is asked when it does, and what would be a lie to say then.
struct Scene {
    trap: &'static str,
    asked: fn() -> Vec<u8>,
    lie: fn(&str, usize) -> bool,
}

fn three_uploads() -> Vec<u8> {
    (0..3).flat_map(|n| eager_put(&format!("f{n}"), &bytes(n, 5000))).collect()
}

fn a_line(request: &serde_json::Value) -> Vec<u8> {
    format!("{request}\n").into_bytes()
}

fn says_ok(answer: &str, _: usize) -> bool {
    answer.contains("\"OK\"")
}

const fn uploads(trap: &'static str) -> Scene {
    Scene { trap, asked: three_uploads, lie: says_ok }
}

const SCENES: [Scene; 14] = [
    // Before anything was said, so not even a greeting comes.
    Scene { trap: "session.greeted#2", asked: Vec::new, lie: |answer, _| !answer.is_empty() },
    uploads("session.line#2"),
    uploads("request.handled#2"),
    // In the second of three uploads that came in one go.
    uploads("put.claimed#2"),
    uploads("put.begun#2"),
    uploads("put.chunk#2"),
    uploads("put.received#2"),
    uploads("put.checked#2"),
    uploads("put.sealed#2"),
    uploads("put.published#2"),
    uploads("put.synced#2"),
    // In the middle of the file: it must not look whole.
    Scene {
        trap: "get.sending#2",
        asked: || a_line(&json!({"cmd": "GET", "path": "film"})),
        lie: |_, bytes| bytes >= FILM,
    },
    Scene {
        trap: "list.page#2",
        asked: || a_line(&json!({"cmd": "LIST", "path": "many"})),
        lie: |answer, _| answer.contains("\"more\":false"),
    },
    Scene {
        trap: "login.verified#1",
        asked: || a_line(&json!({"cmd": "LOGIN", "user": "xiaoyu", "password": PASSWORD})),
        lie: says_ok,
    },
];

/// Everything that comes behind the greeting until the connection ends: its text, and its length.
fn all_that_comes(peer: &Peer) -> (String, usize) {
    let (mut stream, mut came) = (peer.stream(), Vec::new());
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut came);
    (String::from_utf8_lossy(&came).into_owned(), came.len())
}

/// What a scene may need, put there by hand.
fn furnish(library: &Path) {
    fs::create_dir_all(library.join("many")).unwrap();
    for n in 0..150 {
        fs::write(library.join(format!("many/{n}")), "").unwrap();
    }
    fs::write(library.join("film"), bytes(1, FILM)).unwrap();
}

fn play(scene: &Scene) {
    let data = tempfile::tempdir().unwrap();
    let library = data.path().join("library");
    furnish(&library);
    let trap = format!("panic@{}", scene.trap);
    let server = Ferryd::start_with_faults(stage(), data.path(), &[], &trap).unwrap();
    let witness = Witness::of(server, library);
    if scene.trap.starts_with("login") {
        assert_ok(&register(&mut witness.peer(), "xiaoyu", PASSWORD));
    }
    // The first greeting was that of the witness.
    let mut peer = witness.peer();
    assert_eq!(peer.greeting.is_null(), scene.trap.starts_with("session.greeted"));
    peer.try_send((scene.asked)());
    let (said, length) = all_that_comes(&peer);
    assert!(!(scene.lie)(&said, length), "{}: {said:.500}", scene.trap);
    drop(peer);

    // It has left nothing, and the very same can be asked again at once.
    witness.await_rest();
    assert_eq!(fs::read_dir(witness.library.join(".ferry")).unwrap().count(), 0, "{}", scene.trap);
    let mut next = witness.peer();
    next.send(three_uploads());
    for n in 0..3 {
        let told = next.line();
        let fine = told["status"] == "OK" || told["status"] == "EXISTS";
        assert!(fine, "{} f{n}: {told}", scene.trap);
        assert!(fs::read(witness.library.join(format!("f{n}"))).unwrap() == bytes(n, 5000));
    }
    for _ in 0..1000 {
        assert_goes_on(&mut next);
    }
    if scene.trap.starts_with("login") {
        assert_ok(&login(&mut next, "xiaoyu", PASSWORD));
    }
    drop(next);
    witness.await_rest();
    let log = fs::read_to_string(data.path().join("logs/server.log")).unwrap();
    assert_eq!(log.matches("panicked and was ended").count(), 1, "{}:\n{log}", scene.trap);
    assert!(witness.server.stop().unwrap().success());
}

#[test]
pub(crate) fn wherever_a_session_panics_it_ends_alone_and_leaves_nothing() {
    if is_release("wherever a session panics it ends alone and leaves nothing") {
        return;
    }
    SCENES.iter().for_each(play);
}

/// The server ends by itself, in order, and the last line of its log says why.
#[track_caller]
fn assert_ends_itself(mut server: Ferryd, data: &Path) {
    assert_eq!(server.wait().unwrap().code(), Some(1));
    let log = fs::read_to_string(data.join("logs/server.log")).unwrap();
    assert!(log.lines().last().unwrap().contains("the writer thread died"), "{log}");
    assert!(log.contains("panic at writer.chunk"), "{log}");
    assert_eq!(fs::read_dir(data.join("library/.ferry")).unwrap().count(), 0);
}

#[test]
pub(crate) fn when_the_writer_dies_every_upload_fails_and_the_server_ends_itself() {
    const UPLOADS: usize = 50;
    const CHUNK: usize = 512 * 1024;
    if is_release("when the writer dies every upload fails and the server ends itself") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let library = data.path().join("library");
    furnish(&library);
    let trap = format!("panic@writer.chunk#{}", UPLOADS + 1);
    let words = ["--grace", "60"];
    let server = Ferryd::start_with_faults(stage(), data.path(), &words, &trap).unwrap();

    let content = bytes(1, CHUNK + 1000);
    let mut peers: Vec<Peer> = (0..UPLOADS).map(|_| Peer::connect(server.address)).collect();
    for (n, peer) in peers.iter_mut().enumerate() {
        assert_ok(&begin(peer, &format!("f{n}"), content.len()));
        peer.send(&content[..CHUNK]);
    }
    eventually("the first chunk of each is written", || {
        let parts = fs::read_dir(library.join(".ferry")).unwrap().flatten();
        parts.filter(|part| part.metadata().unwrap().len() == CHUNK as u64).count() == UPLOADS
    });
    let mut reader = Peer::connect(server.address);
    say(&mut reader, &json!({"cmd": "GET", "path": "film"}));
    assert_ok(&decision(&mut reader));

    // The next chunk, whosesoever it is, is the writer's last.
    for peer in &mut peers {
        peer.try_send(&content[CHUNK..]);
        peer.try_send(sum_line(&content));
    }
    for peer in &mut peers {
        assert_refused(&peer.line(), "internal");
        assert!(peer.is_closed());
    }
    // Who is downloading is not cut.
    assert!(reader.bytes(FILM) == bytes(1, FILM));
    assert!(reader.is_closed());
    assert!((0..UPLOADS).all(|n| !library.join(format!("f{n}")).exists()));
    assert_ends_itself(server, data.path());
}

#[test]
pub(crate) fn when_the_writer_dies_nobody_waits_for_an_answer_it_cannot_give() {
    if is_release("when the writer dies nobody waits for an answer it cannot give") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let words = ["--durability", "none"];
    let trap = "panic@writer.chunk#100";
    let server = Ferryd::start_with_faults(stage(), data.path(), &words, trap).unwrap();
    let mut peers: Vec<Peer> = (0..20).map(|_| Peer::connect(server.address)).collect();
    // Whole uploads, many of them in the queues when it dies.
    for (n, peer) in peers.iter_mut().enumerate() {
        let uploads = (0..50).flat_map(|k| eager_put(&format!("f{n}-{k}"), &bytes(k, 3000)));
        peer.try_send(uploads.collect::<Vec<u8>>());
    }
    let mut kept = 0;
    for (n, peer) in peers.iter_mut().enumerate() {
        for k in 0..50 {
            let told = peer.line();
            if told.is_null() {
                break;
            }
            if told["status"] == "OK" {
                let path = data.path().join(format!("library/f{n}-{k}"));
                assert!(fs::read(path).unwrap() == bytes(k, 3000));
                kept += 1;
            } else {
                assert_refused(&told, "internal");
            }
        }
    }
    assert!(kept < 100, "{kept} uploads of 99 that were written");
    assert_ends_itself(server, data.path());
}
