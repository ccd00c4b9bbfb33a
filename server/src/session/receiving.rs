//! What comes in and is longer than a line: a `PUT`, its turn at the name, its body.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::frame;
use common::limits::EAGER_BYTES_MAX;
use common::protocol::{Offset, Reason, Refusal, Response, Sum, Wait};

use super::{Body, End, Job, Session};
use crate::answer::Answer;
use crate::claims::Claim;
use crate::party::Party;
use crate::plan::Plan;
use crate::point;
use crate::service::Who;
use crate::state::{self, State};
use crate::store::Origin;
use crate::upload::{BodyError, Upload};

/// How often a client that waits for a name is told who it waits for.
pub(crate) const WAIT_EVERY: Duration = Duration::from_secs(1);

/// What a checksum line looks like, for those who forgot it.
const EXAMPLE_SUM: &str = r#"{"crc32":"00000000"}"#;

impl<'s> Session<'s> {
    /// A `PUT` that is welcome: its turn at the name, its body, its place in the batch.
    pub(super) fn receive(&mut self, plan: Plan<'s>, job: &Job) -> Result<(), End> {
        let eager = plan.eager;
        let mut upload = match self.begin(plan)? {
            Ok(upload) => upload,
            Err(answer) => return self.answer(&answer, job),
        };
        if !eager {
            self.settle();
            self.say(&Response::Ok(Offset { offset: upload.offset() }));
        }
        let sum = match self.receive_body(&mut upload) {
            Ok(Ok(sum)) => sum,
            Ok(Err(refusal)) => return self.give_up(upload, refusal, job),
            Err(end) => {
                self.note(job, upload.received(), format_args!("CUT {end}"));
                if !matches!(end, End::OutOfStep) {
                    upload.cut();
                }
                return Err(end);
            }
        };
        point::pass("put.received");
        match upload.finish(sum.crc32) {
            Ok(received) => self.batch.push(received),
            Err(refusal) => {
                // Every byte of the body was read, so nothing is left to step over.
                self.settle();
                let outcome = self.gather(&refusal.into());
                self.note(job, 0, outcome);
            }
        }
        if self.batch.is_full() {
            self.settle();
        }
        Ok(())
    }

    fn begin(&mut self, plan: Plan<'s>) -> Result<Result<Upload<'s>, Answer>, End> {
        // A taken name ends the batch, as every answer does, and only then is told by what it is
        // taken: perhaps by a file of that batch.
        let free = plan.check_free().or_else(|_| {
            self.settle();
            plan.check_free()
        });
        if let Err(taken) = free {
            return Ok(Err(taken));
        }
        Ok(match self.claim(&plan)? {
            Ok(claim) => {
                point::pass("put.claimed");
                Upload::begin(self.service.writer, self.stop, plan, claim)
            }
            Err(busy) => Err(busy),
        })
    }

    /// The claim on the plan's path, after waiting for it if it must be; or the answer `busy`.
    fn claim(&mut self, plan: &Plan<'s>) -> Result<Result<Claim<'s>, Answer>, End> {
        let mut waiting = match self.service.claims.claim(&party(&self.who, plan)) {
            Ok(claim) => return Ok(Ok(claim)),
            Err(waiting) => waiting,
        };
        // LESSON: never wait for a claim while holding one. Two sessions that hold what the other
        // waits for would wait for ever; one that waits for a name in its own batch would too.
        // So what is held is published, and given back, first. (What waits is no claim: to
        // stand in line takes nothing from anybody who comes to an end alone. See `stripes`.)
        self.settle();
        let deadline = Instant::now() + plan.patience;
        let _doing = state::enter(State::WaitFile);
        // Settling may have been all it took, or ending the same sender's lost connection; if not,
        // the client is told at once and then again every so often.
        let mut pause = Duration::ZERO;
        if plan.resume
            && let Some(lost) = waiting.twin()
        {
            self.slot.take_over(lost);
            // It ends in a moment. Who does not want to wait for others does not wait for this.
            pause = WAIT_EVERY;
        }
        loop {
            waiting = match waiting.wait(pause) {
                Ok(claim) => return Ok(Ok(claim)),
                Err(waiting) => waiting,
            };
            self.check_welcome()?;
            let Some(holder) = waiting.holder() else { continue };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Err(waiting.busy(&plan.path).into()));
            }
            let limit = Some(plan.patience.as_secs());
            self.say(&Response::<()>::Wait(Wait { limit, ..holder }));
            self.flush()?;
            pause = left.min(WAIT_EVERY);
        }
    }

