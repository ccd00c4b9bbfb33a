//! Waiting for what the client says, with a deadline on every wait, and never while something is
//! still owed to it.

use std::io::{self, BufRead as _, ErrorKind};
use std::time::Instant;

use common::frame;
use common::protocol::{Reason, Refusal};

use super::end::is_our_deadline;
use super::hearing::HEARING;
use super::{End, Session};
use crate::patience::Patience;
use crate::state::{self, State};

impl Session<'_> {
    pub(super) fn read_request_line(&mut self) -> Result<(), End> {
        if !self.wait_for_request()? {
            return Err(End::Left);
        }
        self.read_line()
    }

    /// Reads one whole line. It has begun, or must, and its time runs from now on.
    pub(super) fn read_line(&mut self) -> Result<(), End> {
        // What is here already is not waited for, and most of what is sent ahead is.
        let mut doing = None;
        self.input.incoming_mut().allow(self.service.deadlines.line());
        self.line.clear();
        loop {
            if self.input.buffer().is_empty() {
                doing.get_or_insert_with(|| state::enter(State::Read));
            }
            self.fill_input()?;
            match frame::take_line(self.input.buffer(), &mut self.line) {
                Ok(taken) => {
                    self.input.consume(taken.bytes);
                    if taken.whole {
                        return Ok(());
                    }
                }
                Err(error) => {
                    self.refuse(Refusal::new(Reason::BadRequest, error.to_string()));
                    return Err(End::OutOfStep);
                }
            }
        }
    }

    /// Sees to it that the input buffer holds at least one byte, and says how many it holds.
    pub(super) fn fill_input(&mut self) -> Result<usize, End> {
        self.before_reading()?;
        match self.input.fill_buf()?.len() {
            0 => Err(End::Lost(ErrorKind::UnexpectedEof.into())),
            bytes => Ok(bytes),
        }
    }

    /// Waits until the client says something; `false` if it has closed its side.
    pub(super) fn wait_for_request(&mut self) -> Result<bool, End> {
        self.before_reading()?;
        if !self.input.buffer().is_empty() {
            return self.look_for_the_end().map(|()| true);
        }
        // IDLE first, then the look at what ends a session: see the roster's argument.
        let _doing = state::enter(State::Idle);
        self.look_for_the_end()?;
        self.input.rest();
        match self.wait_for_bytes() {
            Ok(0) => self.look_for_the_end().map(|()| false),
            Ok(_) => Ok(true),
            Err(e) => Err(match e.into() {
                End::Slow(_) => End::Slow("its next request"),
                end => end,
            }),
        }
    }

    /// Waits for the next request's first bytes, and says how many there are.
    fn wait_for_bytes(&mut self) -> io::Result<usize> {
        if let Some(wait) = self.news.due_in(Instant::now()) {
            self.input.incoming_mut().allow(Patience::once(wait));
            match self.input.fill_buf() {
                Err(error) if is_our_deadline(&error) => {
                    self.news.tell(&self.who, self.service.room, Instant::now());
                }
                filled => return filled.map(<[u8]>::len),
            }
        }
        self.input.incoming_mut().allow(if self.who.presence.hears() {
            self.service.deadlines.listening()
        } else {
            self.service.deadlines.request()
        });
        self.input.fill_buf().map(<[u8]>::len)
    }

    /// What other threads may want while this one waits, and then wake it for.
    pub(super) fn look_for_the_end(&self) -> Result<(), End> {
        if self.stop.is_asked() {
            return Err(End::Stopped);
        }
        if self.who.presence.is_over() {
            return Err(End::Slow(HEARING));
        }
        Ok(())
    }

    /// Called before every read: if it would have to wait, what is owed goes out first.
    pub(super) fn before_reading(&mut self) -> Result<(), End> {
        let owing = !self.batch.is_empty() || !self.output.is_empty();
        if owing && !self.has_input()? { self.before_waiting() } else { Ok(()) }
    }

    /// Whether the client has sent something that was not looked at yet.
    pub(super) fn has_input(&self) -> Result<bool, End> {
        Ok(!self.input.buffer().is_empty() || self.input.incoming().has_bytes()?)
    }

    pub(super) fn before_waiting(&mut self) -> Result<(), End> {
        self.settle();
        self.flush()
    }
}
