//! Waiting for what the client says, with a deadline on every wait, and never while something is
//! still owed to it.

use std::io::{BufRead as _, ErrorKind};

use common::frame;
use common::protocol::{Reason, Refusal};

use super::{End, Session};
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
        let _doing = state::enter(State::Read);
        self.input.socket_mut().allow(self.service.deadlines.line());
        self.line.clear();
        loop {
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
        // IDLE first, then the look at the stop: see the roster's argument.
        let _doing = state::enter(State::Idle);
        if self.stop.is_asked() {
            return Err(End::Stopped);
        }
        self.input.rest();
        self.input.socket_mut().allow(self.service.deadlines.request());
        match self.input.fill_buf() {
            Ok([]) if self.stop.is_asked() => Err(End::Stopped),
            Ok(bytes) => Ok(!bytes.is_empty()),
            Err(e) => Err(match e.into() {
                End::Slow(_) => End::Slow("its next request"),
                end => end,
            }),
        }
    }

    /// Called before every read: if it would have to wait, what is owed goes out first.
    pub(super) fn before_reading(&mut self) -> Result<(), End> {
        let owing = !self.batch.is_empty() || !self.output.is_empty();
        if owing && !self.has_input()? { self.before_waiting() } else { Ok(()) }
    }

    /// Whether the client has sent something that was not looked at yet.
    pub(super) fn has_input(&self) -> Result<bool, End> {
        Ok(!self.input.buffer().is_empty() || self.input.socket().has_bytes()?)
    }

    pub(super) fn before_waiting(&mut self) -> Result<(), End> {
        self.settle();
        self.flush()
    }
}
