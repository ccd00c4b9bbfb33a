//! An answer of one line, ready to be sent.

use common::frame;
use common::limits::LINE_BYTES_MAX;
use common::path::VirtualPath;
use common::protocol::{Done, Existing, Outcome, Reason, Refusal, Response, Stat};
use common::user::UserName;
use serde::Serialize;

/// A line, ready to be sent, and what the journal says of it.
#[derive(Debug)]
pub struct Answer {
    /// How the request ended.
    pub outcome: Outcome,
    /// The line, with its `\n`.
    pub line: Vec<u8>,
}

impl Answer {
    /// The line of a response.
    pub fn of<T: Serialize>(response: &Response<T>) -> Self {
        let mut line = Vec::new();
        match frame::write_line(&mut line, response) {
            Ok(()) if line.len() <= LINE_BYTES_MAX => Self { outcome: response.outcome(), line },
            // Our own types always turn into JSON, and pages are bounded; if a change ever breaks
            // that, the client is told instead of hung.
            _ => Self {
                outcome: Outcome::Fail(Reason::Internal),
                line: b"{\"status\":\"FAIL\",\"reason\":\"internal\",\"message\":\"no answer\"}\n"
                    .into(),
            },
        }
    }

    /// `EXISTS`, and what stands in the way where that can still be said.
    pub fn exists(path: &VirtualPath, stat: Option<Stat>) -> Self {
        let message = format!("`{path}` exists already; choose another name");
        Self::of(&Response::<Done>::Exists(Existing { message, stat }))
    }

    /// `EXISTS`, of a user name.
    pub fn taken(user: &UserName) -> Self {
        let message = format!("the name `{user}` is taken; choose another, or log in");
        Self::of(&Response::<Done>::Exists(Existing { message, stat: None }))
    }

    /// `OK`, and nothing to add.
    pub fn done() -> Self {
        Self::of(&Response::Ok(Done {}))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::of(&Response::<Done>::Fail(refusal))
    }
}
