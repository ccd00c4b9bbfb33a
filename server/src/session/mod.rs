//! A session: one client's conversation, from the greeting to the end, in straight-line code.
//!
//! ```text
//! greet ─► wait for a line ─► read it ─► handle it ─► answer ─┐
//!              ▲                                              │
//!              └──────────────────────────────────────────────┘
//! ```
//!
//! # When answers go out
//! Answers gather in `output` and received uploads in `batch` for as long as the client has more
//! to say. When the session would have to wait, it first settles the batch (one sync for many
//! files) and sends what has gathered. So a client that asks one thing at a time is answered at
//! once, and one that sends a hundred small files ahead pays for a few syncs only.
//!
//! # What may not happen
//! A body read as a request. A refused body is either thrown away to its end (`eager`, which is
//! bounded) or was never sent; where that is in doubt the connection is closed.
//!
//! This file holds the conversation; `reading` waits for what is said, `receiving` and `sending`
//! hold its two long sentences. What is said, and when a session ends, is the same where nothing may
//! wait: the model *select* takes it from here.

mod reading;
pub(crate) mod receiving;
pub(crate) mod sending;

use std::convert::Infallible;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use common::escape::Safe;
use common::frame;
use common::protocol::{Greeting, Outcome, PROTOCOL_VERSION, Reason, Refusal, Request, Response};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::batch::Batch;
use crate::fault;
use crate::input::Input;
use crate::listener::Admitted;
use crate::roster::Slot;
use crate::service::{Reply, Service, Who};
use crate::socket::Socket;
use crate::state;
use crate::stop::Stop;
use crate::upload::Report;

/// How much of a path the journal keeps. A request may name one of 64 KiB.
const NOTED_CHARS: usize = 256;

/// How much of a parser's complaint is passed on. It may quote a whole line.
const ERROR_CHARS: usize = 200;

/// Gathered answers are sent when there are this many bytes of them.
pub(crate) const OUTPUT_BYTES: usize = 64 * 1024;

/// What is still read, and for how long, from a client that has been told all there is to tell.
pub(crate) const FAREWELL_TIME: Duration = Duration::from_secs(2);
pub(crate) const FAREWELL_BYTES: usize = 1024 * 1024;

/// What the session hears whose upload goes on elsewhere.
const TAKEN_OVER: &str = "this upload goes on over another connection of yours; this one ends";

/// Why a session ends.
pub(crate) enum End {
    /// The client said `QUIT`, or closed its side between two requests.
    Left,
    /// The server is stopping.
    Stopped,
    /// The connection broke.
    Lost(io::Error),
    /// The same user goes on over another connection.
    TakenOver,
    /// The client was too slow with this.
    Slow(&'static str),
    /// The client did not take what was sent to it, so it cannot be told either.
    Deaf,
    /// Where the next request begins cannot be known any more. The client has been told.
    OutOfStep,
}

impl Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Left => write!(f, "left"),
            Self::Stopped => write!(f, "sent away: the server stops"),
            Self::Lost(error) => write!(f, "lost: {error}"),
            Self::TakenOver => write!(f, "sent away: goes on over another connection"),
            Self::Slow(what) => write!(f, "sent away: too slow with {what}"),
            Self::Deaf => write!(f, "cut off: took too little of what was sent"),
            Self::OutOfStep => write!(f, "sent away: out of step"),
        }
    }
}

impl End {
    /// Why it ends if the roster knows better.
    pub(crate) fn or_told_by(self, slot: &Slot<'_>) -> Self {
        if slot.is_taken_over() { Self::TakenOver } else { self }
    }

    /// What the client is told of it, if that was not said yet.
    pub(crate) fn last_words(&self) -> Option<Refusal> {
        match self {
            Self::Slow(what) => {
                Some(Refusal::new(Reason::Timeout, format!("too slow with {what}")))
            }
            Self::TakenOver => Some(Refusal::new(Reason::Busy, TAKEN_OVER)),
            _ => None,
        }
    }

