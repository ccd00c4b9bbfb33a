//! The one table of commands. The command line, the prompt, scripts and the help of all three are
//! derived from it, so none can know a command that another does not.

mod args;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint};
use common::reference::Reference;
use common::room::{RoomName, Saying};
use common::user::UserName;

use crate::tilde;

pub(crate) use self::args::{Get, Invocation, List, OnOff, Output, Put, Watch};

/// Marks a path on the server: one that no shell here could complete, and that the prompt asks the
/// server for.
pub(crate) const REMOTE: ValueHint = ValueHint::Other;

/// Whether an argument takes folders only. What it is called where help shows it says so.
pub(crate) fn is_folder(arg: &Arg) -> bool {
    arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FOLDER"))
}

/// What is marked as a command by a `/` in front: in the room it must be, and at the prompt it may.
pub(crate) fn marked(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('/')
}

/// What `help` shows at the prompt.
const LINE_HELP: &str = "\
{subcommands}
`help COMMAND` says more, Tab completes. `!LINE`: your own shell. Ctrl-D leaves.";

/// A line at the prompt: a command without the program's name in front.
///
/// Its help is the list of commands alone: nothing of it may scroll off a terminal of 24 lines.
#[derive(Debug, Parser)]
#[command(multicall = true, help_template = LINE_HELP)]
#[command(override_usage = "COMMAND [ARGUMENTS]")]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Line {
    /// The table of commands, as the prompt lists them.
    pub(crate) fn table() -> clap::Command {
        // These have no line in the list, or it would scroll off. `help chat` names those of the
        // room, `help who` the last.
        let has_no_line = |name: &str| ["say", "notices", "admin", "watch"].contains(&name);
        Self::command().mut_subcommands(|command| {
            let hidden = has_no_line(command.get_name());
            command.hide(hidden)
        })
    }

    /// Reads the words of a line. No shell has seen them, so `~` is still to be understood.
    pub(crate) fn read(words: Vec<String>) -> Result<Self, clap::Error> {
        let mut given = Self::table().try_get_matches_from(words)?;
        let mut line = Self::from_arg_matches_mut(&mut given)?;
        for path in line.command.local_paths() {
            if let Some(meant) = tilde::expand(path) {
                *path = meant;
            }
        }
        Ok(line)
    }
}

/// What `ferry` does besides what a line at the prompt can say.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Task {
    #[command(flatten)]
    Command(Command),
    #[command(flatten)]
    Reference(Reference),
}

