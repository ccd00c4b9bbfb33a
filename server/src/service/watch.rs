//! The handler of who wants to see what the server is doing.

use common::protocol::{Reason, Refusal, Response, Role};
use common::watch::Every;

use super::{Reply, Service, Who};
use crate::answer::Answer;
use crate::watch::View;

impl<'s> Service<'s> {
    /// The state table as it is now, or why this one may not see it. Who may is asked for every table:
    /// an account can be closed while its user looks on.
    pub fn look(&self, who: &mut Who<'s>) -> Answer {
        match self.confirm(who).and_then(|()| self.may_watch(who)) {
            Ok(()) => Answer::of(&Response::Ok(self.view().take())),
            Err(refusal) => refusal.into(),
        }
    }

    pub(super) fn watch(&self, who: &mut Who<'s>, every: Option<Every>) -> Reply<'s> {
        match every {
            Some(every) => Reply::Watch(every),
            None => Reply::Answer(self.look(who)),
        }
    }

    fn view(&self) -> View<'_> {
        View {
            table: self.table,
            claims: self.claims,
            roster: self.roster,
            room: self.room,
            ledger: &self.places.ledger,
            accounts: &self.accounts,
            counters: self.counters,
            model: &self.model,
            class: self.class,
        }
    }

    /// The table names people, addresses and files, of homes as well. Whoever sits at the machine could
    /// find all that out; others are not told. In class everybody may learn from it.
    fn may_watch(&self, who: &Who<'_>) -> Result<(), Refusal> {
        let is_here = who.peer.ip().to_canonical().is_loopback();
        let is_admin = who.user.as_ref().is_some_and(|user| user.role == Role::Admin);
        let message = if self.alone {
            "there is nothing to watch in the model `process`: each client has a process of its own, \
             which knows what it does itself, and nothing of the others"
        } else if is_here || is_admin || self.class {
            return Ok(());
        } else {
            "what the server is doing is shown on its own machine, and elsewhere to administrators \
             only; log in as one"
        };
        Err(Refusal::new(Reason::Denied, message))
    }
}
