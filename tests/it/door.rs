//! How many may come in, and from where.
//!
//! Goal: no address takes all places, whoever sits at the machine gets in whatever the others do,
//! and who is turned away is told why. Method: peers from several addresses of this machine, and,
//! for those of other machines, a network of the test's own.

use std::net::{IpAddr, SocketAddr};

use harness::content::bytes;
use harness::{Peer, eventually};

use crate::network::in_a_network_of_its_own;
use crate::people::administrator;
use crate::talk::{ask_about, assert_goes_on, assert_ok, assert_refused, put, quick_with};

/// Turned away at the door, for the reason that has these words in it.
#[track_caller]
fn assert_full(mut peer: Peer, why: &str) {
    assert_refused(&peer.greeting, "full");
    let message = peer.greeting["message"].as_str().unwrap();
    assert!(message.contains(why), "{message}");
    assert!(peer.is_closed());
}

/// So many sessions from one address, all of them served.
#[track_caller]
fn crowd(from: IpAddr, to: SocketAddr, count: usize) -> Vec<Peer> {
    let mut peers: Vec<Peer> = (0..count).map(|_| Peer::connect_from(from, to)).collect();
    peers.iter_mut().for_each(assert_goes_on);
    peers
}

#[test]
pub(crate) fn no_address_has_more_places_than_were_given_to_each_and_others_have_theirs() {
    let server = quick_with(&["--max-per-address", "3"]);
    let [one, other] = [2, 3].map(|n| IpAddr::from([127, 0, 0, n]));
    let mut ours = crowd(one, server.address(), 3);
    assert_full(Peer::connect_from(one, server.address()), "3 connections from your address");
    let _theirs = crowd(other, server.address(), 3);
    let _unnamed = server.peer();
    ours.iter_mut().for_each(assert_goes_on);
    ours.pop();
    eventually("who leaves makes room for the next from there", || {
        Peer::connect_from(one, server.address()).greeting["status"] == "OK"
    });
}

#[test]
pub(crate) fn another_machine_has_half_of_the_places_and_the_last_are_for_the_one_at_the_server() {
    in_a_network_of_its_own("the last places are for the one at the server", || {
        let server = quick_with(&["--listen", "0.0.0.0:0", "--max-clients", "20"]);
        let port = server.address().port();
        let [first, second] = [7, 8].map(|n| IpAddr::from([10, 9, 0, n]));
        let outside = SocketAddr::from(([10, 9, 0, 1], port));
        let inside = SocketAddr::from(([127, 0, 0, 1], port));

        let mut many = crowd(first, outside, 10);
        assert_full(Peer::connect_from(first, outside), "10 connections from your address");
        let mut rest = crowd(second, outside, 8);
        for _ in 0..200 {
            assert_full(Peer::connect_from(second, outside), "kept for the server's own machine");
        }
        // Whoever sits at the machine gets in, as an administrator if they are one.
        assert_ok(&put(&mut rest[0], "f", &bytes(1, 9)));
        let mut admin = administrator(&server, "zhang");
        assert_ok(&ask_about(&mut admin, "DELETE", "/library/f"));
        let _second_admin = Peer::connect(inside);
        assert_full(Peer::connect(inside), "all places are taken");
        many.iter_mut().chain(&mut rest).for_each(assert_goes_on);
    });
}
