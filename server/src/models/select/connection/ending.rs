//! How a session ends in the model *select*: what is owed goes out first, what has come of an
//! upload is kept, and nothing of that waits either.

use std::io::BufRead as _;

use common::protocol::Refusal;

use super::transfer::Transfer;
use super::{Awaits, Behind, Connection, Doing, Step, Stepped};
use crate::patience::Patience;
use crate::session::{End, FAREWELL_BYTES, FAREWELL_TIME};
use crate::upload::Upload;

impl<'s> Connection<'s> {
    /// It is over: what is owed goes out, and what has come of an upload is kept.
    pub(super) fn end(&mut self, end: End) {
        let end = end.or_told_by(&self.client.slot);
        let last = self.last_words.take().or_else(|| end.last_words());
        self.who.presence.leave();
        self.hear_out();
        self.doing = match std::mem::replace(&mut self.doing, Doing::Gone) {
            Doing::Putting(Transfer::Receiving(upload, job))
            | Doing::Line(Behind::Sum(upload, job)) => {
                job.note(&self.who, upload.received(), format_args!("CUT {end}"));
                if let End::OutOfStep = end {
                    Doing::Parting(end, last)
                } else {
                    Doing::Cutting(upload, end, last)
                }
            }
            // It ends already: for the first reason, and now without a word.
            Doing::Cutting(upload, end, _) => Doing::Cutting(upload, end, None),
            Doing::Parting(end, _) => {
                log::info!("{} {end}", self.peer());
                Doing::Gone
            }
            Doing::Lingering(_) => Doing::Gone,
            _ => Doing::Parting(end, last),
        };
    }

    pub(super) fn cut(
        &mut self,
        mut upload: Box<Upload<'s>>,
        end: End,
        last: Option<Refusal>,
    ) -> Step {
        if !upload.is_at_rest() {
            return self.wait(Awaits::Writer, Doing::Cutting(upload, end, last));
        }
        upload.cut();
        self.go_on(Doing::Parting(end, last))
    }

    pub(super) fn part(&mut self, end: End, last: Option<Refusal>) -> Stepped {
        if !self.settle() {
            return Ok(self.wait(Awaits::Writer, Doing::Parting(end, last)));
        }
        self.news.tell(&self.who, self.service.room, self.now);
        if let Some(refusal) = last {
            self.gather(&refusal.into());
        }
        let is_lost = matches!(end, End::Lost(_));
        self.doing = Doing::Parting(end, None);
        if !self.flush()? && !is_lost {
            return Ok(Step::Wait(Awaits::Client));
        }
        if let Doing::Parting(end, _) = &self.doing {
            log::info!("{} {end}", self.peer());
        }
        if is_lost || !self.input.incoming().end_sending() {
            return Ok(self.go_on(Doing::Gone));
        }
        self.input.incoming_mut().allow(Patience::once(FAREWELL_TIME));
        Ok(self.go_on(Doing::Lingering(0)))
    }

    pub(super) fn linger(&mut self, thrown: usize) -> Step {
        match self.fill() {
            Ok(None) => self.wait(Awaits::Client, Doing::Lingering(thrown)),
            Ok(Some(bytes)) if bytes > 0 && thrown < FAREWELL_BYTES => {
                self.input.consume(bytes);
                self.go_on(Doing::Lingering(thrown + bytes))
            }
            Ok(_) | Err(_) => self.go_on(Doing::Gone),
        }
    }
}
