//! A folder held open, and what is done to the names in it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use common::path::Name;
use common::protocol::{Kind, Stat};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

use super::Durability;
use crate::point;
use crate::state::{self, State};

/// How every path is resolved: not out of the folder it starts from, and through no link.
pub(super) const CONFINED: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// What makes a file or folder itself, apart from its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inode {
    pub(super) device: u64,
    number: u64,
}

/// A folder held open: what is done in it is done in *it*, even if its name moves away.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    inode: Inode,
    durability: Durability,
}

/// One state of a file. Number and time together: a number is given again to a later file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    inode: Inode,
    changed: (i64, u64),
}

impl Version {
    pub(super) fn of(file: impl AsFd) -> io::Result<Self> {
        let stat = fs::fstat(file)?;
        let inode = Inode { device: stat.st_dev, number: stat.st_ino };
        Ok(Self { inode, changed: (stat.st_ctime, stat.st_ctime_nsec) })
    }
}

impl Inode {
    pub(super) fn of(file: impl AsFd) -> io::Result<Self> {
        let stat = fs::fstat(file)?;
        Ok(Self { device: stat.st_dev, number: stat.st_ino })
    }
}

impl Folder {
    pub(super) fn of(fd: OwnedFd, durability: Durability) -> io::Result<Self> {
        let inode = Inode::of(&fd)?;
        Ok(Self { fd, inode, durability })
    }

    /// A folder in this one.
    pub(super) fn open_folder(&self, name: &Name) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat2(&self.fd, name.as_str(), flags, Mode::empty(), CONFINED)?;
        Self::of(fd, self.durability)
    }

    /// What `name` is in this folder, without following links.
    pub fn stat(&self, name: &Name) -> io::Result<Stat> {
        let _doing = state::enter(State::Disk);
        served(&fs::statat(&self.fd, name.as_str(), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Whether anything at all bears this name, served or not.
    pub fn has(&self, name: &Name) -> io::Result<bool> {
        let _doing = state::enter(State::Disk);
        match fs::statat(&self.fd, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Makes a folder in this one. On disk after [`sync`](Self::sync).
    pub fn make_folder(&self, name: &Name) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
        Ok(fs::mkdirat(&self.fd, name.as_str(), mode)?)
    }

    /// Removes a file or an empty folder, and says what it was. Gone from disk after
    /// [`sync`](Self::sync).
    pub fn remove(&self, name: &Name) -> io::Result<Stat> {
        let _doing = state::enter(State::Disk);
        let stat = self.stat(name)?;
        let flags = match stat.kind {
            Kind::File => AtFlags::empty(),
            Kind::Folder => AtFlags::REMOVEDIR,
        };
        fs::unlinkat(&self.fd, name.as_str(), flags)?;
        Ok(stat)
    }

    /// Gives what is called `name` here the name `new_name` in `target`. `AlreadyExists` if that
    /// is taken; then nothing has changed. On disk after [`sync`](Self::sync) of both, the target
    /// first: a power cut between the two leaves both names, not none.
    pub fn rename(&self, name: &Name, target: &Self, new_name: &Name) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        self.stat(name)?;
        let (from, to) = (name.as_str(), new_name.as_str());
        Ok(fs::renameat_with(&self.fd, from, &target.fd, to, RenameFlags::NOREPLACE)?)
    }

    /// Waits until the names in this folder are on disk. A rename is not durable before.
    pub fn sync(&self) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        if self.durability == Durability::Full && !point::skips("folder.sync") {
            sync_names(&self.fd)?;
        }
        Ok(())
    }

    /// Which folder this is, whatever path led to it.
    pub fn inode(&self) -> Inode {
        self.inode
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits until the names in a folder are on disk.
///
/// A file system whose disk fails shuts itself down. xfs then gives up what was still to go to its
/// log, finds that nothing of the folder is left to sync, and says that the sync was a success.
/// But of a file system that is shut down it tells nobody anything; so we ask it something behind
/// the sync. Whatever was given up before the sync ended is then an error, not an OK.
pub(super) fn sync_names(folder: impl AsFd) -> io::Result<()> {
    fs::fsync(&folder)?;
    fs::fstat(&folder)?;
    Ok(())
}

/// What people are told of an inode; `NotFound` for what is never served.
pub(super) fn served(stat: &fs::Stat) -> io::Result<Stat> {
    let (kind, size) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => (Kind::File, u64::try_from(stat.st_size).unwrap_or(0)),
        FileType::Directory => (Kind::Folder, 0),
        _ => return Err(io::ErrorKind::NotFound.into()),
    };
    Ok(Stat { kind, size, mtime: stat.st_mtime })
}
