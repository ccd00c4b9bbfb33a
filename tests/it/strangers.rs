//! What a stranger may learn: nothing by asking, little by guessing, no password from anywhere.
//!
//! Goal: a refused login says one bit, guessing gets slower, and a password stands in no log and
//! in no answer. Method: raw answers are compared byte by byte; guesses come from two addresses of
//! this machine; a real server's log is searched for every password it was ever sent.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use harness::actor::Ferryd;
use harness::{PATIENCE, Peer, eventually};
use serde_json::{Value, json};

use crate::people::{PASSWORD, known, login, newcomer, stage};
use crate::talk::{assert_ok, assert_refused, quick};

/// Sends lines; the answers, byte for byte.
fn raw_answers(address: SocketAddr, lines: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{lines}\n{{\"cmd\":\"QUIT\"}}\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    // Behind the greeting, whose session number differs.
    text.split_once('\n').unwrap().1.to_owned()
}

#[test]
pub(crate) fn an_unknown_user_and_a_wrong_password_get_the_same_bytes() {
    let server = quick();
    newcomer(&server, "xiaoyu");
    known(server.address(), "xiaoyu");
    let ask_as = |user: &str| {
        let request = json!({"cmd": "LOGIN", "user": user, "password": "wrong one"});
        raw_answers(server.address(), &request.to_string())
    };
    let (wrong, unknown) = (ask_as("xiaoyu"), ask_as("nobody"));
    assert_eq!(wrong, unknown);
    assert_refused(&serde_json::from_str(&wrong).unwrap(), "denied");
    // And so it is for the delay: both are told to wait from the same attempt on.
    let first_busy = |user| (1..20).find(|_| ask_as(user).contains("\"busy\""));
    assert_eq!(first_busy("xiaoyu"), first_busy("nobody"));
}

/// How long a refusal tells one to wait.
#[track_caller]
fn told_to_wait(answer: &Value) -> Duration {
    assert_refused(answer, "busy");
    let words: Vec<_> = answer["message"].as_str().unwrap().split(' ').collect();
    let seconds = words.windows(2).find(|pair| pair[1] == "s").and_then(|p| p[0].parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or_else(|| panic!("how long? {answer}")))
}

#[test]
pub(crate) fn who_guesses_waits_longer_and_longer_and_nobody_else_waits() {
    let server = quick();
    newcomer(&server, "yuki");
    newcomer(&server, "xiaoyu");
    // It changes nothing that xiaoyu is remembered here.
    let mut guesser = known(server.address(), "xiaoyu");
    // The first delay is half a second, and each is twice the one before.
    let (mut first, mut denied) = (None, 0);
    let (told, delay) = loop {
        let answer = login(&mut guesser, "xiaoyu", "wrong one");
        if answer["reason"] != "busy" {
            assert_refused(&answer, "denied");
            denied += 1;
            assert!(denied < 20, "after {denied} wrong passwords there is no long delay yet");
            continue;
        }
        let (told, delay) = (Instant::now(), told_to_wait(&answer));
        assert!(*first.get_or_insert(delay) <= Duration::from_millis(500), "{first:?}");
        if delay > Duration::from_millis(1200) {
            break (told, delay);
        }
        eventually("the delay is over", || told.elapsed() > delay);
    };
    assert!(denied > 3, "fingers slip: only {denied} were let through");
    // Now even the right password has to wait, but only here, and only for this user.
    assert_refused(&login(&mut server.peer(), "xiaoyu", PASSWORD), "busy");
    assert_ok(&login(&mut server.peer(), "yuki", PASSWORD));
    let mut elsewhere = Peer::connect_from([127, 0, 0, 2].into(), server.address());
    assert_ok(&login(&mut elsewhere, "xiaoyu", PASSWORD));
    eventually("the delay is over", || login(&mut guesser, "xiaoyu", PASSWORD)["status"] == "OK");
    let waited = told.elapsed() + Duration::from_millis(100);
    assert!(waited >= delay, "told to wait {delay:?} and let in after {waited:?}");
    // Who knew it after all starts afresh.
    assert_refused(&login(&mut guesser, "xiaoyu", "wrong one"), "denied");
    assert_refused(&login(&mut guesser, "xiaoyu", "wrong one"), "denied");
}

#[test]
pub(crate) fn of_many_guesses_sent_at_once_only_the_first_few_are_tried() {
    const PEERS: usize = 40;
    let server = quick();
    newcomer(&server, "xiaoyu");
    known(server.address(), "xiaoyu");
    let start = Barrier::new(PEERS);
    let guess = || {
        let mut peer = server.peer();
        start.wait();
        let answer = login(&mut peer, "xiaoyu", "wrong one");
        assert!(answer["reason"] == "denied" || answer["reason"] == "busy", "{answer}");
        answer["reason"] == "denied"
    };
    let tried = thread::scope(|scope| {
        let peers: Vec<_> = (0..PEERS).map(|_| scope.spawn(guess)).collect();
        peers.into_iter().map(|peer| peer.join().unwrap()).filter(|tried| *tried).count()
    });
    // Four are free, and one more may be under way on each core.
    let few = 4 + thread::available_parallelism().unwrap().get() + 4;
    assert!((4..=few.min(PEERS / 2)).contains(&tried), "{tried} of {PEERS} were tried");
}

/// Sends these lines to a real server: everything it answered, and everything it logged.
fn said_and_logged(lines: &[&str]) -> (String, String) {
    let data = tempfile::tempdir().unwrap();
    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    // A session each: some of these lines may end theirs.
    let said = lines.iter().map(|line| raw_answers(server.address, line)).collect();
    assert!(server.stop().unwrap().success());
    let log = std::fs::read_to_string(data.path().join("logs/server.log")).unwrap();
    (said, log)
}

#[test]
pub(crate) fn no_password_stands_in_a_log_or_in_an_answer() {
    let (said, log) = said_and_logged(&[
        r#"{"cmd":"REGISTER","user":"xiaoyu","password":"canary-1"}"#,
        r#"{"cmd":"REGISTER","user":"xiaoyu","password":"canary-2"}"#,
        r#"{"cmd":"REGISTER","user":"b a d","password":"canary-3"}"#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":"canary-4"}"#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":"canary-1"}
           {"cmd":"PASSWD","old":"canary-5","new":"canary-6"}
           {"cmd":"PASSWD","old":"canary-1","new":"canary-7"}"#,
        r#"{"cmd":"PASSWD","old":"canary-8","new":"canary-9"}"#,
    ]);
    // It was all done, or there would be nothing to see.
    assert_eq!(said.matches("\"OK\"").count(), 3, "{said}");
    assert!(log.contains("REGISTER xiaoyu") && log.contains("PASSWD"), "{log}");
    assert!(!said.contains("canary") && !log.contains("canary"), "{said}\n{log}");
}

#[test]
pub(crate) fn no_password_stands_in_a_log_or_in_an_answer_even_if_the_request_was_wrong() {
    let (said, log) = said_and_logged(&[
        // Typed by hand, the lesson's password is a number as soon as its quotes are forgotten.
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":123456789}"#,
        r#"{"cmd":"REGISTER","user":"xiaoyu","password":-123456789}"#,
        r#"{"cmd":"PASSWD","old":123456789,"new":"canary"}"#,
        r#"{"cmd":"PASSWD","old":"canary","new":123456789}"#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":["canary"]}"#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":"canary","canary2":1}"#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":"canary""#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":canary}"#,
        r#"{"cmd":"LOGIN","user":"xiaoyu","password":"canary\q"}"#,
        r#"{"cmd":"login","user":"xiaoyu","password":"canary"}"#,
        r#"{"cmd":"LOGIN","user":7,"password":"canary"}"#,
        r#""canary""#,
    ]);
    let shown = |text: &str| text.contains("canary\"") || text.contains("123456789");
    assert!(!shown(&said) && !shown(&log), "{said}\n{log}");
}
