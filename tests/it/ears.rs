//! Somebody who hears the room.
//!
//! Goal: a test says what is said, and what is heard of it. Method: answers and events are told
//! apart by their first field; events that come before an answer are kept until they are asked for.

use std::collections::VecDeque;

use harness::{Peer, TestServer};
use serde_json::{Value, json};

use crate::people::{known, newcomer};
use crate::talk::assert_ok;

/// A session that hears the room, or is about to.
pub(crate) struct Ears {
    pub(crate) peer: Peer,
    heard: VecDeque<Value>,
}

impl Ears {
    pub(crate) fn of(peer: Peer) -> Self {
        Self { peer, heard: VecDeque::new() }
    }

    /// A guest in the room.
    #[track_caller]
    pub(crate) fn guest(server: &TestServer, name: &str) -> Self {
        let mut ears = Self::of(server.peer());
        assert_ok(&ears.join(name));
        ears
    }

    /// A user who registers now, in the room.
    #[track_caller]
    pub(crate) fn newcomer(server: &TestServer, name: &str) -> Self {
        Self::of(newcomer(server, name)).joined()
    }

    /// Another session of a user, in the room.
    #[track_caller]
    pub(crate) fn known(server: &TestServer, name: &str) -> Self {
        Self::of(known(server.address(), name)).joined()
    }

    #[track_caller]
    fn joined(mut self) -> Self {
        assert_ok(&self.ask(&json!({"cmd": "JOIN"})));
        self
    }

    #[track_caller]
    pub(crate) fn join(&mut self, name: &str) -> Value {
        self.ask(&json!({"cmd": "JOIN", "name": name}))
    }

    #[track_caller]
    pub(crate) fn listen(&mut self, notices: bool) {
        assert_ok(&self.ask(&json!({"cmd": "LISTEN", "notices": notices})));
    }

    /// Asks; what is heard until the answer comes is kept.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.peer.send(format!("{request}\n"));
        self.answer()
    }

    /// The next answer.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Value {
        loop {
            let line = self.peer.line();
            if line.get("event").is_none() {
                return line;
            }
            self.heard.push_back(line);
        }
    }

    #[track_caller]
    pub(crate) fn say(&mut self, text: &str) {
        let answer = self.ask(&json!({"cmd": "SAY", "text": text}));
        assert_eq!(answer, json!({"status": "OK"}));
    }

    #[track_caller]
    pub(crate) fn say_to(&mut self, name: &str, text: &str) -> Value {
        self.ask(&json!({"cmd": "SAY", "text": text, "to": name}))
    }

    /// The next event, without its time, which must be there.
    #[track_caller]
    pub(crate) fn hears(&mut self) -> Value {
        let mut event = self.heard.pop_front().unwrap_or_else(|| self.peer.line());
        assert!(event.get("event").is_some(), "{event}");
        if event["event"] != "missed" {
            let at = event.as_object_mut().unwrap().remove("at");
            assert!(at.and_then(|at| at.as_i64()).is_some_and(|at| at > 1_700_000_000), "{event}");
        }
        event
    }

    /// Hears exactly this, next.
    #[track_caller]
    pub(crate) fn hears_that(&mut self, event: &Value) {
        assert_eq!(&self.hears(), event);
    }

    /// Has heard nothing else until now: what is asked now is answered, and nothing came before.
    #[track_caller]
    pub(crate) fn hears_nothing(&mut self) {
        assert_ok(&self.ask(&json!({"cmd": "WHO"})));
        assert!(self.heard.is_empty(), "{:?}", self.heard);
    }
}

pub(crate) fn said(from: &str, text: &str) -> Value {
    json!({"event": "say", "from": from, "text": text})
}

pub(crate) fn said_by_guest(from: &str, text: &str) -> Value {
    json!({"event": "say", "from": from, "guest": true, "text": text})
}

pub(crate) fn enters(name: &str) -> Value {
    json!({"event": "enter", "name": name})
}

pub(crate) fn guest_enters(name: &str) -> Value {
    json!({"event": "enter", "name": name, "guest": true})
}

pub(crate) fn guest_leaves(name: &str) -> Value {
    json!({"event": "leave", "name": name, "guest": true})
}
