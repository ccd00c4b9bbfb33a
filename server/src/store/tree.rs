//! A folder people see, and everything beneath it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use common::path::Name;
use common::protocol::{Crc32, Kind, Stat};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::listing::Listing;
use super::part::{Part, recorded_checksum};
use super::{Durability, StoreError, hold};
use crate::state::{self, State};

/// The folder inside a tree that holds its parts. Hidden names cannot be asked for, so nobody
/// sees it, and nobody can reach into it.
const PARTS: &str = ".ferry";

/// How every path beneath a tree is resolved: not out of it, and through no link.
const CONFINED: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// One folder that people see, its hidden parts, and the lock that keeps other servers out of it.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    /// Shared with every part, which unlinks itself through it. Locked: see [`hold`].
    parts: Arc<File>,
    next_part: AtomicU64,
    device: u64,
    durability: Durability,
}

impl Tree {
    /// Opens an existing folder, makes and locks its parts folder, and sweeps it.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        let root = fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| StoreError::io("open", path)(e.into()))?;
        let parts_path = path.join(PARTS);
        match fs::mkdirat(&root, PARTS, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(StoreError::io("make the folder", &parts_path)(e.into())),
        }
        let parts = hold(&parts_path, path)?;
        super::part::sweep(&parts).map_err(StoreError::io("sweep", &parts_path))?;
        fs::fsync(&root).map_err(|e| StoreError::io("sync", path)(e.into()))?;
        let device =
            fs::fstat(&root).map_err(|e| StoreError::io("look at", path)(e.into()))?.st_dev;
        let (parts, next_part) = (Arc::new(parts), AtomicU64::new(1));
        Ok(Self { root, parts, next_part, device, durability })
    }

    /// Opens a regular file for reading. Its bytes stay the same ones whatever happens to its
    /// name meanwhile.
    pub fn open_file(&self, names: &[Name]) -> io::Result<Opened> {
        let _doing = state::enter(State::Disk);
        // NONBLOCK: opening a FIFO would otherwise wait for somebody to write into it.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.resolve(names, flags)?;
        let stat = fs::fstat(&fd)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(io::ErrorKind::IsADirectory.into()),
            _ => return Err(io::ErrorKind::NotFound.into()),
        }
        let crc32 = recorded_checksum(fd.as_fd(), &stat);
        Ok(Opened { file: File::from(fd), stat: served(&stat)?, crc32 })
    }

    /// Opens a folder to list it, or to keep it at hand for publishing into it.
    pub fn open_folder(&self, names: &[Name]) -> io::Result<Folder> {
        let _doing = state::enter(State::Disk);
        let fd = self.resolve(names, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let stat = fs::fstat(&fd)?;
        Ok(Folder {
            fd,
            inode: Inode { device: stat.st_dev, number: stat.st_ino },
            durability: self.durability,
        })
    }

    /// What is known of a file or folder.
    pub fn stat(&self, names: &[Name]) -> io::Result<Stat> {
        let _doing = state::enter(State::Disk);
        served(&fs::fstat(self.resolve(names, OFlags::PATH)?)?)
    }

    /// Whether a part of this tree can become a file in `folder`: not if another disk is mounted
    /// there, for a rename cannot cross over.
    pub fn can_publish_into(&self, folder: &Folder) -> bool {
        folder.inode.device == self.device
    }

    /// A new part of this tree, able to become a file in any of its folders.
    pub fn create_part(&self) -> io::Result<Part> {
        let _doing = state::enter(State::Disk);
        Part::create(Arc::clone(&self.parts), &self.next_part, self.durability)
    }

    /// Bytes this server may still write here.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let volume = fs::fstatvfs(&self.root)?;
        Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
    }

    fn resolve(&self, names: &[Name], flags: OFlags) -> io::Result<OwnedFd> {
        let mut path = names.iter().map(Name::as_str).collect::<Vec<_>>().join("/");
        if path.is_empty() {
            path.push('.');
        }
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::openat2(&self.root, &path, flags, Mode::empty(), CONFINED)?)
    }
}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file itself.
    pub file: File,
    /// What it was when it was opened.
    pub stat: Stat,
    /// Its checksum when it was uploaded, where that was recorded and still applies.
    pub crc32: Option<Crc32>,
}

impl Opened {
    /// Everything from `offset` to the end, for a file small enough to be held.
    pub fn read_rest(&self, offset: u64) -> io::Result<Vec<u8>> {
        let _doing = state::enter(State::Disk);
        let len = usize::try_from(self.stat.size - offset).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

/// What makes a file or folder itself, apart from its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inode {
    device: u64,
    number: u64,
}

/// A folder held open: what is done in it is done in *it*, even if its name moves away.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    inode: Inode,
    durability: Durability,
}

impl Folder {
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

    /// Makes a folder in this one; on disk when this returns.
    pub fn make_folder(&self, name: &Name) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
        fs::mkdirat(&self.fd, name.as_str(), mode)?;
        self.sync()
    }

    /// Waits until the names in this folder are on disk. A rename is not durable before.
    pub fn sync(&self) -> io::Result<()> {
        let _doing = state::enter(State::Disk);
        if self.durability == Durability::Full {
            fs::fsync(&self.fd)?;
        }
        Ok(())
    }

    /// The entries people may see.
    pub fn list(self) -> io::Result<Listing> {
        Listing::new(self)
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

/// What people are told of an inode; `NotFound` for what is never served.
pub(super) fn served(stat: &fs::Stat) -> io::Result<Stat> {
    let (kind, size) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => (Kind::File, u64::try_from(stat.st_size).unwrap_or(0)),
        FileType::Directory => (Kind::Folder, 0),
        _ => return Err(io::ErrorKind::NotFound.into()),
    };
    Ok(Stat { kind, size, mtime: stat.st_mtime })
}
