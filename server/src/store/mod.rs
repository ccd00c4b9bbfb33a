//! The store: the only part of the server that opens a path in the data folder.
//!
//! ```text
//! ferry-data/            held by one ferryd, or by several that share it (locks/server.lock)
//!   library/             what people see as /library (or another folder, with --library)
//!     .ferry/            parts: files being received; same file system, so publishing is a rename
//!   home/<user>/         what a user sees as /home
//!     .ferry/            (at the top of home/, beside the users' folders)
//!   users/<user>.json    an account each
//!   locks/
//!     claims/            between servers that share the folder, a pair of files for each stripe
//!   logs/server.log
//!   votes.csv            what was asked, and how it was answered
//! ```
//!
//! Everything below a [`Tree`] is opened through the tree's own open folder with
//! `openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)`, never by joining path strings: the kernel
//! itself refuses to leave the folder or to follow a link, whatever changes meanwhile
//! (openat2(2)).

mod checksum;
mod folder;
mod kept;
mod listing;
mod locks;
mod origin;
mod part;
mod record;
mod tree;
mod votes;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use common::room::Tally;

pub use folder::{Folder, Inode, Version};
pub use kept::Kept;
pub use listing::Listing;
pub use locks::{STRIPES, StripeFiles, Tenancy};
pub use origin::{Origin, Progress, Record};
pub use part::Part;
pub use tree::{Opened, Tree};

/// Whether a success reply waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Durability {
    /// OK means on disk: it survives a power cut.
    Full,
    /// OK means handed to the operating system: it survives the server's death, not the machine's.
    None,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A step failed on a folder or file of the layout.
    #[error("cannot {doing} {}: {error}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Another server holds the folder.
    #[error(
        "{} is in use by another ferryd; stop that one first, or give this one a folder of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// Servers that share the folder hold it, and this one wanted it alone.
    #[error(
        "{} is shared by other ferryds; join them with --shared-data, or give this one a folder \
         of its own",
        .0.display()
    )]
    InUseShared(PathBuf),
    /// A server that does not share the folder holds it, and this one would have shared it.
    #[error(
        "{} is in use by another ferryd, which does not share it; stop that one and start it with \
         --shared-data as well, or give this one a folder of its own",
        .0.display()
    )]
    InUseAlone(PathBuf),
    /// A folder that must be there is not.
    #[error("there is no folder {}; make it, or name another with --library", .0.display())]
    NoLibrary(PathBuf),
}

impl StoreError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }
}

/// An open data folder, held until it is dropped: against every other server, or against those
/// that do not share it.
#[derive(Debug)]
pub struct Store {
    library: Tree,
    homes: Tree,
    users: Tree,
    locks: PathBuf,
    logs: PathBuf,
    votes: PathBuf,
    durability: Durability,
    /// Locked; the lock goes with it.
    _lock: File,
}

impl Store {
    /// Opens the data folder, making what is missing; takes its lock; sweeps what an earlier
    /// server left behind, unless this is only one more process of a server that did.
    pub fn open(
        data: &Path,
        library: Option<&Path>,
        durability: Durability,
        tenancy: Tenancy,
    ) -> Result<Self, StoreError> {
        if let Some(folder) = library.filter(|folder| !folder.is_dir()) {
            return Err(StoreError::NoLibrary(folder.to_owned()));
        }
        let [locks, logs, home, users] =
            ["locks", "logs", "home", "users"].map(|name| data.join(name));
        fs::create_dir_all(data).map_err(StoreError::io("make the folder", data))?;
        for folder in [&locks, &logs, &home, &users] {
            make_private(folder)?;
        }
        let lock = locks::lock_file(&locks.join("server.lock"))?;
        locks::hold(&lock, data, tenancy)?;
        let own = data.join("library");
        if library.is_none() {
            fs::create_dir_all(&own).map_err(StoreError::io("make the folder", &own))?;
        }
        let library = library.unwrap_or(&own);
        if !tenancy.finds_order() {
            let synced = File::open(data).and_then(|folder| folder.sync_all());
            synced.map_err(StoreError::io("sync", data))?;
        }
        Ok(Self {
            library: Tree::open(library, durability, tenancy)?,
            homes: Tree::open(&home, durability, tenancy)?,
            users: Tree::open(&users, durability, tenancy)?,
            locks,
            logs,
            votes: data.join("votes.csv"),
            durability,
            _lock: lock,
        })
    }

