//! A folder people see, and everything beneath it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use common::path::Name;
use common::protocol::{Crc32, Kind, Stat};
use rustix::fs::{self, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::checksum;
use super::folder::{CONFINED, Folder, Version, served, sync_names};
use super::kept;
use super::listing::Listing;
use super::locks::{self, Tenancy};
use super::part::{Part, Readers};
use super::{Durability, StoreError};
use crate::clock;
use crate::state::{self, State};
use crate::stop::Stop;

/// The folder inside a tree that holds its parts. Hidden names cannot be asked for, so nobody
/// sees it, and nobody can reach into it.
const PARTS: &str = ".ferry";

/// One folder that people see, its hidden parts, and the lock that keeps strange servers out of it.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    /// Shared with every part, which unlinks itself through it. Locked by the servers that use
    /// it: see [`locks`].
    pub(super) parts: Arc<File>,
    next_part: AtomicU64,
    device: u64,
    pub(super) durability: Durability,
}

impl Tree {
    /// Opens an existing folder and its parts folder, which is made if missing. A server also
    /// locks and sweeps that.
    pub(super) fn open(
        path: &Path,
        durability: Durability,
        tenancy: Tenancy,
    ) -> Result<Self, StoreError> {
        let root = fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| StoreError::io("open", path)(e.into()))?;
        let parts_path = path.join(PARTS);
        match fs::mkdirat(&root, PARTS, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(StoreError::io("make the folder", &parts_path)(e.into())),
        }
        // A folder, and in this one: were it a link, the sweep would empty what it leads to.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parts = fs::openat2(&root, PARTS, flags, Mode::empty(), CONFINED)
            .map_err(|e| StoreError::io("open the folder", &parts_path)(e.into()))?;
        let parts = File::from(parts);
        locks::hold(&parts, path, tenancy)?;
        if !tenancy.finds_order() {
            kept::sweep(&parts).map_err(StoreError::io("sweep", &parts_path))?;
        }
        if tenancy != Tenancy::Branch {
            sync_names(&root).map_err(StoreError::io("sync", path))?;
        }
        let device =
            fs::fstat(&root).map_err(|e| StoreError::io("look at", path)(e.into()))?.st_dev;
        // Counted from the time, so that no name comes again after a restart.
        let (parts, next_part) = (Arc::new(parts), AtomicU64::new(clock::nanoseconds()));
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
        let crc32 = checksum::recorded(fd.as_fd(), &stat);
        Ok(Opened { file: File::from(fd), stat: served(&stat)?, crc32 })
    }

    /// Opens a folder to list it, or to keep it at hand for publishing into it.
    pub fn open_folder(&self, names: &[Name]) -> io::Result<Folder> {
        let _doing = state::enter(State::Disk);
        let fd = self.resolve(names, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Folder::of(fd, self.durability)
    }

    /// What is known of a file or folder.
    pub fn stat(&self, names: &[Name]) -> io::Result<Stat> {
        let _doing = state::enter(State::Disk);
        served(&fs::fstat(self.resolve(names, OFlags::PATH)?)?)
    }

    /// Whether a part of this tree can become a file in `folder`: not if another disk is mounted
    /// there, for a rename cannot cross over.
    pub fn can_publish_into(&self, folder: &Folder) -> bool {
        folder.inode().device == self.device
    }

    /// A new part of this tree, able to become a file in any of its folders.
    pub fn create_part(&self) -> io::Result<Part> {
        self.create_part_for(Readers::Everybody)
    }

    pub(super) fn create_part_for(&self, readers: Readers) -> io::Result<Part> {
        let _doing = state::enter(State::Disk);
        Part::create(&self.parts, &self.next_part, self.durability, readers)
    }

    /// Gives a folder at the top of this tree a hidden name, which nobody can ask for.
    pub fn put_aside(&self, name: &Name, hidden: &str) -> io::Result<()> {
        fs::renameat_with(&self.root, name.as_str(), &self.root, hidden, RenameFlags::NOREPLACE)?;
        sync_names(&self.root)
    }

    /// Bytes of all files people see below a folder.
    pub fn measure(&self, names: &[Name]) -> io::Result<u64> {
        let mut bytes = 0;
        // From folder to folder, each held while what is in it is counted: there may be deeper ones
        // than a path can say.
        let mut levels =
            vec![Level { listing: Listing::of(self.open_folder(names)?)?, pending: vec![] }];
        while let Some(level) = levels.last_mut() {
            if let Some(name) = level.pending.pop() {
                let folder = level.listing.folder().open_folder(&name)?;
                levels.push(Level { listing: Listing::of(folder)?, pending: vec![] });
                continue;
            }
            let Some(page) = level.listing.next() else {
                levels.pop();
                continue;
            };
            for entry in page?.entries {
                bytes += entry.stat.size;
                if entry.stat.kind == Kind::Folder {
                    level.pending.extend(Name::parse(&entry.name));
                }
            }
        }
        Ok(bytes)
    }

    /// Which file, in which state, a path leads to now.
    pub fn version(&self, names: &[Name]) -> io::Result<Version> {
        let _doing = state::enter(State::Disk);
        Version::of(self.resolve(names, OFlags::PATH)?)
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

/// One folder on the way down, and the folders in it that are yet to be gone into.
struct Level {
    listing: Listing,
    pending: Vec<Name>,
}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file itself.
    pub file: File,
    /// What it was when it was opened.
    pub stat: Stat,
    /// Its checksum when it was uploaded or first computed, where that was recorded and still
    /// applies.
    pub crc32: Option<Crc32>,
}

impl Opened {
    /// The checksum of what is on disk now, not of what was once recorded. A stop ends it. If none
    /// is recorded that still applies, this one is.
    pub fn checksum(&self, stop: &Stop) -> io::Result<Crc32> {
        // Looked at before it is read: of what changes meanwhile, the record does not speak.
        let before = fs::fstat(&self.file)?;
        let lay_still = checksum::lies_still(&before, SystemTime::now());
        let crc = checksum::of_file(&self.file, self.stat.size, stop)?;
        if self.crc32.is_none() && lay_still {
            checksum::record(&self.file, crc, &before);
        }
        Ok(crc)
    }

    /// Everything from `offset` to the end, for a file small enough to be held.
    pub fn read_rest(&self, offset: u64) -> io::Result<Vec<u8>> {
        let _doing = state::enter(State::Disk);
        let len = usize::try_from(self.stat.size - offset).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    /// As two machines do whose processes have one number and started at one moment.
    #[test]
    fn two_servers_that_choose_one_name_for_a_part_get_two() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Tree::open(folder.path(), Durability::None, Tenancy::Several).unwrap();
        let (one, two) = (open(), open());
        two.next_part.store(one.next_part.load(Ordering::Relaxed), Ordering::Relaxed);
        let _parts = [one.create_part().unwrap(), two.create_part().unwrap()];
        assert_eq!(std::fs::read_dir(folder.path().join(PARTS)).unwrap().count(), 2);
    }
}
