//! From what went wrong on the disk to what the client is told: the only place that chooses.

use std::fmt::Display;
use std::io;

use common::escape::Safe;
use common::path::{PathError, VirtualPath};
use common::protocol::{Reason, Refusal, Wait};
use common::room::SayingError;
use rustix::io::Errno;

/// The refusal for a path that is none.
pub fn bad_name(error: &PathError) -> Refusal {
    Refusal::new(Reason::BadName, error.to_string())
}

/// The refusal for a text that cannot be said.
pub fn bad_saying(error: &SayingError) -> Refusal {
    let reason = match error {
        SayingError::TooLong(_) => Reason::TooLarge,
        SayingError::Empty | SayingError::Control(_) => Reason::BadRequest,
    };
    Refusal::new(reason, error.to_string())
}

/// The refusal for a step on `path` that failed with `error`. `doing` completes the sentence
/// "cannot … `path`".
pub fn of_io(doing: &str, path: &impl Display, error: &io::Error) -> Refusal {
    let path = path.to_string();
    let path = Safe(&path);
    let cannot = |why: &str| format!("cannot {doing} `{path}`: {why}");
    let (reason, message) = match error.kind() {
        io::ErrorKind::NotFound => {
            (Reason::NotFound, format!("there is no `{path}`; list the folder it should be in"))
        }
        io::ErrorKind::NotADirectory => {
            (Reason::NotFound, cannot("a file stands where a folder is needed"))
        }
        io::ErrorKind::IsADirectory => {
            (Reason::NotFound, cannot("it is a folder; name a file in it"))
        }
        io::ErrorKind::DirectoryNotEmpty => {
            (Reason::Denied, cannot("the folder is not empty; remove what is in it first"))
        }
        io::ErrorKind::InvalidInput => {
            (Reason::BadRequest, cannot("a folder cannot be moved into itself"))
        }
        io::ErrorKind::InvalidFilename => (Reason::BadName, cannot("the name is too long")),
        io::ErrorKind::PermissionDenied => {
            (Reason::Denied, cannot("the server's own account may not; ask who runs it"))
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            (Reason::Denied, cannot("the server's disk is read-only"))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Reason::NoSpace, cannot("the server's disk is full; nothing was kept"))
        }
        io::ErrorKind::FileTooLarge => {
            (Reason::TooLarge, cannot("the server's disk takes no file of this size"))
        }
        io::ErrorKind::TimedOut => (Reason::Timeout, cannot("it took too long")),
        // A link in the way, or one that leads out. Links are not listed either.
        _ if is(error, Errno::LOOP) || is(error, Errno::XDEV) => {
            (Reason::NotFound, cannot("links are not followed"))
        }
        _ if is(error, Errno::MFILE) || is(error, Errno::NFILE) => {
            (Reason::Busy, cannot("the server has too many files open; try again in a moment"))
        }
        // What opening a socket gives. Sockets are not listed either.
        _ if is(error, Errno::NXIO) => (Reason::NotFound, cannot("it is no file")),
        _ => {
            log::error!("cannot {doing} {path}: {error}");
            (Reason::Internal, cannot("the server failed; its log says why"))
        }
    };
    Refusal::new(reason, message)
}

/// The refusal for a name that somebody else is writing.
pub fn busy(path: &VirtualPath, holder: Option<Wait>) -> Refusal {
    let message = match holder {
        Some(Wait { holder, received, size, since, .. }) => format!(
            "{holder} is writing `{path}`, {received} of {size} bytes, since {since} s; \
             try again later, or choose another name"
        ),
        None => format!("`{path}` was being written until this moment; try again"),
    };
    Refusal::new(Reason::Busy, message)
}

/// The refusal for a name whose stripe another server has for another name.
pub fn busy_neighbour(path: &VirtualPath, server: &str) -> Refusal {
    let message = format!(
        "{server} is writing a file that shares its lock with `{path}`; try again later, or choose \
         another name"
    );
    Refusal::new(Reason::Busy, message)
}

/// The refusal for what was done while the disk did not confirm it: nobody can say whether it
/// survives a power cut. Never an OK.
pub fn unconfirmed(error: &io::Error) -> Refusal {
    log::error!("cannot sync a folder: {error}");
    let message = "it was done, but the disk did not confirm it; look again later with STAT";
    Refusal::new(Reason::Internal, message)
}

/// The refusal for a folder or file that was opened and then could not be read on.
pub fn of_reading(error: &io::Error) -> Refusal {
    log::error!("cannot read on: {error}");
    Refusal::new(Reason::Internal, "the server could not read all of it; its log says why")
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
