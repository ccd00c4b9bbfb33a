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
//! hold its two long sentences, `watching` says one again and again, `news` tells others what was
//! put, and `hearing` goes on with it while a second thread tells the client what is said in the
//! room.

mod hearing;
mod news;
mod reading;
mod receiving;
mod sending;
mod watching;

use std::convert::Infallible;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::escape::Safe;
use common::frame;
use common::protocol::{Greeting, Outcome, PROTOCOL_VERSION, Reason, Refusal, Request, Response};
use serde::{Deserialize, Serialize};

use self::news::News;
use crate::answer::Answer;
use crate::batch::Batch;
use crate::fault;
use crate::input::Input;
use crate::listener::Admitted;
use crate::room::{Outbox, Pace, Presence};
use crate::roster::{SentAway, Slot};
use crate::service::{Reply, Service, Who};
use crate::socket::{Incoming, Outgoing, Turn};
use crate::state::{self, Table};
use crate::stop::Stop;

/// How much of a path the journal keeps. A request may name one of 64 KiB.
const NOTED_CHARS: usize = 256;

/// How much of a parser's complaint is passed on. It may quote a whole line.
const ERROR_CHARS: usize = 200;

/// Gathered answers are sent when there are this many bytes of them.
const OUTPUT_BYTES: usize = 64 * 1024;

/// What is still read, and for how long, from a client that has been told all there is to tell.
const FAREWELL_TIME: Duration = Duration::from_secs(2);
const FAREWELL_BYTES: usize = 1024 * 1024;

/// What the session hears whose upload goes on elsewhere.
const TAKEN_OVER: &str = "this upload goes on over another connection of yours; this one ends";

/// What the session hears that is ended by the administrator.
const KICKED: &str = "the administrator has ended this session";

/// Why a session ends.
enum End {
    /// The client said `QUIT`, or closed its side between two requests.
    Left,
    /// The server is stopping.
    Stopped,
    /// The connection broke.
    Lost(io::Error),
    /// The same user goes on over another connection.
    TakenOver,
    /// The administrator wished it.
    Kicked,
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
            Self::Kicked => write!(f, "sent away: the administrator wished it"),
            Self::Slow(what) => write!(f, "sent away: too slow with {what}"),
            Self::Deaf => write!(f, "cut off: took too little of what was sent"),
            Self::OutOfStep => write!(f, "sent away: out of step"),
        }
    }
}

impl End {
    /// What was to be sent could not be.
    fn unsent(error: io::Error) -> Self {
        if is_our_deadline(&error) { Self::Deaf } else { Self::Lost(error) }
    }
}

impl From<SentAway> for End {
    fn from(why: SentAway) -> Self {
        match why {
            SentAway::TakenOver => Self::TakenOver,
            SentAway::Kicked => Self::Kicked,
        }
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
enum Body {
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
struct Job {
    verb: &'static str,
    path: String,
    body: Body,
    begun: Instant,
}

/// The room's events will follow, once this answer is out.
struct Hearing {
    answer: Answer,
    outbox: Outbox,
    job: Job,
}

/// Holds the conversation of a client that was let in, from the greeting to the end.
pub fn hold<'s>(
    client: &'s Admitted<'s>,
    service: &'s Service<'s>,
    stop: &'s Stop,
    table: &'s Table,
) {
    let outgoing = Outgoing::new(Arc::clone(&client.stream), service.deadlines);
    Session::new(client, service, stop, table, &outgoing).run();
}

/// One client's conversation.
struct Session<'s> {
    who: Who<'s>,
    slot: &'s Slot<'s>,
    service: &'s Service<'s>,
    stop: &'s Stop,
    table: &'s Table,
    outgoing: &'s Outgoing,
    input: Input,
    line: Vec<u8>,
    output: Vec<u8>,
    batch: Batch<'s>,
    news: News,
}

impl<'s> Session<'s> {
    fn new(
        client: &'s Admitted<'s>,
        service: &'s Service<'s>,
        stop: &'s Stop,
        table: &'s Table,
        outgoing: &'s Outgoing,
    ) -> Self {
        let incoming = Incoming::new(Arc::clone(&client.stream), service.deadlines);
        Self {
            who: Who {
                session: client.session,
                peer: client.peer,
                user: None,
                presence: Presence::new(service.room, client.session),
                pace: Pace::default(),
            },
            slot: &client.slot,
            service,
            stop,
            table,
            outgoing,
            input: Input::new(incoming),
            line: Vec::new(),
            output: Vec::new(),
            batch: Batch::default(),
            news: News::default(),
        }
    }

    /// Holds the conversation to its end.
    fn run(mut self) {
        log::info!("{} connected", self.who.peer);
        let Err(mut end) = self.converse();
        if let Err(why) = self.check_welcome() {
            end = why;
        }
        match end {
            End::Slow(what) => self.refuse(Reason::Timeout, format!("too slow with {what}")),
            End::TakenOver => self.refuse(Reason::Busy, TAKEN_OVER.to_owned()),
            End::Kicked => self.refuse(Reason::Denied, KICKED.to_owned()),
            _ => {}
        }
        let told = self.before_waiting();
        self.tell_news();
        log::info!("{} {end}", self.who.peer);
        if told.is_ok() && !matches!(end, End::Lost(_)) {
            self.input.incoming_mut().close_gently(FAREWELL_TIME, FAREWELL_BYTES);
        }
    }

    /// Whether nobody has sent this session away.
    fn check_welcome(&self) -> Result<(), End> {
        self.slot.sent_away().map_or(Ok(()), |why| Err(why.into()))
    }

