//! Where a path leads: from what people write to a place on disk, and only with the right to go
//! there.
//!
//! ```text
//! /                 Root      holds the others
//! /library/…        Library   the shared folder
//! /home/…           Home      the asker's own folder: home/<user>/… on disk
//! /homes/<user>/…   Homes     everybody's, for administrators
//! ```
//!
//! [`Places::find`] is the only way from a path to a [`Spot`], and it asks the table of rights
//! first. So no handler can forget to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::path::{Name, VirtualPath};
use common::protocol::{Entry, Reason, Refusal, Role};
use common::user::UserName;

use crate::quota::{Ledger, Usage};
use crate::refusal;
use crate::rights::{Deed, Place, Policy};
use crate::store::{Kept, Store, Tree};

const LIBRARY: &str = "library";
const HOME: &str = "home";
const HOMES: &str = "homes";

/// How often expired parts are looked for.
pub const EXPIRY_EVERY: Duration = Duration::from_secs(60 * 60);

/// Where a path leads, for somebody who may do there what they came for.
#[derive(Debug)]
pub struct Spot<'s> {
    /// The path, absolute.
    pub path: VirtualPath,
    /// The same spot by the one path that all ways to it share: what claims are made on.
    pub canonical: VirtualPath,
    /// What it is on disk; `None` for the virtual root.
    pub ground: Option<Ground<'s>>,
}

/// A spot on disk.
#[derive(Debug, Clone)]
pub struct Ground<'s> {
    /// The tree it lies in.
    pub tree: &'s Tree,
    /// The way down from the top of the tree.
    pub names: Vec<Name>,
    /// How many of the names lead to the top of the place: no user may take these away.
    pub top: usize,
    /// Whose home it lies in.
    pub owner: Option<UserName>,
}

impl Ground<'_> {
    /// Whether this is a place itself, which is always there, and not something in it.
    pub fn is_top(&self) -> bool {
        self.names.len() <= self.top
    }
}

/// Who is looking for something.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'w> {
    /// Their name, if they have logged in.
    pub user: Option<&'w UserName>,
    /// What they may do.
    pub role: Role,
}

/// All places, and who may do what in them.
#[derive(Debug)]
pub struct Places<'s> {
    /// The disk.
    pub store: &'s Store,
    /// The table of rights.
    pub policy: Policy,
    /// How full the homes are.
    pub ledger: Ledger,
    /// When expired parts are looked for again.
    pub next_expiry: Mutex<Instant>,
}

impl<'s> Places<'s> {
    /// Where `text` leads, if the asker may do `deed` there.
    pub fn find(&self, asker: Asker<'_>, text: &str, deed: Deed) -> Result<Spot<'s>, Refusal> {
        let bad_name = |e| refusal::bad_name(&e);
        let start = if asker.user.is_some() { HOME } else { LIBRARY };
        let start = VirtualPath::parse(start, &VirtualPath::root()).map_err(bad_name)?;
        let path = VirtualPath::parse(text, &start).map_err(bad_name)?;
        let (place, names) = match path.names().split_first() {
            None => (Place::Root, &[][..]),
            Some((first, rest)) => (place_of(first, &path)?, rest),
        };
        self.policy.check(asker.role, deed, place, &path)?;
        let (ground, above) = match (place, asker.user) {
            (Place::Library, _) => (self.library(names), LIBRARY),
            (Place::Home, Some(user)) => (self.home(user, names)?, HOMES),
            (Place::Homes, _) => (self.somebodys_home(names), HOMES),
            (Place::Root, _) | (Place::Home, None) => {
                return Ok(Spot { canonical: path.clone(), path, ground: None });
            }
        };
        let canonical = std::iter::once(above).chain(ground.names.iter().map(Name::as_str));
        let canonical = canonical.collect::<Vec<_>>().join("/");
        let canonical = VirtualPath::parse(&canonical, &VirtualPath::root())
            .map_err(|e| refusal::bad_name(&e))?;
        Ok(Spot { path, canonical, ground: Some(ground) })
    }

    fn library(&self, names: &[Name]) -> Ground<'s> {
        Ground { tree: self.store.library(), names: names.to_vec(), top: 0, owner: None }
    }

    fn home(&self, user: &UserName, names: &[Name]) -> Result<Ground<'s>, Refusal> {
        let own = Name::parse(user.as_str()).map_err(|e| refusal::bad_name(&e))?;
        let names = std::iter::once(own).chain(names.iter().cloned()).collect();
        Ok(Ground { tree: self.store.homes(), names, top: 1, owner: Some(user.clone()) })
    }

    fn somebodys_home(&self, names: &[Name]) -> Ground<'s> {
        let owner = names.first().and_then(|name| UserName::parse(name.as_str()).ok());
        Ground { tree: self.store.homes(), names: names.to_vec(), top: 1, owner }
    }

    /// The places the asker can see, for a listing of the root.
    pub fn visible(&self, asker: Asker<'_>) -> Vec<Entry> {
        [LIBRARY, HOME, HOMES]
            .into_iter()
            .filter_map(|name| {
                let spot = self.find(asker, &format!("/{name}"), Deed::Look).ok()?;
                let ground = spot.ground?;
                let stat = ground.tree.stat(&ground.names).ok()?;
                Some(Entry { name: name.to_owned(), stat })
            })
            .collect()
    }

    /// Discards what was kept of uploads for too long. Looks for it now and then only, so it may
    /// be asked before every upload.
    pub fn expire_kept(&self) {
        let mut next = self.next_expiry.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now < *next {
            return;
        }
        *next = now + EXPIRY_EVERY;
        drop(next);
        // Asked before it goes: a home that is measured afterwards does not count it any more.
        let expired = |kept: &Kept| {
            kept.is_expired().then(|| kept.home().and_then(|home| self.ledger.known(&home)))
        };
        for tree in [self.store.library(), self.store.homes()] {
            match tree.discard_kept(expired) {
                Ok(discarded) => {
                    for (usage, kept) in discarded {
                        usage.inspect(|usage| usage.release(kept.bytes()));
                        log::info!("discarded {} bytes of an upload that was cut", kept.bytes());
                    }
                }
                Err(error) => log::warn!("cannot look for expired parts: {error}"),
            }
        }
    }

    /// The counter of a home; its first asker measures it.
    pub fn usage(&self, user: &UserName) -> Arc<Usage> {
        self.usage_for(user, None)
    }

    /// The same for its owner, whose account was opened then.
    pub fn usage_for(&self, user: &UserName, owner: Option<u64>) -> Arc<Usage> {
        self.ledger.usage(user, owner, || {
            let measured = Name::parse(user.as_str())
                .map_err(std::io::Error::other)
                .and_then(|name| self.store.homes().measure(&[name]))
                .and_then(|bytes| Ok(bytes + self.store.homes().kept_for(user)?));
            // A home that cannot be measured counts as full: failing closed.
            measured.unwrap_or_else(|error| {
                log::error!("cannot measure the home of {user}: {error}");
                u64::MAX
            })
        })
    }
}

fn place_of(first: &Name, path: &VirtualPath) -> Result<Place, Refusal> {
    match first.as_str() {
        LIBRARY => Ok(Place::Library),
        HOME => Ok(Place::Home),
        HOMES => Ok(Place::Homes),
        _ => {
            let message = format!("there is no `{path}`; what is shared lies in /{LIBRARY}");
            Err(Refusal::new(Reason::NotFound, message))
        }
    }
}
