//! A connection of the model *select*: the session as a value that can be laid down wherever it
//! would wait, and taken up again.
//!
//! ```text
//!              ┌──────────────────────────────────────────────────────────────┐
//!              ▼                                                              │
//! Greeting ► Idle ► Line ► Asked ─┬► Answering ► Skipping ► Line ────────────►┤
//!                                 ├► Listing ────────────────────────────────►┤
//!                                 ├► Sending ────────────────────────────────►┤
//!                                 ├► Watching ───────────────────────────────►┤
//!                                 └► Beginning ► InLine ► Claimed ► Welcoming │
//!                                                              ▼              │
//!                                    Finishing ◄ Line ◄ Receiving             │
//!                                        └► Settling ─────────────────────────┘
//! ```
//!
//! This is the conversation of [`session`](crate::session), sentence by sentence; what is said comes
//! from there. A step does one thing that does not wait, and says what is next. Where a step would
//! wait, it changes nothing but says for what; it is taken again when that may have come.

mod ending;
mod hearing;
mod reading;
mod sending;
mod transfer;
mod watching;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use common::limits::EAGER_BYTES_MAX;
use common::protocol::{Outcome as Told, Reason, Refusal, Request};
use common::watch::Every;

use self::sending::Download;
use self::transfer::Transfer;
use super::beside::{Desk, Order, Outcome, Task};
use crate::answer::Answer;
use crate::batch::Batch;
use crate::input::Input;
use crate::listener::Admitted;
use crate::models::name;
use crate::point;
use crate::room::{Outbox, Pace, Presence};
use crate::service::{Reply, Service, User, Who};
use crate::session::{Body, End, Job, News, OUTPUT_BYTES, greeting};
use crate::socket::{Incoming, Outgoing};
use crate::state::{self, Line, Row, Shown, State, Table};
use crate::store::Listing;
use crate::upload::Upload;

/// Steps of one connection before the others have their turn.
const STEPS: usize = 8;

/// What a connection waits for.
pub(super) enum Awaits {
    /// Its turn: it has done enough for once.
    Turn,
    /// Its client, or a moment of its own.
    Client,
    /// The writer.
    Writer,
    /// A name that somebody else writes.
    Name,
    /// What is computed beside the loop.
    Beside,
    /// Nothing any more.
    Nothing,
}

/// What comes of a step that was taken: the next, or a wait.
enum Step {
    On,
    Wait(Awaits),
}

type Stepped = Result<Step, End>;