    fn receive_body(&mut self, upload: &mut Upload<'_>) -> Result<Result<Sum, Refusal>, End> {
        let is_here = self.input.buffer().len() as u64 >= upload.remaining();
        let _doing = (!is_here).then(|| state::enter(State::Read));
        let patience = self.service.deadlines.rest_of_file(upload.offset());
        self.input.incoming_mut().allow(patience);
        while upload.remaining() > 0 {
            if upload.at_chunk_start() {
                self.check_welcome()?;
            }
            self.before_reading()?;
            match upload.receive(&mut self.input) {
                Ok(()) => {}
                Err(BodyError::Refused(refusal)) => return Ok(Err(refusal)),
                Err(BodyError::Client(error)) => return Err(error.into()),
            }
        }
        self.read_sum().map(Ok)
    }

    /// The line behind a body.
    fn read_sum(&mut self) -> Result<Sum, End> {
        self.read_line()?;
        frame::parse(&self.line).map_err(|_| {
            self.refuse(no_sum());
            End::OutOfStep
        })
    }

    /// The disk did not take the body. What is left of it is not wanted any more.
    fn give_up(&mut self, upload: Upload<'_>, refusal: Refusal, job: &Job) -> Result<(), End> {
        let rest = Body::Eager(upload.remaining());
        drop(upload);
        self.settle();
        let outcome = self.gather(&refusal.into());
        self.note(job, 0, outcome);
        self.skip(rest)
    }

    /// Steps over a body that nobody wants, to the next request.
    pub(super) fn skip(&mut self, body: Body) -> Result<(), End> {
        match body {
            // A client that waited for the answer has sent nothing yet. One that did not wait has
            // broken the rule, and what it sent cannot be told from a request.
            Body::OnDemand if self.has_input()? => Err(End::OutOfStep),
            Body::OnDemand | Body::None => Ok(()),
            Body::Eager(bytes) if bytes > EAGER_BYTES_MAX => Err(End::OutOfStep),
            Body::Eager(bytes) => {
                self.throw_away(bytes)?;
                self.read_sum().map(drop)
            }
        }
    }

    fn throw_away(&mut self, bytes: u64) -> Result<(), End> {
        let _doing = state::enter(State::Read);
        self.input.incoming_mut().allow(self.service.deadlines.file());
        let mut left = bytes;
        while left > 0 {
            let there = self.fill_input()?;
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(there);
            self.input.consume(taken);
            left -= taken as u64;
        }
        Ok(())
    }
}

/// The session, as it wants what the plan says.
pub(crate) fn party(who: &Who<'_>, plan: &Plan<'_>) -> Arc<Party> {
    // The next connection of the same user may take an upload over. Guests have no names, and several
    // may come from one address: none of them ends another's session.
    let origin = plan.origin.as_ref().filter(|_| who.user.is_some());
    let upload =
        origin.map(|Origin { sender, size, mtime, .. }| format!("{sender} {size} {mtime:?}"));
    Party::new(who.session, who.to_string(), plan.claim_on.to_string(), plan.size, upload)
}

/// The refusal for what stands behind a body and is no checksum line.
pub(crate) fn no_sum() -> Refusal {
    let message = format!("behind the bytes belongs a line like {EXAMPLE_SUM}");
    Refusal::new(Reason::BadRequest, message)
}
