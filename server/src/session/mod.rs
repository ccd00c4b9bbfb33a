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
//! room. `job` is what a request has to be remembered by, and `end` says why it is over. What is
//! said, and when a session ends, is the same where nothing may wait: the model *select* takes it
//! from here.

mod end;
mod hearing;
mod job;
mod news;
mod reading;
pub(crate) mod receiving;
pub(crate) mod sending;
mod watching;

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::escape::Safe;
use common::frame;
use common::protocol::{Greeting, Outcome, PROTOCOL_VERSION, Reason, Refusal, Request, Response};
use serde::{Deserialize, Serialize};

pub(crate) use self::end::End;
pub(crate) use self::hearing::HEARING;
pub(crate) use self::job::{Body, Job};
pub(crate) use self::news::News;
use crate::answer::Answer;
use crate::batch::Batch;
use crate::input::Input;
use crate::listener::Admitted;
use crate::point;
use crate::room::{Outbox, Pace, Presence};
use crate::roster::Slot;
use crate::service::{Reply, Service, Who};
use crate::socket::{Incoming, Outgoing, Turn};
use crate::state::{self, Table};
use crate::stop::Stop;

/// How much of a parser's complaint is passed on. It may quote a whole line.
const ERROR_CHARS: usize = 200;

/// Gathered answers are sent when there are this many bytes of them.
pub(crate) const OUTPUT_BYTES: usize = 64 * 1024;

/// What is still read, and for how long, from a client that has been told all there is to tell.
pub(crate) const FAREWELL_TIME: Duration = Duration::from_secs(2);
pub(crate) const FAREWELL_BYTES: usize = 1024 * 1024;

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
pub(crate) fn no_request(line: &[u8], error: &dyn Display, who: &Who<'_>) -> (Refusal, bool) {
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
        let Err(end) = self.converse();
        let end = end.or_told_by(self.slot);
        if let Some(refusal) = end.last_words() {
            self.refuse(refusal);
        }
        let told = self.before_waiting();
        self.news.tell(&self.who, self.service.room, Instant::now());
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
        self.gather(&greeting(self.who.session));
        point::pass("session.greeted");
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
        point::pass("session.line");
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
        let job = Job::of(&request);
        if let Body::None = job.body {
            // This request may ask about a file whose upload is still in the batch.
            self.settle();
        }
        let reply = self.service.handle(&mut self.who, request);
        point::pass("request.handled");
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

    fn refuse_line(&mut self, error: &dyn Display) -> Result<(), End> {
        let (refusal, out_of_step) = no_request(&self.line, error, &self.who);
        self.refuse(refusal);
        if out_of_step { Err(End::OutOfStep) } else { Ok(()) }
    }

    /// Publishes what has been received and answers for it, in order.
    fn settle(&mut self) {
        for (report, answer) in self.batch.settle() {
            let outcome = self.gather(&answer);
            if outcome == Outcome::Ok {
                self.service.counters.received(report.bytes);
                self.news.add(&report, self.service.room);
            }
            let bytes = report.bytes;
            Job::reported(report).note(&self.who, bytes, outcome);
        }
        self.news.tell_if_due(&self.who, self.service.room, Instant::now());
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

    fn note(&self, job: &Job, bytes: u64, ended: impl Display) {
        job.note(&self.who, bytes, ended);
    }
}
