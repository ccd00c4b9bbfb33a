//! Being watched in the model *select*: the state table goes out again and again, until the client says
//! anything. What is drawn is this moment's or nothing, as in the session's own `watching`.

use std::time::Instant;

use common::protocol::Outcome as Told;
use common::watch::Every;

use super::{Connection, Doing, Step, Stepped};
use crate::patience::Patience;
use crate::session::{End, Job};

impl Connection<'_> {
    /// The table as it is now. Who may not look, or not any longer, is told so and has no more to wait
    /// for.
    pub(super) fn show_table(&mut self, every: Every, job: Job) -> Step {
        let answer = self.service.look(&mut self.who);
        let told = self.gather(&answer);
        if let Told::Fail(_) = told {
            job.note(&self.who, 0, told);
            return self.go_idle();
        }
        // Who looks on has nothing to say. Keepalive finds the dead.
        self.input.incoming_mut().allow(Patience::endless());
        self.go_on(Doing::Watching(every, self.now + every.time(), job))
    }

    pub(super) fn be_watched(&mut self, every: Every, next: Instant, job: Job) -> Stepped {
        if self.service.stop.is_asked() {
            return Err(End::Stopped);
        }
        self.check_welcome()?;
        if self.fill()?.is_some() {
            job.note(&self.who, 0, Told::Ok);
            return Ok(self.go_idle());
        }
        if self.flush()? && next <= self.now {
            return Ok(self.show_table(every, job));
        }
        self.wait_for_client(Doing::Watching(every, next, job))
    }
}