/// Where in the conversation it is.
enum Doing<'s> {
    Greeting,
    /// Waiting for a request to begin.
    Idle,
    /// In the middle of a line.
    Line(Behind<'s>),
    Asked(Box<Request>, Job),
    Beside(Job),
    Replied(Box<Reply<'s>>, Job),
    /// An answer that has to wait for those before it.
    Answering(Answer, Option<Job>),
    /// In the middle of a body that nobody wants.
    Skipping(u64),
    Listing(Box<Listing>, Told, Job),
    Sending(Box<Download>, Job),
    /// The state table goes out; when it does so next.
    Watching(Every, Instant, Job),
    Putting(Transfer<'s>),
    /// The batch is full.
    Settling,
    /// What has come of an upload that was cut goes to the writer.
    Cutting(Box<Upload<'s>>, End, Option<Refusal>),
    /// What is owed goes out before the end.
    Parting(End, Option<Refusal>),
    /// All is said. What still comes is thrown away for a moment.
    Lingering(usize),
    Gone,
}

/// What a line is.
enum Behind<'s> {
    Request,
    /// The checksum line behind a body.
    Sum(Box<Upload<'s>>, Job),
    /// The same behind one that nobody wants.
    Unwanted,
}

/// One client, and where the conversation with it stands. Dropped in this order: who sees the end
/// of the connection finds everything given back.
pub(super) struct Connection<'s> {
    doing: Doing<'s>,
    batch: Batch<'s>,
    who: Who<'s>,
    /// What the room has for it, while it hears; that is among the queues that are shown.
    outbox: Option<(Outbox, Shown<'s>)>,
    news: News,
    line: Vec<u8>,
    output: Vec<u8>,
    /// How much of the output has gone out.
    sent: usize,
    /// What is to be said at the end.
    last_words: Option<Refusal>,
    now: Instant,
    /// When it is to be woken, as the loop has noted.
    pub(super) alarm: Option<Instant>,
    service: &'s Service<'s>,
    desk: Desk<'s>,
    row: Line<'s>,
    input: Input,
    outgoing: Outgoing,
    client: Admitted<'s>,
}

/// The client, who is neither in the room nor listening.
fn nowhere<'s>(client: &Admitted<'s>, service: &'s Service<'s>, user: Option<User>) -> Who<'s> {
    let presence = Presence::new(service.room, client.session);
    let (session, peer) = (client.session, client.peer);
    Who { session, peer, user, presence, pace: Pace::default() }
}

impl<'s> Connection<'s> {
    pub(super) fn new(
        client: Admitted<'s>,
        table: &'s Table,
        service: &'s Service<'s>,
        desk: Desk<'s>,
    ) -> Self {
        log::info!("{} connected", client.peer);
        let row = table.line(&name(&client), State::Run);
        row.serves(client.peer);
        client.slot.seated(row.row());
        let incoming = Incoming::new(Arc::clone(&client.stream), service.deadlines);
        let outgoing = Outgoing::new(Arc::clone(&client.stream), service.deadlines);
        Self {
            doing: Doing::Greeting,
            batch: Batch::default(),
            who: nowhere(&client, service, None),
            outbox: None,
            news: News::default(),
            line: Vec::new(),
            output: Vec::new(),
            sent: 0,
            last_words: None,
            now: Instant::now(),
            alarm: None,
            service,
            desk,
            row,
            input: Input::new(incoming),
            outgoing,
            client,
        }
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.client.peer
    }

    /// The row that tells what it does.
    pub(super) fn row(&self) -> Arc<Row> {
        self.row.row()
    }

    /// When it must be driven, whatever happens or does not.
    pub(super) fn due(&self) -> Option<Instant> {
        let own = match &self.doing {
            Doing::Putting(transfer) => transfer.due(self.now),
            // While one table is not taken, none is due.
            Doing::Watching(_, next, _) if self.output.is_empty() => Some(*next),
            _ => None,
        };
        let news = self.news.due_in(self.now).map(|wait| self.now + wait);
        let peer = [self.input.incoming().due(), self.outgoing.turn().due()];
        [own, news].into_iter().chain(peer).flatten().min()
    }

    /// Goes on until it would wait, and says for what.
    pub(super) fn drive(&mut self, now: Instant) -> Awaits {
        let _sitting = self.row.work();
        self.now = now;
        self.input.incoming_mut().tell_time(now);
        self.outgoing.turn().tell_time(now);
        self.news.tell_if_due(&self.who, self.service.room, now);
        // Who has been too slow to take what is owed ends, whatever else is waited for; and who
        // hears the room hears it whatever else is waited for.
        let due = self.outgoing.turn().due();
        let heard = match self.doing {
            // Nothing comes between the bytes of a file.
            Doing::Sending(..) => Ok(()),
            _ if self.outbox.is_some() => self.hear(),
            _ if due.is_some_and(|due| due <= now) => self.flush().map(drop),
            _ => Ok(()),
        };
        if let Err(end) = heard {
            self.end(end);
        }
        for _ in 0..STEPS {
            match self.step() {
                Ok(Step::On) => {}
                Ok(Step::Wait(awaits)) => {
                    let (state, on) = self.waits_as(&awaits);
                    self.row.rest(state, on);
                    return awaits;
                }
                Err(end) => self.end(end),
            }
        }
        Awaits::Turn
    }

    /// Whether nobody has sent this session away.
    fn check_welcome(&self) -> Result<(), End> {
        self.client.slot.sent_away().map_or(Ok(()), |why| Err(why.into()))
    }

    /// What a wait is called in the table, and on what it is.
    fn waits_as(&self, awaits: &Awaits) -> (State, &'static str) {
        match awaits {
            Awaits::Turn | Awaits::Nothing => (State::Run, ""),
            Awaits::Writer => (State::WaitQueueFull, "writer"),
            Awaits::Name => (State::WaitFile, ""),
            Awaits::Beside => (State::WaitLock, "hashing"),
            Awaits::Client if !self.output.is_empty() => (State::Send, ""),
            Awaits::Client => match self.doing {
                Doing::Idle | Doing::Watching(..) => (State::Idle, ""),
                Doing::Sending(..) => (State::Send, ""),
                _ => (State::Read, ""),
            },
        }
    }

    /// What was computed beside the loop is here.
    pub(super) fn answered(&mut self, outcome: Outcome<'s>) {
        self.doing = match (std::mem::replace(&mut self.doing, Doing::Gone), outcome) {
            (Doing::Beside(job), Outcome::Replied(who, reply)) => {
                self.who = *who;
                Doing::Replied(reply, job)
            }
            (Doing::Beside(job), Outcome::Begun(begun)) => Self::begun(*begun, job),
            // It ends already.
            (doing, _) => doing,
        };
    }

    /// Ends it, in the middle of whatever it does.
    pub(super) fn cut_off(&mut self) {
        self.input.incoming().cut();
        self.end(End::Lost(ErrorKind::ConnectionAborted.into()));
    }

    fn step(&mut self) -> Stepped {
        // Who asks on and on and never listens must not fill our memory with answers.
        if self.output.len() - self.sent > OUTPUT_BYTES && !self.flush()? {
            return Ok(Step::Wait(Awaits::Client));
        }
        match std::mem::replace(&mut self.doing, Doing::Gone) {
            Doing::Greeting => {
                self.gather(&greeting(self.who.session));
                point::pass("session.greeted");
                Ok(self.go_idle())
            }
            Doing::Idle => self.idle(),
            Doing::Line(behind) => self.read_line(behind),
            Doing::Asked(request, job) => Ok(self.asked(request, job)),
            Doing::Beside(job) => Ok(self.wait(Awaits::Beside, Doing::Beside(job))),
            Doing::Replied(reply, job) => self.replied(*reply, job),
            Doing::Answering(answer, job) => self.answer(answer, job),
            Doing::Skipping(bytes) => self.throw_away(bytes),
            Doing::Listing(pages, told, job) => Ok(self.list(pages, told, job)),
            Doing::Sending(file, job) => self.send_file(file, job),
            Doing::Watching(every, next, job) => self.be_watched(every, next, job),
            Doing::Putting(transfer) => self.put(transfer),
            Doing::Settling if self.settle() => Ok(self.go_idle()),
            Doing::Settling => Ok(self.wait(Awaits::Writer, Doing::Settling)),
            Doing::Cutting(upload, end, last) => Ok(self.cut(upload, end, last)),
            Doing::Parting(end, last) => self.part(end, last),
            Doing::Lingering(thrown) => Ok(self.linger(thrown)),
            Doing::Gone => Ok(Step::Wait(Awaits::Nothing)),
        }
    }

    fn go_on(&mut self, doing: Doing<'s>) -> Step {
        self.doing = doing;
        Step::On
    }

    fn wait(&mut self, awaits: Awaits, doing: Doing<'s>) -> Step {
        self.doing = doing;
        Step::Wait(awaits)
    }

    /// The client has to say something first. It hears before that what is owed to it.
    fn wait_for_client(&mut self, doing: Doing<'s>) -> Stepped {
        self.doing = doing;
        if !self.settle() {
            return Ok(Step::Wait(Awaits::Writer));
        }
        self.hear()?;
        Ok(Step::Wait(Awaits::Client))
    }

    fn go_idle(&mut self) -> Step {
        self.input.incoming_mut().allow(if self.who.presence.hears() {
            self.service.deadlines.listening()
        } else {
            self.service.deadlines.request()
        });
        self.go_on(Doing::Idle)
    }

    fn begin_line(&mut self, behind: Behind<'s>) -> Step {
        self.line.clear();
        self.input.incoming_mut().allow(self.service.deadlines.line());
        self.go_on(Doing::Line(behind))
    }

    fn asked(&mut self, request: Box<Request>, job: Job) -> Step {
        // It may ask about a file whose upload is still in the batch.
        if matches!(job.body, Body::None) && !self.settle() {
            return self.wait(Awaits::Writer, Doing::Asked(request, job));
        }
        if Task::is_for(&request) {
            let stand_in = nowhere(&self.client, self.service, self.who.user.clone());
            let who = std::mem::replace(&mut self.who, stand_in);
            return self.leave_to_desk(Task::Ask(Box::new(who), request), job);
        }
        let reply = self.service.handle(&mut self.who, *request);
        point::pass("request.handled");
        self.go_on(Doing::Replied(Box::new(reply), job))
    }

    fn leave_to_desk(&mut self, task: Task<'s>, job: Job) -> Step {
        let order = Order { session: self.who.session, label: state::own_label(), task };
        match self.desk.try_send(order, 0).map_err(|order| order.task) {
            Ok(()) => return self.go_on(Doing::Beside(job)),
            Err(Task::Ask(who, _)) => self.who = *who,
            Err(Task::Begin(..)) => {}
        }
        let message = "too many people log in at this moment; try again";
        let busy = Refusal::new(Reason::Busy, message);
        self.go_on(Doing::Answering(busy.into(), Some(job)))
    }

    fn replied(&mut self, reply: Reply<'s>, job: Job) -> Stepped {
        if !self.who.presence.hears() || matches!(reply, Reply::Hear(..)) {
            self.hear_out();
        }
        Ok(match reply {
            Reply::Answer(answer) => self.go_on(Doing::Answering(answer, Some(job))),
            Reply::Pages(pages) => self.go_on(Doing::Listing(Box::new(pages), Told::Empty, job)),
            Reply::Send { opened, offset } => return self.begin_sending(opened, offset, job),
            Reply::Receive(plan) => {
                self.go_on(Doing::Putting(Transfer::Beginning(Box::new(plan), job)))
            }
            Reply::Welcome(user, answer) => {
                self.client.slot.known_as(&user.name);
                state::serves(&user.name);
                self.who.user = Some(user);
                self.go_on(Doing::Answering(answer, Some(job)))
            }
            Reply::Hear(answer, outbox) => {
                // Events come behind the answer.
                let step = self.answer(answer, Some(job));
                let shown = self.service.table.show(outbox.depth(self.row.row().name()));
                self.outbox = Some((outbox, shown));
                return step;
            }
            Reply::Watch(every) => self.show_table(every, job),
            Reply::Bye => return Err(End::Left),
        })
    }

    /// Answers with one line, in the order of the requests, and steps over an unwanted body.
    fn answer(&mut self, answer: Answer, job: Option<Job>) -> Stepped {
        if !self.settle() {
            return Ok(self.wait(Awaits::Writer, Doing::Answering(answer, job)));
        }
        let told = self.gather(&answer);
        let Some(job) = job else { return Ok(self.go_idle()) };
        job.note(&self.who, 0, told);
        match job.body {
            Body::OnDemand if self.has_input()? => Err(End::OutOfStep),
            Body::OnDemand | Body::None => Ok(self.go_idle()),
            Body::Eager(bytes) if bytes > EAGER_BYTES_MAX => Err(End::OutOfStep),
            Body::Eager(bytes) => {
                self.input.incoming_mut().allow(self.service.deadlines.file());
                Ok(self.go_on(Doing::Skipping(bytes)))
            }
        }
    }

    /// Publishes what has been received and answers for it, in order; `false` while the writer has
    /// not written it.
    fn settle(&mut self) -> bool {
        if !self.batch.is_written() {
            return false;
        }
        for (report, answer) in self.batch.settle() {
            let told = self.gather(&answer);
            if told == Told::Ok {
                self.service.counters.received(report.bytes);
                self.news.add(&report, self.service.room);
            }
            let bytes = report.bytes;
            Job::reported(report).note(&self.who, bytes, told);
        }
        self.news.tell_if_due(&self.who, self.service.room, self.now);
        true
    }

    fn gather(&mut self, answer: &Answer) -> Told {
        if let Told::Fail(_) = answer.outcome {
            self.service.counters.refused();
        }
        self.output.extend_from_slice(&answer.line);
        answer.outcome
    }

    /// Sends what has gathered; whether all of it is gone.
    fn flush(&mut self) -> Result<bool, End> {
        let sent = self.outgoing.turn().send_rest(&self.output, &mut self.sent);
        if let Err(error) = &sent
            && error.kind() == ErrorKind::WouldBlock
        {
            return Ok(false);
        }
        // What was sent in part must not be sent again by whoever says goodbye.
        self.output.clear();
        self.sent = 0;
        sent.map(|()| true).map_err(End::unsent)
    }
}
