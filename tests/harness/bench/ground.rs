//! Where contestants meet: the folders they serve from, send from, and write to.
//!
//! ```text
//!   served/       what servers offer: big.bin, part*.bin, small/*, one.bin
//!   served/up/    where clients may write
//!   source/       the same files for clients to send: other names of the same bytes on disk
//!   out/          where clients write what they fetch
//!   scratch/      settings, logs and data folders of servers
//! ```
//! The served files have come through a `ferryd`, as they do in use: it has recorded their checksums
//! with them. For every other server they are files like any others.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use client::client::{Client, PutOptions};
use rustix::fs::{FsWord, statfs, statvfs};
use tempfile::TempDir;

use super::scale::Scale;
use super::workload::{Errand, Workload};
use crate::actor::Ferryd;
use crate::content::Endless;

/// How `statfs` says that a file system is a tmpfs (`linux/magic.h`).
const TMPFS: FsWord = 0x0102_1994;

/// Bytes compared at a time.
const BLOCK_BYTES: usize = 1024 * 1024;

/// The folders, all in one that vanishes.
#[derive(Debug)]
pub struct Ground {
    folder: TempDir,
    parent: PathBuf,
    in_memory: bool,
    scale: Scale,
    stage: PathBuf,
}

impl Ground {
    /// The one large file.
    pub(super) const BIG: &str = "big.bin";
    /// What a visit fetches.
    pub(super) const ONE: &str = "one.bin";
    /// Where clients may write, in the served folder.
    pub(super) const UP: &str = "up";
    /// Where clients write what they fetch.
    pub(super) const OUT: &str = "out";

    /// Lays everything out below `parent`. `stage` is the program whose `main` calls
    /// [`actor::play`](crate::actor::play) and [`part::play`](super::part::play).
    pub fn lay(stage: PathBuf, parent: &Path, scale: &Scale) -> io::Result<Self> {
        let unusable = |error: io::Error| {
            io::Error::other(format!("cannot measure in {}: {error}", parent.display()))
        };
        need_room(parent, scale.bytes_max()).map_err(unusable)?;
        let in_memory = statfs(parent).map_err(|e| unusable(e.into()))?.f_type == TMPFS;
        // No dot in front: FTP servers do not show what is hidden.
        let folder = tempfile::Builder::new().prefix("ferry-bench-").tempdir_in(parent);
        let folder = folder.map_err(unusable)?;
        let (parent, scale) = (parent.to_owned(), scale.clone());
        let ground = Self { folder, parent, in_memory, scale, stage };
        ground.fill()?;
        Ok(ground)
    }

    fn fill(&self) -> io::Result<()> {
        for name in ["served", "source/small", Self::OUT, "scratch"] {
            fs::create_dir_all(self.path(name))?;
        }
        let data = tempfile::tempdir_in(self.path("scratch"))?;
        let served = self.served().display().to_string();
        let words = ["--library", &served, "--durability", "none"];
        let ferryd = Ferryd::start(&self.stage, data.path(), &words)?;
        self.put_all(&ferryd.address.to_string())?;
        drop(ferryd);
        for (name, _) in self.files() {
            fs::hard_link(self.served().join(&name), self.source(&name))?;
        }
        // Some servers work as another user than this.
        fs::set_permissions(self.folder.path(), Permissions::from_mode(0o755))?;
        fs::set_permissions(self.served(), Permissions::from_mode(0o755))?;
        fs::set_permissions(self.served().join(Self::UP), Permissions::from_mode(0o777))
    }

