//! Whatever a client sends, the server answers it in step.
//!
//! A server of this process takes all the bytes at once, and the client says no more. What comes
//! back is then read beside what was sent: the same walk from request to request that the server
//! must have made, over bodies and checksum lines. If one side takes a step the other does not, a
//! request is read where a body is, and an answer is missing or left over.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow::{self, Break, Continue};
use std::path::Path;

use common::frame::{self, FrameError};
use common::limits::EAGER_BYTES_MAX;
use common::protocol::{
    Details, Done, Download, Greeting, Identity, Offset, Page, Put, Reason, Request, Response, Sum,
    Summed,
};
use serde::de::DeserializeOwned;

use crate::{PATIENCE, TestServer, eventually};

/// More is not said in one session: twice the longest line.
const SAID_BYTES_MAX: usize = 128 * 1024;

/// A server to try sessions on, one after the other.
#[derive(Debug)]
pub struct Stage {
    server: TestServer,
}

impl Stage {
    /// Starts the server. Nobody waits on it: not for the disk, not for a name.
    pub fn start() -> Self {
        let words = ["--durability", "none", "--claim-wait", "0", "--quota", "1000"];
        Self { server: TestServer::with(&words) }
    }

    /// A session of these bytes, in an empty library, is answered in step; nothing half is left of
    /// it, and the next client is served.
    pub fn session(&self, bytes: &[u8]) {
        self.clear();
        let said = bytes.get(..SAID_BYTES_MAX).unwrap_or(bytes);
        let heard = self.exchange(said);
        if !Conversation::new(said, &heard).follow() {
            eventually("no part is left", || self.server.parts() == 0);
        }
        let next = b"{\"cmd\":\"WHO\"}\n";
        Conversation::new(next, &self.exchange(next)).follow();
    }

    /// Takes away what earlier sessions left, accounts and kept parts as well, so that the same
    /// bytes always meet the same server. Other hidden names are the server's own.
    fn clear(&self) {
        for folder in ["library", "library/.ferry", "home", "home/.ferry", "users"] {
            let entries = must(fs::read_dir(self.server.data().join(folder)), "list");
            for path in entries.map(|entry| must(entry, "list").path()) {
                if !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                    must(remove(&path), "clear");
                }
            }
        }
    }

    /// Says all of it and nothing more; all that comes back.
    fn exchange(&self, said: &[u8]) -> Vec<u8> {
        let stream = must(TcpStream::connect(self.server.address()), "connect");
        must(stream.set_read_timeout(Some(PATIENCE)), "set the read timeout");
        let mut heard = Vec::new();
        std::thread::scope(|scope| {
            // Beside the reading: two who both only write would wait for each other.
            scope.spawn(|| {
                // A server that sends us away need not listen to the end.
                let _ = (&stream).write_all(said).and_then(|()| stream.shutdown(Shutdown::Write));
            });
            must((&stream).read_to_end(&mut heard), "hear the server to its end");
        });
        heard
    }
}

/// What is still to be read of both sides.
struct Conversation<'b> {
    said: &'b [u8],
    heard: &'b [u8],
    /// An upload was cut that may come again, so what came of it may be kept.
    keeps: bool,
}

impl<'b> Conversation<'b> {
    fn new(said: &'b [u8], heard: &'b [u8]) -> Self {
        Self { said, heard, keeps: false }
    }

    /// Reads both to their ends; whether the server may have kept a part.
    fn follow(mut self) -> bool {
        assert!(self.answer::<Greeting>().is_some(), "no greeting");
        while self.turn().is_continue() {}
        let rest = String::from_utf8_lossy(self.heard);
        assert!(rest.is_empty(), "nobody asked for {rest:?}");
        self.keeps
    }

    /// A request and its answer.
    fn turn(&mut self) -> ControlFlow<()> {
        let mut line = Vec::new();
        match frame::read_line(&mut self.said, &mut line) {
            Ok(true) => {}
            Err(FrameError::TooLong) => {
                self.bad_request();
                return Break(());
            }
            Ok(false) | Err(_) => return Break(()),
        }
        if let Ok(request) = frame::parse(&line) {
            return self.request(&request);
        }
        self.bad_request();
        // It may have announced a body; then the session is over.
        if line.contains(&b'{') { self.unless_it_ended() } else { Continue(()) }
    }

