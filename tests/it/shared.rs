//! Several servers on one folder: `ferryd --shared-data`.
//!
//! Goal: between two servers holds what holds within one: one writer for each name, no mix, no
//! half, and nobody waits for ever or in vain. Method: many peers at once, half of them at either
//! server; contents that follow from a number, every byte compared.

use std::collections::HashSet;
use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::content::{bytes, crc, eager_put, sum_line};
use harness::{Peer, eventually};
use serde_json::{Value, json};

use crate::lifetime::bind;
use crate::pair::{Pair, shared, start};
use crate::people::{PASSWORD, overwrite, register};
use crate::talk::{ask, assert_ok, begin, decision, get, names, put};

/// Lets `peers` do something at once, each in a thread of its own; what came of it, in order.
fn at_once<T: Send>(pair: &Pair, peers: usize, act: impl Fn(usize, Peer) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(peers);
    thread::scope(|scope| {
        let (act, start) = (&act, &start);
        let threads: Vec<_> = (0..peers)
            .map(|n| {
                scope.spawn(move || {
                    let peer = pair.peer(n);
                    start.wait();
                    act(n, peer)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn of_sixty_four_who_put_one_name_through_two_servers_one_is_ok_and_the_file_is_theirs() {
    let pair = Pair::start();
    let answers = at_once(&pair, 64, |n, mut peer| {
        let content = bytes(n as u64, 100_000);
        if n % 4 < 2 {
            return put(&mut peer, "f", &content);
        }
        peer.send(eager_put("f", &content));
        decision(&mut peer)
    });
    let winners: Vec<usize> = (0..64).filter(|n| answers[*n]["status"] == "OK").collect();
    let [winner] = winners[..] else { panic!("not one winner: {answers:?}") };
    assert_eq!(answers.iter().filter(|answer| answer["status"] == "EXISTS").count(), 63);
    assert!(pair.read("f") == bytes(winner as u64, 100_000), "the content is not the winner's");
}

#[test]
fn who_reads_while_two_servers_replace_a_file_reads_one_whole_version() {
    const ROUNDS: usize = 15;
    let pair = Pair::start();
    assert_ok(&register(&mut pair.peer(0), "xiaoyu", PASSWORD));
    let version = |n: usize, round: usize| bytes((2 * round + n) as u64, 60_000 + 700 * round);
    let versions: HashSet<String> =
        (0..ROUNDS).flat_map(|round| [0, 1].map(|n| crc(&version(n, round)))).collect();
    assert_ok(&put(&mut pair.known(0, "xiaoyu"), "f", &version(0, 0)));
    let writing = AtomicBool::new(true);
    thread::scope(|scope| {
        let readers = [0, 1].map(|n| {
            let (pair, writing, versions) = (&pair, &writing, &versions);
            scope.spawn(move || {
                let mut peer = pair.known(n, "xiaoyu");
                while writing.load(Ordering::SeqCst) {
                    let (line, read) = get(&mut peer, "f");
                    assert_ok(&line);
                    assert!(versions.contains(&crc(&read)), "a mix, or a part: {line}");
                }
            })
        });
        let writers = [0, 1].map(|n| {
            let (pair, version) = (&pair, &version);
            scope.spawn(move || {
                let mut peer = pair.known(n, "xiaoyu");
                for round in 0..ROUNDS {
                    assert_ok(&overwrite(&mut peer, "f", &version(n, round)));
                }
            })
        });
        let written = writers.map(thread::ScopedJoinHandle::join);
        writing.store(false, Ordering::SeqCst);
        assert!(written.iter().all(Result::is_ok), "a writer was refused");
        assert!(readers.map(thread::ScopedJoinHandle::join).iter().all(Result::is_ok));
    });
}

#[test]
fn of_sixty_four_who_register_one_name_with_two_servers_one_is_ok() {
    let pair = Pair::start();
    let answers =
        at_once(&pair, 64, |n, mut peer| register(&mut peer, "anna", &format!("secret-{n}")));
    let ok: Vec<usize> = (0..64).filter(|n| answers[*n]["status"] == "OK").collect();
    let [winner] = ok[..] else { panic!("not one winner: {answers:?}") };
    assert_eq!(answers.iter().filter(|answer| answer["status"] == "EXISTS").count(), 63);
    let asked = |password| json!({"cmd": "LOGIN", "user": "anna", "password": password});
    assert_ok(&ask(&mut pair.peer(winner + 1), &asked(format!("secret-{winner}"))));
}

#[test]
fn many_names_through_two_servers_are_all_ok_and_nobody_waits_in_vain() {
    const NAMES: usize = 64;
    let pair = Pair::start();
    let content = |n: usize, name: usize| bytes((n * NAMES + name) as u64, 300 + name);
    at_once(&pair, 64, |n, mut peer| {
        for name in 0..NAMES {
            peer.send(eager_put(&format!("f{n}-{name}"), &content(n, name)));
        }
        for _ in 0..NAMES {
            assert_ok(&decision(&mut peer));
        }
    });
    for n in 0..64 {
        for name in 0..NAMES {
            assert!(pair.read(&format!("f{n}-{name}")) == content(n, name), "f{n}-{name}");
        }
    }
    assert_eq!(names(&mut pair.peer(1), "").len(), 64 * NAMES);
}

/// Two servers that kept what they hold while they wait for what the other holds would wait for
/// ever.
#[test]
fn names_sent_ahead_in_opposite_orders_do_not_lock_two_servers_out() {
    const NAMES: usize = 60;
    let pair = Pair::start();
    let published: Vec<usize> = at_once(&pair, 8, |n, mut peer| {
        let mut order: Vec<usize> = (0..NAMES).collect();
        if n % 4 < 2 {
            order.reverse();
        }
        let content = format!("from {n}");
        for name in &order {
            peer.send(eager_put(&format!("f{name}"), content.as_bytes()));
        }
        let answers: Vec<Value> = order.iter().map(|_| decision(&mut peer)).collect();
        assert!(answers.iter().all(|answer| answer["status"] != "FAIL"), "{answers:?}");
        answers.iter().filter(|answer| answer["status"] == "OK").count()
    });
    assert_eq!(published.iter().sum::<usize>(), NAMES);
    assert_eq!(names(&mut pair.peer(0), "").len(), NAMES);
}

#[test]
fn a_server_that_shares_and_one_that_does_not_refuse_each_other() {
    let data = tempfile::tempdir().unwrap();
    let alone = ["--data", data.path().to_str().unwrap()];
    let sharing = [&alone[..], &["--shared-data"]].concat();
    let first = shared(data.path());
    let said = bind(&alone).unwrap_err();
    assert!(said.contains("is shared by other ferryds; join them with --shared-data"), "{said}");
    drop(first);
    let first = start(data.path(), &[]).unwrap();
    let said = bind(&sharing).unwrap_err();
    assert!(said.contains("in use by another ferryd, which does not share it"), "{said}");
    drop(first);
    // A library that is another server's own is refused in the same way.
    let first = shared(data.path());
    let (other, library) = (tempfile::tempdir().unwrap(), data.path().join("library"));
    let other = ["--data", other.path().to_str().unwrap(), "--library", library.to_str().unwrap()];
    let said = bind(&other).unwrap_err();
    assert!(said.contains("is shared by other ferryds"), "{said}");
    drop(first);
    bind(&alone).unwrap();
}

#[test]
fn two_servers_write_whole_lines_into_one_log() {
    let pair = Pair::start();
    at_once(&pair, 16, |n, mut peer| {
        for round in 0..20 {
            assert_ok(&put(&mut peer, &format!("f{n}-{round}"), b"abc"));
        }
    });
    let log = pair.data.path().join("logs/server.log");
    let puts = |log: &str| log.lines().filter(|line| line.contains(" PUT /library/f")).count();
    eventually("every upload is in the log", || puts(&fs::read_to_string(&log).unwrap()) == 320);
    for line in fs::read_to_string(&log).unwrap().lines() {
        assert!(line.starts_with("20") && line.split_whitespace().count() >= 4, "{line}");
    }
}

#[test]
fn a_server_that_joins_disturbs_no_upload_of_the_others() {
    let data = tempfile::tempdir().unwrap();
    let first = shared(data.path());
    let mut slow = Peer::connect(first.address);
    let content = bytes(1, 300_000);
    assert_ok(&begin(&mut slow, "slow", content.len()));
    slow.send(&content[..100_000]);
    let coming = AtomicBool::new(true);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|n| {
                let (first, coming) = (&first, &coming);
                scope.spawn(move || {
                    let mut peer = Peer::connect(first.address);
                    for file in (0..).take_while(|_| coming.load(Ordering::SeqCst)) {
                        assert_ok(&put(&mut peer, &format!("f{n}-{file}"), b"abc"));
                    }
                })
            })
            .collect();
        // Each start sweeps, while parts come and go.
        let started: Vec<_> = (0..20).map(|_| start(data.path(), &["--shared-data"])).collect();
        coming.store(false, Ordering::SeqCst);
        assert!(started.iter().all(Result::is_ok), "{started:?}");
        assert!(clients.into_iter().all(|client| client.join().is_ok()), "an upload was disturbed");
    });
    slow.send(&content[100_000..]);
    slow.send(sum_line(&content));
    assert_ok(&slow.line());
    assert!(fs::read(data.path().join("library/slow")).unwrap() == content);
}

#[test]
fn an_upload_cut_at_one_server_goes_on_at_the_other() {
    let pair = Pair::start();
    let content = bytes(1, 900_000);
    let request = json!({
        "cmd": "PUT", "path": "f", "size": content.len(), "mtime": 1_700_000_000, "resume": true
    });
    let [mut cut, mut goes_on] = [pair.peer(0), pair.peer(1)];
    assert_ok(&ask(&mut cut, &request));
    cut.send(&content[..600_000]);
    drop(cut);
    goes_on.send(format!("{request}\n"));
    assert_eq!(decision(&mut goes_on), json!({"status": "OK", "offset": 600_000}));
    goes_on.send(&content[600_000..]);
    goes_on.send(sum_line(&content));
    assert_ok(&goes_on.line());
    assert!(pair.read("f") == content);
}
