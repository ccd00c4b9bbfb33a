//! Everything that can go wrong, in words for the person, with the exit status it leads to.

mod cause;

use std::error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use common::path::PathError;
use common::protocol::{Crc32, Existing, Reason};

pub use self::cause::{Deed, Loss, Misuse, Unasked, Unsendable, Unwalkable};
use crate::address::{Address, BadAddress};
use crate::interrupt;
use crate::words::{Lang, Words as _};

/// Why something was not done.
#[derive(Debug)]
pub enum Error {
    /// What was typed makes no sense.
    Usage(Misuse),
    /// Nobody answers at that address.
    NoServer {
        /// Who was called.
        address: Address,
        /// What happened instead of an answer.
        source: io::Error,
    },
    /// The connection ended, or a deadline passed; what was under way may or may not be done.
    Lost(Loss),
    /// What answers does not speak this protocol; what it said instead.
    Protocol(String),
    /// The name is taken on the server.
    Exists {
        /// The name, as it was asked for.
        path: String,
        /// What stands there.
        existing: Existing,
        /// Whether whoever asked may replace it: an administrator, and everybody in their home.
        replaceable: bool,
    },
    /// The name is taken here.
    ExistsHere(PathBuf),
    /// Somebody in the room is called so, or has an account of that name.
    NameTaken(String),
    /// The server refused, or tried and failed. Its own words say what, why, and what to do.
    Refused {
        /// What it was about, as it was asked for.
        path: String,
        /// For programs.
        reason: Reason,
        /// For people.
        message: String,
    },
    /// The server does not take this person for that user; its own words.
    LoginRefused(String),
    /// A password is needed, and there is none to be had.
    NoPassword(Unasked),
    /// What was typed unseen was not the same both times.
    PasswordsDiffer,
    /// The bytes that arrived are not the bytes that are there.
    Integrity {
        /// The file.
        path: String,
        /// The checksum the server gave.
        expected: Crc32,
        /// The checksum of what arrived.
        actual: Crc32,
    },
    /// The file on the server became another between two answers of the server.
    ChangedThere(String),
    /// The file here became another while it was being sent.
    ChangedHere(PathBuf),
    /// A transfer that was cut off, and of which what has arrived is kept where it arrived.
    Unfinished(Box<Self>),
    /// A local file that cannot be sent.
    Unsendable {
        /// The file.
        file: PathBuf,
        /// What speaks against it.
        why: Unsendable,
    },
    /// A place where only a folder can be, and is none; or one too deep to walk to.
    Unwalkable(Unwalkable),
    /// A pattern that no name matches, here or there.
    NoMatch(String),
    /// A name that no server accepts.
    BadName(PathError),
    /// Something on this side: a file, a folder, the terminal.
    Local {
        /// What could not be done.
        what: Deed,
        /// Why.
        source: io::Error,
    },
    /// Ctrl-C.
    Interrupted,
    /// Whoever read the results has read enough (`ferry list | head`).
    Closed,
}

impl fmt::Display for Error {
    /// In English. `ferry` itself speaks the language that is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::NoServer { source, .. } | Self::Local { source, .. } => Some(source),
            Self::BadName(source) => Some(source),
            Self::Unfinished(source) => Some(source),
            _ => None,
        }
    }
}

