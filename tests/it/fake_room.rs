//! A server with nothing but a room, in which only the test speaks.
//!
//! Goal: what a client makes of whatever a server tells it unasked. Method: every request is
//! answered as if all were well, and who is in the room or listens is told what the test wants, by
//! the byte.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use harness::eventually;
use serde_json::{Value, json};

/// The server.
pub(crate) struct FakeRoom {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Who is in the room or listens.
    inside: Mutex<Vec<TcpStream>>,
    /// What was asked, and on which connection.
    asked: Mutex<Vec<(usize, Value)>>,
    /// Answers to requests that are still to come, one for each.
    answers: Mutex<VecDeque<(String, String)>>,
}

impl FakeRoom {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Seen::default()));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for (nth, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let seen = Arc::clone(&shared);
                thread::spawn(move || serve(nth, &stream, &seen));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until so many requests were this one.
    #[track_caller]
    pub(crate) fn is_asked(&self, request: &Value, times: usize) {
        eventually(&format!("{request} was asked {times} times"), || {
            let asked = self.seen.asked.lock().unwrap();
            asked.iter().filter(|(_, asked)| asked == request).count() >= times
        });
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.seen.asked.lock().unwrap().iter().map(|(_, asked)| asked.clone()).collect()
    }

    /// What was asked on the connection on which this was.
    pub(crate) fn asked_with(&self, request: &Value) -> Vec<Value> {
        let asked = self.seen.asked.lock().unwrap();
        let (here, _) = asked.iter().find(|(_, asked)| asked == request).unwrap();
        asked.iter().filter(|(there, _)| there == here).map(|(_, asked)| asked.clone()).collect()
    }

    /// The next request of this kind is answered so.
    pub(crate) fn answers_once(&self, cmd: &str, line: &str) {
        self.seen.answers.lock().unwrap().push_back((cmd.to_owned(), line.to_owned()));
    }

    /// Tells everybody inside these bytes.
    pub(crate) fn tells(&self, bytes: &[u8]) {
        for mut stream in self.seen.inside.lock().unwrap().iter() {
            // One of them may have left.
            let _ = stream.write_all(bytes);
        }
    }

    /// Tells everybody inside an event.
    pub(crate) fn tells_event(&self, event: &Value) {
        self.tells(format!("{event}\n").as_bytes());
    }

    /// Tells everybody inside that somebody says something.
    pub(crate) fn says(&self, from: &str, text: &str) {
        self.tells_event(&json!({"event": "say", "from": from, "text": text, "at": 9}));
    }

    /// Breaks the connections of everybody inside.
    pub(crate) fn hangs_up(&self) {
        for stream in self.seen.inside.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(nth: usize, mut stream: &TcpStream, seen: &Seen) {
    let greeting = json!({"status": "OK", "server": "fake", "protocol": 1, "session": 1});
    let mut said = writeln!(stream, "{greeting}");
    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
        let request: Value = serde_json::from_str(&line).unwrap();
        let goes_in = ["JOIN", "LISTEN"].iter().any(|cmd| request["cmd"] == *cmd);
        said = said.and_then(|()| writeln!(stream, "{}", seen.answer(&request)));
        if goes_in {
            seen.inside.lock().unwrap().push(stream.try_clone().unwrap());
        }
        // Known only when it has been answered, and is in.
        seen.asked.lock().unwrap().push((nth, request));
        if said.is_err() {
            return;
        }
    }
}

impl Seen {
    /// The answer to a request.
    fn answer(&self, request: &Value) -> String {
        let mut planned = self.answers.lock().unwrap();
        if let Some(at) = planned.iter().position(|(cmd, _)| request["cmd"] == cmd.as_str()) {
            return planned.remove(at).unwrap().1;
        }
        let usual = match request["cmd"].as_str() {
            Some("JOIN") => json!({"status": "OK", "name": request["name"], "members": 2}),
            Some("LIST") => json!({"status": "EMPTY"}),
            _ => json!({"status": "OK"}),
        };
        usual.to_string()
    }
}
