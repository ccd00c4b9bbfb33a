//! A peer that is gone without a word.
//!
//! Goal: whatever a session waits for, if its peer vanishes it ends by itself and gives back what it
//! held. Method: a network of the test's own, whose line is cut; with a deadline shortened to a
//! thirtieth, what takes a minute and a half takes a few seconds.

use std::fs;

use harness::Peer;
use harness::actor::Ferryd;
use harness::content::bytes;
use serde_json::json;

use crate::network::{in_a_network_of_its_own, line};
use crate::people::stage;
use crate::talk::{assert_goes_on, assert_ok, hold, put, say};
use crate::witness::Witness;

#[test]
fn whoever_vanishes_is_noticed_and_leaves_nothing() {
    in_a_network_of_its_own("whoever vanishes is noticed and leaves nothing", || {
        let data = tempfile::tempdir().unwrap();
        let server = Ferryd::start(stage(), data.path(), &["--stall-timeout", "1"]).unwrap();
        let mut witness = Witness::of(server, data.path().join("library"));
        fs::write(witness.library.join("film"), bytes(1, 20_000_000)).unwrap();
        witness.kept.insert("film".to_owned(), bytes(1, 20_000_000));

        // One in the middle of an upload, one in line behind it, one in a download, one who says
        // nothing. The last one's session waits longest: only the system can find out.
        let mut peers: Vec<Peer> = (0..4).map(|_| witness.peer()).collect();
        peers.iter_mut().for_each(assert_goes_on);
        hold(&mut peers[0], "f");
        say(&mut peers[1], &json!({"cmd": "PUT", "path": "f", "size": 3}));
        assert_eq!(peers[1].line()["status"], "WAIT");
        say(&mut peers[2], &json!({"cmd": "GET", "path": "film"}));
        assert_ok(&peers[2].line());
        line("down");
        witness.await_rest();
        line("up");

        let told = put(&mut witness.peer(), "f", b"new");
        witness.note("f", b"new", &told);
        assert_ok(&told);
        witness.check();
        let log = fs::read_to_string(data.path().join("logs/server.log")).unwrap();
        assert!(log.contains("lost: Connection timed out"), "{log}");
    });
}
