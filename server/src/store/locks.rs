//! Locks between processes: who may use a folder at the same time, and the files behind the
//! claims of servers that share one.
//!
//! LESSON: flock(2) locks belong to the open file, not to a name on disk: the kernel gives them
//! back when the process ends, however it ends. A lock *file* that must be deleted would outlive
//! a crash and lock everybody out.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{StoreError, make_private};

/// How many stripes the claims of servers that share a folder fall on. All of them must agree.
pub const STRIPES: usize = 64;

/// Who else may use a folder while we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenancy {
    /// Nobody.
    Sole,
    /// Other servers that said the same.
    Several,
    /// The same, and this is one process of a server that holds the folder already, and has swept
    /// it.
    Branch,
    /// Whoever does: we only look after accounts. Nothing is locked, nothing is swept.
    Visitor,
}

impl Tenancy {
    /// Whether it finds everything in order, or is none of its business.
    pub(super) fn finds_order(self) -> bool {
        matches!(self, Self::Branch | Self::Visitor)
    }
}

/// Locks an open file or folder as its `tenancy` asks, until it is closed; `held` is what to call
/// it.
pub(super) fn hold(file: &File, held: &Path, tenancy: Tenancy) -> Result<(), StoreError> {
    let locked = match tenancy {
        Tenancy::Sole => file.try_lock(),
        Tenancy::Several | Tenancy::Branch => file.try_lock_shared(),
        Tenancy::Visitor => Ok(()),
    };
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", held)(error)),
        Err(TryLockError::WouldBlock) if tenancy != Tenancy::Sole => {
            Err(StoreError::InUseAlone(held.to_owned()))
        }
        // If it can be shared, then it is: that is what kept us from having it alone.
        Err(TryLockError::WouldBlock) if file.try_lock_shared().is_ok() => {
            Err(StoreError::InUseShared(held.to_owned()))
        }
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(held.to_owned())),
    }
}

/// The two files of one stripe. See [`stripes`](crate::stripes) for what locking them means.
#[derive(Debug)]
pub struct StripeFiles {
    /// Locked by the server that has claims under this stripe. It says whose.
    pub held: File,
    /// Locked by the server that will have it next.
    pub next: File,
}

/// Opens `claims/00` to `claims/3f` in the folder `locks`, and a `.next` beside each; what is
/// missing is made.
pub(super) fn stripe_files(locks: &Path) -> Result<Vec<StripeFiles>, StoreError> {
    let claims = locks.join("claims");
    make_private(&claims)?;
    (0..STRIPES)
        .map(|n| {
            let held = lock_file(&claims.join(format!("{n:02x}")))?;
            Ok(StripeFiles { held, next: lock_file(&claims.join(format!("{n:02x}.next")))? })
        })
        .collect()
}

/// Opens a file to be locked. For reading and writing: over NFS a shared lock asks for the one, an
/// exclusive lock for the other (flock(2)).
pub(super) fn lock_file(path: &Path) -> Result<File, StoreError> {
    let opened = File::options().create(true).truncate(false).read(true).write(true).open(path);
    opened.map_err(StoreError::io("open", path))
}
