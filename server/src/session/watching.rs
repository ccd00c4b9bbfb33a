//! Being watched: the state table goes out again and again, until the client says anything.
//!
//! What is drawn is this moment's or nothing: while a client does not take one table the next is not
//! made, and none is made up for. One that takes none at all meets the deadline of every answer.

use std::time::{Duration, Instant};

use common::protocol::Outcome;

use super::{End, Job, Session};
use crate::state::{self, State};

impl Session<'_> {
    pub(super) fn be_watched(&mut self, every: Duration, job: &Job) -> Result<(), End> {
        loop {
            let answer = self.service.look(&mut self.who);
            let outcome = self.gather(&answer);
            self.flush()?;
            let next = Instant::now() + every;
            // Who may not look, or not any longer, is told so and has no more to wait for.
            if matches!(outcome, Outcome::Fail(_)) || self.hears_before(next)? {
                self.note(job, 0, outcome);
                return Ok(());
            }
        }
    }

    /// Whether the client says something, or has closed its side, before this time.
    fn hears_before(&self, time: Instant) -> Result<bool, End> {
        // IDLE first, then the look at what ends a session: see the roster's argument.
        let _doing = state::enter(State::Idle);
        self.look_for_the_end()?;
        self.check_welcome()?;
        Ok(!self.input.buffer().is_empty() || self.input.incoming().wait(time)?)
    }
}
