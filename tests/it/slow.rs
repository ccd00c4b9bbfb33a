//! Who is too slow ends, and who keeps the pace does not.
//!
//! Goal: no peer holds a thread, a name or a place for long, however it spreads its bytes; and no
//! honest one is ended for what is slow on our side. Method: peers that trickle at both ends, and a
//! server whose longest standstill is a second instead of thirty. The rule itself is tried without
//! a clock, by the unit tests of the server's `patience.rs`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::actor::Ferryd;
use harness::content::{bytes, sum_line};
use harness::{Peer, TestServer, eventually};
use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::people::stage;
use crate::strace::{Fault, Whose, is_missing};
use crate::talk::{assert_goes_on, assert_ok, assert_refused, begin, get, put, quick_with, say};

/// A server that bears a standstill of one second, and a line of a third of that.
fn hurried(words: &[&str]) -> TestServer {
    quick_with(&[&["--stall-timeout", "1"], words].concat())
}

/// Sends a byte now and then while `listening` runs: ten or so a second, where a thousand are due.
fn while_trickling<T>(stream: &TcpStream, listening: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = stream;
            while !done.load(Ordering::SeqCst) && stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        });
        let heard = listening();
        done.store(true, Ordering::SeqCst);
        heard
    })
}

/// Whether its session is told that it is too slow, although bytes go on coming.
#[track_caller]
fn assert_too_slow(mut peer: Peer) {
    let stream = peer.stream().try_clone().unwrap();
    let told = while_trickling(&stream, || peer.line());
    assert_refused(&told, "timeout");
}

#[test]
pub(crate) fn a_body_that_stands_still_ends_and_its_name_is_free() {
    let server = hurried(&[]);
    let mut still = server.peer();
    assert_ok(&begin(&mut still, "f", 600_000));
    still.send([b'x'; 10]);
    assert_refused(&still.line(), "timeout");
    assert!(still.is_closed());
    assert_ok(&put(&mut server.peer(), "f", b"mine"));
}

#[test]
pub(crate) fn a_byte_now_and_then_buys_no_time_for_a_body_however_fast_it_began() {
    let server = hurried(&[]);
    for begun in [0, 600_000] {
        let mut peer = server.peer();
        assert_ok(&begin(&mut peer, "f", 700_000));
        peer.send(bytes(1, begun));
        assert_too_slow(peer);
        assert_ok(&put(&mut server.peer(), &format!("f{begun}"), b"mine"));
    }
}

#[test]
pub(crate) fn a_byte_now_and_then_buys_no_time_for_a_line_or_for_what_is_thrown_away() {
    let server = hurried(&[]);
    let mut line = server.peer();
    line.send("{\"cmd\":\"");
    assert_too_slow(line);
    let mut sum = server.peer();
    assert_ok(&begin(&mut sum, "f", 3));
    sum.send("abc{");
    assert_too_slow(sum);
    let mut unwanted = server.peer();
    say(&mut unwanted, &json!({"cmd": "PUT", "path": "no/f", "size": 9000, "eager": true}));
    assert_refused(&unwanted.line(), "not-found");
    assert_too_slow(unwanted);
}

#[test]
pub(crate) fn a_hundred_who_trickle_are_gone_soon_and_everybody_else_is_served_meanwhile() {
    let server = hurried(&[]);
    let mut tricklers: Vec<Peer> = (0..100).map(|_| server.peer()).collect();
    for (n, peer) in tricklers.iter_mut().enumerate() {
        say(peer, &json!({"cmd": "PUT", "path": format!("slow{n}"), "size": 9000}));
    }
    let mut honest = server.peer();
    let mut round = 0;
    eventually("all who trickle are gone", || {
        round += 1;
        assert_ok(&put(&mut honest, &format!("f{round}"), b"served"));
        assert_eq!(get(&mut honest, &format!("f{round}")).1, b"served");
        thread::sleep(Duration::from_millis(50));
        tricklers.iter_mut().filter_map(|peer| peer.try_send("x").then_some(())).count() == 0
    });
    eventually("no part is left", || server.parts() == 0);
}

/// A peer whose system keeps little for it: what it does not read shows at the other end.
fn narrow(address: SocketAddr) -> Peer {
    of_width(64 * 1024, address)
}

/// The same, and how little.
fn of_width(bytes: usize, address: SocketAddr) -> Peer {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(bytes).unwrap();
    socket.connect(&address.into()).unwrap();
    Peer::over(socket.into())
}

/// Whoever has the one place there is has to be let go first.
#[track_caller]
fn let_in(connect: impl Fn() -> Peer) -> Peer {
    let mut next = connect();
    eventually("the place is free", || {
        let free = next.greeting["status"] == "OK";
        if !free {
            next = connect();
        }
        free
    });
    assert_goes_on(&mut next);
    next
}

