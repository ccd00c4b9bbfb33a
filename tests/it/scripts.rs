//! Whole scripts of requests, played to a server and to its model.
//!
//! Goal: what the server answers, keeps and shows is what the protocol means, whatever came before.
//! Method: proptest writes scripts over a few names for a guest, a user and an administrator, whose
//! uploads overlap; the model says what each answer must be. A script that finds a difference is
//! shortened until nothing can be left out of it.

use std::ops::RangeInclusive;
use std::path::Path;

use harness::content::{bytes, sum_line};
use harness::{Peer, TestServer};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::model::{Answer, Ask, Model, Put, QUOTA};
use crate::people::{PASSWORD, add_administrator, snapshot};
use crate::talk::quick_with;

const CASES: u32 = 40;
const STEPS_MAX: usize = 100;

/// The sessions: a guest, a user, an administrator; at first.
const SESSIONS: usize = 3;
const ADMIN: &str = "boss";

/// What people write as paths: a few places, each by several names, and a few mistakes.
#[rustfmt::skip]
const PATHS: [&str; 29] = [
    "a", "b", "d", "d/a", "d/e", "d/e/a", "/library/a", "/library/a", "/library/d", "/library/d/a",
    "/home/a", "/home/d", "/home/d/a", "/homes/ann/a", "/homes/ann/d", "/homes/ann", "/homes/zoe/a",
    "/homes/boss/a", "/homes", "/home", "/library", "/", "", "d//a/", "../a", "d/.ferry", "CON",
    "/elsewhere/a", "/library/d/",
];
/// How many of them a script has: few, so that its people meet.
const PATHS_OF_A_SCRIPT: RangeInclusive<usize> = 2..=8;
const USERS: [&str; 6] = ["ann", "Ann", "bob", ADMIN, "guest", "no name"];
const PASSWORDS: [&str; 4] = [PASSWORD, PASSWORD, "654321", "12345"];

/// How an upload that was begun ends, when its session has something else to say.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ending {
    Whole,
    Damaged,
    Cut,
}