    fn put_all(&self, server: &str) -> io::Result<()> {
        let mut client = Client::connect(server).map_err(io::Error::other)?;
        for folder in [Self::UP, "small"] {
            client.mkdir(folder).map_err(io::Error::other)?;
        }
        for (seed, (name, size)) in (0..).zip(self.files()) {
            let mut bytes = Endless::new(seed).take(size);
            let put = client.put(&name, size, &mut bytes, PutOptions::default());
            put.map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Every file there is to move, and its size.
    fn files(&self) -> impl Iterator<Item = (String, u64)> {
        let Scale { big, part, small, visited, .. } = self.scale;
        let alone = [(Self::BIG.to_owned(), big), (Self::ONE.to_owned(), visited)];
        let parts = self.parts().map(move |name| (name, part));
        alone.into_iter().chain(parts).chain(self.small_files().map(move |name| (name, small)))
    }

    /// The files that several clients have at once.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.scale.parts).map(|n| format!("part{n:02}.bin"))
    }

    /// The small files that one client has.
    pub(super) fn small_files(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.scale.small_files).map(|n| format!("small/f{n:04}"))
    }

    pub(super) fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Whether nothing here ever reaches a disk.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What servers offer.
    pub(super) fn served(&self) -> PathBuf {
        self.path("served")
    }

    /// Such a file on the clients' side.
    pub(super) fn source(&self, name: &str) -> PathBuf {
        self.path("source").join(name)
    }

    /// Writes a file of settings, for this user's eyes only, and says where it is.
    pub(super) fn settings(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path("scratch").join(name);
        let _ = fs::remove_file(&path);
        let mut file = File::create(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// Removes what clients have moved, and makes the folders that these errands write to.
    pub(super) fn clear(&self, errands: &[Errand]) -> io::Result<()> {
        for folder in [self.path(Self::OUT), self.served().join(Self::UP)] {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        errands.iter().try_for_each(|errand| match errand {
            Errand::Fetch(_, to) => fs::create_dir_all(self.path(to)),
            _ => Ok(()),
        })
    }

    /// Compares every byte that an errand has moved with what it should be.
    pub(super) fn compare(&self, errand: &Errand) -> io::Result<()> {
        let (files, folder) = match errand {
            Errand::Fetch(files, to) => (files, self.path(to)),
            Errand::Store(files) => (files, self.served().join(Self::UP)),
            Errand::Visit { .. } | Errand::Hold(_) => return Ok(()),
        };
        files.iter().try_for_each(|name| {
            let moved = folder.join(name.rsplit('/').next().unwrap_or(name));
            match is_same(&self.source(name), &moved) {
                Ok(true) => Ok(()),
                Ok(false) => Err(io::Error::other(format!("{name} has come with other bytes"))),
                Err(error) => Err(io::Error::other(format!("{name} has not come: {error}"))),
            }
        })
    }

    /// Whether a workload says something here: a disk shows only where files come to the server.
    pub fn suits(&self, workload: Workload) -> bool {
        self.in_memory || workload.is_upload()
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.in_memory { "in memory" } else { "on a disk" };
        write!(f, "{kind}, {}", self.parent.display())
    }
}

fn need_room(folder: &Path, bytes: u64) -> io::Result<()> {
    let status = statvfs(folder)?;
    let free = status.f_bavail.saturating_mul(status.f_frsize);
    if free >= bytes {
        return Ok(());
    }
    let [free, bytes] = [free, bytes].map(|count| count.div_ceil(1 << 20));
    Err(io::Error::other(format!("it has {free} MiB free, and {bytes} MiB are needed")))
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let [mut one, mut other] = [File::open(one)?, File::open(other)?];
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let [mut left, mut right] = [vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]];
    loop {
        let count = one.read(&mut left)?;
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..count])?;
        if left[..count] != right[..count] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_byte_that_differs_or_is_missing_shows() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let mut bytes = vec![7; BLOCK_BYTES + 3];
        let one = file("one", &bytes);
        assert!(is_same(&one, &file("copy", &bytes)).unwrap());
        *bytes.last_mut().unwrap() = 8;
        assert!(!is_same(&one, &file("changed", &bytes)).unwrap());
        assert!(!is_same(&one, &file("shorter", &bytes[1..])).unwrap());
    }
}
