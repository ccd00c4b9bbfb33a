//! Everything that can go wrong, in words for the person, with the exit status it leads to.

use std::io;
use std::path::PathBuf;

use common::escape::Safe;
use common::path::PathError;
use common::protocol::{Crc32, Existing, Reason};

use crate::address::{Address, BadAddress};
use crate::display;
use crate::interrupt;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers at that address.
    #[error(
        "no ferryd answers at {address} ({why}). Is it running? Start it with `ferryd`, or name \
         another with --server HOST:PORT."
    )]
    NoServer {
        /// Who was called.
        address: Address,
        /// What happened instead of an answer.
        why: String,
    },
    /// The connection ended, or a deadline passed; what was under way may or may not be done.
    #[error("the connection to the server is lost: {why}")]
    Lost {
        /// How it ended.
        why: String,
    },
    /// What answers does not speak this protocol.
    #[error("what the server says makes no sense: {}", Safe(.0))]
    Protocol(String),
    /// The name is taken on the server.
    #[error("{}", display::exists(.path, .existing))]
    Exists {
        /// The name, as it was asked for.
        path: String,
        /// What stands there.
        existing: Existing,
    },
    /// The name is taken here.
    #[error(
        "`{}` exists here. Use --force to replace it, or put it elsewhere with --to.",
        display::local(.0)
    )]
    ExistsHere(PathBuf),
    /// The server refused, or tried and failed. Its own words say what, why, and what to do.
    #[error("{}", Safe(.message))]
    Refused {
        /// What it was about, as it was asked for.
        path: String,
        /// For programs.
        reason: Reason,
        /// For people.
        message: String,
    },
    /// The server does not take this person for that user.
    #[error("{}", Safe(.0))]
    LoginRefused(String),
    /// A password is needed, and there is none to be had.
    #[error("{0}")]
    NoPassword(String),
    /// What was typed unseen was not the same both times.
    #[error("the two passwords differ; nothing was changed")]
    PasswordsDiffer,
    /// The bytes that arrived are not the bytes that are there.
    #[error(
        "`{}` arrived damaged (crc32 {actual} here, {expected} there); nothing was kept. Get it \
         again.",
        Safe(.path)
    )]
    Integrity {
        /// The file.
        path: String,
        /// The checksum the server gave.
        expected: Crc32,
        /// The checksum of what arrived.
        actual: Crc32,
    },
    /// The file on the server became another between two answers of the server.
    #[error("`{}` changed on the server just now; nothing was kept. Get it again.", Safe(.0))]
    ChangedThere(String),
    /// The file here became another while it was being sent.
    #[error(
        "`{}` was changed while it was being sent; nothing was stored. Put it again.",
        display::local(.0)
    )]
    ChangedHere(PathBuf),
    /// A transfer that was cut off, and of which what has arrived is kept where it arrived.
    #[error("{0}; run the same command again to go on from there")]
    Unfinished(#[source] Box<Self>),
    /// A local file that cannot be sent.
    #[error("{0}")]
    Unsendable(String),
    /// A place where only a folder can be, and is none; or one too deep to walk to.
    #[error("{0}")]
    Unwalkable(String),
    /// A pattern that no name matches, here or there.
    #[error("no name matches `{}`; list shows those on the server, lls those here", Safe(.0))]
    NoMatch(String),
    /// A name that no server accepts.
    #[error(transparent)]
    BadName(#[from] PathError),
    /// Something on this side: a file, a folder, the terminal.
    #[error("{what}: {source}")]
    Local {
        /// What could not be done.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Whoever read the results has read enough (`ferry list | head`).
    #[error("nobody reads the results any more")]
    Closed,
}

impl Error {
    /// The documented exit status.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Usage(_) => 2,
            Self::NoServer { .. } | Self::Lost { .. } | Self::Protocol(_) => 3,
            Self::LoginRefused(_) | Self::NoPassword(_) | Self::PasswordsDiffer => 4,
            Self::Exists { .. } | Self::ExistsHere(_) => 5,
            Self::Refused { reason, .. } => status_of(*reason),
            Self::NoMatch(_) => 6,
            Self::Local { source, .. } if source.kind() == io::ErrorKind::NotFound => 6,
            Self::ChangedThere(_)
            | Self::ChangedHere(_)
            | Self::Unsendable(_)
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
                | Self::Lost { .. }
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
            Self::Lost { .. } | Self::Interrupted => Self::Unfinished(Box::new(self)),
            other => other,
        }
    }

    /// `--as` with more than one file.
    pub(crate) fn one_name() -> Self {
        Self::Usage("--as is a name for one file, and these are several".into())
    }

    pub(crate) fn lost(why: impl Into<String>) -> Self {
        Self::Lost { why: why.into() }
    }

    /// For `map_err`: names what was being done when a local call failed.
    pub(crate) fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Local { what: what.into(), source }
    }

    /// What a failed read or write of the connection means.
    pub(crate) fn from_wire(error: &io::Error) -> Self {
        match error.kind() {
            _ if interrupt::is_interrupt(error) => Self::Interrupted,
            io::ErrorKind::TimedOut => Self::lost("no answer in time"),
            io::ErrorKind::UnexpectedEof => Self::lost("it ended in the middle of a file"),
            kind => Self::lost(kind.to_string()),
        }
    }
}

impl From<BadAddress> for Error {
    fn from(error: BadAddress) -> Self {
        Self::Usage(error.to_string())
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
        assert_eq!(Error::Exists { path: "a".into(), existing }.exit_status(), 5);
        assert_eq!(Error::ExistsHere("a".into()).exit_status(), 5);
        let missing = Error::local("cannot read `a`")(io::ErrorKind::NotFound.into());
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
