//! The words of the conversation: requests, replies, reasons.
//!
//! `docs/protocol.md` shows the bytes; this file is what both programs read them with. A reply is
//! a [`Response`] around what its request promises (`Response<Stat>` for `STAT`), so a client
//! cannot mistake one answer for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::watch::Every;

/// The version in the greeting. It changes when an old client could misread a new server.
pub const PROTOCOL_VERSION: u32 = 1;

/// The first line of every session, sent by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Program and version, for people.
    pub server: String,
    /// [`PROTOCOL_VERSION`] of the server.
    pub protocol: u32,
    /// This session's number; its thread on the server is named `c` and that number.
    pub session: u64,
}

/// What a client may ask. Unknown fields are refused: a misspelt option must not be ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "UPPERCASE", deny_unknown_fields)]
pub enum Request {
    /// The entries of a folder, in [`Page`]s.
    List {
        /// The folder; where the user starts if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// A file's bytes, after a [`Download`] line.
    Get {
        /// The file.
        path: String,
        /// The first byte wanted, counted from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
    },
    /// Send a file.
    Put(Put),
    /// What is known of a file or folder.
    Stat {
        /// The file or folder.
        path: String,
    },
    /// A file's checksum, computed from what is on disk now.
    Sum {
        /// The file.
        path: String,
    },
    /// Make a folder.
    Mkdir {
        /// The new folder; the folder it lies in must exist.
        path: String,
    },
    /// Remove a file or an empty folder.
    Delete {
        /// What to remove.
        path: String,
    },
    /// Give something another name. Never replaces.
    Rename {
        /// What exists.
        from: String,
        /// What must not.
        to: String,
    },
    /// Open an account, make its home, and go on as its user.
    Register(Credentials),
    /// Go on as this user.
    Login(Credentials),
    /// Change one's own password.
    Passwd {
        /// The one in force.
        old: Password,
        /// The one to be.
        new: Password,
    },
    /// Who one is, as an [`Identity`].
    Who {},
    /// Go into the room: from now on its [`Event`](crate::room::Event)s come between the answers,
    /// the last of what was said first. `OK` is a [`Joined`].
    Join {
        /// What a guest wants to be called. A user has a name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Hear the administrator and the votes without going into the room.
    Listen {
        /// Hear which files come into the library, too.
        #[serde(default, skip_serializing_if = "is_false")]
        notices: bool,
    },
    /// Say something in the room.
    Say {
        /// One line.
        text: String,
        /// To this member alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// Leave the room, and hear no more events.
    Leave {},
    /// Choose an answer to the question of the day; `OK` is a [`Tally`](crate::room::Tally).
    Vote {
        /// The answer. Without one, only say how the vote stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<String>,
    },
    /// What an administrator may also type at the server's own console; `OK` is a [`Told`].
    Admin {
        /// The line.
        line: String,
    },
    /// What every thread, queue and lock is doing, as a [`Table`](crate::watch::Table).
    Watch {
        /// Once for each such time, until the client says anything else; only once if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        every: Option<Every>,
    },
    /// End the session.
    Quit {},
}

impl Request {
    /// The word after `cmd`, for logs.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::List { .. } => "LIST",
            Self::Get { .. } => "GET",
            Self::Put(_) => "PUT",
            Self::Stat { .. } => "STAT",
            Self::Sum { .. } => "SUM",
            Self::Mkdir { .. } => "MKDIR",
            Self::Delete { .. } => "DELETE",
            Self::Rename { .. } => "RENAME",
            Self::Register(_) => "REGISTER",
            Self::Login(_) => "LOGIN",
            Self::Passwd { .. } => "PASSWD",
            Self::Who {} => "WHO",
            Self::Join { .. } => "JOIN",
            Self::Listen { .. } => "LISTEN",
            Self::Say { .. } => "SAY",
            Self::Leave {} => "LEAVE",
            Self::Vote { .. } => "VOTE",
            Self::Admin { .. } => "ADMIN",
            Self::Watch { .. } => "WATCH",
            Self::Quit {} => "QUIT",
        }
    }

    /// The path or user it is about, as it was written; empty where there is none.
    pub fn path(&self) -> &str {
        match self {
            Self::List { path } => path.as_deref().unwrap_or_default(),
            Self::Put(put) => &put.path,
            Self::Rename { from, .. } => from,
            Self::Get { path, .. }
            | Self::Stat { path }
            | Self::Sum { path }
            | Self::Mkdir { path }
            | Self::Delete { path } => path,
            Self::Register(who) | Self::Login(who) => &who.user,
            // What is said is nobody's business who reads the journal.
            Self::Passwd { .. }
            | Self::Who {}
            | Self::Join { .. }
            | Self::Listen { .. }
            | Self::Say { .. }
            | Self::Leave {}
            | Self::Vote { .. }
            | Self::Admin { .. }
            | Self::Watch { .. }
            | Self::Quit {} => "",
        }
    }
}

/// The fields of a `PUT`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// The name the file will have.
    pub path: String,
    /// Its length in bytes; exactly this many follow.
    pub size: u64,
    /// When it was last changed, in seconds since 1970; now if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime: Option<i64>,
    /// Replace a file that is there. It needs the right to remove it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub overwrite: bool,
    /// Go on where an interrupted upload of the same file stopped, if the server still has it:
    /// the offset in its answer says where.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resume: bool,
    /// The bytes and the checksum line follow at once, without waiting for the answer. For bodies
    /// of at most [`EAGER_BYTES_MAX`](crate::limits::EAGER_BYTES_MAX).
    #[serde(default, skip_serializing_if = "is_false")]
    pub eager: bool,
    /// How long to wait, in seconds, while somebody else writes this name; the server's own
    /// `--claim-wait` if absent, and never longer than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
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

/// The fields of a `REGISTER` and of a `LOGIN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// Their password.
    pub password: Password,
}

