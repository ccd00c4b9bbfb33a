//! An upload that was cut goes on.
//!
//! Goal: wherever an upload is cut, the same sender's next one of the same file goes on from the
//! very byte, nobody sees anything of it before it is whole, and what is kept is counted and thrown
//! away in time. Method: raw peers that vanish; the offset in the answer says what was kept.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use harness::actor::Ferryd;
use harness::content::{bytes, sum_line};
use harness::{Peer, TestServer, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::{PASSWORD, administrator, known, newcomer, register, stage, who};
use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, begin, decision, get, names, put,
    quick, quick_with, say,
};

/// A file somebody sends.
struct Sent {
    path: &'static str,
    content: Vec<u8>,
    mtime: i64,
}

impl Sent {
    fn new(path: &'static str, len: usize) -> Self {
        Self { path, content: bytes(7, len), mtime: 1_700_000_000 }
    }

    fn request(&self) -> Value {
        let (path, size, mtime) = (self.path, self.content.len(), self.mtime);
        json!({"cmd": "PUT", "path": path, "size": size, "mtime": mtime, "resume": true})
    }

    /// Asks to go on; the first byte that is wanted.
    #[track_caller]
    fn go_on(&self, peer: &mut Peer) -> usize {
        say(peer, &self.request());
        offset(&decision(peer))
    }

    /// Goes on, sends what is wanted up to byte `end`, and vanishes. How many bytes it sent.
    #[track_caller]
    fn cut(&self, mut peer: Peer, end: usize) -> usize {
        let from = self.go_on(&mut peer);
        peer.send(&self.content[from..end]);
        end - from
    }

    /// Goes on and sends all that is wanted. How many bytes that was.
    #[track_caller]
    fn complete(&self, peer: &mut Peer) -> usize {
        let from = self.go_on(peer);
        self.send_rest(peer, from);
        self.content.len() - from
    }

    #[track_caller]
    fn send_rest(&self, peer: &mut Peer, from: usize) {
        peer.send(&self.content[from..]);
        peer.send(sum_line(&self.content));
        assert_ok(&peer.line());
    }
}

#[track_caller]
fn offset(answer: &Value) -> usize {
    assert_ok(answer);
    usize::try_from(answer["offset"].as_u64().unwrap()).unwrap()
}

