//! Several servers on one folder: `ferryd --shared-data`.
//!
//! Goal: between two servers holds what holds within one: one writer for each name, no mix, no
//! half, and nobody waits for ever or in vain. Method: two real `ferryd` processes on one data
//! folder, their clients as peers of either; which names share a stripe is computed here, from
//! what the architecture page says.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::actor::Ferryd;
use harness::content::{bytes, crc, eager_put};
use harness::{Peer, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::{PASSWORD, begin_overwrite, known, overwrite, register, rename, stage};
use crate::talk::{
    ask, ask_about, assert_ok, assert_refused, begin, decision, get, hold, name_of, names, put,
    say, send_body,
};

/// Two servers on one folder. They let people wait far longer than anything here takes: whoever
/// hears `busy` has waited in vain.
struct Pair {
    servers: [Ferryd; 2],
    data: TempDir,
}

fn start(data: &Path, words: &[&str]) -> std::io::Result<Ferryd> {
    Ferryd::start(stage(), data, &[&["--durability", "none"], words].concat())
}

fn shared(data: &Path) -> Ferryd {
    start(data, &["--shared-data", "--claim-wait", "120"]).unwrap()
}

impl Pair {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self { servers: [shared(data.path()), shared(data.path())], data }
    }

    /// A client of one of the two, even and odd ones taking turns.
    fn peer(&self, n: usize) -> Peer {
        Peer::connect(self.servers[n % 2].address)
    }

    /// The same, logged in.
    fn known(&self, n: usize, user: &str) -> Peer {
        known(self.servers[n % 2].address, user)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.data.path().join("library").join(name)).unwrap()
    }

    fn address(&self, n: usize) -> String {
        self.servers[n % 2].address.to_string()
    }
}

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

/// The stripe a path falls under.
fn stripe(path: &str) -> u32 {
    crc32fast::hash(path.as_bytes()) % 64
}

/// Names in the library that share the stripe of `path`.
fn neighbours(path: &str) -> impl Iterator<Item = String> {
    let wanted = stripe(path);
    (0..).map(|n| format!("n{n}")).filter(move |name| stripe(&format!("/library/{name}")) == wanted)
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
    const ROUNDS: usize = 40;
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

/// Asks for a name that is held at the other server: the first line.
fn wait_for(peer: &mut Peer, path: &str) -> Value {
    say(peer, &json!({"cmd": "PUT", "path": path, "size": 3}));
    let wait = peer.line();
    assert_eq!(wait["status"], "WAIT", "{wait}");
    wait
}

#[test]
fn who_waits_is_told_who_writes_the_name_at_which_other_server() {
    let pair = Pair::start();
    let (mut holder, mut waiter) = (pair.peer(0), pair.peer(1));
    hold(&mut holder, "f");
    let wait = wait_for(&mut waiter, "f");
    assert_eq!(wait["holder"], format!("{} at {}", name_of(&holder), pair.address(0)));
    assert_eq!(wait["size"], 100);
    assert!(wait["since"].as_u64().is_some_and(|seconds| seconds < 60), "{wait}");
    drop(holder);
    assert_ok(&decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"new"));
    assert_eq!(pair.read("f"), b"new");
}

#[test]
fn who_waits_hears_exists_when_the_other_server_has_published() {
    let pair = Pair::start();
    let (mut holder, mut waiter) = (pair.peer(0), pair.peer(1));
    assert_ok(&begin(&mut holder, "f", 3));
    wait_for(&mut waiter, "f");
    assert_ok(&send_body(&mut holder, b"own"));
    assert_eq!(decision(&mut waiter)["status"], "EXISTS");
    assert_eq!(pair.read("f"), b"own");
}

#[test]
fn what_is_written_at_one_server_is_neither_removed_nor_renamed_at_the_other() {
    let pair = Pair::start();
    let (mut writer, mut other) = (pair.peer(0), pair.peer(1));
    assert_ok(&register(&mut writer, "xiaoyu", PASSWORD));
    assert_ok(&put(&mut writer, "f", b"old"));
    assert_ok(&begin_overwrite(&mut writer, "f", 3));
    assert_ok(&crate::people::login(&mut other, "xiaoyu", PASSWORD));
    for refused in [ask_about(&mut other, "DELETE", "f"), rename(&mut other, "f", "g")] {
        assert_refused(&refused, "busy");
        let holder = format!("xiaoyu at {} is writing", pair.address(0));
        assert!(refused["message"].as_str().unwrap().contains(&holder), "{refused}");
    }
    assert_ok(&send_body(&mut writer, b"new"));
    assert_eq!(get(&mut other, "f").1, b"new");
    assert_ok(&ask_about(&mut other, "DELETE", "f"));
}

#[test]
fn names_under_one_stripe_do_not_block_each_other_at_one_server() {
    let pair = Pair::start();
    let mut holder = pair.peer(0);
    hold(&mut holder, "f");
    for name in neighbours("/library/f").take(3) {
        let mut peer = pair.peer(0);
        say(&mut peer, &json!({"cmd": "PUT", "path": name, "size": 3}));
        // No WAIT: the very first line.
        assert_eq!(peer.line(), json!({"status": "OK", "offset": 0}));
        assert_ok(&send_body(&mut peer, b"abc"));
    }
}

