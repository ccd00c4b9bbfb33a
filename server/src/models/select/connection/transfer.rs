//! A `PUT` in the model *select*: its turn at the name, its body, its place in the batch.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use common::protocol::{Offset, Refusal, Response, Sum, Wait};

use super::{Awaits, Behind, Connection, Doing, Step, Stepped, Task};
use crate::answer::Answer;
use crate::claims::{Claim, Waiting};
use crate::plan::Plan;
use crate::point;
use crate::session::receiving::{WAIT_EVERY, party};
use crate::session::{Body, Job};
use crate::upload::{BodyError, Upload};

/// How often a name is asked for that another server writes. What is given back here is asked for
/// in the same turn of the loop.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Where in it an upload is.
pub(super) enum Transfer<'s> {
    Beginning(Box<Plan<'s>>, Job),
    InLine(Box<Claiming<'s>>, Job),
    Claimed(Box<Plan<'s>>, Claim<'s>, Job),
    Welcoming(Box<Upload<'s>>, Job),
    Receiving(Box<Upload<'s>>, Job),
    Finishing(Box<Upload<'s>>, Sum, Job),
}

/// Waiting for a name.
pub(super) struct Claiming<'s> {
    plan: Box<Plan<'s>>,
    waiting: Waiting<'s>,
    until: Instant,
    /// When the client is told again who it waits for.
    tell_at: Instant,
}

impl Transfer<'_> {
    /// When it is to be taken up again, whatever happens.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::InLine(claiming, _) => Some(claiming.tell_at.min(now + ASK_AGAIN)),
            _ => None,
        }
    }
}

impl<'s> Connection<'s> {
    pub(super) fn put(&mut self, transfer: Transfer<'s>) -> Stepped {
        match transfer {
            Transfer::Beginning(plan, job) => Ok(self.begin(plan, job)),
            Transfer::InLine(claiming, job) => self.stand_in_line(claiming, job),
            Transfer::Claimed(plan, claim, job) => Ok(self.begin_upload(plan, claim, job)),
            Transfer::Welcoming(upload, job) => Ok(self.welcome(upload, job)),
            Transfer::Receiving(upload, job) => self.receive_body(upload, job),
            Transfer::Finishing(upload, sum, job) => Ok(self.finish(upload, sum, job)),
        }
    }

    fn putting(&mut self, transfer: Transfer<'s>) -> Step {
        self.go_on(Doing::Putting(transfer))
    }

    fn put_waits(&mut self, awaits: Awaits, transfer: Transfer<'s>) -> Step {
        self.wait(awaits, Doing::Putting(transfer))
    }

    fn begin(&mut self, plan: Box<Plan<'s>>, job: Job) -> Step {
        if let Err(taken) = plan.check_free() {
            if self.batch.is_empty() {
                return self.go_on(Doing::Answering(taken, Some(job)));
            }
            // Perhaps it is taken by a file of the batch, and its size is not known before that is
            // settled.
            let awaits = if self.settle() { Awaits::Turn } else { Awaits::Writer };
            return self.put_waits(awaits, Transfer::Beginning(plan, job));
        }
        let waiting = match self.service.claims.claim(&party(&self.who, &plan)) {
            Ok(claim) => return self.claimed(plan, claim, job),
            Err(waiting) => waiting,
        };
        let (until, mut tell_at) = (self.now + plan.patience, self.now);
        if plan.resume
            && let Some(lost) = waiting.twin()
        {
            self.client.slot.take_over(lost);
            // It ends in a moment. Who does not want to wait for others does not wait for this.
            tell_at += WAIT_EVERY;
        }
        let claiming = Claiming { plan, waiting, until, tell_at };
        self.putting(Transfer::InLine(Box::new(claiming), job))
    }

    fn claimed(&mut self, plan: Box<Plan<'s>>, claim: Claim<'s>, job: Job) -> Step {
        point::pass("put.claimed");
        self.putting(Transfer::Claimed(plan, claim, job))
    }