/// The one part there is, on disk.
fn the_part(server: &TestServer, tree: &str) -> PathBuf {
    let parts = fs::read_dir(server.data().join(tree).join(".ferry")).unwrap();
    let found: Vec<PathBuf> = parts.map(|part| part.unwrap().path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
pub(crate) fn an_upload_cut_at_any_byte_goes_on_from_that_byte() {
    const CHUNK: usize = 512 * 1024;
    let server = quick();
    let file = Sent::new("f", 4 * CHUNK + 999);
    let all = file.content.len();
    let mut looker = server.peer();
    for cut in [1, 100, 65_537, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 4 * CHUNK + 1, all - 1, all]
    {
        file.cut(server.peer(), cut);
        let mut peer = server.peer();
        assert_eq!(file.go_on(&mut peer), cut, "what was kept");
        assert_eq!(ask(&mut looker, &json!({"cmd": "LIST"}))["status"], "EMPTY");
        assert_refused(&ask_about(&mut looker, "GET", "f"), "not-found");
        file.send_rest(&mut peer, cut);
        assert!(get(&mut peer, "f").1 == file.content, "cut at {cut}");
        assert_eq!(server.parts(), 0, "cut at {cut}");
        fs::remove_file(server.library().join("f")).unwrap();
    }
}

#[test]
pub(crate) fn an_upload_that_is_cut_again_and_again_sends_each_byte_once() {
    let server = TestServer::start();
    let file = Sent::new("f", 40 << 20);
    let mut sent = 0;
    for tenth in 1..10 {
        sent += file.cut(server.peer(), file.content.len() / 10 * tenth + tenth);
    }
    sent += file.complete(&mut server.peer());
    assert_eq!(sent, file.content.len());
    assert!(get(&mut server.peer(), "f").1 == file.content);
}

#[test]
pub(crate) fn only_the_same_file_of_the_same_sender_to_the_same_place_goes_on() {
    let server = quick();
    let file = Sent::new("f", 100_000);
    let mut others = [
        ("another time", Sent { mtime: 1, ..Sent::new("f", 100_000) }),
        ("another size", Sent::new("f", 100_001)),
        ("another place", Sent::new("g", 100_000)),
    ];
    for (what, other) in &mut others {
        file.cut(server.peer(), 50_000);
        assert_eq!(other.go_on(&mut server.peer()), 0, "{what}");
    }
    file.cut(server.peer(), 60_000);
    let mut user = newcomer(&server, "xiaoyu");
    let own = Sent::new("/library/f", 100_000);
    assert_eq!(own.go_on(&mut user), 0, "another sender");
    drop(user);
    // What the guest sent is still there for the guest.
    assert_eq!(file.go_on(&mut server.peer()), 60_000);
}

#[test]
pub(crate) fn who_does_not_ask_to_go_on_begins_anew_and_the_old_beginning_is_gone() {
    let server = quick();
    let file = Sent::new("f", 100_000);
    file.cut(server.peer(), 70_000);
    let mut peer = server.peer();
    let mut request = file.request();
    request["resume"] = json!(false);
    say(&mut peer, &request);
    assert_eq!(offset(&decision(&mut peer)), 0);
    assert_eq!(server.parts(), 1);
    drop(peer);
    // It has a time, so it can be known again. Nothing came, so nothing is kept.
    assert_eq!(file.go_on(&mut server.peer()), 0);
}

#[test]
pub(crate) fn a_beginning_that_is_not_this_file_s_is_found_out_and_thrown_away() {
    let server = quick();
    let file = Sent::new("f", 100_000);
    let mut twin = Sent::new("f", 100_000);
    twin.content = bytes(8, 100_000);
    twin.cut(server.peer(), 50_000);
    let mut peer = server.peer();
    assert_eq!(file.go_on(&mut peer), 50_000);
    peer.send(&file.content[50_000..]);
    peer.send(sum_line(&file.content));
    assert_refused(&peer.line(), "checksum-mismatch");
    assert_eq!(server.parts(), 0);
    assert_eq!(file.complete(&mut peer), 100_000);
    assert!(get(&mut peer, "f").1 == file.content);
}

#[test]
pub(crate) fn a_beginning_that_was_damaged_on_disk_is_found_out_before_the_rest_is_sent() {
    let server = quick();
    let file = Sent::new("f", 100_000);
    for what in ["shorter", "a byte changed", "a page of zeros"] {
        file.cut(server.peer(), 50_000);
        eventually("it is kept", || {
            fs::metadata(the_part(&server, "library")).unwrap().len() == 50_000
        });
        // Its lock is had when whoever received into it has let go.
        let part = File::options().write(true).open(the_part(&server, "library")).unwrap();
        part.lock().unwrap();
        match what {
            "shorter" => part.set_len(10).unwrap(),
            "a byte changed" => part.write_all_at(b"?", 4000).unwrap(),
            _ => part.write_all_at(&[0; 4096], 4096).unwrap(),
        }
        drop(part);
        assert_eq!(file.go_on(&mut server.peer()), 0, "{what}");
    }
}

#[test]
pub(crate) fn a_user_takes_over_from_their_own_lost_connection_at_once() {
    let server = quick();
    let file = Sent::new("f", 100_000);
    let mut lost = newcomer(&server, "xiaoyu");
    assert_eq!(file.go_on(&mut lost), 0);
    lost.send(&file.content[..30_000]);
    let mut next = known(server.address(), "xiaoyu");
    let mut request = file.request();
    request["wait"] = json!(0);
    say(&mut next, &request);
    // No WAIT comes before it, so no `decision`.
    let answer = next.line();
    let from = offset(&answer);
    assert!(from <= 30_000, "{answer}");
    let told = lost.line();
    assert_refused(&told, "busy");
    assert!(told["message"].as_str().unwrap().contains("another connection"), "{told}");
    assert!(lost.is_closed());
    file.send_rest(&mut next, from);
    assert!(get(&mut next, "f").1 == file.content);
    assert_goes_on(&mut next);
}

#[test]
pub(crate) fn nobody_takes_over_a_guest_s_upload_or_another_file_of_their_own() {
    let server = quick();
    let file = Sent::new("f", 100_000);
    let mut guest = server.peer();
    file.go_on(&mut guest);
    let mut other = server.peer();
    say(&mut other, &file.request());
    assert_eq!(other.line()["status"], "WAIT");

    let mut first = newcomer(&server, "xiaoyu");
    let mine = Sent::new("mine", 1000);
    mine.go_on(&mut first);
    let mut second = known(server.address(), "xiaoyu");
    say(&mut second, &Sent { mtime: 5, ..Sent::new("mine", 1000) }.request());
    assert_eq!(second.line()["status"], "WAIT");
    let mut asks_not = known(server.address(), "xiaoyu");
    let mut request = mine.request();
    request["resume"] = json!(false);
    say(&mut asks_not, &request);
    assert_eq!(asks_not.line()["status"], "WAIT");
    mine.send_rest(&mut first, 0);
}

#[test]
pub(crate) fn what_is_kept_counts_against_the_quota_and_goes_on_within_it() {
    let server = quick_with(&["--quota", "1M"]);
    let mut peer = newcomer(&server, "xiaoyu");
    let used = |peer: &mut Peer| who(peer)["used"].as_u64().unwrap();
    let file = Sent::new("f", 1_000_000);
    file.cut(known(server.address(), "xiaoyu"), 600_000);
    eventually("what came is counted, and no more", || used(&mut peer) == 600_000);
    // All of it and what was kept would be too much together; it is charged only once.
    let mut again = known(server.address(), "xiaoyu");
    assert_eq!(file.go_on(&mut again), 600_000);
    assert_eq!(used(&mut peer), 1_000_000);
    file.send_rest(&mut again, 600_000);
    assert_eq!(used(&mut peer), 1_000_000);
}

#[test]
pub(crate) fn what_is_kept_makes_room_for_what_is_sent() {
    let server = quick_with(&["--quota", "1M"]);
    let mut peer = newcomer(&server, "xiaoyu");
    let file = Sent::new("f", 1_000_000);
    file.cut(known(server.address(), "xiaoyu"), 600_000);
    eventually("it is kept", || who(&mut peer)["used"] == 600_000);
    assert_ok(&put(&mut peer, "g", &bytes(1, 900_000)));
    assert_eq!(who(&mut peer)["used"], 900_000);
    assert_refused(&begin(&mut peer, "h", 500_000), "quota");
}

#[test]
pub(crate) fn a_stopped_server_keeps_what_came_and_the_next_goes_on_with_it() {
    let data = TempDir::new().unwrap();
    let file = Sent::new("f", 1_000_000);
    let server = Ferryd::start(stage(), data.path(), &["--grace", "0"]).unwrap();
    let mut peer = Peer::connect(server.address);
    assert_ok(&register(&mut peer, "xiaoyu", PASSWORD));
    assert_eq!(file.go_on(&mut peer), 0);
    peer.send(&file.content[..600_000]);
    assert!(server.stop().unwrap().success());

    let server = Ferryd::start(stage(), data.path(), &["--quota", "1M"]).unwrap();
    let mut peer = known(server.address, "xiaoyu");
    let kept = who(&mut peer)["used"].as_u64().unwrap();
    let sent = file.complete(&mut peer) as u64;
    assert_eq!(kept + sent, 1_000_000);
    assert!(get(&mut peer, "f").1 == file.content);
}

#[test]
pub(crate) fn after_a_crash_an_upload_goes_on_from_what_was_certainly_on_disk() {
    let data = TempDir::new().unwrap();
    let file = Sent::new("f", 40 << 20);
    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    let mut peer = Peer::connect(server.address);
    assert_eq!(file.go_on(&mut peer), 0);
    peer.send(&file.content[..39 << 20]);
    // Two bounds of 16 MiB are behind it when the server has read so much.
    let part = || fs::read_dir(data.path().join("library/.ferry")).unwrap().flatten().next();
    eventually("it has come", || {
        part().is_some_and(|part| part.metadata().is_ok_and(|part| part.len() > 33 << 20))
    });
    server.kill().unwrap();

    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    let mut peer = Peer::connect(server.address);
    assert!(names(&mut peer, "").is_empty());
    let from = file.go_on(&mut peer);
    assert!(from >= 32 << 20, "only {from} bytes were certain");
    file.send_rest(&mut peer, from);
    assert!(get(&mut peer, "f").1 == file.content);
}

#[test]
pub(crate) fn what_was_kept_for_a_day_is_gone() {
    let data = TempDir::new().unwrap();
    let file = Sent::new("f", 1000);
    let parts = data.path().join("library/.ferry");
    let kept =
        || fs::read_dir(&parts).unwrap().map(|part| part.unwrap().path()).collect::<Vec<_>>();
    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    file.cut(Peer::connect(server.address), 500);
    assert_eq!(file.go_on(&mut Peer::connect(server.address)), 500);
    assert!(server.stop().unwrap().success());
    assert_eq!(kept().len(), 1);

    let hour = Duration::from_secs(60 * 60);
    for (age, left) in [(hour * 23, 1), (hour * 25, 0)] {
        let part = File::options().write(true).open(&kept()[0]).unwrap();
        part.set_modified(SystemTime::now() - age).unwrap();
        let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
        assert_eq!(kept().len(), left, "after {age:?}");
        assert!(server.stop().unwrap().success());
    }
}

#[test]
pub(crate) fn an_administrator_s_upload_into_a_home_is_kept_for_the_administrator_and_charged_to_the_home()
 {
    let server = quick_with(&["--quota", "1M"]);
    let mut owner = newcomer(&server, "xiaoyu");
    let file = Sent::new("/homes/xiaoyu/f", 500_000);
    file.cut(administrator(&server, "zhang"), 200_000);
    eventually("it is charged to the home", || who(&mut owner)["used"] == 200_000);
    assert_eq!(Sent::new("f", 500_000).go_on(&mut owner), 0);
    drop(owner);
    let mut zhang = known(server.address(), "zhang");
    assert_eq!(file.complete(&mut zhang), 300_000);
    assert_eq!(ask_about(&mut zhang, "STAT", "/homes/xiaoyu")["used"], 500_000);
}
