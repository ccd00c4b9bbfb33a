//! What exactly went wrong, where an [`Error`](super::Error) has several ways to. What each means
//! in words stands in `words`, in two languages.

use std::io;
use std::path::PathBuf;

use crate::address::BadAddress;

/// What makes no sense in what was typed, set or configured.
#[derive(Debug)]
pub enum Misuse {
    /// It names no server.
    Address(BadAddress),
    /// `--as` with more than one file.
    SeveralNames,
    /// A quote that is opened in this command and not closed.
    OpenQuote(String),
    /// This variable of the environment holds no text.
    NotText(&'static str),
    /// More uploads sent ahead than may be under way.
    TooManyAhead,
    /// A guest who goes into the room, or speaks there, under no name.
    NoRoomName,
    /// Somebody who is not in the room, or not any more, would leave it or speak there.
    NotInRoom,
    /// `chat` where no person could type what is to be said.
    NoPrompt,
    /// There is no place for a configuration file.
    NoConfigPlace,
    /// `@name`, and no configuration file.
    NoConfig {
        /// Where it would be.
        file: PathBuf,
        /// The server's name.
        name: String,
    },
    /// `@name`, and a configuration file that cannot be read.
    UnreadableConfig {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A mistake in the configuration file.
    BadConfig {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong there, as its parser says it.
        why: String,
    },
    /// `@name`, which the configuration file does not have.
    NotInConfig {
        /// The file.
        file: PathBuf,
        /// The server's name.
        name: String,
        /// The names it has.
        known: Vec<String>,
    },
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The server closed it.
    Closed,
    /// It ended in the middle of a reply.
    MidReply,
    /// It ended in the middle of a file.
    MidFile,
    /// No answer came in time.
    Silence,
    /// An exchange before this one was cut short, so nobody knows where the next reply begins.
    OutOfStep,
    /// A file has grown since its size was asked for, so its bytes would be taken for a reply.
    Grown,
    /// The upload an answer is wanted for was never sent.
    NeverSent,
    /// The file an answer is wanted for was never asked for.
    NeverAsked,
    /// The connection to the room, which is being made again.
    Remaking,
    /// The system says so.
    Broken(io::ErrorKind),
}

/// Why there is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// It was asked for and not given.
    NotGiven,
    /// There is no terminal to ask on.
    NoTerminal {
        /// The option that would name a file.
        option: &'static str,
        /// The variable that would hold it.
        variable: &'static str,
    },
    /// A guest has none to change.
    Guest,
}

/// Why a local file cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsendable {
    /// The path ends in no name, as `..` does.
    NoName,
    /// Its name is no text.
    NotText,
    /// It is a folder, which `put` alone does not send.
    Folder,
    /// It is a pipe, a device or the like.
    NotRegular,
}

/// Where only a folder can be, and is none; or one too deep to walk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwalkable {
    /// `cd` to a file.
    File(String),
    /// A file stands where a folder is to be made on the server.
    FileThere(String),
    /// A file stands where a folder is to be made here.
    FileHere(PathBuf),
    /// Too deep on the server.
    DeepThere(String),
    /// Too deep here.
    DeepHere(PathBuf),
}

/// What could not be done on this side.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // each is a verb and what it is about
pub enum Deed {
    CatchSignals,
    ReadCommands,
    ReadTerminal,
    WriteResults,
    WriteJson,
    Run(PathBuf),
    ReadPasswordFile(PathBuf),
    FindCurrentFolder,
    GoTo(PathBuf),
    MakeFolder(PathBuf),
    ListFolder(PathBuf),
    LookInto(PathBuf),
    Match,
    ReadFile(PathBuf),
    WriteFile(PathBuf),
    NameFile(PathBuf),
    /// The local bytes of the file that has this path on the server.
    ReadBytesOf(String),
    /// The bytes that come of the file that has this path on the server.
    KeepBytesOf(String),
}
