//! Kept parts: what came of uploads that were cut, so that they can go on.
//!
//! # The story
//! An upload that may go on has a part whose name is computed from who sends it and where it is to
//! go. The part carries a record, in an extended attribute: of which file it is the beginning, and
//! how many of its bytes are on disk for certain. The record is written after a sync, so what it
//! says is true whatever happened since: the connection may have ended, the server, or the power.
//!
//! ```text
//! cut        fdatasync(part), record "7340032 bytes, their checksum …", unlock
//! again      find by name, lock, compare size and time, cut off what is behind the record, go on
//! ```
//!
//! The checksum of the beginning goes on with the upload, and at the end the whole file's must be
//! what the client says. So a record of another file that looks the same costs a second try, and
//! never a mixed file.
//!
//! # Whose it is
//! A part is locked by whoever receives into it (flock(2): the kernel gives the lock back,
//! whatever happens). One that is not locked and has a record may be taken by its sender's next
//! upload; one without a record, or older than [`KEPT_FOR`], is swept. There is one for each
//! sender and place, so nobody gathers them by trying.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::user::UserName;
use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::checksum;
use super::origin::{Origin, Progress, Record};
use super::part::{Part, Readers, SUFFIX};
use super::tree::Tree;
use crate::state::{self, State};
use crate::stop::Stop;

/// How long what came of a cut upload is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A part with a record. Dropped, it stays as it is.
#[derive(Debug)]
pub struct Kept {
    file: File,
    name: String,
    record: Record,
    modified: SystemTime,
}

impl Kept {
    /// What is kept under that name, whoever holds it.
    fn look(parts: &File, name: &str) -> io::Result<Option<Self>> {
        let Some(file) = open(parts, name)? else { return Ok(None) };
        let Some(record) = Record::read(&file) else { return Ok(None) };
        let modified = file.metadata()?.modified()?;
        Ok(Some(Self { file, name: name.to_owned(), record, modified }))
    }

    /// The same, locked and looked at again; `None` if somebody receives into it.
    fn locked(self, parts: &File) -> io::Result<Option<Self>> {
        if !lock(parts, &self.name, &self.file)? {
            return Ok(None);
        }
        let record = Record::read(&self.file);
        Ok(record.map(|record| Self { record, ..self }))
    }

    /// Bytes it occupies, and that an upload need not send again.
    pub fn bytes(&self) -> u64 {
        self.record.reached.bytes
    }

    /// The home that is charged for it.
    pub fn home(&self) -> Option<UserName> {
        UserName::parse(self.record.home.as_ref()?).ok()
    }