/// A password on its way. It shows itself to nobody: not to a log, not to a panic message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "String")]
pub struct Password(pub String);

/// What came in the place of a password is no text. It is not quoted: it may well be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password is a text, in quotes")]
pub struct NoPassword;

impl TryFrom<serde_json::Value> for Password {
    type Error = NoPassword;

    fn try_from(value: serde_json::Value) -> Result<Self, NoPassword> {
        if let serde_json::Value::String(text) = value { Ok(Self(text)) } else { Err(NoPassword) }
    }
}

impl From<Password> for String {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a password)")
    }
}

/// The `OK` to `REGISTER`, `LOGIN` and `WHO`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user's name; `guest` for who has not logged in.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// The space their home may use, in bytes; without limit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// The space their home uses, in bytes; absent for a guest, who has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// The `OK` to a `JOIN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// What one is called in the room.
    pub name: String,
    /// Everybody who is there, oneself included.
    pub members: u64,
    /// How many of the events that follow are of before: the first ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub past: u64,
}

/// The `OK` to an `ADMIN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What came of it, for people; may have several lines.
    pub text: String,
}

/// What kind of person asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Has not logged in.
    Guest,
    /// Has an account and a home.
    User,
    /// May do everything everywhere.
    Admin,
}

impl fmt::Display for Role {
    /// The word on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// An answer. `T` is what `OK` carries for the request at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "UPPERCASE")]
pub enum Response<T> {
    /// Done. To a `PUT` the second `OK` means: on disk, whole, under that name.
    Ok(T),
    /// The folder is there and holds nothing to list.
    Empty,
    /// The name is taken; nothing was changed.
    Exists(Existing),
    /// Not yet, and why; another line follows.
    Wait(Wait),
    /// Refused or failed. Nothing was changed, unless the message says that this is uncertain.
    Fail(Refusal),
}

impl<T> Response<T> {
    /// The outcome in one or two words, as logs show it: `OK`, `EXISTS`, `FAIL not-found`.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Ok(_) => Outcome::Ok,
            Self::Empty => Outcome::Empty,
            Self::Exists(_) => Outcome::Exists,
            Self::Wait(_) => Outcome::Wait,
            Self::Fail(refusal) => Outcome::Fail(refusal.reason),
        }
    }
}

