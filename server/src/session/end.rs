//! Why a session ends, as its log line says it.

use std::fmt;
use std::io::{self, ErrorKind};

use common::protocol::{Reason, Refusal};

use crate::roster::{SentAway, Slot};

/// What the session hears whose upload goes on elsewhere.
const TAKEN_OVER: &str = "this upload goes on over another connection of yours; this one ends";

/// What the session hears that is ended by the administrator.
const KICKED: &str = "the administrator has ended this session";

/// Why a session ends.
pub(crate) enum End {
    /// The client said `QUIT`, or closed its side between two requests.
    Left,
    /// The server is stopping.
    Stopped,
    /// The connection broke.
    Lost(io::Error),
    /// The same user goes on over another connection.
    TakenOver,
    /// The administrator wished it.
    Kicked,
    /// The client was too slow with this.
    Slow(&'static str),
    /// The client did not take what was sent to it, so it cannot be told either.
    Deaf,
    /// Where the next request begins cannot be known any more. The client has been told.
    OutOfStep,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => write!(f, "left"),
            Self::Stopped => write!(f, "sent away: the server stops"),
            Self::Lost(error) => write!(f, "lost: {error}"),
            Self::TakenOver => write!(f, "sent away: goes on over another connection"),
            Self::Kicked => write!(f, "sent away: the administrator wished it"),
            Self::Slow(what) => write!(f, "sent away: too slow with {what}"),
            Self::Deaf => write!(f, "cut off: took too little of what was sent"),
            Self::OutOfStep => write!(f, "sent away: out of step"),
        }
    }
}

impl End {
    /// Why it ends if the roster knows better.
    pub(crate) fn or_told_by(self, slot: &Slot<'_>) -> Self {
        slot.sent_away().map_or(self, Self::from)
    }

    /// What the client is told of it, if that was not said yet.
    pub(crate) fn last_words(&self) -> Option<Refusal> {
        let (reason, message) = match self {
            Self::Slow(what) => (Reason::Timeout, format!("too slow with {what}")),
            Self::TakenOver => (Reason::Busy, TAKEN_OVER.to_owned()),
            Self::Kicked => (Reason::Denied, KICKED.to_owned()),
            _ => return None,
        };
        Some(Refusal::new(reason, message))
    }

    /// What was to be sent could not be.
    pub(crate) fn unsent(error: io::Error) -> Self {
        if is_our_deadline(&error) { Self::Deaf } else { Self::Lost(error) }
    }
}

impl From<SentAway> for End {
    fn from(why: SentAway) -> Self {
        match why {
            SentAway::TakenOver => Self::TakenOver,
            SentAway::Kicked => Self::Kicked,
        }
    }
}

impl From<io::Error> for End {
    /// What was to be read could not be.
    fn from(error: io::Error) -> Self {
        if is_our_deadline(&error) { Self::Slow("what it had begun") } else { Self::Lost(error) }
    }
}

/// The system has a time-out of its own, for a peer that acknowledges nothing. That one is gone,
/// not slow.
pub(super) fn is_our_deadline(error: &io::Error) -> bool {
    error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none()
}