    /// What was to be sent could not be.
    pub(crate) fn unsent(error: io::Error) -> Self {
        if is_our_deadline(&error) { Self::Deaf } else { Self::Lost(error) }
    }
}

impl From<io::Error> for End {
    /// What was to be read could not be.
    fn from(error: io::Error) -> Self {
        if is_our_deadline(&error) { Self::Slow("what it had begun") } else { Self::Lost(error) }
    }
}

/// The system has a time-out of its own, for a peer that acknowledges nothing. That one is gone,
/// not slow.
fn is_our_deadline(error: &io::Error) -> bool {
    error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none()
}

/// What stands between a request line and the next one.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// Bytes, once the client is told to send them.
    OnDemand,
    /// So many bytes and a checksum line, whether they are wanted or not.
    Eager(u64),
}

impl Body {
    fn of(request: &Request) -> Self {
        match request {
            Request::Put(put) if put.eager => Self::Eager(put.size),
            Request::Put(_) => Self::OnDemand,
            _ => Self::None,
        }
    }
}

/// A request under way, and what the journal will say of it.
pub(crate) struct Job {
    verb: &'static str,
    path: String,
    pub(crate) body: Body,
    begun: Instant,
}

impl Job {
    pub(crate) fn of(request: &Request) -> Self {
        let (verb, path) = (request.verb(), request.path().to_owned());
        state::works_on(format_args!("{verb} {}", Safe(&path)));
        Self { verb, path, body: Body::of(request), begun: Instant::now() }
    }

    /// The same request when this is what stands between it and the next.
    pub(crate) fn before(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// An upload that was settled.
    pub(crate) fn reported(report: Report) -> Self {
        let Report { path, begun, .. } = report;
        Self { verb: "PUT", path, body: Body::None, begun }
    }

    /// One line in the journal: who, what, how much, how long, how it ended.
    pub(crate) fn note(&self, who: &Who, bytes: u64, ended: impl Display) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let path: String = match self.path.as_str() {
            "" => ".".to_owned(),
            path => path.chars().take(NOTED_CHARS).collect(),
        };
        let (verb, path) = (self.verb, Safe(&path));
        log::info!("{} {who} {verb} {path} {bytes} B {seconds:.3} s {ended}", who.peer);
    }
}

/// The first line of a session.
pub(crate) fn greeting(session: u64) -> Answer {
    Answer::of(&Response::Ok(Greeting {
        server: concat!("ferryd ", env!("CARGO_PKG_VERSION")).to_owned(),
        protocol: PROTOCOL_VERSION,
        session,
    }))
}

/// What to answer to a line that is no request, and whether the session ends with it: if the line
/// may have announced a body, what follows may be that body. That is so if its `cmd` is `PUT`, and
/// if it is an object so broken that its `cmd` cannot be known.
pub(crate) fn no_request(line: &[u8], error: &dyn Display, who: &Who) -> (Refusal, bool) {
    #[derive(Deserialize)]
    struct Command {
        cmd: Option<serde_json::Value>,
    }
    // The parser quotes the line, and the line is the peer's.
    let error: String = error.to_string().chars().take(ERROR_CHARS).collect();
    let error = Safe(&error);
    log::info!("{} said what is not a request: {error}", who.peer);
    let refusal = Refusal::new(Reason::BadRequest, format!("not a request: {error}"));
    let may_have_a_body = match frame::parse(line) {
        Ok(Command { cmd }) => {
            cmd.is_some_and(|cmd| cmd.as_str().is_some_and(|cmd| cmd.eq_ignore_ascii_case("PUT")))
        }
        Err(_) => line.contains(&b'{'),
    };
    (refusal, may_have_a_body)
}

/// One client's conversation.
pub struct Session<'s> {
    who: Who,
    slot: &'s Slot<'s>,
    service: &'s Service<'s>,
    stop: &'s Stop,
    input: Input,
    line: Vec<u8>,
    output: Vec<u8>,
    batch: Batch<'s>,
}

