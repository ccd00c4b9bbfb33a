//! A part: a file being received, invisible until it is whole.
//!
//! Whoever receives into a part holds its lock. So a part that is not locked is nobody's: left
//! behind by a crash, or kept of an upload that was cut (see [`kept`](super::kept)).
//!
//! # The order that makes OK true
//! ```text
//! create  .ferry/<unique>.part       nobody can see or ask for it
//! write   … by the writer …
//! seal    its time, its checksum, then fsync(part)     the bytes are on disk
//! publish rename to its name, refusing to replace      readers see all of it or nothing
//! sync    fsync(folder)                                the name is on disk
//! reply   OK
//! ```
//! Take any line out and a power cut at the right moment makes OK a lie: without the first sync
//! the name can point at nothing, without the second the name can be gone.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::path::Name;
use common::protocol::Crc32;
use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::Durability;
use super::checksum;
use super::folder::Folder;
use super::kept;
use super::origin::{Progress, Record};
use crate::point;
use crate::state::{self, State};

/// What every part's name ends with.
pub(super) const SUFFIX: &str = ".part";

/// How often a new part's name is tried. A name is lost only to a sweep in the moment between its
/// making and its locking.
const TRIES: usize = 8;

/// Which accounts of this machine may read a file, besides the server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// All of them; the umask may say less.
    Everybody,
    /// None.
    Owner,
}

/// A file being received, locked. Dropped before it is published or kept, it is gone.
#[derive(Debug)]
pub struct Part {
    file: Arc<File>,
    name: String,
    parts: Arc<File>,
    durability: Durability,
    /// Its name is to be left alone: it is a file's now, or kept.
    settled: bool,
}

impl Part {
    /// A new, empty part in the folder `parts`, of a name that no other part has.
    pub(super) fn create(
        parts: &Arc<File>,
        next: &AtomicU64,
        durability: Durability,
        readers: Readers,
    ) -> io::Result<Self> {
        for _ in 0..TRIES {
            // The process id and the count make the name unique here; EXCL makes sure of it.
            let count = next.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{count}{SUFFIX}", std::process::id());
            if let Some(part) = Self::create_as(parts, name, durability, readers)? {
                return Ok(part);
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The same, of this name; `None` if it is taken.
    pub(super) fn create_as(
        parts: &Arc<File>,
        name: String,
        durability: Durability,
        readers: Readers,
    ) -> io::Result<Option<Self>> {
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = match readers {
            Readers::Everybody => Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH,
            Readers::Owner => Mode::RUSR | Mode::WUSR,
        };
        let file = match fs::openat(&**parts, &name, flags, mode) {
            Ok(fd) => File::from(fd),
            Err(Errno::EXIST) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let locked = kept::lock(parts, &name, &file)?;
        Ok(locked.then(|| Self::of(file, name, Arc::clone(parts), durability)))
    }

    /// Takes over a locked file of the folder `parts`.
    pub(super) fn of(file: File, name: String, parts: Arc<File>, durability: Durability) -> Self {
        Self { file: Arc::new(file), name, parts, durability, settled: false }
    }

    /// Bytes that come are to be written from `offset` on.
    pub(super) fn seek(&self, offset: u64) -> io::Result<()> {
        (&*self.file).seek(SeekFrom::Start(offset)).map(drop)
    }

    /// The file itself, for the writer.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Whether what is written is worth syncing on the way, so that little is lost in a crash.
    pub fn is_durable(&self) -> bool {
        self.durability == Durability::Full
    }

    /// Waits until all bytes written so far are on disk, and records how far that is. Whoever
    /// goes on with this part believes the record, so it is made after the sync, never before.
    /// `false` if it cannot be made: not every file system has attributes. Then this part cannot be
    /// gone on with, and is as good as any other.
    pub fn checkpoint(&self, record: &Record, reached: Progress) -> io::Result<bool> {
        let _doing = state::enter(State::Disk);
        fs::fdatasync(&*self.file)?;
        let recorded = record.write(&self.file, reached);
        if let Err(error) = &recorded {
            log::debug!("cannot record how far an upload has come: {error}");
        }
        Ok(recorded.is_ok())
    }

    /// Takes the record away: what becomes a file is no beginning any more.
    pub fn forget(&self) {
        Record::erase(&self.file);
    }

    /// Leaves the part where it is, for an upload that goes on with it. Unlocked: the writer may
    /// still hold the file open for a moment.
    pub fn keep(mut self) -> io::Result<()> {
        self.settled = true;
        self.file.unlock()
    }

    /// Puts the last touches to a completely written part and waits until all of it is on disk.
    ///
    /// A sync that failed is never tried again: the kernel may have dropped the very pages it
    /// could not write, and a second sync would then succeed without them (fsync(2), Linux).
    pub fn seal(&self, mtime: Option<i64>, crc: Crc32) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        if let Some(seconds) = mtime {
            let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
            fs::futimens(&*self.file, &Timestamps { last_access: time, last_modification: time })?;
        }
        checksum::record(&self.file, crc, &fs::fstat(&*self.file)?);
        if self.durability == Durability::Full && !point::skips("part.sync") {
            fs::fsync(&*self.file)?;
        }
        Ok(())
    }

    /// The atomic step: gives a sealed part its name in `folder`. `AlreadyExists` if the name is
    /// taken and may not be replaced; then nothing has changed.
    ///
    /// Durable only after [`Folder::sync`]: several parts may share one.
    pub fn publish(mut self, folder: &Folder, name: &Name, replace: bool) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        let name = name.as_str();
        if replace {
            fs::renameat(&*self.parts, &self.name, folder, name)?;
        } else {
            self.rename_to_new(folder, name)?;
        }
        self.settled = true;
        Ok(())
    }

    /// Takes the place of a file that is there, and only if it is there; the part then holds the
    /// old one, and its drop removes that.
    pub(super) fn exchange(self, folder: &Folder, name: &Name) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        let flags = RenameFlags::EXCHANGE;
        Ok(fs::renameat_with(&*self.parts, &self.name, folder, name.as_str(), flags)?)
    }

    fn rename_to_new(&self, folder: &Folder, name: &str) -> io::Result<()> {
        // LESSON: no "does it exist?" before the rename. Between the question and the act
        // somebody else can act; the kernel asks and acts in one step.
        match fs::renameat_with(&*self.parts, &self.name, folder, name, RenameFlags::NOREPLACE) {
            // A file system without the flag. A hard link refuses to replace on every one.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::linkat(&*self.parts, &self.name, folder, name, AtFlags::empty())?;
                fs::unlinkat(&*self.parts, &self.name, AtFlags::empty())?;
                Ok(())
            }
            done => Ok(done?),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.settled
            && let Err(error) = fs::unlinkat(&*self.parts, &self.name, AtFlags::empty())
        {
            log::warn!("cannot remove the part {}: {error}; the next start will", self.name);
        }
    }
}