impl Error {
    /// The documented exit status.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Usage(_) => 2,
            Self::NoServer { .. } | Self::Lost(_) | Self::Protocol(_) => 3,
            Self::LoginRefused(_) | Self::NoPassword(_) | Self::PasswordsDiffer => 4,
            Self::Exists { .. } | Self::ExistsHere(_) | Self::NameTaken(_) => 5,
            Self::Refused { reason, .. } => status_of(*reason),
            Self::NoMatch(_) => 6,
            Self::Local { source, .. } if source.kind() == io::ErrorKind::NotFound => 6,
            Self::ChangedThere(_)
            | Self::ChangedHere(_)
            | Self::Unsendable { .. }
            | Self::Unwalkable(_)
            | Self::BadName(_)
            | Self::Local { .. } => 1,
            Self::Integrity { .. } => 7,
            Self::Interrupted => interrupt::STATUS,
            Self::Unfinished(cause) => cause.exit_status(),
        }
    }

    /// The server's reason, if it was the server who refused.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            Self::LoginRefused(_) => Some(Reason::Denied),
            _ => None,
        }
    }

    /// Whether going on with the next name is pointless: there is nobody to ask, nobody to tell,
    /// or nobody who wants it.
    pub(crate) fn ends_everything(&self) -> bool {
        matches!(
            self,
            Self::NoServer { .. }
                | Self::Lost(_)
                | Self::Protocol(_)
                | Self::LoginRefused(_)
                | Self::NoPassword(_)
                | Self::Interrupted
                | Self::Unfinished(_)
                | Self::Closed
                | Self::Refused { reason: Reason::Full, .. }
        )
    }

    /// Whether this is the server's complete answer, after which it expects the next request.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Exists { .. } | Self::Refused { .. } | Self::LoginRefused(_))
    }

    /// What was cut off by this can be gone on with; what ended in another way is as it was.
    pub(crate) fn unfinished(self) -> Self {
        match self {
            Self::Lost(_) | Self::Interrupted => Self::Unfinished(Box::new(self)),
            other => other,
        }
    }

    /// For `map_err`: names what was being done when a local call failed.
    pub(crate) fn local(what: Deed) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Local { what, source }
    }

    /// What a failed read or write of the connection means.
    pub(crate) fn from_wire(error: &io::Error) -> Self {
        match error.kind() {
            _ if interrupt::is_interrupt(error) => Self::Interrupted,
            io::ErrorKind::TimedOut => Self::Lost(Loss::Silence),
            io::ErrorKind::UnexpectedEof => Self::Lost(Loss::MidFile),
            kind => Self::Lost(Loss::Broken(kind)),
        }
    }
}

impl From<BadAddress> for Error {
    fn from(error: BadAddress) -> Self {
        Self::Usage(Misuse::Address(error))
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Usage(misuse)
    }
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::BadName(error)
    }
}

/// No `_` here: a new reason must choose.
fn status_of(reason: Reason) -> u8 {
    match reason {
        Reason::LoginRequired => 4,
        Reason::NotFound => 6,
        Reason::ChecksumMismatch => 7,
        Reason::Busy | Reason::Full => 8,
        Reason::Denied
        | Reason::BadName
        | Reason::BadRequest
        | Reason::TooLarge
        | Reason::NoSpace
        | Reason::Quota
        | Reason::Timeout
        | Reason::Internal => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reason: Reason) -> Error {
        Error::Refused { path: "a".into(), reason, message: "m".into() }
    }

    #[test]
    fn every_reason_leads_to_its_documented_status() {
        let statuses: Vec<u8> = Reason::ALL.map(|reason| refused(reason).exit_status()).to_vec();
        assert_eq!(statuses, [6, 4, 1, 1, 1, 8, 1, 1, 1, 7, 1, 8, 1]);
    }

    #[test]
    fn here_and_there_have_one_status() {
        let existing = Existing { message: String::new(), stat: None };
        assert_eq!(
            Error::Exists { path: "a".into(), existing, replaceable: false }.exit_status(),
            5
        );
        assert_eq!(Error::ExistsHere("a".into()).exit_status(), 5);
        let missing = Error::local(Deed::ReadFile("a".into()))(io::ErrorKind::NotFound.into());
        assert_eq!(missing.exit_status(), refused(Reason::NotFound).exit_status());
    }

    #[test]
    fn a_lost_connection_says_how_it_was_lost() {
        let error = Error::from_wire(&io::ErrorKind::ConnectionReset.into());
        assert_eq!(error.to_string(), "the connection to the server is lost: connection reset");
        assert_eq!(error.exit_status(), 3);
    }

    #[test]
    fn ctrl_c_is_told_from_a_broken_connection() {
        let pressed = interrupt::Interrupt::default();
        pressed.set();
        let error = Error::from_wire(&pressed.check().unwrap_err());
        assert!(matches!(error, Error::Interrupted));
        assert_eq!(error.exit_status(), 130);
    }
}