impl<'s> Session<'s> {
    /// A session for a client that was let in.
    pub fn new(client: &'s Admitted<'s>, service: &'s Service<'s>, stop: &'s Stop) -> Self {
        let socket = Socket::new(client.stream.clone(), service.deadlines);
        Self {
            who: Who { session: client.session, peer: client.peer, user: None },
            slot: &client.slot,
            service,
            stop,
            input: Input::new(socket),
            line: Vec::new(),
            output: Vec::new(),
            batch: Batch::default(),
        }
    }

    /// Holds the conversation to its end.
    pub fn run(mut self) {
        log::info!("{} connected", self.who.peer);
        let Err(end) = self.converse();
        let end = end.or_told_by(self.slot);
        if let Some(refusal) = end.last_words() {
            self.refuse(refusal);
        }
        let told = self.before_waiting();
        log::info!("{} {end}", self.who.peer);
        if told.is_ok() && !matches!(end, End::Lost(_)) {
            self.input.socket_mut().close_gently(FAREWELL_TIME, FAREWELL_BYTES);
        }
    }

    fn converse(&mut self) -> Result<Infallible, End> {
        self.gather(&greeting(self.who.session));
        fault::point("session.greeted");
        loop {
            self.read_request_line()?;
            fault::point("session.line");
            match frame::parse(&self.line) {
                Ok(request) => self.turn(request)?,
                Err(error) => self.refuse_line(&error)?,
            }
            // Who asks on and on and never listens must not fill our memory with answers.
            self.flush_if_much()?;
        }
    }

    fn turn(&mut self, request: Request) -> Result<(), End> {
        let job = Job::of(&request);
        if let Body::None = job.body {
            // This request may ask about a file whose upload is still in the batch.
            self.settle();
        }
        let reply = self.service.handle(&mut self.who, request);
        fault::point("request.handled");
        match reply {
            Reply::Answer(answer) => self.answer(&answer, &job),
            Reply::Pages(pages) => self.send_pages(pages, &job),
            Reply::Send { opened, offset } => self.send_file(&opened, offset, &job),
            Reply::Receive(plan) => self.receive(plan, &job),
            Reply::Welcome(user, answer) => {
                self.who.user = Some(user);
                self.answer(&answer, &job)
            }
            Reply::Bye => Err(End::Left),
        }
    }

    /// Answers with one line, in the order of the requests, and steps over an unwanted body.
    fn answer(&mut self, answer: &Answer, job: &Job) -> Result<(), End> {
        self.settle();
        let outcome = self.gather(answer);
        self.note(job, 0, outcome);
        self.skip(job.body)
    }

    fn refuse_line(&mut self, error: &dyn Display) -> Result<(), End> {
        let (refusal, out_of_step) = no_request(&self.line, error, &self.who);
        self.refuse(refusal);
        if out_of_step { Err(End::OutOfStep) } else { Ok(()) }
    }

    /// Publishes what has been received and answers for it, in order.
    fn settle(&mut self) {
        for (report, answer) in self.batch.settle() {
            let outcome = self.gather(&answer);
            let bytes = report.bytes;
            Job::reported(report).note(&self.who, bytes, outcome);
        }
    }

    /// Refuses in its turn, behind all answers that are owed.
    fn refuse(&mut self, refusal: Refusal) {
        self.settle();
        self.gather(&refusal.into());
    }

    fn say<T: Serialize>(&mut self, response: &Response<T>) {
        self.gather(&Answer::of(response));
    }

    fn gather(&mut self, answer: &Answer) -> Outcome {
        self.output.extend_from_slice(&answer.line);
        answer.outcome
    }

    fn flush_if_much(&mut self) -> Result<(), End> {
        if self.output.len() > OUTPUT_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), End> {
        // Taken out first: what was sent in part must not be sent again by whoever says goodbye.
        let mut output = std::mem::take(&mut self.output);
        self.input.socket_mut().send(&output).map_err(End::unsent)?;
        output.clear();
        self.output = output;
        Ok(())
    }

    fn note(&self, job: &Job, bytes: u64, ended: impl Display) {
        job.note(&self.who, bytes, ended);
    }
}
