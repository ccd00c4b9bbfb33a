//! Starting, stopping, and clients that come and go.
//!
//! Goal: a stop ends everything and cuts nothing that can end by itself; nothing a client leaves
//! behind stays. Method: stops at chosen moments; that connecting fails shows that one was asked.

use std::fs;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use harness::content::{bytes, sum_line};
use harness::{Peer, TestServer, eventually};
use serde_json::json;
use server::Server;
use server::config::Config;

use crate::talk::{
    assert_goes_on, assert_ok, assert_refused, begin, decision, get, hold, name_of, put, quick,
    quick_with, say, send_body,
};

/// The server stops listening before it does anything else about a stop.
fn stop_is_asked(address: SocketAddr) {
    eventually("nobody listens any more", || TcpStream::connect(address).is_err());
}

#[test]
pub(crate) fn a_stop_ends_idle_sessions_at_once() {
    let server = quick_with(&["--grace", "60"]);
    let mut idle: Vec<Peer> = (0..20).map(|_| server.peer()).collect();
    idle.iter_mut().for_each(assert_goes_on);
    let begun = Instant::now();
    server.stop();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    for peer in &mut idle {
        assert!(peer.is_closed());
    }
}

#[test]
pub(crate) fn a_stop_lets_an_upload_finish_and_then_ends_its_session() {
    let library = tempfile::tempdir().unwrap();
    let server = quick_with(&["--grace", "60", "--library", library.path().to_str().unwrap()]);
    let address = server.address();
    let content = bytes(1, 900_000);
    let mut peer = server.peer();
    assert_ok(&begin(&mut peer, "f", content.len()));
    peer.send(&content[..500_000]);
    thread::scope(|scope| {
        scope.spawn(|| server.stop());
        stop_is_asked(address);
        peer.send(&content[500_000..]);
        peer.send(sum_line(&content));
        assert_ok(&peer.line());
        assert!(peer.is_closed());
    });
    assert!(fs::read(library.path().join("f")).unwrap() == content);
}

#[test]
pub(crate) fn a_stop_lets_a_download_finish() {
    let server = quick_with(&["--grace", "60"]);
    let address = server.address();
    let content = bytes(1, 20_000_000);
    fs::write(server.library().join("f"), &content).unwrap();
    let mut peer = server.peer();
    say(&mut peer, &json!({"cmd": "GET", "path": "f"}));
    assert_ok(&peer.line());
    thread::scope(|scope| {
        scope.spawn(|| server.stop());
        stop_is_asked(address);
        assert!(peer.bytes(content.len()) == content);
        assert!(peer.is_closed());
    });
}

#[test]
pub(crate) fn what_does_not_end_within_the_grace_is_cut_and_leaves_nothing() {
    let library = tempfile::tempdir().unwrap();
    let server = quick_with(&["--grace", "1", "--library", library.path().to_str().unwrap()]);
    let (mut holder, mut waiter, mut reader) = (server.peer(), server.peer(), server.peer());
    hold(&mut holder, "f");
    say(&mut waiter, &json!({"cmd": "PUT", "path": "f", "size": 3}));
    assert_eq!(waiter.line()["holder"], name_of(&holder));
    fs::write(library.path().join("big"), bytes(1, 20_000_000)).unwrap();
    say(&mut reader, &json!({"cmd": "GET", "path": "big"}));
    assert_ok(&reader.line());
    let begun = Instant::now();
    server.stop();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert!(holder.is_closed());
    assert!(!library.path().join("f").exists());
    assert_eq!(fs::read_dir(library.path().join(".ferry")).unwrap().count(), 0);
}

#[test]
pub(crate) fn clients_that_leave_in_any_phase_leave_nothing() {
    let server = quick();
    fs::write(server.library().join("big"), bytes(1, 3_000_000)).unwrap();
    let mut holder = server.peer();
    hold(&mut holder, "held");
    for n in 0..100 {
        let mut peer = server.peer();
        let path = format!("f{n}");
        match n % 10 {
            0 => {}
            1 => peer.send("{\"cmd\":\"LI"),
            2 => say(&mut peer, &json!({"cmd": "LIST"})),
            3 => say(&mut peer, &json!({"cmd": "PUT", "path": path, "size": 5})),
            4 => hold(&mut peer, &path),
            5 => {
                assert_ok(&begin(&mut peer, &path, 5));
                peer.send("whole");
            }
            6 => say(&mut peer, &json!({"cmd": "GET", "path": "big"})),
            7 => say(&mut peer, &json!({"cmd": "PUT", "path": "held", "size": 5})),
            8 => peer.stream().shutdown(Shutdown::Write).unwrap(),
            _ => say(&mut peer, &json!({"cmd": "QUIT"})),
        }
    }
    drop(holder);
    // In line behind everyone who still waits for this name.
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "held", b"fresh"));
    assert_eq!(get(&mut peer, "held").1, b"fresh");
    eventually("no part is left", || server.parts() == 0);
    let mut kept = crate::talk::names(&mut peer, "");
    kept.sort();
    assert_eq!(kept, ["big", "held"]);
}

