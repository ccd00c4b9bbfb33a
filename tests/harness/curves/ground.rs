//! Where the curves are measured: a folder, and a server on it.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::fs::{FsWord, statfs, statvfs};
use tempfile::TempDir;

use super::scale::Scale;
use crate::actor::Ferryd;

/// A file system in memory, where Linux machines have one.
pub(crate) const MEMORY: &str = "/dev/shm";

/// How `statfs` says that a file system is a tmpfs (`linux/magic.h`).
const TMPFS: FsWord = 0x0102_1994;

/// Places beside those of the clients: for who just left, and for those kept for the machine.
const SPARE_PLACES: u32 = 16;

/// A folder to measure in, and the program that plays `ferryd`.
#[derive(Debug)]
pub struct Ground {
    stage: PathBuf,
    folder: PathBuf,
    in_memory: bool,
}

impl Ground {
    /// In `folder`; without one, in memory if there is room for the scale, else where temporary
    /// files go. `stage` is the program whose `main` calls [`actor::play`](crate::actor::play).
    pub fn choose(stage: PathBuf, folder: Option<PathBuf>, scale: &Scale) -> io::Result<Self> {
        let folder = folder.unwrap_or_else(|| {
            let memory = PathBuf::from(MEMORY);
            if has_room(&memory, scale) { memory } else { std::env::temp_dir() }
        });
        let status = statfs(&folder).map_err(|error| {
            io::Error::other(format!("cannot measure in {}: {error}", folder.display()))
        })?;
        let in_memory = status.f_type == TMPFS;
        Ok(Self { stage, folder, in_memory })
    }

    /// A server for so many clients, on a data folder that vanishes.
    pub(super) fn serve(&self, clients: u32, words: &[&str]) -> io::Result<Site> {
        let data = tempfile::tempdir_in(&self.folder)?;
        let places = (clients + SPARE_PLACES).to_string();
        let words = [words, &["--max-clients", &places]].concat();
        let ferryd = Ferryd::start(&self.stage, data.path(), &words)?;
        Ok(Site { ferryd, data })
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        // What the figures have in them, and what not.
        let syncs = if self.in_memory {
            "in memory: a sync costs nothing here"
        } else {
            "on a disk, with its syncs"
        };
        write!(f, "{folder}, {syncs}")
    }
}

/// Whether a file system has room for twice what a scale needs.
fn has_room(folder: &Path, scale: &Scale) -> bool {
    statvfs(folder).is_ok_and(|status| {
        let bytes = status.f_bavail.saturating_mul(status.f_frsize);
        bytes / 2 > scale.bytes_max() && status.f_favail / 2 > scale.files_max()
    })
}

/// A server, and its data folder. The server ends before its data goes.
#[derive(Debug)]
pub(super) struct Site {
    ferryd: Ferryd,
    data: TempDir,
}

impl Site {
    pub(super) fn address(&self) -> SocketAddr {
        self.ferryd.address
    }

    /// The process that serves.
    pub(super) fn process(&self) -> u32 {
        self.ferryd.id()
    }

    /// A new folder in the library, made behind the server's back: what the clients find there is
    /// no part of what is measured.
    pub(super) fn folder(&self, name: &str) -> io::Result<LaidFolder> {
        let path = self.data.path().join("library").join(name);
        fs::create_dir(&path)?;
        Ok(LaidFolder(path))
    }
}

/// A folder in the library. It goes as it came, with all that is in it.
#[derive(Debug)]
pub(super) struct LaidFolder(PathBuf);

impl LaidFolder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for LaidFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
