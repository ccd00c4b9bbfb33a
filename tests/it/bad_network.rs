//! A bad network costs whoever is behind it, and leaves nothing on the server.
//!
//! Goal: each way a network can fail is survived by the server and noticed by the client. Method:
//! peers behind a `FaultProxy`, whose plan gives every connection the same fault.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::time::Duration;

use harness::content::{bytes, eager_put};
use harness::fault_proxy::{Fault, FaultProxy};
use harness::{Peer, TestServer, eventually};
use serde_json::json;

use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, begin, decision, get, names, put, quick, send_body,
};

fn behind(server: &TestServer, fault: Fault) -> FaultProxy {
    FaultProxy::start(server.address(), move |_| fault).unwrap()
}

#[test]
fn what_only_comes_late_or_slowly_comes_whole() {
    let server = quick();
    let content = bytes(1, 60_000);
    for (n, fault) in
        [Fault::None, Fault::Delay(Duration::from_millis(5)), Fault::Throttle(400_000)]
            .into_iter()
            .enumerate()
    {
        let proxy = behind(&server, fault);
        let mut peer = Peer::connect(proxy.address());
        let name = format!("f{n}");
        assert_ok(&put(&mut peer, &name, &content));
        assert!(get(&mut peer, &name).1 == content, "{fault:?}");
        assert_eq!(proxy.struck(), 0);
    }
}

#[test]
fn an_upload_that_the_network_cuts_leaves_nothing_and_its_name_is_free() {
    let server = quick();
    for fault in [Fault::Close(30_000), Fault::Reset(30_000), Fault::HalfClose(30_000)] {
        let proxy = behind(&server, fault);
        let mut peer = Peer::connect(proxy.address());
        peer.try_send(eager_put("f", &bytes(1, 60_000)));
        assert!(peer.is_closed(), "half an upload was answered: {fault:?}");
        assert_eq!(proxy.struck(), 1);
        eventually("no part is left", || server.parts() == 0);
        let mut next = server.peer();
        assert_eq!(names(&mut next, ""), [""; 0], "{fault:?}");
        assert_ok(&begin(&mut next, "f", 3));
    }
}

#[test]
fn who_is_half_closed_by_the_network_still_hears_what_was_answered() {
    let server = quick();
    let wire = eager_put("f", b"whole");
    let proxy = behind(&server, Fault::HalfClose(wire.len() as u64));
    let mut peer = Peer::connect(proxy.address());
    peer.send([wire, b"{\"cmd\":\"DELETE\",\"path\":\"f\"}\n".to_vec()].concat());
    assert_ok(&peer.line());
    assert!(peer.is_closed());
    assert_eq!(get(&mut server.peer(), "f").1, b"whole");
}

#[test]
fn a_download_that_the_network_cuts_costs_nobody_else_anything() {
    let server = quick();
    let content = bytes(1, 2_000_000);
    std::fs::write(server.library().join("f"), &content).unwrap();
    for fault in [Fault::Close(500_000), Fault::Reset(500_000)] {
        let proxy = behind(&server, fault);
        let mut peer = Peer::connect(proxy.address());
        assert_eq!(ask_about(&mut peer, "GET", "f")["size"], content.len());
        let mut got = Vec::new();
        let _ = peer.stream().read_to_end(&mut got);
        assert!(got.len() < content.len(), "{fault:?} cut nothing");
        assert!(get(&mut server.peer(), "f").1 == content);
    }
}

#[test]
fn a_name_held_by_somebody_in_a_black_hole_is_free_when_the_hole_is_gone() {
    let server = quick();
    let proxy = behind(&server, Fault::BlackHole(10_000));
    let mut lost = Peer::connect(proxy.address());
    assert_ok(&begin(&mut lost, "f", 60_000));
    lost.send(bytes(1, 60_000));
    eventually("the hole has swallowed it", || proxy.struck() == 1);
    // Nobody has told either side: the name is held, and nothing comes back.
    let mut next = server.peer();
    assert_eq!(ask(&mut next, &json!({"cmd": "PUT", "path": "f", "size": 3}))["status"], "WAIT");
    lost.stream().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut silence = [0; 1];
    let heard = lost.stream().read(&mut silence).unwrap_err();
    assert_eq!(heard.kind(), ErrorKind::WouldBlock);
    drop(proxy);
    assert_ok(&decision(&mut next));
    assert_ok(&send_body(&mut next, b"abc"));
}

#[test]
fn a_proxy_that_is_dropped_is_gone_with_all_its_connections() {
    let server = quick();
    let proxy = behind(&server, Fault::None);
    let address = proxy.address();
    let mut peers: Vec<Peer> = (0..5).map(|_| Peer::connect(address)).collect();
    peers.iter_mut().for_each(assert_goes_on);
    drop(proxy);
    for peer in &mut peers {
        assert!(peer.is_closed());
    }
    assert!(TcpStream::connect(address).is_err());
}