/// How a request ended, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // they are `Response`'s own
pub enum Outcome {
    Ok,
    Empty,
    Exists,
    Wait,
    Fail(Reason),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("OK"),
            Self::Empty => f.write_str("EMPTY"),
            Self::Exists => f.write_str("EXISTS"),
            Self::Wait => f.write_str("WAIT"),
            Self::Fail(reason) => write!(f, "FAIL {reason}"),
        }
    }
}

/// What `OK` carries when there is nothing to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {}

/// The first `OK` to a `PUT`: send the bytes from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// The first byte wanted, counted from 0.
    pub offset: u64,
}

/// The `OK` to a `GET`; `size - offset` raw bytes follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// The whole file's length in bytes.
    pub size: u64,
    /// When it was last changed, in seconds since 1970.
    pub mtime: i64,
    /// The whole file's checksum as it was when it was uploaded, where that is known. Without it,
    /// ask `SUM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<Crc32>,
}

/// What is known of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// File or folder.
    pub kind: Kind,
    /// Length in bytes; 0 for a folder.
    pub size: u64,
    /// When it was last changed, in seconds since 1970.
    pub mtime: i64,
}

/// The `OK` to a `STAT`. For the top of a home it also says how full it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// File or folder.
    #[serde(flatten)]
    pub stat: Stat,
    /// The space this home may use, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// The space this home uses, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// What `EXISTS` says of the thing that is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Existing {
    /// For people.
    pub message: String,
    /// What it is, where it could still be looked at.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub stat: Option<Stat>,
}

/// The line a client sends after a file's bytes. Unknown fields are refused, as in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Checksum of the whole file.
    pub crc32: Crc32,
}

/// The `OK` to a `SUM`. As in every answer, fields of a later version are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summed {
    /// Checksum of the whole file.
    pub crc32: Crc32,
}

/// One line of a `LIST` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// At most [`PAGE_ENTRIES_MAX`](crate::limits::PAGE_ENTRIES_MAX), sorted by name within the
    /// page and in the file system's order from page to page.
    pub entries: Vec<Entry>,
    /// Another page follows.
    pub more: bool,
}

/// One file or folder in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name in the listed folder.
    pub name: String,
    /// The rest, as `STAT` would say it.
    #[serde(flatten)]
    pub stat: Stat,
}

/// File or folder; nothing else is ever served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Holds other entries.
    Folder,
    /// A regular file.
    File,
}

/// Somebody else is writing the name a `PUT` wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Who.
    pub holder: String,
    /// Bytes they have sent so far.
    pub received: u64,
    /// Bytes they have announced.
    pub size: u64,
    /// How long they have held the name, in seconds.
    pub since: u64,
    /// How long this upload may wait for it in all, in seconds. Older servers do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Why a request was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs: one of a fixed set.
    pub reason: Reason,
    /// For people: what failed, on what, and what to do.
    pub message: String,
}

impl Refusal {
    /// A refusal with its words.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// The fixed set of reasons. Programs branch on these; they never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// There is no such file or folder.
    NotFound,
    /// Only a user may do this; log in first.
    LoginRequired,
    /// This user may not do this here.
    Denied,
    /// The path or name is not one the server accepts.
    BadName,
    /// The line is no request, or its fields do not fit together.
    BadRequest,
    /// Somebody else holds the name, and the wait is over.
    Busy,
    /// Over a limit of size.
    TooLarge,
    /// The disk is full.
    NoSpace,
    /// The user's own space is full.
    Quota,
    /// The bytes that arrived are not the bytes that were meant.
    ChecksumMismatch,
    /// The peer was too slow.
    Timeout,
    /// No place for another session.
    Full,
    /// The server's own fault; its log says more.
    Internal,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::NotFound,
        Self::LoginRequired,
        Self::Denied,
        Self::BadName,
        Self::BadRequest,
        Self::Busy,
        Self::TooLarge,
        Self::NoSpace,
        Self::Quota,
        Self::ChecksumMismatch,
        Self::Timeout,
        Self::Full,
        Self::Internal,
    ];
}

