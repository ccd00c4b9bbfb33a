//! A limit on the size of files (`RLIMIT_FSIZE`), whose signal would end a careless process.
//!
//! Goal: a file over the limit is refused in words, and everybody else is served on. Method: the
//! limit of a real `ferryd` is set and lifted from outside, or is there from its start.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use harness::content::{bytes, eager_put};
use harness::{Peer, eventually};

use crate::people::{PASSWORD, register, stage};
use crate::talk::{assert_goes_on, assert_ok, assert_refused, begin, names, put};
use crate::witness::{Witness, assert_told, put_as};

#[test]
fn a_file_over_the_size_limit_is_too_large_and_all_others_go_on() {
    const LIMIT: usize = 600_000;
    let data = tempfile::tempdir().unwrap();
    // The log is over the limit already, so every line the server writes is refused, too.
    fs::create_dir(data.path().join("logs")).unwrap();
    fs::write(data.path().join("logs/server.log"), bytes(1, 2 * LIMIT)).unwrap();
    let mut witness = Witness::start(data.path());
    witness.limit(Some(LIMIT as u64));
    let mut peer = witness.peer();
    for (n, size) in [9, LIMIT + 1, LIMIT, 700_000, 1 << 20, 9].into_iter().enumerate() {
        for eager in [true, false] {
            let (name, content) = (format!("{n}-{eager}"), bytes(n as u64, size));
            let told = put_as(&mut peer, eager, &name, &content);
            assert_told(&told, size <= LIMIT, "too-large");
            witness.note(&name, &content, &told);
        }
    }
    let pipeline = [9, 700_000, 9, LIMIT + 1, 9].map(|size| bytes(2, size));
    let whole: Vec<u8> = (0_u8..).zip(&pipeline).fold(vec![], |mut wire, (n, content)| {
        wire.extend(eager_put(&format!("line-{n}"), content));
        wire
    });
    peer.send(whole);
    for (n, content) in pipeline.iter().enumerate() {
        let told = peer.line();
        assert_told(&told, n % 2 == 0, "too-large");
        witness.note(&format!("line-{n}"), content, &told);
    }
    assert_goes_on(&mut peer);

    // Over 1 MiB is still to come: told, and closed. What is sent here is enough for the failure
    // to come back from the writer, and little enough to be thrown away before the close.
    assert_ok(&begin(&mut peer, "film", 6_000_000));
    peer.send(bytes(3, 3_000_000));
    assert_refused(&peer.line(), "too-large");
    assert!(peer.is_closed());
    drop(peer);
    witness.check();

    witness.limit(None);
    let (mut peer, content) = (witness.peer(), bytes(4, 700_000));
    let told = put(&mut peer, "1-true", &content);
    assert_ok(&told);
    witness.note("1-true", &content, &told);
    drop(peer);
    witness.check();
    assert!(witness.server.stop().unwrap().success());
}

#[test]
fn a_server_that_may_not_write_a_byte_from_its_start_serves_on() {
    let data = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = Command::new("prlimit")
        .arg("--fsize=0")
        .arg(stage())
        .args(["ferryd", "--listen", &address.to_string(), "--data"])
        .arg(data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it serves", || TcpStream::connect(address).is_ok());
    let mut peer = Peer::connect(address);
    for eager in [true, false] {
        assert_refused(&put_as(&mut peer, eager, "f", b"x"), "too-large");
        assert_ok(&put_as(&mut peer, eager, &format!("empty-{eager}"), b""));
    }
    assert_eq!(register(&mut peer, "ann", PASSWORD)["status"], "FAIL");
    assert_eq!(names(&mut peer, "").len(), 2);
    server.kill().unwrap();
    server.wait().unwrap();
}