#[test]
fn a_neighbour_under_the_same_stripe_is_waited_for_and_not_named() {
    let pair = Pair::start();
    let mut owner = pair.peer(0);
    assert_ok(&register(&mut owner, "xiaoyu", PASSWORD));
    hold(&mut owner, "diary");
    let name = neighbours("/homes/xiaoyu/diary").next().unwrap();
    let mut waiter = pair.peer(1);
    let wait = wait_for(&mut waiter, &name);
    assert_eq!(wait["holder"], format!("somebody at {}", pair.address(0)));
    assert_eq!((&wait["size"], &wait["received"]), (&json!(0), &json!(0)));
    drop(owner);
    assert_ok(&decision(&mut waiter));
}

/// At one server there is always somebody under the stripe, each new one before the last is gone.
/// Who waits at the other server must have their turn all the same.
#[test]
fn a_server_that_is_never_done_with_a_stripe_gives_it_to_the_one_that_waits() {
    let pair = Pair::start();
    let mut relay = neighbours("/library/f");
    let mut waiter = pair.peer(1);
    let mut holder = pair.peer(0);
    hold(&mut holder, &relay.next().unwrap());
    wait_for(&mut waiter, "f");
    eventually("nobody new is let in before the one who waits", || {
        let mut next = pair.peer(0);
        let path = relay.next().unwrap();
        let answer = ask(&mut next, &json!({"cmd": "PUT", "path": path, "size": 3, "wait": 0}));
        if answer["status"] != "OK" {
            assert_refused(&decision_after(&mut next, answer), "busy");
            return true;
        }
        holder = next;
        false
    });
    drop(holder);
    assert_ok(&decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"abc"));
    // And then it is the first one's again.
    assert_ok(&put(&mut pair.peer(0), &relay.next().unwrap(), b"abc"));
}

#[test]
fn who_waited_at_one_server_and_gave_up_is_in_nobodys_way_at_the_other() {
    let pair = Pair::start();
    let mut relay = neighbours("/library/f");
    let mut holder = pair.peer(0);
    hold(&mut holder, &relay.next().unwrap());
    let asked = json!({"cmd": "PUT", "path": "f", "size": 3, "wait": 1});
    let mut leaver = pair.peer(1);
    say(&mut leaver, &asked);
    assert_refused(&decision(&mut leaver), "busy");
    let (mut next, path) = (pair.peer(0), relay.next().unwrap());
    say(&mut next, &json!({"cmd": "PUT", "path": path, "size": 3}));
    // No WAIT: the very first line.
    assert_ok(&next.line());
}

fn decision_after(peer: &mut Peer, line: Value) -> Value {
    if line["status"] == "WAIT" { decision(peer) } else { line }
}

#[test]
fn a_server_that_is_killed_leaves_its_stripes_to_the_other_at_once() {
    let data = tempfile::tempdir().unwrap();
    let (first, second) = (shared(data.path()), shared(data.path()));
    let mut holders: Vec<Peer> = (0..16).map(|_| Peer::connect(first.address)).collect();
    for (n, holder) in holders.iter_mut().enumerate() {
        hold(holder, &format!("f{n}"));
    }
    let mut waiter = Peer::connect(second.address);
    wait_for(&mut waiter, "f0");
    first.kill().unwrap();
    assert_ok(&decision(&mut waiter));
    assert_ok(&send_body(&mut waiter, b"abc"));
    let mut peer = Peer::connect(second.address);
    for n in 1..16 {
        say(&mut peer, &json!({"cmd": "PUT", "path": format!("f{n}"), "size": 3}));
        // The very first line. At the name that waited, the lock was passed on; here it is free.
        assert_ok(&peer.line());
        assert_ok(&send_body(&mut peer, b"abc"));
    }
    let again = shared(data.path());
    assert_eq!(names(&mut Peer::connect(again.address), "").len(), 16);
}

#[test]
fn a_server_that_shares_and_one_that_does_not_refuse_each_other() {
    let data = tempfile::tempdir().unwrap();
    let alone = ["--data", data.path().to_str().unwrap()];
    let sharing = [&alone[..], &["--shared-data"]].concat();
    let first = shared(data.path());
    let said = crate::lifetime::bind(&alone).unwrap_err();
    assert!(said.contains("is shared by other ferryds; join them with --shared-data"), "{said}");
    drop(first);
    let first = start(data.path(), &[]).unwrap();
    let said = crate::lifetime::bind(&sharing).unwrap_err();
    assert!(said.contains("in use by another ferryd, which does not share it"), "{said}");
    drop(first);
    // A library that is another server's own is refused in the same way.
    let first = shared(data.path());
    let (other, library) = (tempfile::tempdir().unwrap(), data.path().join("library"));
    let other = ["--data", other.path().to_str().unwrap(), "--library", library.to_str().unwrap()];
    let said = crate::lifetime::bind(&other).unwrap_err();
    assert!(said.contains("is shared by other ferryds"), "{said}");
    drop(first);
    crate::lifetime::bind(&alone).unwrap();
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
