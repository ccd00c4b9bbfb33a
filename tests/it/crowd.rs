//! Many clients at once, many files at once.
//!
//! Goal: under load every file is whole and every reader sees none or all of it. Method: peers in
//! threads of their own, contents that follow from a number, every byte compared.

use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use harness::content::{bytes, crc, eager_put};
use serde_json::json;

use crate::talk::{ask_about, assert_ok, assert_refused, get, list, put, quick};

#[test]
pub(crate) fn a_reader_sees_none_of_a_file_or_all_of_it() {
    const FILES: usize = 8;
    const SIZE: usize = 4 * 1024 * 1024;
    let server = quick();
    let contents: Vec<Vec<u8>> = (0..FILES).map(|seed| bytes(seed as u64, SIZE)).collect();
    let (done, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut peer = server.peer();
            while !done.load(Ordering::SeqCst) {
                for entry in list(&mut peer, "") {
                    assert_eq!(entry["size"], SIZE, "{entry}");
                }
                // The one that is being received, or the last that was.
                let n = seen.load(Ordering::SeqCst).min(FILES - 1);
                let (line, got) = get(&mut peer, &format!("f{n}"));
                if line["status"] == "OK" {
                    assert!(got == contents[n], "f{n} was read as something else");
                } else {
                    assert_refused(&line, "not-found");
                }
            }
            assert_eq!(list(&mut peer, "").len(), FILES);
        });
        let mut peer = server.peer();
        let answers: Vec<_> = (0..FILES)
            .map(|n| {
                let answer = put(&mut peer, &format!("f{n}"), &contents[n]);
                seen.fetch_add(1, Ordering::SeqCst);
                answer
            })
            .collect();
        done.store(true, Ordering::SeqCst);
        answers.iter().for_each(assert_ok);
    });
}

#[test]
pub(crate) fn sixty_four_clients_at_once_each_get_what_was_put() {
    const CLIENTS: u64 = 64;
    let server = quick();
    let shared = bytes(1000, 300_000);
    assert_ok(&put(&mut server.peer(), "shared", &shared));
    let start = Barrier::new(64);
    let work = |seed: u64| {
        let (mut peer, own, content) = (server.peer(), format!("f{seed}"), bytes(seed, 200_000));
        start.wait();
        assert_ok(&put(&mut peer, &own, &content));
        let (line, got) = get(&mut peer, "shared");
        assert!(got == shared && line["crc32"] == crc(&shared), "{line}");
        let (line, got) = get(&mut peer, &own);
        assert!(got == content && line["crc32"] == crc(&content), "{line}");
        assert_eq!(ask_about(&mut peer, "SUM", &own)["crc32"], crc(&content));
        // The file of somebody else, if it is there by now, is whole.
        let other = (seed + 1) % CLIENTS;
        let (line, got) = get(&mut peer, &format!("f{other}"));
        assert!(line["status"] == "FAIL" || got == bytes(other, 200_000), "{line}");
    };
    thread::scope(|scope| {
        let work = &work;
        for seed in 0..CLIENTS {
            scope.spawn(move || work(seed));
        }
    });
    assert_eq!(list(&mut server.peer(), "").len(), 65);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn three_hundred_small_files_sent_ahead_are_all_ok_and_all_on_disk() {
    const FILES: usize = 300;
    let server = quick();
    let content = |n: usize| bytes(n as u64, n * 9000 / (FILES - 1));
    let mut peer = server.peer();
    let wire: Vec<u8> = (0..FILES).flat_map(|n| eager_put(&format!("f{n}"), &content(n))).collect();
    peer.send(wire);
    for n in 0..FILES {
        assert_eq!(peer.line(), json!({"status": "OK"}), "file {n}");
    }
    for n in 0..FILES {
        let kept = fs::read(server.library().join(format!("f{n}"))).unwrap();
        assert!(kept == content(n), "f{n}");
    }
    assert_eq!(list(&mut peer, "").len(), FILES);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn every_second_of_many_files_sent_ahead_may_be_refused_and_the_answers_keep_their_order()
 {
    let server = quick();
    let mut peer = server.peer();
    for n in (0..150).step_by(2) {
        fs::write(server.library().join(format!("f{n}")), "taken").unwrap();
    }
    peer.send((0..150).flat_map(|n| eager_put(&format!("f{n}"), b"new")).collect::<Vec<u8>>());
    for n in 0..150 {
        let expected = if n % 2 == 0 { "EXISTS" } else { "OK" };
        assert_eq!(peer.line()["status"], expected, "f{n}");
    }
}

/// With the durability people get by default.
#[test]
pub(crate) fn many_small_files_survive_their_common_sync() {
    let server = harness::TestServer::start();
    let mut peer = server.peer();
    peer.send((0..70).flat_map(|n| eager_put(&format!("f{n}"), b"x")).collect::<Vec<u8>>());
    for _ in 0..70 {
        assert_ok(&peer.line());
    }
    assert_eq!(list(&mut peer, "").len(), 70);
}