    fn converse(&mut self) -> Result<Infallible, End> {
        self.say(&Response::Ok(Greeting {
            server: concat!("ferryd ", env!("CARGO_PKG_VERSION")).to_owned(),
            protocol: PROTOCOL_VERSION,
            session: self.who.session,
        }));
        fault::point("session.greeted");
        loop {
            let mut next = self.exchange()?;
            while let Some(hearing) = next {
                next = self.hear(hearing)?;
            }
        }
    }

    /// One request, and what comes of it.
    fn exchange(&mut self) -> Result<Option<Hearing>, End> {
        self.read_request_line()?;
        fault::point("session.line");
        let hearing = match frame::parse(&self.line) {
            Ok(request) => self.turn(request)?,
            Err(error) => {
                self.refuse_line(&error)?;
                None
            }
        };
        // Who asks on and on and never listens must not fill our memory with answers.
        self.flush_if_much()?;
        Ok(hearing)
    }

    fn turn(&mut self, request: Request) -> Result<Option<Hearing>, End> {
        let (verb, path) = (request.verb(), request.path().to_owned());
        state::works_on(format_args!("{verb} {}", Safe(&path)));
        let job = Job { verb, path, body: Body::of(&request), begun: Instant::now() };
        if let Body::None = job.body {
            // This request may ask about a file whose upload is still in the batch.
            self.settle();
        }
        let reply = self.service.handle(&mut self.who, request);
        fault::point("request.handled");
        match reply {
            Reply::Answer(answer) => self.answer(&answer, &job)?,
            Reply::Pages(pages) => self.send_pages(pages, &job)?,
            Reply::Send { opened, offset } => self.send_file(&opened, offset, &job)?,
            Reply::Receive(plan) => self.receive(plan, &job)?,
            Reply::Welcome(user, answer) => {
                self.slot.known_as(&user.name);
                state::serves(&user.name);
                self.who.user = Some(user);
                self.answer(&answer, &job)?;
            }
            Reply::Hear(answer, outbox) => return Ok(Some(Hearing { answer, outbox, job })),
            Reply::Watch(every) => self.be_watched(every.time(), &job)?,
            Reply::Bye => return Err(End::Left),
        }
        Ok(None)
    }

    /// Answers with one line, in the order of the requests, and steps over an unwanted body.
    fn answer(&mut self, answer: &Answer, job: &Job) -> Result<(), End> {
        self.settle();
        let outcome = self.gather(answer);
        self.note(job, 0, outcome);
        self.skip(job.body)
    }

    /// A line that is no request. If it may have announced a body, what follows may be that body,
    /// and the session ends. That is so if its `cmd` is `PUT`, and if it is an object so broken
    /// that its `cmd` cannot be known.
    fn refuse_line(&mut self, error: &dyn Display) -> Result<(), End> {
        #[derive(Deserialize)]
        struct Command {
            cmd: Option<serde_json::Value>,
        }
        // The parser quotes the line, and the line is the peer's.
        let error: String = error.to_string().chars().take(ERROR_CHARS).collect();
        let error = Safe(&error);
        log::info!("{} said what is not a request: {error}", self.who.peer);
        self.refuse(Reason::BadRequest, format!("not a request: {error}"));
        let may_have_a_body = match frame::parse(&self.line) {
            Ok(Command { cmd }) => cmd
                .is_some_and(|cmd| cmd.as_str().is_some_and(|cmd| cmd.eq_ignore_ascii_case("PUT"))),
            Err(_) => self.line.contains(&b'{'),
        };
        if may_have_a_body { Err(End::OutOfStep) } else { Ok(()) }
    }

    /// Publishes what has been received and answers for it, in order.
    fn settle(&mut self) {
        for (report, answer) in self.batch.settle() {
            let outcome = self.gather(&answer);
            if outcome == Outcome::Ok {
                self.service.counters.received(report.bytes);
                self.note_news(&report);
            }
            let (path, begun) = (report.path, report.begun);
            let job = Job { verb: "PUT", path, body: Body::None, begun };
            self.note(&job, report.bytes, outcome);
        }
        self.tell_news_if_due();
    }

    /// Refuses in its turn, behind all answers that are owed.
    fn refuse(&mut self, reason: Reason, message: String) {
        self.settle();
        self.gather(&Refusal::new(reason, message).into());
    }

    fn say<T: Serialize>(&mut self, response: &Response<T>) {
        self.gather(&Answer::of(response));
    }

    fn gather(&mut self, answer: &Answer) -> Outcome {
        if let Outcome::Fail(_) = answer.outcome {
            self.service.counters.refused();
        }
        self.output.extend_from_slice(&answer.line);
        answer.outcome
    }

    fn flush_if_much(&mut self) -> Result<(), End> {
        if self.output.len() > OUTPUT_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), End> {
        self.flush_in(&mut self.outgoing.turn())
    }

    fn flush_in(&mut self, turn: &mut Turn<'_>) -> Result<(), End> {
        // Taken out first: what was sent in part must not be sent again by whoever says goodbye.
        let mut output = std::mem::take(&mut self.output);
        turn.send(&output).map_err(End::unsent)?;
        output.clear();
        self.output = output;
        Ok(())
    }

    /// One line in the journal: who, what, how much, how long, how it ended.
    fn note(&self, job: &Job, bytes: u64, ended: impl Display) {
        let (who, seconds) = (&self.who, job.begun.elapsed().as_secs_f64());
        let path: String = match job.path.as_str() {
            "" => ".".to_owned(),
            path => path.chars().take(NOTED_CHARS).collect(),
        };
        let (verb, path) = (job.verb, Safe(&path));
        log::info!("{} {who} {verb} {path} {bytes} B {seconds:.3} s {ended}", who.peer);
    }
}