    /// Only the accounts of a data folder, beside whatever server may be running on it.
    pub fn open_users(data: &Path) -> Result<Tree, StoreError> {
        let users = data.join("users");
        make_private(&users)?;
        Tree::open(&users, Durability::Full, Tenancy::Visitor)
    }

    /// Only the homes of a data folder, likewise.
    pub fn open_homes(data: &Path) -> Result<Tree, StoreError> {
        let home = data.join("home");
        make_private(&home)?;
        Tree::open(&home, Durability::Full, Tenancy::Visitor)
    }

    /// The files behind the claims between servers that share the folder.
    pub fn stripe_files(&self) -> Result<Vec<StripeFiles>, StoreError> {
        locks::stripe_files(&self.locks)
    }

    /// The shared folder.
    pub fn library(&self) -> &Tree {
        &self.library
    }

    /// The users' own folders, one each, named after them.
    pub fn homes(&self) -> &Tree {
        &self.homes
    }

    /// The accounts, a file each.
    pub fn users(&self) -> &Tree {
        &self.users
    }

    /// Where the log file goes.
    pub fn log_file(&self) -> io::Result<File> {
        File::options().create(true).append(true).open(self.logs.join("server.log"))
    }

    /// Adds a round of a vote to `votes.csv`.
    pub fn append_votes(&self, round: &Tally) -> io::Result<()> {
        votes::append(&self.votes, self.durability, round)
    }
}

/// Makes folders that only the server's own account may look into.
fn make_private(folder: &Path) -> Result<(), StoreError> {
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(folder).map_err(StoreError::io("make the folder", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_and_a_library_have_one_server_each() {
        let (one, two, shared) = (
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        let open =
            |data: &Path| Store::open(data, Some(shared.path()), Durability::None, Tenancy::Sole);
        let first = open(one.path()).unwrap();
        assert!(matches!(open(one.path()), Err(StoreError::InUse(_))));
        assert!(matches!(open(two.path()), Err(StoreError::InUse(_))));
        drop(first);
        assert!(open(two.path()).is_ok());
    }

    #[test]
    fn what_an_earlier_server_left_half_received_is_swept() {
        let data = tempfile::tempdir().unwrap();
        drop(Store::open(data.path(), None, Durability::None, Tenancy::Sole).unwrap());
        let parts = data.path().join("library/.ferry");
        fs::write(parts.join("7-1.part"), "half").unwrap();
        drop(Store::open(data.path(), None, Durability::None, Tenancy::Sole).unwrap());
        assert_eq!(fs::read_dir(parts).unwrap().count(), 0);
    }

    #[test]
    fn nothing_but_parts_is_swept_and_no_link_is_followed_to_them() {
        let (data, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let library = tempfile::tempdir().unwrap();
        let open =
            || Store::open(data.path(), Some(library.path()), Durability::None, Tenancy::Sole);
        let parts = library.path().join(".ferry");
        fs::create_dir(&parts).unwrap();
        fs::write(parts.join("somebody else's"), "x").unwrap();
        drop(open().unwrap());
        assert_eq!(fs::read_dir(&parts).unwrap().count(), 1);

        fs::remove_dir_all(&parts).unwrap();
        fs::write(victim.path().join("1-1.part"), "precious").unwrap();
        std::os::unix::fs::symlink(victim.path(), &parts).unwrap();
        assert!(open().is_err());
        assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_library_that_is_not_there_is_not_made_up() {
        let data = tempfile::tempdir().unwrap();
        let missing = data.path().join("nowhere");
        let opened = Store::open(data.path(), Some(&missing), Durability::None, Tenancy::Sole);
        assert!(matches!(opened, Err(StoreError::NoLibrary(_))));
    }
}