#[test]
pub(crate) fn who_reads_nothing_of_a_file_or_a_byte_now_and_then_is_let_go() {
    let server = hurried(&["--max-clients", "1"]);
    fs::write(server.library().join("film"), bytes(1, 20_000_000)).unwrap();
    for trickles in [false, true] {
        let mut reader = let_in(|| narrow(server.address()));
        say(&mut reader, &json!({"cmd": "GET", "path": "film"}));
        assert_ok(&reader.line());
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while trickles && !done.load(Ordering::SeqCst) {
                    let _ = reader.stream().read(&mut [0]);
                    thread::sleep(Duration::from_millis(50));
                }
            });
            let_in(|| server.peer());
            done.store(true, Ordering::SeqCst);
        });
    }
}

#[test]
pub(crate) fn who_asks_and_never_listens_is_let_go() {
    let server = hurried(&["--max-clients", "1"]);
    let mut deaf = narrow(server.address());
    let questions = "{\"cmd\":\"LIST\",\"path\":\"/\"}\n".repeat(1000);
    // The server reads no further while an answer is not taken, so in the end sending fails: the
    // deadline of the test's own socket is far above the server's.
    while deaf.try_send(&questions) {}
    let_in(|| server.peer());
}

/// The pace of the next ones: ten times and more what is due, so that only a machine that stands
/// still for some seconds could make them too slow.
const PACED: Duration = Duration::from_millis(50);

#[test]
pub(crate) fn who_keeps_the_pace_may_take_longer_than_a_standstill_may_last() {
    let server = quick_with(&["--stall-timeout", "5"]);
    let content = bytes(1, 1_600_000);
    fs::write(server.library().join("down"), &content).unwrap();
    let upload = || {
        let (mut peer, begun, mut sent) = (server.peer(), Instant::now(), 0);
        assert_ok(&begin(&mut peer, "up", 200_000));
        for piece in content[..200_000].chunks(1500) {
            peer.send(piece);
            sent += piece.len();
            thread::sleep(PACED);
        }
        assert!(sent == 200_000 && begun.elapsed() > Duration::from_secs(6));
        peer.send(sum_line(&content[..200_000]));
        assert_ok(&peer.line());
    };
    let download = || {
        let (mut peer, begun) = (narrow(server.address()), Instant::now());
        say(&mut peer, &json!({"cmd": "GET", "path": "down"}));
        assert_ok(&peer.line());
        for piece in content.chunks(12_000) {
            assert!(peer.bytes(piece.len()) == piece);
            thread::sleep(PACED);
        }
        assert!(begun.elapsed() > Duration::from_secs(6));
        assert_goes_on(&mut peer);
    };
    thread::scope(|scope| {
        scope.spawn(upload);
        scope.spawn(download);
    });
}

/// Whose system can take no packet whole never seems to take anything: the sender's asks again and
/// again whether there is room, and is told a little.
#[test]
fn who_keeps_the_pace_through_a_narrow_window_is_not_given_up_by_the_system() {
    let server = quick_with(&["--stall-timeout", "5"]);
    let content = bytes(1, 600_000);
    fs::write(server.library().join("down"), &content).unwrap();
    let (mut peer, begun) = (of_width(16 * 1024, server.address()), Instant::now());
    say(&mut peer, &json!({"cmd": "GET", "path": "down"}));
    assert_ok(&peer.line());
    for piece in content.chunks(2000) {
        assert!(peer.bytes(piece.len()) == piece);
        thread::sleep(PACED);
    }
    assert!(begun.elapsed() > Duration::from_secs(14));
    assert_goes_on(&mut peer);
}

/// What the server's system has taken ahead is out of the server's sight. It must not be more than such
/// a reader takes within the longest standstill.
#[test]
fn to_who_takes_little_little_is_sent_ahead_so_that_they_are_not_thought_to_stand_still() {
    let server = quick_with(&["--stall-timeout", "5"]);
    let content = bytes(1, 600_000);
    fs::write(server.library().join("down"), &content).unwrap();
    let (mut peer, begun) = (server.peer(), Instant::now());
    say(&mut peer, &json!({"cmd": "GET", "path": "down"}));
    assert_ok(&peer.line());
    let (slowly, at_once) = content.split_at(150_000);
    for piece in slowly.chunks(500) {
        assert!(peer.bytes(piece.len()) == piece);
        thread::sleep(PACED);
    }
    assert!(begun.elapsed() > Duration::from_secs(14));
    assert!(peer.bytes(at_once.len()) == at_once);
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn a_slow_disk_of_the_server_does_not_make_its_client_too_slow() {
    if is_missing("a slow disk of the server does not make its client too slow") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let server = Ferryd::start(stage(), data.path(), &["--stall-timeout", "1"]).unwrap();
    let mut peer = Peer::connect(server.address);
    // Each of the first writes takes longer than a standstill may: the session waits for a buffer.
    let rule = "write:delay_enter=1500000:when=1..3";
    let fault = Fault::inject(&server, Whose::Writer, rule, data.path().join("trace"));
    let content = bytes(1, 6 * 512 * 1024);
    assert_ok(&put(&mut peer, "f", &content));
    drop(fault);
    assert!(fs::read(data.path().join("library/f")).unwrap() == content);
}
