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
use common::watch::Lock;

use crate::party::Party;
use crate::refusal;
use crate::registry::{self, Held, Registry, Ticket};
use crate::state::{self, Note};
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

    /// How often the table of what is claimed here was locked.
    pub fn lock_counts(&self) -> Lock {
        self.registry.lock_counts()
    }

    /// What is claimed at this server, by whom, and who waits for it here.
    pub fn snapshot(&self) -> Vec<Held> {
        self.registry.snapshot()
    }

    /// The claim on what `me` wants if nobody holds it, else something to wait with. Never waits.
    pub fn claim(&self, me: &Arc<Party>) -> Result<Claim<'_>, Waiting<'_>> {
        let stripes = self.stripes.as_ref();
        let bid = |place| Bid { stripes, note: state::stake(me, place) };
        match self.registry.claim(Arc::clone(me)) {
            Ok(entry) => bid(0).go_on(entry),
            Err(ticket) => {
                let bid = bid(ticket.place());
                Err(Waiting(Step::Here(ticket, bid)))
            }
        }
    }
}

/// The exclusive right to write one path; given back on drop.
#[derive(Debug)]
#[must_use = "a claim that is not kept is given back at once"]
pub struct Claim<'s> {
    /// What others see of it. Gone first: nobody sees the holder before last.
    _note: Note,
    /// Given back next, as it was taken last.
    _share: Option<Share<'s>>,
    entry: registry::Claim<'s>,
}

impl<'s> Claim<'s> {
    fn new(entry: registry::Claim<'s>, share: Option<Share<'s>>, note: Note) -> Self {
        note.holds();
        Self { _note: note, _share: share, entry }
    }

    /// The holder, to note progress on.
    pub fn party(&self) -> &Arc<Party> {
        self.entry.party()
    }
}

/// What somebody wants, on the way from one step to the next.
#[derive(Debug)]
struct Bid<'s> {
    stripes: Option<&'s Stripes>,
    note: Note,
}

impl<'s> Bid<'s> {
    /// The entry is had. What else there is to have, is asked for now.
    fn go_on(self, entry: registry::Claim<'s>) -> Result<Claim<'s>, Waiting<'s>> {
        let Some(stripes) = self.stripes else { return Ok(Claim::new(entry, None, self.note)) };
        let me = entry.party();
        match stripes.claim(me.path(), me.who(), me.size()) {
            Ok(share) => Ok(Claim::new(entry, Some(share), self.note)),
            Err(turn) => Err(Waiting(Step::Between(turn, entry, self.note))),
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
    Between(Turn<'s>, registry::Claim<'s>, Note),
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
            Step::Between(turn, entry, note) => match turn.wait(patience) {
                Ok(share) => return Ok(Claim::new(entry, Some(share), note)),
                Err(turn) => Step::Between(turn, entry, note),
            },
        };
        Err(Self(step))
    }

    /// Who holds the path now; `None` if it was given to us by now, so that the next
    /// [`wait`](Self::wait) returns at once.
    pub fn holder(&self) -> Option<Wait> {
        match &self.0 {
            Step::Here(ticket, _) => ticket.holder(),
            Step::Between(turn, ..) => Some(match turn.holder() {
                Holder::Writer(wait) => wait,
                Holder::Neighbour { server, since } => {
                    let holder = format!("somebody at {server}");
                    Wait { holder, received: 0, size: 0, since, limit: None }
                }
            }),
        }
    }

    /// The session of this server that holds the path, if it is in the middle of this same upload.
    /// One of another server cannot be ended from here.
    pub fn twin(&self) -> Option<u64> {
        match &self.0 {
            Step::Here(ticket, _) => ticket.twin(),
            Step::Between(..) => None,
        }
    }

    /// The refusal for who does not wait any longer. `path` is as they wrote it.
    pub fn busy(&self, path: &VirtualPath) -> Refusal {
        match &self.0 {
            Step::Here(ticket, _) => refusal::busy(path, ticket.holder()),
            Step::Between(turn, ..) => match turn.holder() {
                Holder::Writer(wait) => refusal::busy(path, Some(wait)),
                Holder::Neighbour { server, .. } => refusal::busy_neighbour(path, &server),
            },
        }
    }
}
