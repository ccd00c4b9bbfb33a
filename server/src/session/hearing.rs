//! Hearing the room: the conversation goes on, while a second thread tells the client what is said
//! there.
//!
//! ```text
//! c07        reads requests, handles them ──► answers ─┐
//!                                                      ├─ one turn at a time ──► socket
//! c07:room   waits for the outbox ─────────► events ───┘
//! ```
//!
//! The second thread is there from the `OK` to a `JOIN` or `LISTEN` until the session leaves; a
//! session that does neither has one thread and costs what it always did. It lives in a scope of
//! this session's, so it cannot be forgotten, and it ends by itself: when the session leaves, its
//! outbox runs dry.
//!
//! If it ends for another reason, nobody tells the client any more what it asked to hear. Then it
//! wakes the session, which ends as well: the client took too little and the room gave it up, or
//! it took nothing and a deadline passed, or it is gone.

use std::io::{self, ErrorKind};
use std::thread::{self, Builder};

use common::protocol::{Reason, Refusal};

use super::{End, Hearing, Session};
use crate::room::Outbox;
use crate::roster::Slot;
use crate::socket::Outgoing;
use crate::state::{self, State, Table};

/// What a client may be too slow with.
pub(crate) const HEARING: &str = "what is said in the room";

/// This thread takes lines out and sends them, no more.
const STACK_BYTES: usize = 128 * 1024;

impl Session<'_> {
    /// Answers, and goes on with the conversation until the client leaves the room (`None`) or comes
    /// to hear something else.
    pub(super) fn hear(&mut self, hearing: Hearing) -> Result<Option<Hearing>, End> {
        let Hearing { answer, outbox, job } = hearing;
        let name = format!("{}:room", state::called(self.who.session));
        let teller = Teller { outbox, outgoing: self.outgoing, slot: self.slot };
        let (table, outgoing) = (self.table, self.outgoing);
        thread::scope(|scope| {
            // Kept until the answer is out: events come behind it.
            let mut turn = outgoing.turn();
            let thread = Builder::new().name(name.clone()).stack_size(STACK_BYTES);
            let telling = match thread.spawn_scoped(scope, move || teller.tell(table, &name)) {
                Ok(telling) => telling,
                Err(error) => {
                    drop(turn);
                    log::error!("cannot start a thread: {error}");
                    self.who.presence.leave();
                    let message = "the server cannot start another thread; try again in a moment";
                    self.answer(&Refusal::new(Reason::Full, message).into(), &job)?;
                    return Ok(None);
                }
            };
            let session = LeavesIfItPanics(self);
            let ended = session.0.answer(&answer, &job).and_then(|()| {
                session.0.flush_in(&mut turn)?;
                drop(turn);
                session.0.exchange_while_it_hears()
            });
            if ended.is_err() {
                session.0.who.presence.leave();
            }
            // By now nothing more comes into its outbox.
            match telling.join() {
                Ok(Ok(())) => ended,
                // If the system gave the client up, it told only the first who asked why: the other
                // finds a pipe that is broken. Unless it was woken by the end of this thread, when it
                // knows nothing better.
                Ok(Err(error))
                    if error.kind() == ErrorKind::BrokenPipe
                        && !matches!(ended, Ok(_) | Err(End::Slow(HEARING))) =>
                {
                    ended
                }
                Ok(Err(error)) => Err(End::unsent(error)),
                Err(_) => Err(End::Lost(io::Error::other("the thread that told of the room died"))),
            }
        })
    }

    fn exchange_while_it_hears(&mut self) -> Result<Option<Hearing>, End> {
        while self.who.presence.hears() {
            if let Some(other) = self.exchange()? {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }
}

/// A scope waits for its threads also when it is left by a panic. So the session must leave the room
/// first, or the other thread would never end.
struct LeavesIfItPanics<'a, 's>(&'a mut Session<'s>);

impl Drop for LeavesIfItPanics<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.who.presence.leave();
        }
    }
}

/// The second thread.
struct Teller<'s> {
    outbox: Outbox,
    outgoing: &'s Outgoing,
    slot: &'s Slot<'s>,
}

impl Teller<'_> {
    /// Sends what comes out of the outbox, until nothing more will.
    fn tell(mut self, table: &Table, name: &str) -> io::Result<()> {
        let _seat = table.seat(name, State::Run);
        let _shown = table.show(self.outbox.depth(name));
        let mut lines = Vec::new();
        while self.outbox.take(&mut lines) {
            self.outgoing.turn().send(&lines)?;
            lines.clear();
        }
        Ok(())
    }
}

impl Drop for Teller<'_> {
    /// However it ends, the session hears of it.
    fn drop(&mut self) {
        self.outbox.close();
        self.slot.wake();
    }
}