    fn request(&mut self, request: &Request) -> ControlFlow<()> {
        match request {
            Request::List { .. } => self.pages(),
            Request::Get { offset, .. } => {
                if let Some(Download { size, .. }) = self.answer() {
                    self.body(size - offset.unwrap_or(0));
                }
            }
            Request::Put(put) => return self.put(put),
            Request::Stat { .. } => drop(self.answer::<Details>()),
            Request::Sum { .. } => drop(self.answer::<Summed>()),
            Request::Mkdir { .. }
            | Request::Delete { .. }
            | Request::Rename { .. }
            | Request::Passwd { .. } => drop(self.answer::<Done>()),
            // None of these is ever said here: from then on events come between the answers.
            Request::Join { .. }
            | Request::Listen { .. }
            | Request::Say { .. }
            | Request::Leave {}
            | Request::Vote { .. }
            | Request::Admin { .. }
            | Request::Watch { .. } => unreachable!("{} was said", request.verb()),
            Request::Register(_) | Request::Login(_) | Request::Who {} => {
                drop(self.answer::<Identity>());
            }
            Request::Quit {} => return Break(()),
        }
        Continue(())
    }

    fn put(&mut self, put: &Put) -> ControlFlow<()> {
        if put.eager && put.size > EAGER_BYTES_MAX {
            assert!(self.answer::<Done>().is_none(), "an eager body of {} bytes", put.size);
            return Break(());
        }
        let mut size = put.size;
        if !put.eager {
            let Some(Offset { offset }) = self.answer() else {
                // What was sent without waiting for the refusal ends the session, if it came in
                // time.
                return if self.said.is_empty() { Continue(()) } else { self.unless_it_ended() };
            };
            size -= offset;
        }
        let sum = self.said_body(size);
        self.keeps = !put.eager && sum.is_none() && (put.resume || put.mtime.is_some());
        if let Some(Ok(Sum { .. })) = sum {
            self.answer::<Done>();
            return Continue(());
        }
        if put.eager && !self.heard.is_empty() {
            // A refusal goes out before the body is stepped over.
            assert!(self.answer::<Done>().is_none(), "OK without a checksum");
        }
        if sum.is_some() && !self.heard.is_empty() {
            self.bad_request();
        }
        Break(())
    }

    /// The checksum line behind a body of `size` bytes; `None` if the client has not said it.
    fn said_body(&mut self, size: u64) -> Option<Result<Sum, serde_json::Error>> {
        let size = usize::try_from(size).ok().filter(|size| *size <= self.said.len());
        self.said = &self.said[size.unwrap_or(self.said.len())..];
        let mut line = Vec::new();
        match frame::read_line(&mut self.said, &mut line) {
            Err(FrameError::TooLong) => Some(frame::parse(b"")),
            read => read.ok().filter(|whole| *whole).map(|_| frame::parse(&line)),
        }
    }

    fn pages(&mut self) {
        loop {
            match self.line::<Page>() {
                Response::Ok(page) if page.more => {}
                Response::Ok(_) | Response::Empty | Response::Fail(_) => return,
                other => panic!("{} to a LIST", other.outcome()),
            }
        }
    }

    fn body(&mut self, size: u64) {
        let rest = usize::try_from(size).ok().and_then(|size| self.heard.get(size..));
        let Some(rest) = rest else { panic!("fewer bytes than the {size} that were promised") };
        self.heard = rest;
    }

    /// The one answer to a request: what `OK` carries, or `None` if it was refused.
    fn answer<T: DeserializeOwned>(&mut self) -> Option<T> {
        match self.line() {
            Response::Ok(value) => Some(value),
            Response::Exists(_) => None,
            Response::Fail(refusal) => {
                let ours = [Reason::Internal, Reason::Timeout, Reason::Full];
                assert!(!ours.contains(&refusal.reason), "the server's own fault: {refusal}");
                None
            }
            other => panic!("{} is no answer here", other.outcome()),
        }
    }

    fn bad_request(&mut self) {
        let line = self.line::<Done>();
        let refused = matches!(&line, Response::Fail(r) if r.reason == Reason::BadRequest);
        assert!(refused, "no request, and answered by {}", line.outcome());
    }

    fn line<T: DeserializeOwned>(&mut self) -> Response<T> {
        let mut line = Vec::new();
        let read = frame::read_line(&mut self.heard, &mut line);
        assert!(matches!(read, Ok(true)), "no answer: {read:?}");
        let parsed = frame::parse(&line);
        must(parsed, &String::from_utf8_lossy(&line))
    }

    fn unless_it_ended(&self) -> ControlFlow<()> {
        if self.heard.is_empty() { Break(()) } else { Continue(()) }
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == ErrorKind::IsADirectory => fs::remove_dir_all(path),
        removed => removed,
    }
}

#[track_caller]
fn must<T, E: std::fmt::Debug>(result: Result<T, E>, doing: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{doing}: {error:?}"),
    }
}
