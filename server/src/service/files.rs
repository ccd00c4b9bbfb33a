//! The handlers about files and folders.

use std::io::ErrorKind;
use std::time::Duration;

use common::limits::{EAGER_BYTES_MAX, FILE_BYTES_MAX};
use common::path::{Name, VirtualPath};
use common::protocol::{Details, Kind, Page, Put, Reason, Refusal, Response, Stat, Summed};

use super::{Handled, Refused, Reply, Service, Who};
use crate::answer::Answer;
use crate::claims::Claim;
use crate::party::Party;
use crate::places::{Ground, Spot};
use crate::plan::{Overwrite, Plan};
use crate::refusal;
use crate::rights::Deed;
use crate::store::{Folder, Listing, Opened, Origin};

/// The times a `PUT` may give a file: what four digits of years can show.
const MTIME_MAX: u64 = 253_402_300_799;

impl<'s> Service<'s> {
    fn find(&self, who: &Who<'_>, text: &str, deed: Deed) -> Result<Spot<'s>, Refusal> {
        self.places.find(who.asker(), text, deed)
    }

    pub(super) fn list(&self, who: &Who<'_>, text: &str) -> Handled<'s> {
        let Spot { path, ground, .. } = self.find(who, text, Deed::Look)?;
        let Some(Ground { tree, names, .. }) = ground else {
            let entries = self.places.visible(who.asker());
            let entries = entries.map_err(|e| refusal::of_io("list", &path, &e))?;
            return Ok(Reply::Answer(Answer::of(&Response::Ok(Page { entries, more: false }))));
        };
        let listing = tree.open_folder(&names).and_then(Listing::of);
        Ok(Reply::Pages(listing.map_err(|e| refusal::of_io("list", &path, &e))?))
    }

    pub(super) fn get(&self, who: &Who<'_>, text: &str, offset: u64) -> Handled<'s> {
        let (path, opened) = self.open_file(who, text)?;
        if offset > opened.stat.size {
            let message =
                format!("offset {offset} is beyond the end of `{path}` ({})", opened.stat.size);
            return Err(Refusal::new(Reason::BadRequest, message).into());
        }
        Ok(Reply::Send { opened, offset })
    }

    pub(super) fn stat(&self, who: &Who<'_>, text: &str) -> Handled<'s> {
        let Spot { path, ground, .. } = self.find(who, text, Deed::Look)?;
        let Some(ground) = ground else {
            // The root is not on disk. It is always there, and nothing about it changes.
            let stat = Stat { kind: Kind::Folder, size: 0, mtime: 0 };
            let details = Details { stat, quota: None, used: None };
            return Ok(Reply::Answer(Answer::of(&Response::Ok(details))));
        };
        let stat = ground.tree.stat(&ground.names);
        let stat = stat.map_err(|e| refusal::of_io("look at", &path, &e))?;
        let usage = match &ground.owner {
            Some(owner) if ground.is_top() => Some(self.places.usage(owner)),
            _ => None,
        };
        let quota = usage.as_ref().and_then(|usage| usage.limit());
        let details = Details { stat, quota, used: usage.map(|usage| usage.used()) };
        Ok(Reply::Answer(Answer::of(&Response::Ok(details))))
    }

    pub(super) fn sum(&self, who: &Who<'_>, text: &str) -> Handled<'s> {
        let (path, opened) = self.open_file(who, text)?;
        let crc32 = opened.checksum(self.stop).map_err(|e| refusal::of_io("read", &path, &e))?;
        Ok(Reply::Answer(Answer::of(&Response::Ok(Summed { crc32 }))))
    }

    pub(super) fn mkdir(&self, who: &Who<'_>, text: &str) -> Handled<'s> {
        let spot = self.find(who, text, Deed::Create)?;
        let entry = new_entry(&spot)?;
        match entry.folder.make_folder(&entry.name) {
            Ok(()) => confirmed([&entry.folder]),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                Err(Answer::exists(&spot.path, entry.folder.stat(&entry.name).ok()).into())
            }
            Err(e) => Err(refusal::of_io("make the folder", &spot.path, &e).into()),
        }
    }

    pub(super) fn delete(&self, who: &Who<'_>, text: &str) -> Handled<'s> {
        let spot = self.find(who, text, Deed::Remove)?;
        let entry = old_entry(&spot)?;
        let _claim = self.claim_now(who, &spot)?;
        // Had before anything goes: a home is measured when it is first asked about.
        let usage = entry.ground.owner.as_ref().map(|owner| self.places.usage(owner));
        let gone = entry.folder.remove(&entry.name);
        let gone = gone.map_err(|e| refusal::of_io("remove", &spot.path, &e))?;
        if let Some(usage) = usage {
            usage.release(gone.size);
        }
        confirmed([&entry.folder])
    }

    pub(super) fn rename(&self, who: &Who<'_>, from: &str, to: &str) -> Handled<'s> {
        let (from, to) = (self.find(who, from, Deed::Remove)?, self.find(who, to, Deed::Create)?);
        let (old, new) = (old_entry(&from)?, new_entry(&to)?);
        if old.ground.owner != new.ground.owner {
            let message = format!(
                "`{}` and `{}` lie in different places; get the file and put it there",
                from.path, to.path
            );
            return Err(Refusal::new(Reason::BadRequest, message).into());
        }
        let _claim = self.claim_now(who, &from)?;
        // To its own name it goes with the one claim, and hears that the name is taken.
        let other = from.canonical != to.canonical;
        let _other = other.then(|| self.claim_now(who, &to)).transpose()?;
        match old.folder.rename(&old.name, &new.folder, &new.name) {
            Ok(()) => confirmed([&new.folder, &old.folder]),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                Err(Answer::exists(&to.path, new.folder.stat(&new.name).ok()).into())
            }
            Err(e) => Err(refusal::of_io("rename", &from.path, &e).into()),
        }
    }

    pub(super) fn put(&self, who: &Who<'_>, put: &Put) -> Handled<'s> {
        check_fields(put)?;
        let spot = self.find(who, &put.path, Deed::Create)?;
        let Entry { ground, folder, name } = new_entry(&spot)?;
        let overwrite = match self.find(who, &put.path, Deed::Replace) {
            _ if !put.overwrite => Overwrite::No,
            Ok(_) => Overwrite::Yes,
            Err(refusal) => Overwrite::Denied(refusal),
        };
        check_room(&ground, &spot.path, put.size)?;
        self.places.expire_kept();
        let origin = may_come_again(put).then(|| Origin {
            sender: who.sender(),
            target: spot.canonical.clone(),
            size: put.size,
            mtime: put.mtime,
            home: ground.owner.clone(),
        });
        let patience = put.wait.map_or(self.claim_wait, Duration::from_secs).min(self.claim_wait);
        Ok(Reply::Receive(Plan {
            tree: ground.tree,
            claim_on: spot.canonical,
            path: spot.path,
            folder,
            name,
            size: put.size,
            mtime: put.mtime,
            eager: put.eager,
            overwrite,
            usage: ground.owner.as_ref().map(|owner| self.places.usage(owner)),
            origin,
            resume: put.resume,
            patience,
        }))
    }

    fn open_file(&self, who: &Who<'_>, text: &str) -> Result<(VirtualPath, Opened), Refusal> {
        let Spot { path, ground, .. } = self.find(who, text, Deed::Read)?;
        let found = match ground {
            Some(Ground { tree, names, .. }) => tree.open_file(&names),
            None => Err(ErrorKind::IsADirectory.into()),
        };
        let opened = found.map_err(|e| refusal::of_io("read", &path, &e))?;
        Ok((path, opened))
    }

    /// The claim on a spot if nobody holds it. What takes a name away does not wait for it: who
    /// holds it is about to make it anew.
    fn claim_now(&self, who: &Who<'_>, spot: &Spot<'_>) -> Result<Claim<'s>, Refusal> {
        let path = spot.canonical.to_string();
        let party = Party::new(who.session, who.to_string(), path, 0, None);
        self.claims.claim(&party).map_err(|waiting| waiting.busy(&spot.path))
    }
}

/// What was done in these folders is on disk; or that cannot be said.
fn confirmed<'s, const N: usize>(folders: [&Folder; N]) -> Handled<'s> {
    for folder in folders {
        folder.sync().map_err(|e| refusal::unconfirmed(&e))?;
    }
    Ok(Reply::Answer(Answer::done()))
}

/// A name in an open folder.
struct Entry<'s> {
    ground: Ground<'s>,
    folder: Folder,
    name: Name,
}

/// The name a spot has in its folder, which is opened and held.
fn entry<'s>(spot: &Spot<'s>, place_itself: impl Fn() -> Refused) -> Result<Entry<'s>, Refused> {
    let ground = spot.ground.clone().filter(|ground| !ground.is_top()).ok_or_else(&place_itself)?;
    let (name, above) = ground.names.split_last().ok_or_else(&place_itself)?;
    let name = name.clone();
    match ground.tree.open_folder(above) {
        Ok(folder) => Ok(Entry { ground, folder, name }),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let message = format!("the folder for `{}` is not there; make it first", spot.path);
            Err(Refusal::new(Reason::NotFound, message).into())
        }
        Err(e) => Err(refusal::of_io("reach", &spot.path, &e).into()),
    }
}

/// Where something new is to be made.
fn new_entry<'s>(spot: &Spot<'s>) -> Result<Entry<'s>, Refused> {
    let entry = entry(spot, || match spot.ground.as_ref().map(|g| g.tree.stat(&g.names)) {
        Some(Err(_)) => {
            let message = format!("`{}` is made when its user registers", spot.path);
            Refusal::new(Reason::Denied, message).into()
        }
        there => Answer::exists(&spot.path, there.and_then(Result::ok)).into(),
    })?;
    entry.name.check_portable().map_err(|e| refusal::bad_name(&e))?;
    if !entry.ground.tree.can_publish_into(&entry.folder) {
        let message = format!("the folder for `{}` lies on another disk", spot.path);
        return Err(Refusal::new(Reason::Denied, message).into());
    }
    Ok(entry)
}

