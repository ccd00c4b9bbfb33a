//! What the client says, in the model *select*: a line at a time, or a body that nobody wants.

use std::io::{self, BufRead as _, ErrorKind};

use common::frame;
use common::protocol::{Reason, Refusal, Request, Sum};

use super::transfer::Transfer;
use super::{Behind, Connection, Doing, Stepped};
use crate::point;
use crate::session::receiving::no_sum;
use crate::session::{End, Job, no_request};

impl<'s> Connection<'s> {
    /// How many bytes there are to look at; `None` if that is still to come.
    pub(super) fn fill(&mut self) -> io::Result<Option<usize>> {
        match self.input.fill_buf() {
            Ok(bytes) => Ok(Some(bytes.len())),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn idle(&mut self) -> Stepped {
        if self.service.stop.is_asked() {
            return Err(End::Stopped);
        }
        match self.fill() {
            Ok(None) => {
                self.input.rest();
                self.wait_for_client(Doing::Idle)
            }
            Ok(Some(0)) => Err(End::Left),
            Ok(Some(_)) => Ok(self.begin_line(Behind::Request)),
            Err(error) => Err(match error.into() {
                End::Slow(_) => End::Slow("its next request"),
                end => end,
            }),
        }
    }

    pub(super) fn read_line(&mut self, behind: Behind<'s>) -> Stepped {
        let filled = self.fill();
        let taken = match filled {
            Ok(None) => return self.wait_for_client(Doing::Line(behind)),
            Ok(Some(0)) => Err(End::Lost(ErrorKind::UnexpectedEof.into())),
            Ok(Some(_)) => match frame::take_line(self.input.buffer(), &mut self.line) {
                Ok(taken) => Ok(taken),
                Err(e) => Err(self.out_of_step(Refusal::new(Reason::BadRequest, e.to_string()))),
            },
            Err(error) => Err(error.into()),
        };
        match taken {
            Err(end) => {
                self.doing = Doing::Line(behind);
                Err(end)
            }
            Ok(taken) => {
                self.input.consume(taken.bytes);
                if taken.whole { self.obey(behind) } else { Ok(self.go_on(Doing::Line(behind))) }
            }
        }
    }

    /// A whole line is here.
    fn obey(&mut self, behind: Behind<'s>) -> Stepped {
        let Behind::Request = behind else {
            return match (frame::parse::<Sum>(&self.line), behind) {
                (Ok(sum), Behind::Sum(upload, job)) => {
                    Ok(self.go_on(Doing::Putting(Transfer::Finishing(upload, sum, job))))
                }
                (Ok(_), _) => Ok(self.go_idle()),
                (Err(_), behind) => {
                    self.doing = Doing::Line(behind);
                    Err(self.out_of_step(no_sum()))
                }
            };
        };
        point::pass("session.line");
        match frame::parse::<Request>(&self.line) {
            Ok(request) => {
                let job = Job::of(&request);
                Ok(self.go_on(Doing::Asked(Box::new(request), job)))
            }
            Err(error) => match no_request(&self.line, &error, &self.who) {
                (refusal, true) => Err(self.out_of_step(refusal)),
                (refusal, false) => Ok(self.go_on(Doing::Answering(refusal.into(), None))),
            },
        }
    }

    /// Where the next request begins cannot be known any more.
    pub(super) fn out_of_step(&mut self, refusal: Refusal) -> End {
        self.last_words = Some(refusal);
        End::OutOfStep
    }

    pub(super) fn has_input(&self) -> Result<bool, End> {
        Ok(!self.input.buffer().is_empty() || self.input.incoming().has_bytes()?)
    }

    pub(super) fn throw_away(&mut self, left: u64) -> Stepped {
        if left == 0 {
            return Ok(self.begin_line(Behind::Unwanted));
        }
        match self.fill()? {
            None => self.wait_for_client(Doing::Skipping(left)),
            Some(0) => Err(End::Lost(ErrorKind::UnexpectedEof.into())),
            Some(there) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(there);
                self.input.consume(taken);
                Ok(self.go_on(Doing::Skipping(left - taken as u64)))
            }
        }
    }
}