/// What can be asked of `ferry`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Show what a folder holds.
    ///
    /// Folders come first.
    #[command(visible_aliases = ["ls", "dir"])]
    #[command(after_help = "Examples:\n  list\n  list -l /library/monday\n  list -r notes")]
    List(List),

    /// Fetch files, and with -r folders.
    ///
    /// A file gets its name only when it is complete and its checksum is verified. If the
    /// connection is lost, or Ctrl-C stops it, the same command goes on from there, unless the
    /// file has changed on the server since.
    #[command(visible_alias = "download")]
    #[command(after_help = "Examples:\n  get notes.pdf\n  get monday/a.txt monday/b.txt --to \
                            copies\n  get '*.pdf'\n  get -r monday\n  get notes.pdf --as \
                            old.pdf")]
    Get(Get),

    /// Send files, and with -r folders.
    ///
    /// Done means: on the server's disk, whole, under that name. If the connection is lost, or Ctrl-C stops it, the same command goes on from there within a
    /// day, unless the file has changed here since.
    #[command(visible_alias = "upload")]
    #[command(after_help = "Examples:\n  put report.pdf\n  put a.jpg b.jpg --to photos\n  \
                            put -r photos\n  put a.txt --as b.txt\n  put a.txt --wait 0")]
    Put(Put),

    /// Show size and time of files and folders, and how full a home is.
    #[command(after_help = "Examples:\n  stat notes.pdf\n  stat /home")]
    Stat {
        /// Files or folders.
        #[arg(required = true, value_name = "PATH", value_hint = REMOTE)]
        paths: Vec<String>,
    },

    /// Show checksums (CRC-32), computed from the server's disk now.
    #[command(after_help = "Examples:\n  sum notes.pdf\n  sum /library/a.txt /library/b.txt")]
    Sum {
        /// Files.
        #[arg(required = true, value_name = "PATH", value_hint = REMOTE)]
        paths: Vec<String>,
    },

    /// Make folders; the folder around each must exist.
    #[command(after_help = "Examples:\n  mkdir monday monday/slides\n  mkdir \"two words\"")]
    Mkdir {
        /// The new folders.
        #[arg(required = true, value_name = "PATH", value_hint = REMOTE)]
        paths: Vec<String>,
    },

    /// Remove files, empty folders, and with -r all that is in them.
    #[command(after_help = "Examples:\n  rm monday/old.txt\n  rm -r monday")]
    Rm {
        /// Remove what is in a folder too. It is not asked whether that is meant.
        #[arg(long, short)]
        recursive: bool,
        /// What to remove.
        #[arg(required = true, value_name = "PATH", value_hint = REMOTE)]
        paths: Vec<String>,
    },

    /// Give a file or folder another name. Never replaces.
    #[command(after_help = "Examples:\n  mv draft.txt monday/final.txt\n  mv final.txt kept/")]
    Mv {
        /// What exists.
        #[arg(value_hint = REMOTE)]
        from: String,
        /// Its new path; with a / at the end, the folder it goes into.
        #[arg(value_hint = REMOTE)]
        to: String,
    },

    /// Go to a folder on the server; without one, back to the first.
    #[command(after_help = "Examples:\n  cd /library/monday\n  cd ..\n  cd")]
    Cd {
        /// The folder.
        #[arg(value_hint = REMOTE)]
        folder: Option<String>,
    },

    /// Show the current folder on the server.
    #[command(after_help = "Example:\n  pwd")]
    Pwd,

    /// Go to a folder here, on this side; without one, home.
    #[command(after_help = "Examples:\n  lcd Downloads\n  lcd ..")]
    Lcd {
        /// The local folder.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },

    /// Show the current folder here.
    #[command(after_help = "Example:\n  lpwd")]
    Lpwd,

    /// Show what a folder here holds: files to send, and folders.
    #[command(after_help = "Examples:\n  lls\n  lls Downloads")]
    Lls {
        /// The local folder; the current one if none is named.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },

    /// Open an account, with a home of its own, and go on as its user.
    #[command(
        after_help = "Examples:\n  register xiaoyu\n  register li.si\n\nThe password is asked for, unseen."
    )]
    Register {
        /// The new user's name: a-z 0-9 . _ -
        #[arg(value_parser = UserName::parse)]
        name: UserName,
    },

    /// Go on as a user who has an account.
    #[command(
        after_help = "Examples:\n  login xiaoyu\n  login li.si\n\nThe password is asked for, unseen."
    )]
    Login {
        /// The user's name.
        #[arg(value_parser = UserName::parse)]
        name: UserName,
    },

    /// Change one's own password.
    #[command(
        after_help = "Examples:\n  passwd\n  passwd --new-password-file secret\n\nBoth passwords are asked for, unseen. For a \
                            script the new one may come from FERRY_NEW_PASSWORD."
    )]
    Passwd {
        /// Take the new password from the first line of a file.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        new_password_file: Option<PathBuf>,
    },

    /// Show who one is, what one may be, and how full one's home is.
    ///
    /// What the server does for whom is shown by `watch`.
    #[command(after_help = "Example:\n  who")]
    Who,

    /// Show what every thread, queue and lock of the server is doing.
    ///
    /// On a terminal a live screen, until Ctrl-C; elsewhere one screen of text, or with --every one
    /// after the other. It is shown on the server's own machine, and elsewhere to administrators.
    #[command(after_help = "Examples:\n  watch\n  watch --once\n  watch --every 1")]
    Watch(Watch),

    /// Talk with those who are in the room; `chat off` leaves it.
    ///
    /// What is typed is said to all, `@NAME text` to one of them, and `/COMMAND` is a command, as in
    /// `/get n1` and `/chat off`. A `/` alone, or Ctrl-D, goes back to the prompt, and one stays in
    /// the room. There `say` says one thing, `vote` votes, `notices on` tells of every file that
    /// comes into the library, and `admin` is the server's own console, for administrators.
    #[command(after_help = "Examples:\n  chat\n  chat 张三\n  chat off\n  chat --freeze 李四")]
    Chat {
        /// What a guest wants to be called, or `off`. A user has a name.
        #[arg(value_parser = RoomName::parse)]
        name: Option<RoomName>,
        /// Be there and read nothing until Ctrl-C: `watch` shows what becomes of that.
        #[arg(long)]
        freeze: bool,
    },

    /// Say one thing in the room, from wherever one is.
    ///
    /// Who is not in the room comes in for it, and leaves again.
    #[command(after_help = "Examples:\n  say I am back\n  say @li.si are you there\n  say \
                            \"it's late\" --as 张三")]
    Say {
        /// What; with `@NAME` in front, to this one alone.
        #[arg(required = true, value_parser = Saying::parse)]
        text: Vec<Saying>,
        /// What a guest wants to be called.
        #[arg(long = "as", value_name = "NAME", value_parser = RoomName::parse)]
        name: Option<RoomName>,
    },

    /// Vote, or show how the vote stands. The last choice counts.
    #[command(after_help = "Examples:\n  vote\n  vote yes")]
    Vote {
        /// One of the words to choose from.
        #[arg(value_parser = Saying::parse)]
        choice: Option<Saying>,
    },

    /// Tell of files that come into the library, or do not.
    ///
    /// `get n1` fetches the first one told of. In the room they are told of anyway.
    #[command(after_help = "Examples:\n  notices on\n  notices off\n  notices")]
    Notices {
        /// Without it, show which it is.
        #[arg(value_enum)]
        state: Option<OnOff>,
    },

    /// Do a line at the server's own console; for administrators.
    #[command(
        after_help = "Examples:\n  admin help\n  admin who\n  admin say \"five minutes left\""
    )]
    Admin {
        /// The line.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        #[arg(value_parser = Saying::parse)]
        line: Vec<Saying>,
    },

    /// Leave the prompt, or end a script.
    #[command(visible_aliases = ["exit", "bye"])]
    Quit,
}

