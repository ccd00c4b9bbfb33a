//! The handler of who wants to see what the server is doing.

use common::protocol::{Reason, Refusal, Response, Role};
use common::watch::Every;

use super::{Handled, Reply, Service, Who};
use crate::answer::Answer;
use crate::watch::View;

impl Service<'_> {
    /// The state table as it is now, as a line.
    pub fn look(&self) -> Answer {
        let view = View {
            table: self.table,
            claims: self.claims,
            roster: self.roster,
            room: self.room,
            ledger: &self.places.ledger,
            accounts: &self.accounts,
            counters: self.counters,
            model: self.model,
        };
        Answer::of(&Response::Ok(view.take()))
    }

    /// The table names people, addresses and files, of homes as well. Whoever sits at the machine
    /// could find all that out; others are not told.
    pub(super) fn watch<'s>(&self, who: &Who<'_>, every: Option<Every>) -> Handled<'s> {
        let is_here = who.peer.ip().to_canonical().is_loopback();
        let is_admin = who.user.as_ref().is_some_and(|user| user.role == Role::Admin);
        if !is_here && !is_admin {
            let message = "what the server is doing is shown on its own machine, and elsewhere to \
                           administrators only; log in as one";
            return Err(Refusal::new(Reason::Denied, message).into());
        }
        Ok(every.map_or_else(|| Reply::Answer(self.look()), Reply::Watch))
    }
}
