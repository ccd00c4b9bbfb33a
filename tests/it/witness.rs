//! Who remembers what a server promised.
//!
//! Goal: after a fault of the disk every test asks the same questions. Method: a real `ferryd`, and
//! beside it a list of everything that was told OK, compared with what is listed, served and left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harness::actor::Ferryd;
use harness::content::eager_put;
use harness::{Peer, eventually, models};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::people::stage;
use crate::talk::{assert_ok, assert_refused, get, names, put};

/// A real server, and everything that was told about the files in its library.
pub(crate) struct Witness {
    pub(crate) server: Ferryd,
    pub(crate) library: PathBuf,
    /// How many threads it has without a client.
    at_rest: usize,
    /// What was told OK, with its content.
    pub(crate) kept: BTreeMap<String, Vec<u8>>,
}

impl Witness {
    pub(crate) fn start(data: &Path) -> Self {
        Self::of(Ferryd::start(stage(), data, &[]).unwrap(), data.join("library"))
    }

    pub(crate) fn of(server: Ferryd, library: PathBuf) -> Self {
        // The greeted session has its threads beside those there are at rest.
        let _greeted = Peer::connect(server.address);
        let at_rest = server.threads().unwrap() - models::threads_a_session();
        Self { server, library, at_rest, kept: BTreeMap::new() }
    }

    pub(crate) fn peer(&self) -> Peer {
        Peer::connect(self.server.address)
    }

    /// Remembers the last answer to an upload. OK is a promise.
    #[track_caller]
    pub(crate) fn note(&mut self, name: &str, content: &[u8], answer: &Value) {
        if answer["status"] == "OK" {
            assert!(answer["offset"].is_null(), "not the last answer: {answer}");
            self.kept.insert(name.to_owned(), content.to_vec());
        }
    }

    /// What the disk did not take has left nothing, and what was told OK is there, whole. Call it
    /// without peers.
    #[track_caller]
    pub(crate) fn check(&self) {
        eventually("no part is left", || {
            fs::read_dir(self.library.join(".ferry")).unwrap().count() == 0
        });
        let mut peer = self.peer();
        let mut listed = names(&mut peer, "");
        listed.sort();
        let promised: Vec<_> = self.kept.keys().cloned().collect();
        assert_eq!(listed, promised, "listed, and what was promised");
        for (name, content) in &self.kept {
            let (line, got) = get(&mut peer, name);
            assert!(got == *content, "OK was a lie about `{name}`: {line}");
        }
        drop(peer);
        self.await_rest();
    }

    /// Waits until no session is left.
    #[track_caller]
    pub(crate) fn await_rest(&self) {
        eventually("no thread is left", || self.server.threads().unwrap() == self.at_rest);
    }

    /// Somebody makes room by hand.
    pub(crate) fn remove_by_hand(&mut self, count: usize) {
        for _ in 0..count {
            let (name, _) = self.kept.pop_first().unwrap();
            fs::remove_file(self.library.join(name)).unwrap();
        }
    }

    /// No file may grow over `limit` bytes.
    pub(crate) fn limit(&self, limit: Option<u64>) {
        let pid = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw);
        let limit = Rlimit { current: limit, maximum: None };
        prlimit(pid, Resource::Fsize, limit).unwrap();
    }
}

/// A whole upload, in one go or asking first; the last answer.
#[track_caller]
pub(crate) fn put_as(peer: &mut Peer, eager: bool, name: &str, content: &[u8]) -> Value {
    if !eager {
        return put(peer, name, content);
    }
    peer.send(eager_put(name, content));
    peer.line()
}

/// OK if it fits, else refused for `reason`.
#[track_caller]
pub(crate) fn assert_told(told: &Value, fits: bool, reason: &str) {
    if fits {
        assert_ok(told);
    } else {
        assert_refused(told, reason);
    }
}
