//! The room where people talk: names in it, what can be said there, and the events its members
//! hear.
//!
//! Events are lines like any other, told apart by their first field: an answer has a `status`, an
//! event an `event`. They come between answers, never in the middle of a file's bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::escape::{Safe, is_unprintable};
use crate::limits::{NAME_CHARS_MAX, SAY_BYTES_MAX};
use crate::user::GUEST;

/// Names that would pass for the server's own voice, in small letters. Nobody in the room has one.
const RESERVED: [&str; 8] =
    ["admin", "administrator", "ferryd", GUEST, "server", "teacher", "管理员", "服务器"];

/// What would let a name pass for more than one: `张三 say : hello` is a whole line of the room, and
/// what stands in brackets there is said by nobody with a name.
const PUNCTUATION: [char; 7] = [':', '：', '[', ']', '【', '】', '@'];

/// A name in the room: a user's own, or what a guest wants to be called. Any script, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomName(String);

/// Why a text is no name in the room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// Nothing, too much, or characters that do not show or would show as more than a name.
    #[error(
        "`{}` cannot be a name here: use 1 to {NAME_CHARS_MAX} characters that can be seen, no \
         blank at either end, and none of `: [ ] @`",
        Safe(.0)
    )]
    Malformed(String),
    /// It would pass for the server.
    #[error("`{0}` would pass for the administrator; choose another name")]
    Reserved(String),
}

impl RoomName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, RoomNameError> {
        let shows = !text.contains(is_unprintable) && text.trim() == text && !text.is_empty();
        let shows = shows && !text.contains(PUNCTUATION);
        if !shows || text.chars().count() > NAME_CHARS_MAX {
            return Err(RoomNameError::Malformed(text.chars().take(NAME_CHARS_MAX).collect()));
        }
        if RESERVED.contains(&text.to_lowercase().as_str()) {
            return Err(RoomNameError::Reserved(text.into()));
        }
        Ok(Self(text.into()))
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names must differ in: capitals do not count.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What can be said: one line with something on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying(String);

/// Why a text cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SayingError {
    /// Nothing but blanks.
    #[error("there is nothing in it; say something")]
    Empty,
    /// Over [`SAY_BYTES_MAX`].
    #[error(
        "that is {0} bytes, and {SAY_BYTES_MAX} can be said at once; put longer texts as a file"
    )]
    TooLong(usize),
    /// What acts on a terminal instead of showing on it.
    #[error("`{}` cannot be said: a line is text without control characters", .0.escape_unicode())]
    Control(char),
}

impl Saying {
    /// Reads what is to be said.
    pub fn parse(text: &str) -> Result<Self, SayingError> {
        if text.len() > SAY_BYTES_MAX {
            return Err(SayingError::TooLong(text.len()));
        }
        match text.chars().find(|c| is_unprintable(*c)) {
            Some(control) => Err(SayingError::Control(control)),
            None if text.trim().is_empty() => Err(SayingError::Empty),
            None => Ok(Self(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a member of the room hears, and in part who listens at a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// Somebody says something.
    Say {
        /// Who.
        from: String,
        /// They are no user, and chose this name.
        #[serde(default, skip_serializing_if = "is_false")]
        guest: bool,
        /// What.
        text: String,
        /// To this one alone; to everybody if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// When, in seconds since 1970.
        at: i64,
    },
    /// Somebody comes in.
    Enter {
        /// Who.
        name: String,
        /// They are no user, and chose this name.
        #[serde(default, skip_serializing_if = "is_false")]
        guest: bool,
        /// When, in seconds since 1970.
        at: i64,
    },
    /// Somebody is no longer there.
    Leave {
        /// Who.
        name: String,
        /// They were no user, and chose this name.
        #[serde(default, skip_serializing_if = "is_false")]
        guest: bool,
        /// When, in seconds since 1970.
        at: i64,
    },
    /// The administrator speaks to all.
    Admin {
        /// What.
        text: String,
        /// When, in seconds since 1970.
        at: i64,
    },
    /// A file has come into the library.
    Notice {
        /// Who brought it.
        user: String,
        /// The file.
        path: String,
        /// Its length in bytes.
        size: u64,
        /// How many more the same session has brought since its last notice.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: u64,
        /// When, in seconds since 1970.
        at: i64,
    },
    /// A vote begins, goes on, or is over.
    Vote(Tally),
    /// The reader was too slow: so many lines are lost to them.
    Missed {
        /// How many.
        lines: u64,
    },
}

/// How a vote stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What is asked.
    pub question: String,
    /// 1, and one more each time the same is asked again.
    pub round: u32,
    /// What can be chosen, and how often it was, in the order of the question.
    pub choices: Vec<Choice>,
    /// Votes are still taken.
    pub open: bool,
    /// When this round began, in seconds since 1970.
    pub at: i64,
}

/// One of the answers that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The word to choose it by.
    pub choice: String,
    /// How many have.
    pub votes: u64,
}

// serde hands a reference to every `skip_serializing_if`.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_seen_and_is_nobodys_who_speaks_for_the_server() {
        for name in ["张三", "Anna B", "x", "李四 😀"] {
            assert_eq!(RoomName::parse(name).unwrap().as_str(), name);
        }
        let long = "长".repeat(NAME_CHARS_MAX + 1);
        for bad in [
            "",
            " a",
            "a ",
            "a\nb",
            "\u{202e}nimda",
            "\x1b[2J",
            &long,
            "Admin",
            "管理员",
            "张三 say : hi",
            "[n1]",
        ] {
            assert!(RoomName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(RoomName::parse("ANNA").unwrap().key(), RoomName::parse("anna").unwrap().key());
    }

    #[test]
    fn what_is_said_is_one_line_of_text() {
        assert_eq!(Saying::parse("hello 你好").unwrap().as_str(), "hello 你好");
        let longest = "a".repeat(SAY_BYTES_MAX);
        assert!(Saying::parse(&longest).is_ok());
        let long = format!("{longest}a");
        for bad in ["", "  ", "a\nb", "\x1b]0;x\x07", "\u{9b}2J", "\u{202e}x", &long] {
            assert!(Saying::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_event_is_a_flat_object_led_by_its_kind() {
        let says =
            Event::Say {
                from: "张三".into(), guest: true, text: "hello".into(), to: None, at: 9
            };
        let line = r#"{"event":"say","from":"张三","guest":true,"text":"hello","at":9}"#;
        assert_eq!(serde_json::to_string(&says).unwrap(), line);
        assert_eq!(serde_json::from_str::<Event>(line).unwrap(), says);
        let choices = vec![Choice { choice: "yes".into(), votes: 2 }];
        let tally = Tally { question: "both?".into(), round: 1, choices, open: true, at: 9 };
        assert_eq!(
            serde_json::to_string(&Event::Vote(tally)).unwrap(),
            r#"{"event":"vote","question":"both?","round":1,"choices":[{"choice":"yes","votes":2}],"open":true,"at":9}"#
        );
    }
}