    /// LESSON: nobody waits here, so nobody is woken either. Whether the claim was handed over is
    /// asked, again and again.
    fn stand_in_line(&mut self, mut claiming: Box<Claiming<'s>>, job: Job) -> Stepped {
        // Never wait for a claim while holding one: what is held is published first.
        if !self.settle() {
            return Ok(self.put_waits(Awaits::Writer, Transfer::InLine(claiming, job)));
        }
        let Claiming { plan, waiting, until, tell_at } = *claiming;
        let waiting = match waiting.wait(Duration::ZERO) {
            Ok(claim) => return Ok(self.claimed(plan, claim, job)),
            Err(waiting) => waiting,
        };
        self.check_welcome()?;
        let holder = waiting.holder().filter(|_| tell_at <= self.now);
        if holder.is_some() && until <= self.now {
            let busy = waiting.busy(&plan.path);
            return Ok(self.go_on(Doing::Answering(busy.into(), Some(job))));
        }
        let mut tell_at = tell_at;
        if let Some(holder) = holder {
            let limit = Some(plan.patience.as_secs());
            self.gather(&Answer::of(&Response::<()>::Wait(Wait { limit, ..holder })));
            tell_at = (self.now + WAIT_EVERY).min(until);
        }
        claiming = Box::new(Claiming { plan, waiting, until, tell_at });
        let step = self.put_waits(Awaits::Name, Transfer::InLine(claiming, job));
        self.flush()?;
        Ok(step)
    }

    fn begin_upload(&mut self, plan: Box<Plan<'s>>, claim: Claim<'s>, job: Job) -> Step {
        let writer = self.service.writer;
        if !writer.has_room() {
            return self.put_waits(Awaits::Writer, Transfer::Claimed(plan, claim, job));
        }
        if plan.resume {
            return self.leave_to_desk(Task::Begin(plan, claim), job);
        }
        let begun = Upload::begin(writer, self.service.stop, *plan, claim);
        self.go_on(Self::begun(begun, job))
    }

    /// What comes of an upload that has its turn.
    pub(super) fn begun(begun: Result<Upload<'s>, Answer>, job: Job) -> Doing<'s> {
        match begun {
            Ok(upload) => Doing::Putting(Transfer::Welcoming(Box::new(upload), job)),
            Err(answer) => Doing::Answering(answer, Some(job)),
        }
    }

    fn welcome(&mut self, upload: Box<Upload<'s>>, job: Job) -> Step {
        if !matches!(job.body, Body::Eager(_)) {
            if !self.settle() {
                return self.put_waits(Awaits::Writer, Transfer::Welcoming(upload, job));
            }
            self.gather(&Answer::of(&Response::Ok(Offset { offset: upload.offset() })));
        }
        let patience = self.service.deadlines.rest_of_file(upload.offset());
        self.input.incoming_mut().allow(patience);
        self.putting(Transfer::Receiving(upload, job))
    }

    fn receive_body(&mut self, mut upload: Box<Upload<'s>>, job: Job) -> Stepped {
        if upload.remaining() == 0 {
            return Ok(self.begin_line(Behind::Sum(upload, job)));
        }
        if upload.at_chunk_start()
            && let Err(end) = self.check_welcome()
        {
            self.putting(Transfer::Receiving(upload, job));
            return Err(end);
        }
        let received = match upload.is_ready() {
            Ok(true) => upload.receive(&mut self.input),
            Ok(false) => {
                self.input.incoming_mut().excuse();
                return Ok(self.put_waits(Awaits::Writer, Transfer::Receiving(upload, job)));
            }
            Err(error) => Err(error),
        };
        match received {
            Ok(()) => Ok(self.putting(Transfer::Receiving(upload, job))),
            Err(BodyError::Refused(refusal)) => Ok(self.give_up(&upload, refusal, job)),
            Err(BodyError::Client(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.wait_for_client(Doing::Putting(Transfer::Receiving(upload, job)))
            }
            Err(BodyError::Client(error)) => {
                self.putting(Transfer::Receiving(upload, job));
                Err(error.into())
            }
        }
    }

    /// The disk did not take the body. What is left of it is not wanted any more.
    fn give_up(&mut self, upload: &Upload<'s>, refusal: Refusal, job: Job) -> Step {
        let job = job.before(Body::Eager(upload.remaining()));
        self.go_on(Doing::Answering(refusal.into(), Some(job)))
    }

    fn finish(&mut self, upload: Box<Upload<'s>>, sum: Sum, job: Job) -> Step {
        if !upload.has_room() {
            return self.put_waits(Awaits::Writer, Transfer::Finishing(upload, sum, job));
        }
        point::pass("put.received");
        match upload.finish(sum.crc32) {
            Ok(received) => self.batch.push(received),
            Err(refusal) => {
                // Every byte of the body was read, so nothing is left to step over.
                let job = job.before(Body::None);
                return self.go_on(Doing::Answering(refusal.into(), Some(job)));
            }
        }
        if self.batch.is_full() { self.go_on(Doing::Settling) } else { self.go_idle() }
    }
}