#[test]
pub(crate) fn a_client_that_never_reads_costs_only_itself() {
    let server = quick_with(&["--grace", "0"]);
    fs::write(server.library().join("big"), bytes(1, 20_000_000)).unwrap();
    let deaf: Vec<Peer> = (0..8)
        .map(|_| {
            let mut peer = server.peer();
            say(&mut peer, &json!({"cmd": "GET", "path": "big"}));
            peer
        })
        .collect();
    let mut peer = server.peer();
    assert_ok(&put(&mut peer, "f", b"served"));
    assert_eq!(get(&mut peer, "f").1, b"served");
    drop(deaf);
}

#[test]
pub(crate) fn a_holder_that_sends_nothing_more_is_no_hindrance_to_a_stop() {
    let server = quick_with(&["--grace", "0"]);
    let mut holder = server.peer();
    hold(&mut holder, "f");
    server.stop();
    assert!(holder.is_closed());
}

/// Takes a folder and a port, and serves nobody.
pub(crate) fn bind(words: &[&str]) -> Result<Server, String> {
    let config = Config::try_parse_from([&["ferryd", "--listen", "127.0.0.1:0"], words].concat());
    Server::bind(config.unwrap()).map_err(|error| error.to_string())
}

#[test]
pub(crate) fn a_folder_in_use_is_refused_to_a_second_server_and_free_when_the_first_is_gone() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [data, other] = [data.path(), other.path()].map(|path| path.to_str().unwrap());
    let library = format!("{data}/library");
    let first = bind(&["--data", data]).unwrap();
    let same_data = bind(&["--data", data]).unwrap_err();
    assert!(same_data.contains("in use") && same_data.contains(data), "{same_data}");
    let same_library = bind(&["--data", other, "--library", &library]).unwrap_err();
    assert!(same_library.contains("in use"), "{same_library}");
    drop(first);
    bind(&["--data", data]).unwrap();
}

#[test]
pub(crate) fn a_second_server_does_not_disturb_the_uploads_of_the_first() {
    let server = quick();
    let mut peer = server.peer();
    hold(&mut peer, "f");
    eventually("the part is there", || server.parts() == 1);
    let library = server.library();
    let data = library.parent().unwrap().to_str().unwrap();
    bind(&["--data", data]).unwrap_err();
    assert_eq!(server.parts(), 1);
    drop(peer);
}

#[test]
pub(crate) fn what_an_earlier_server_left_behind_is_swept_and_what_it_published_is_served() {
    let data = tempfile::tempdir().unwrap();
    let parts = data.path().join("library/.ferry");
    fs::create_dir_all(&parts).unwrap();
    fs::write(parts.join("1-1.part"), "half").unwrap();
    fs::write(data.path().join("library/f"), "published").unwrap();
    let library = data.path().join("library");
    let server = quick_with(&["--library", library.to_str().unwrap()]);
    assert_eq!(fs::read_dir(&parts).unwrap().count(), 0);
    assert_eq!(get(&mut server.peer(), "f").1, b"published");
}

#[test]
pub(crate) fn a_session_ends_for_itself_only() {
    let server = quick();
    let (mut out_of_step, mut peer) = (server.peer(), server.peer());
    assert_ok(&begin(&mut peer, "f", 3));
    out_of_step.send("{\"cmd\":\"PUT\",\"size\":-1}\n");
    assert_refused(&out_of_step.line(), "bad-request");
    assert!(out_of_step.is_closed());
    assert_ok(&send_body(&mut peer, b"abc"));
    assert_eq!(got_afterwards(&server), b"abc");
}

fn got_afterwards(server: &TestServer) -> Vec<u8> {
    let mut peer = server.peer();
    say(&mut peer, &json!({"cmd": "GET", "path": "f"}));
    assert_ok(&decision(&mut peer));
    peer.bytes(3)
}