impl fmt::Display for Reason {
    /// The word on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// zlib's CRC-32, written as eight lower-case hex digits so that it can be compared with
/// `python3 -c 'import zlib,sys; print("%08x" % zlib.crc32(sys.stdin.buffer.read()))'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Crc32(pub u32);

impl fmt::Display for Crc32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A text that is not eight hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a crc32 is eight hex digits")]
pub struct BadCrc32;

impl FromStr for Crc32 {
    type Err = BadCrc32;

    fn from_str(text: &str) -> Result<Self, BadCrc32> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadCrc32);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| BadCrc32)
    }
}

impl TryFrom<String> for Crc32 {
    type Error = BadCrc32;

    fn try_from(text: String) -> Result<Self, BadCrc32> {
        text.parse()
    }
}

impl From<Crc32> for String {
    fn from(crc: Crc32) -> Self {
        crc.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    fn request(text: &str) -> Result<Request, serde_json::Error> {
        crate::frame::parse(text.as_bytes())
    }

    #[test]
    fn replies_are_flat_objects_led_by_their_status() {
        assert_eq!(json(&Response::Ok(Done {})), r#"{"status":"OK"}"#);
        assert_eq!(json(&Response::Ok(Offset { offset: 0 })), r#"{"status":"OK","offset":0}"#);
        assert_eq!(json(&Response::<Done>::Empty), r#"{"status":"EMPTY"}"#);
        let refusal = Refusal::new(Reason::NotFound, "there is no `a`");
        assert_eq!(
            json(&Response::<Done>::Fail(refusal)),
            r#"{"status":"FAIL","reason":"not-found","message":"there is no `a`"}"#
        );
        let stat = Stat { kind: Kind::File, size: 3, mtime: 9 };
        let exists = Existing { message: "taken".into(), stat: Some(stat) };
        let line = r#"{"status":"EXISTS","message":"taken","kind":"file","size":3,"mtime":9}"#;
        assert_eq!(json(&Response::<Done>::Exists(exists.clone())), line);
        let back: Response<Done> = serde_json::from_str(line).unwrap();
        assert_eq!(back, Response::Exists(exists));
        let bare: Response<Done> =
            serde_json::from_str(r#"{"status":"EXISTS","message":"m"}"#).unwrap();
        assert_eq!(bare, Response::Exists(Existing { message: "m".into(), stat: None }));
    }

    #[test]
    fn a_request_reads_as_a_person_would_type_it() {
        assert_eq!(request(r#"{"cmd":"LIST"}"#).unwrap(), Request::List { path: None });
        assert_eq!(request(r#"{ "cmd": "QUIT" }"#).unwrap(), Request::Quit {});
        let put = Put { path: "a".into(), size: 3, ..Put::default() };
        assert_eq!(request(r#"{"cmd":"PUT","path":"a","size":3}"#).unwrap(), Request::Put(put));
    }

    #[test]
    fn unknown_fields_words_and_sizes_are_refused() {
        for bad in [
            r#"{"cmd":"QUIT","now":true}"#,
            r#"{"cmd":"LIST","paht":"/"}"#,
            r#"{"cmd":"PUT","path":"a","size":3,"foo":1}"#,
            r#"{"cmd":"PUT","path":"a","size":-1}"#,
            r#"{"cmd":"PUT","path":"a","size":1e30}"#,
            r#"{"cmd":"PUT","path":"a","size":"5"}"#,
            r#"{"cmd":"PUT","path":"a","size":18446744073709551616}"#,
            r#"{"cmd":"PUT","path":"a"}"#,
            r#"{"cmd":"list"}"#,
            r#"{"path":"a"}"#,
            r#"["LIST"]"#,
        ] {
            assert!(request(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_checksum_is_eight_hex_digits_and_zlibs() {
        assert_eq!(json(&Sum { crc32: Crc32(0xab) }), r#"{"crc32":"000000ab"}"#);
        for bad in ["", "ab", "000000abc", "+00000ab", "0000000g", "é00000a"] {
            assert_eq!(bad.parse::<Crc32>(), Err(BadCrc32), "{bad}");
        }
    }

    #[test]
    fn every_reason_has_its_word_on_the_wire() {
        let words: Vec<String> = Reason::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(
            words.join(" "),
            "not-found login-required denied bad-name bad-request busy too-large no-space quota \
             checksum-mismatch timeout full internal"
        );
    }
}
