//! What an upload is to be: checked and permitted by the service, not begun yet.
//!
//! A plan holds nothing but an open folder. What an upload takes (the part, the charge) it takes
//! when it has its turn at the name, by asking its plan.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use common::path::{Name, VirtualPath};
use common::protocol::{Kind, Refusal};

use crate::answer::Answer;
use crate::quota::{Charge, Usage};
use crate::refusal;
use crate::stop::Stop;
use crate::store::{Folder, Kept, Origin, Part, Progress, Tree};

/// What is to become of a file that has the name already.
#[derive(Debug)]
pub enum Overwrite {
    /// It stays, and the answer is `EXISTS`.
    No,
    /// It is replaced.
    Yes,
    /// It stays, and this is the answer: its sender may make files here, but replace none. Kept
    /// until it is known that the name is taken, which may become so while the sender waits.
    Denied(Refusal),
}

/// An upload that was checked and permitted. Its target folder is already open.
#[derive(Debug)]
pub struct Plan<'s> {
    /// Where the file will be, as its sender sees it.
    pub path: VirtualPath,
    /// The same place by the path that everybody claims it by.
    pub claim_on: VirtualPath,
    /// The tree it will lie in.
    pub tree: &'s Tree,
    /// The folder it will lie in: published into *this* folder, whatever its path leads to then.
    pub folder: Folder,
    /// Its name there.
    pub name: Name,
    /// Its length in bytes.
    pub size: u64,
    /// Its time, in seconds since 1970.
    pub mtime: Option<i64>,
    /// The body follows without waiting for the answer.
    pub eager: bool,
    /// What is to become of a file of that name.
    pub overwrite: Overwrite,
    /// The counter of the home that is charged for it; none for the library.
    pub usage: Option<Arc<Usage>>,
    /// What it is known by if it is cut and comes again; none if it will not.
    pub origin: Option<Origin>,
    /// Go on where it was cut, if that was kept.
    pub resume: bool,
    /// How long to wait for the name.
    pub patience: Duration,
}

impl Plan<'_> {
    /// The answer if the name is taken now, by something that may not be replaced. Only a courtesy
    /// that saves sending a body in vain: publishing itself refuses.
    pub fn check_free(&self) -> Result<(), Answer> {
        match self.folder.has(&self.name) {
            Ok(false) => Ok(()),
            Ok(true) if self.replaced().is_some() => Ok(()),
            Ok(true) => Err(self.taken()),
            Err(error) => Err(refusal::of_io("look for", &self.path, &error).into()),
        }
    }

    /// Whether it goes into the library, and not into somebody's home.
    pub fn is_shared(&self) -> bool {
        self.usage.is_none()
    }

    /// Whether a file of that name may be replaced.
    pub fn replaces(&self) -> bool {
        matches!(self.overwrite, Overwrite::Yes)
    }

    /// The size of the file that would be replaced; `None` if none would.
    pub fn replaced(&self) -> Option<u64> {
        if !self.replaces() {
            return None;
        }
        let stat = self.folder.stat(&self.name).ok()?;
        (stat.kind == Kind::File).then_some(stat.size)
    }

    /// What came of this upload before it was cut.
    pub fn kept(&self) -> io::Result<Option<Kept>> {
        self.origin.as_ref().map_or(Ok(None), |origin| self.tree.kept_of(origin))
    }

    /// Charges for the whole file, in the place of what was kept of it.
    pub fn charge(&self, kept: u64) -> Result<Option<Charge>, Refusal> {
        let Some(usage) = &self.usage else { return Ok(None) };
        let charge = usage.charge(self.size, kept).or_else(|refusal| {
            // What was kept of other uploads makes room for this one.
            let of_home = |kept: &Kept| (kept.home().as_ref() == Some(usage.user())).then_some(());
            let discarded = self.tree.discard_kept(of_home).map_err(|_| refusal)?;
            usage.release(discarded.iter().map(|((), kept)| kept.bytes()).sum());
            usage.charge(self.size, kept)
        });
        charge.map(Some)
    }

    /// The part to receive into, and how far it has come already.
    pub fn part(&self, kept: Option<Kept>, stop: &Stop) -> io::Result<(Part, Progress)> {
        let Some(origin) = &self.origin else {
            return Ok((self.tree.create_part()?, Progress::default()));
        };
        match kept {
            Some(kept) if self.resume => {
                if let Some(going_on) = self.tree.go_on(origin, kept, stop)? {
                    return Ok(going_on);
                }
            }
            Some(unwanted) => drop(self.tree.adopt(unwanted)),
            None => {}
        }
        Ok((self.tree.create_part_of(origin)?, Progress::default()))
    }

    /// The answer when the name is taken: `EXISTS`, with what stands in the way, or that this
    /// sender may not replace it.
    pub fn taken(&self) -> Answer {
        match &self.overwrite {
            Overwrite::Denied(refusal) => refusal.clone().into(),
            _ => Answer::exists(&self.path, self.folder.stat(&self.name).ok()),
        }
    }
}
