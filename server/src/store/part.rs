//! A part: a file being received, invisible until it is whole.
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
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::path::Name;
use common::protocol::Crc32;
use rustix::fs::{self, AtFlags, Dir, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::Durability;
use super::folder::Folder;
use crate::fault;
use crate::state::{self, State};

/// Where a published file's checksum is kept: in an extended attribute of the file itself, so
/// that it can neither be lost apart from it nor be mistaken for another file's (xattr(7)).
const CHECKSUM_ATTRIBUTE: &str = "user.ferry.crc32";

/// What every part's name ends with.
const SUFFIX: &str = ".part";

/// Which accounts of this machine may read a file, besides the server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// All of them; the umask may say less.
    Everybody,
    /// None.
    Owner,
}

/// A file being received. Dropped before it is published, it is gone.
#[derive(Debug)]
pub struct Part {
    file: Arc<File>,
    name: String,
    parts: Arc<File>,
    durability: Durability,
    published: bool,
}

impl Part {
    pub(super) fn create(
        parts: Arc<File>,
        next: &AtomicU64,
        durability: Durability,
        readers: Readers,
    ) -> io::Result<Self> {
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = match readers {
            Readers::Everybody => Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH,
            Readers::Owner => Mode::RUSR | Mode::WUSR,
        };
        // The process id and the count make the name unique here; EXCL makes sure of it.
        let count = next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{count}{SUFFIX}", std::process::id());
        let file = fs::openat(&*parts, &name, flags, mode)?;
        Ok(Self { file: Arc::new(file.into()), name, parts, durability, published: false })
    }

    /// The file itself, for the writer.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
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
        record_checksum(&self.file, crc);
        if self.durability == Durability::Full && !fault::skips("part.sync") {
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
        self.published = true;
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
        if !self.published
            && let Err(error) = fs::unlinkat(&*self.parts, &self.name, AtFlags::empty())
        {
            log::warn!("cannot remove the part {}: {error}; the next start will", self.name);
        }
    }
}

/// Removes every part: the folder is locked, so whoever made them is gone. What has another name
/// is somebody else's.
pub(super) fn sweep(parts: &File) -> io::Result<()> {
    for entry in Dir::read_from(parts)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes().ends_with(SUFFIX.as_bytes()) {
            fs::unlinkat(parts, name, AtFlags::empty())?;
            log::info!("swept the half-received part {}", name.to_string_lossy());
        }
    }
    Ok(())
}

/// Keeps the checksum with the size and time it belongs to: a file changed by other programs no
/// longer matches them, and its record is then not believed.
fn record_checksum(file: &File, crc: Crc32) {
    let recorded = fs::fstat(file).and_then(|stat| {
        let text = format!("{crc} {}", stamp(&stat));
        fs::fsetxattr(file, CHECKSUM_ATTRIBUTE, text.as_bytes(), fs::XattrFlags::empty())
    });
    if let Err(error) = recorded {
        // Not every file system has attributes. Clients then ask SUM instead.
        log::debug!("no checksum recorded: {error}");
    }
}

/// The checksum recorded at upload, if the file is still the one that was uploaded.
pub(super) fn recorded_checksum(file: BorrowedFd<'_>, stat: &fs::Stat) -> Option<Crc32> {
    let mut buffer = [0; 64];
    let len = fs::fgetxattr(file, CHECKSUM_ATTRIBUTE, &mut buffer).ok()?;
    let (crc, stamped) = str::from_utf8(buffer.get(..len)?).ok()?.split_once(' ')?;
    (stamped == stamp(stat)).then(|| crc.parse().ok())?
}

fn stamp(stat: &fs::Stat) -> String {
    format!("{} {}.{}", stat.st_size, stat.st_mtime, stat.st_mtime_nsec)
}
