//! Claims: the exclusive right to write one path, within this server and, where several share the
//! folder, between them.
//!
//! A claim is an entry in the [`registry`] and, with `--shared-data`, a share in a stripe, taken in
//! this order. Why that cannot end in a circle of people who wait for each other is told in
//! [`stripes`](crate::stripes). A server that has its folder alone has no stripes: to it this
//! module is the registry, and no file is asked.

use std::sync::Arc;
use std::time::Duration;

use common::path::VirtualPath;
use common::protocol::{Refusal, Wait};

use crate::refusal;
use crate::registry::{self, Held, Party, Registry, Ticket};
use crate::stripes::{Holder, Share, Stripes, Turn};

/// All claims.
#[derive(Debug)]
pub struct Claims {
    registry: Registry,
    stripes: Option<Stripes>,
}

impl Claims {
    /// No claims yet. With `stripes` they will hold against other servers, too.
    pub fn new(stripes: Option<Stripes>) -> Self {
        Self { registry: Registry::new(), stripes }
    }

    /// What is claimed at this server, by whom, and who waits for it here.
    pub fn snapshot(&self) -> Vec<Held> {
        self.registry.snapshot()
    }

    /// The claim on `path` if nobody holds it, else something to wait with. Never waits.
    pub fn claim(&self, path: &VirtualPath, me: Arc<Party>) -> Result<Claim<'_>, Waiting<'_>> {
        let bid = Bid { stripes: self.stripes.as_ref(), path: path.to_string() };
        match self.registry.claim(&bid.path, me) {
            Ok(entry) => bid.go_on(entry),
            Err(ticket) => Err(Waiting(Step::Here(ticket, bid))),
        }
    }
}

/// The exclusive right to write one path; given back on drop.
#[derive(Debug)]
#[must_use = "a claim that is not kept is given back at once"]
pub struct Claim<'s> {
    /// Given back first, as it was taken last.
    _share: Option<Share<'s>>,
    entry: registry::Claim<'s>,
}

impl Claim<'_> {
    /// The holder, to note progress on.
    pub fn party(&self) -> &Party {
        self.entry.party()
    }
}

/// What somebody wants, on the way from one step to the next.
#[derive(Debug)]
struct Bid<'s> {
    stripes: Option<&'s Stripes>,
    path: String,
}

impl<'s> Bid<'s> {
    /// The entry is had. What else there is to have, is asked for now.
    fn go_on(self, entry: registry::Claim<'s>) -> Result<Claim<'s>, Waiting<'s>> {
        let Some(stripes) = self.stripes else { return Ok(Claim { _share: None, entry }) };
        let me = entry.party();
        match stripes.claim(&self.path, me.who(), me.size()) {
            Ok(share) => Ok(Claim { _share: Some(share), entry }),
            Err(turn) => Err(Waiting(Step::Between(turn, entry))),
        }
    }
}

/// Waiting for a claim; ended by dropping it.
#[derive(Debug)]
#[must_use = "who does not keep it has stopped waiting"]
pub struct Waiting<'s>(Step<'s>);

/// What is waited for.
#[derive(Debug)]
enum Step<'s> {
    /// Another session of this server; and what is still to be asked for then.
    Here(Ticket<'s>, Bid<'s>),
    /// Another server. Who else wants the path here stands in line behind the entry.
    Between(Turn<'s>, registry::Claim<'s>),
}

impl<'s> Waiting<'s> {
    /// Waits for the claim, at most `patience`; then gives the same place back, or the next on the
    /// way.
    pub fn wait(self, patience: Duration) -> Result<Claim<'s>, Self> {
        let step = match self.0 {
            Step::Here(ticket, bid) => match ticket.wait(patience) {
                Ok(entry) => return bid.go_on(entry),
                Err(ticket) => Step::Here(ticket, bid),
            },
            Step::Between(turn, entry) => match turn.wait(patience) {
                Ok(share) => return Ok(Claim { _share: Some(share), entry }),
                Err(turn) => Step::Between(turn, entry),
            },
        };
        Err(Self(step))
    }

    /// Who holds the path now; `None` if it was given to us by now, so that the next
    /// [`wait`](Self::wait) returns at once.
    pub fn holder(&self) -> Option<Wait> {
        match &self.0 {
            Step::Here(ticket, _) => ticket.holder(),
            Step::Between(turn, _) => Some(match turn.holder() {
                Holder::Writer(wait) => wait,
                Holder::Neighbour { server, since } => {
                    let holder = format!("somebody at {server}");
                    Wait { holder, received: 0, size: 0, since, limit: None }
                }
            }),
        }
    }

    /// The session of this server that holds the path, if it is in the middle of that same upload.
    /// One of another server cannot be ended from here.
    pub fn session_sending(&self, upload: &str) -> Option<u64> {
        match &self.0 {
            Step::Here(ticket, _) => ticket.session_sending(upload),
            Step::Between(..) => None,
        }
    }

    /// The refusal for who does not wait any longer. `path` is as they wrote it.
    pub fn busy(&self, path: &VirtualPath) -> Refusal {
        match &self.0 {
            Step::Here(ticket, _) => refusal::busy(path, ticket.holder()),
            Step::Between(turn, _) => match turn.holder() {
                Holder::Writer(wait) => refusal::busy(path, Some(wait)),
                Holder::Neighbour { server, .. } => refusal::busy_neighbour(path, &server),
            },
        }
    }
}