/// Something that is to lose its name.
fn old_entry<'s>(spot: &Spot<'s>) -> Result<Entry<'s>, Refused> {
    entry(spot, || {
        let message = format!("`{}` is a place of its own and stays", spot.path);
        Refusal::new(Reason::Denied, message).into()
    })
}

/// Whether an upload can be known again after it was cut: its client says that it may come again,
/// or gives it a time. Small ones sent ahead are sent anew.
fn may_come_again(put: &Put) -> bool {
    !put.eager && (put.resume || put.mtime.is_some())
}

fn check_fields(put: &Put) -> Result<(), Refusal> {
    if put.size > FILE_BYTES_MAX {
        let message = format!("no file has {} bytes; the limit is {FILE_BYTES_MAX}", put.size);
        return Err(Refusal::new(Reason::TooLarge, message));
    }
    if put.eager && put.size > EAGER_BYTES_MAX {
        let message = format!("an eager body has at most {EAGER_BYTES_MAX} bytes");
        return Err(Refusal::new(Reason::TooLarge, message));
    }
    if put.mtime.is_some_and(|seconds| seconds.unsigned_abs() > MTIME_MAX) {
        return Err(Refusal::new(Reason::BadRequest, "mtime is in seconds since 1970"));
    }
    Ok(())
}

/// A body that cannot fit is refused before it is sent. Small ones are left to the write itself,
/// which is asked anyway.
fn check_room(ground: &Ground<'_>, path: &VirtualPath, size: u64) -> Result<(), Refusal> {
    if size <= EAGER_BYTES_MAX {
        return Ok(());
    }
    match ground.tree.free_bytes() {
        Ok(free) if free < size => {
            let message = format!("cannot put `{path}`: {size} bytes, and {free} are free");
            Err(Refusal::new(Reason::NoSpace, message))
        }
        _ => Ok(()),
    }
}