#[derive(Debug, Clone)]
enum Step {
    Ask(Ask),
    /// A request for the very path that somebody is sending to, if anybody is.
    Meddle(fn(&'static str) -> Ask),
    /// An upload in two steps, of which only the first is done now.
    Begin(Put, Ending),
}

type Paths = Vec<&'static str>;

fn some_paths() -> impl Strategy<Value = Paths> {
    prop::sample::subsequence(PATHS.to_vec(), PATHS_OF_A_SCRIPT)
}

fn a_put(paths: &Paths) -> impl Strategy<Value = Put> + use<> {
    let body = (any::<u64>(), 0..QUOTA / 2).prop_map(|(seed, len)| bytes(seed, len));
    let put = (select(paths.clone()), body, any::<bool>());
    put.prop_map(|(path, body, overwrite)| Put { path, body, overwrite })
}

fn an_ask(paths: &Paths) -> impl Strategy<Value = Ask> + use<> {
    let path = || select(paths.clone());
    let password = || select(&PASSWORDS[..]);
    let credentials = || (select(&USERS[..]), password());
    prop_oneof![
        4 => path().prop_map(Ask::List),
        4 => (path(), 0..QUOTA / 4).prop_map(|(path, offset)| Ask::Get(path, offset)),
        3 => path().prop_map(Ask::Stat),
        1 => path().prop_map(Ask::Sum),
        5 => path().prop_map(Ask::Mkdir),
        5 => path().prop_map(Ask::Delete),
        8 => (path(), path()).prop_map(|(from, to)| Ask::Rename(from, to)),
        8 => (a_put(paths), prop::bool::weighted(0.9)).prop_map(|(put, whole)| Ask::Put(put, whole)),
        1 => credentials().prop_map(|(user, password)| Ask::Register(user, password)),
        1 => credentials().prop_map(|(user, password)| Ask::Login(user, password)),
        1 => (password(), password()).prop_map(|(old, new)| Ask::Passwd(old, new)),
        2 => Just(Ask::Who),
    ]
}

fn a_step(paths: &Paths) -> impl Strategy<Value = (usize, Step)> + use<> {
    let ending = select(&[Ending::Whole, Ending::Whole, Ending::Damaged, Ending::Cut][..]);
    let meddle = select(&[Ask::Delete, Ask::Mkdir, Ask::Stat, |path| Ask::Rename(path, "b")][..]);
    let step = prop_oneof![
        4 => an_ask(paths).prop_map(Step::Ask),
        1 => meddle.prop_map(Step::Meddle),
        2 => (a_put(paths), ending).prop_map(|(put, ending)| Step::Begin(put, ending)),
    ];
    (0..SESSIONS, step)
}

/// A request as it is sent, and an eager body with it.
fn wire(ask: &Ask) -> Vec<u8> {
    let request = match ask {
        Ask::List(path) => json!({"cmd": "LIST", "path": path}),
        Ask::Get(path, offset) => json!({"cmd": "GET", "path": path, "offset": offset}),
        Ask::Stat(path) => json!({"cmd": "STAT", "path": path}),
        Ask::Sum(path) => json!({"cmd": "SUM", "path": path}),
        Ask::Mkdir(path) => json!({"cmd": "MKDIR", "path": path}),
        Ask::Delete(path) => json!({"cmd": "DELETE", "path": path}),
        Ask::Rename(from, to) => json!({"cmd": "RENAME", "from": from, "to": to}),
        Ask::Put(put, whole) => {
            let mut request = announced(put);
            request["eager"] = json!(true);
            return [line(&request), put.body.clone(), sum(put, *whole)].concat();
        }
        Ask::Register(user, password) => {
            json!({"cmd": "REGISTER", "user": user, "password": password})
        }
        Ask::Login(user, password) => json!({"cmd": "LOGIN", "user": user, "password": password}),
        Ask::Passwd(old, new) => json!({"cmd": "PASSWD", "old": old, "new": new}),
        Ask::Who => json!({"cmd": "WHO"}),
    };
    line(&request)
}

fn line(request: &Value) -> Vec<u8> {
    format!("{request}\n").into_bytes()
}

/// Who finds the name held does not wait: here nobody moves but who has the word.
fn announced(put: &Put) -> Value {
    let (path, size, overwrite) = (put.path, put.body.len(), put.overwrite);
    json!({"cmd": "PUT", "path": path, "size": size, "overwrite": overwrite, "wait": 0})
}

fn sum(put: &Put, whole: bool) -> Vec<u8> {
    if whole { sum_line(&put.body).into() } else { sum_line(b"another").into() }
}

/// Hears the answer to `ask`, without what no model can know.
fn hear(peer: &mut Peer, ask: &Ask) -> Answer {
    let line = peer.line();
    let body = match ask {
        Ask::Get(_, offset) if line["status"] == "OK" => {
            peer.bytes(usize::try_from(line["size"].as_u64().unwrap()).unwrap() - offset)
        }
        _ => vec![],
    };
    (plain(line), body)
}

fn plain(mut line: Value) -> Value {
    let fields = line.as_object_mut().unwrap();
    fields.retain(|key, _| !["message", "mtime"].contains(&key.as_str()));
    for entry in fields.get_mut("entries").and_then(Value::as_array_mut).into_iter().flatten() {
        entry.as_object_mut().unwrap().remove("mtime");
    }
    line
}

/// A server and its model, and what is under way at both.
struct Play {
    /// Leave first: a server that stops gives those who stay a moment.
    peers: Vec<Peer>,
    uploads: Vec<Option<(Put, Ending)>>,
    model: Model,
    server: TestServer,
}

impl Play {
    /// `boss` has an account file of an administrator, made once for all plays.
    fn new(boss: &Path, quota: bool) -> Self {
        let limit = QUOTA.to_string();
        let server = if quota { quick_with(&["--quota", &limit]) } else { quick_with(&[]) };
        std::fs::copy(boss, server.data().join("users").join(format!("{ADMIN}.json"))).unwrap();
        let model = Model::new(SESSIONS, ADMIN, PASSWORD, quota);
        let peers = (0..SESSIONS).map(|_| server.peer()).collect();
        let mut play = Self { peers, uploads: vec![None; SESSIONS], model, server };
        play.ask(1, &Ask::Register("ann", PASSWORD));
        play.ask(2, &Ask::Login(ADMIN, PASSWORD));
        play
    }

    fn step(&mut self, session: usize, step: &Step) {
        self.end(session);
        match step {
            Step::Ask(ask) if self.model.is_timed(session, ask) => {}
            Step::Ask(ask) => self.ask(session, ask),
            Step::Meddle(ask) => {
                let mut underway = self.uploads.iter().flatten().map(|(put, _)| put.path);
                if let Some(path) = underway.find(|path| path.starts_with('/')) {
                    self.ask(session, &ask(path));
                }
            }
            Step::Begin(put, ending) => self.begin(session, put, *ending),
        }
    }

    fn ask(&mut self, session: usize, ask: &Ask) {
        let peer = &mut self.peers[session];
        peer.send(wire(ask));
        assert_eq!(hear(peer, ask), self.model.ask(session, ask), "session {session}: {ask:?}");
    }

    /// All of it is sent before an answer is read.
    fn ask_ahead(&mut self, session: usize, asks: &[Ask]) {
        let peer = &mut self.peers[session];
        let mut expected = Vec::new();
        let mut ahead = Vec::new();
        for ask in asks {
            if !self.model.is_timed(session, ask) {
                ahead.extend(wire(ask));
                expected.push((ask, self.model.ask(session, ask)));
            }
        }
        peer.send(ahead);
        for (ask, expected) in expected {
            assert_eq!(hear(peer, ask), expected, "{ask:?} among {asks:?}");
        }
    }

    fn begin(&mut self, session: usize, put: &Put, ending: Ending) {
        let peer = &mut self.peers[session];
        peer.send(line(&announced(put)));
        let (answer, expected) = (plain(peer.line()), self.model.begin(session, put));
        assert_eq!(answer, expected, "session {session}: {put:?}");
        if answer["status"] == "OK" {
            peer.send(&put.body[..put.body.len() / 2]);
            self.uploads[session] = Some((put.clone(), ending));
        }
    }

    /// Ends what the session has begun, if it has.
    fn end(&mut self, session: usize) {
        let Some((put, ending)) = self.uploads[session].take() else { return };
        let peer = &mut self.peers[session];
        if ending == Ending::Cut {
            peer.half_close();
            assert!(peer.is_closed(), "session {session}: half of {put:?} was answered");
            self.model.cut(session);
            self.peers[session] = self.server.peer();
            return;
        }
        let whole = ending == Ending::Whole;
        peer.send(&put.body[put.body.len() / 2..]);
        peer.send(sum(&put, whole));
        let expected = self.model.end(session, whole);
        assert_eq!(plain(peer.line()), expected, "session {session}: the end of {put:?}");
    }

    /// What is on the disk is what the model knows, and nothing half.
    fn finish(mut self) {
        for session in 0..SESSIONS {
            self.end(session);
        }
        let places = [("library", "/library"), ("home", "/homes")];
        let found = places.into_iter().flat_map(|(folder, place)| {
            let folder = self.server.data().join(folder);
            let top = folder.to_string_lossy().into_owned();
            snapshot(&folder).into_iter().map(move |(path, kept)| (path.replace(&top, place), kept))
        });
        // The folders of the parts are there; a part in them would be one too many.
        let found: Vec<_> = found.filter(|(path, _)| !path.ends_with("/.ferry")).collect();
        assert_eq!(found, self.model.kept());
    }
}

/// Plays scripts until one of them finds a difference.
fn play<S: Strategy>(quota: bool, scripts: &S, play: impl Fn(&mut Play, &S::Value)) {
    let data = tempfile::tempdir().unwrap();
    add_administrator(data.path(), ADMIN);
    let boss = data.path().join("users").join(format!("{ADMIN}.json"));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(scripts, |script| {
        let mut stage = Play::new(&boss, quota);
        play(&mut stage, &script);
        stage.finish();
        Ok(())
    });
    outcome.unwrap();
}

#[test]
pub(crate) fn whatever_is_asked_in_whatever_order_the_answers_are_those_of_the_model() {
    let script = |paths| prop::collection::vec(a_step(&paths), 1..STEPS_MAX);
    let scripts = some_paths().prop_flat_map(script);
    play(true, &scripts, |stage, script| {
        for (session, step) in script {
            stage.step(*session, step);
        }
    });
}

/// Without a quota: an overwrite that is still under way is charged beside what it replaces, and
/// how many are under way at once is for the network to say.
#[test]
pub(crate) fn asked_ahead_the_answers_are_the_same_as_one_by_one() {
    let scripts = some_paths().prop_flat_map(|paths| {
        let burst = prop::collection::vec(an_ask(&paths), 1..STEPS_MAX / 2);
        prop::collection::vec((0..SESSIONS, burst), 1..5)
    });
    play(false, &scripts, |stage, script| {
        for (session, asks) in script {
            stage.ask_ahead(*session, asks);
        }
    });
}
