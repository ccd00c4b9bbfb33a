//! Hearing the room in the model *select*, without the second thread that each member has elsewhere:
//! what is in the outbox goes out between two answers, as far as the socket takes it. The rest stays
//! there, so whoever does not read loses lines, and then their place, as everywhere (`room/outbox`).

use super::{Connection, Doing};
use crate::room::Taken;
use crate::session::{End, HEARING};

impl Connection<'_> {
    /// Whether it is in the room or listens.
    pub(in crate::models::select) fn hears(&self) -> bool {
        self.outbox.is_some()
    }

    /// Whether there is something to hear.
    pub(in crate::models::select) fn may_hear(&self) -> bool {
        self.outbox.as_ref().is_some_and(|(outbox, _)| outbox.is_ready())
    }

    /// Sends what is owed, and then what is said in the room.
    pub(super) fn hear(&mut self) -> Result<(), End> {
        while self.flush()?
            && let Some((outbox, _)) = &mut self.outbox
        {
            match outbox.try_take(&mut self.output) {
                Taken::Some => {}
                Taken::Over => self.outbox = None,
                Taken::GivenUp if matches!(self.doing, Doing::Idle) => {
                    return Err(End::Slow(HEARING));
                }
                // What it is doing, it may finish.
                Taken::GivenUp | Taken::Nothing => break,
            }
        }
        Ok(())
    }

    /// Puts what is left in the outbox before what will be answered. It has left, so that is all.
    pub(super) fn hear_out(&mut self) {
        let Some((mut outbox, _shown)) = self.outbox.take() else { return };
        let mut lines = Vec::new();
        while outbox.try_take(&mut lines) == Taken::Some {
            self.output.append(&mut lines);
        }
    }
}