impl Command {
    /// The paths here that it is about.
    fn local_paths(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Get(get) => get.to.iter_mut().collect(),
            Self::Put(put) => put.files.iter_mut().collect(),
            Self::Lcd { dir } | Self::Lls { dir } => dir.iter_mut().collect(),
            Self::Passwd { new_password_file } => new_password_file.iter_mut().collect(),
            _ => Vec::new(),
        }
    }

    /// The command's first name, for results.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Get(_) => "get",
            Self::Put(_) => "put",
            Self::Stat { .. } => "stat",
            Self::Sum { .. } => "sum",
            Self::Mkdir { .. } => "mkdir",
            Self::Rm { .. } => "rm",
            Self::Mv { .. } => "mv",
            Self::Cd { .. } => "cd",
            Self::Pwd => "pwd",
            Self::Lcd { .. } => "lcd",
            Self::Lpwd => "lpwd",
            Self::Lls { .. } => "lls",
            Self::Register { .. } => "register",
            Self::Login { .. } => "login",
            Self::Passwd { .. } => "passwd",
            Self::Who => "who",
            Self::Watch(_) => "watch",
            Self::Chat { .. } => "chat",
            Self::Say { .. } => "say",
            Self::Vote { .. } => "vote",
            Self::Notices { .. } => "notices",
            Self::Admin { .. } => "admin",
            Self::Quit => "quit",
        }
    }
}