    /// Whether it was kept long enough.
    pub fn is_expired(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age > KEPT_FOR)
    }

    fn is_beginning_of(&self, origin: &Origin) -> bool {
        let Record { size, mtime, .. } = self.record;
        (size, mtime) == (origin.size, origin.mtime) && self.bytes() <= size
    }

    /// Whether its bytes are still what came. A day is long; a disk that lied or cannot read them
    /// any more, or somebody who changed the part, shows before the rest is sent in vain. Only a
    /// stop leaves it open.
    fn is_intact(&self, stop: &Stop) -> io::Result<bool> {
        match checksum::of_file(&self.file, self.bytes(), stop) {
            Ok(crc32) => Ok(crc32 == self.record.reached.crc32),
            Err(error) if stop.is_asked() => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Cuts off what came behind the record: nobody knows whether it is on disk.
    fn trim(&self) -> io::Result<()> {
        self.file.set_len(self.bytes())
    }
}

impl Tree {
    /// What is kept of an upload of the same sender to the same place, locked.
    pub fn kept_of(&self, origin: &Origin) -> io::Result<Option<Kept>> {
        let _doing = state::enter(State::Disk);
        match Kept::look(&self.parts, &origin.part_name())? {
            Some(kept) => kept.locked(&self.parts),
            None => Ok(None),
        }
    }

    /// What was kept as a part that goes on, and how far it has come; `None`, and it is thrown
    /// away, if it is not the beginning of this file. Reads it all, so a stop ends it.
    pub fn go_on(
        &self,
        origin: &Origin,
        kept: Kept,
        stop: &Stop,
    ) -> io::Result<Option<(Part, Progress)>> {
        let _doing = state::enter(State::Disk);
        let reached = kept.record.reached;
        let good = kept.is_beginning_of(origin) && kept.is_intact(stop)?;
        let trimmed = kept.trim();
        let part = self.adopt(kept);
        if !good {
            return Ok(None);
        }
        trimmed.and_then(|()| part.seek(reached.bytes))?;
        Ok(Some((part, reached)))
    }

    /// A kept part as a part: dropped, it is gone.
    pub fn adopt(&self, kept: Kept) -> Part {
        Part::of(kept.file, kept.name, Arc::clone(&self.parts), self.durability)
    }

    /// A new part for an upload that may be cut and go on.
    pub fn create_part_of(&self, origin: &Origin) -> io::Result<Part> {
        let _doing = state::enter(State::Disk);
        let name = origin.part_name();
        let made = Part::create_as(&self.parts, name, self.durability, Readers::Everybody)?;
        // If the name is taken, another server receives the same; another name does as well.
        made.map_or_else(|| self.create_part(), Ok)
    }

    /// Removes the kept parts that `pick` has something to say about, and gives what it said with
    /// what they were. What somebody receives into stays, and so does what cannot be removed.
    pub fn discard_kept<T>(&self, pick: impl Fn(&Kept) -> Option<T>) -> io::Result<Vec<(T, Kept)>> {
        let _doing = state::enter(State::Disk);
        let mut discarded = Vec::new();
        for name in names(&self.parts)? {
            let Some(kept) = Kept::look(&self.parts, &name)? else { continue };
            let Some(picked) = pick(&kept) else { continue };
            if let Some(kept) = kept.locked(&self.parts)?
                && fs::unlinkat(&self.parts, &name, AtFlags::empty()).is_ok()
            {
                discarded.push((picked, kept));
            }
        }
        Ok(discarded)
    }

    /// Bytes kept for uploads into a home.
    pub fn kept_for(&self, home: &UserName) -> io::Result<u64> {
        let _doing = state::enter(State::Disk);
        let mut bytes = 0;
        for name in names(&self.parts)? {
            let kept = Kept::look(&self.parts, &name)?;
            bytes +=
                kept.filter(|kept| kept.home().as_ref() == Some(home)).map_or(0, |k| k.bytes());
        }
        Ok(bytes)
    }
}

/// Brings order into what an earlier server left behind: a part with a record is cut to what is
/// certain of it and stays, until it is too old; one without is removed. What is locked is somebody's.
pub(super) fn sweep(parts: &File) -> io::Result<()> {
    for name in names(parts)? {
        match open(parts, &name)? {
            Some(file) if lock(parts, &name, &file)? => tidy(parts, &name)?,
            None if is_no_part(parts, &name)? => remove(parts, &name)?,
            // Somebody receives into it; or another server has published it since we read the folder.
            _ => {}
        }
    }
    Ok(())
}

/// Cuts or removes a part that is locked by us.
fn tidy(parts: &File, name: &str) -> io::Result<()> {
    match Kept::look(parts, name)? {
        Some(kept) if !kept.is_expired() => kept.trim(),
        _ => remove(parts, name),
    }
}

fn remove(parts: &File, name: &str) -> io::Result<()> {
    fs::unlinkat(parts, name, AtFlags::empty())?;
    log::info!("swept the half-received part {name}");
    Ok(())
}

/// Whether something bears that name into which nobody receives: a link, a pipe, a folder.
fn is_no_part(parts: &File, name: &str) -> io::Result<bool> {
    match fs::statat(parts, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile),
        Err(Errno::NOENT) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// The names of all parts. What has another name is somebody else's.
fn names(parts: &File) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(parts)? {
        let entry = entry?;
        let name = entry.file_name().to_str().ok().filter(|name| name.ends_with(SUFFIX));
        names.extend(name.map(str::to_owned));
    }
    Ok(names)
}

/// `None` for what is gone, and for what no part is: a link, a pipe without a reader, a folder.
fn open(parts: &File, name: &str) -> io::Result<Option<File>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match fs::openat(parts, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(fd.into())),
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ISDIR) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Locks a part of that name; `false` if somebody else has it, or has published or removed it
/// between its opening and its locking.
///
/// LESSON: opening and locking are two steps, and anything may happen between them. So the name is
/// looked at again under the lock: whoever wants to publish or remove this part needs the lock too.
pub(super) fn lock(parts: &File, name: &str, file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    match fs::statat(parts, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) => {
            let own = fs::fstat(file)?;
            Ok((named.st_dev, named.st_ino) == (own.st_dev, own.st_ino))
        }
        Err(Errno::NOENT) => Ok(false),
        Err(e) => Err(e.into()),
    }
}
