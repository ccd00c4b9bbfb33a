//! The one table of commands. The command line, the prompt, scripts and the help of all three are
//! derived from it, so none can know a command that another does not.

mod args;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Arg, Parser, Subcommand, ValueHint};
use common::reference::Reference;
use common::user::UserName;

use crate::tilde;

pub(crate) use self::args::{Get, Invocation, List, Output, Put, Watch};

/// Marks a path on the server: one that no shell here could complete, and that the prompt asks the
/// server for.
pub(crate) const REMOTE: ValueHint = ValueHint::Other;

/// Whether an argument takes folders only. What it is called where help shows it says so.
pub(crate) fn is_folder(arg: &Arg) -> bool {
    arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FOLDER"))
}

/// A line at the prompt: a command without the program's name in front.
///
/// Its help is the list of commands alone: nothing of it may scroll off a terminal of 24 lines.
#[derive(Debug, Parser)]
#[command(multicall = true, help_template = "{subcommands}{after-help}")]
#[command(override_usage = "COMMAND [ARGUMENTS]")]
#[command(after_help = "`help COMMAND` says more, Tab completes. `!COMMAND` is for your own \
                        shell. Ctrl-C stops a transfer, Ctrl-D leaves.")]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Line {
    /// Reads the words of a line. No shell has seen them, so `~` is still to be understood.
    pub(crate) fn read(words: Vec<String>) -> Result<Self, clap::Error> {
        let mut line = Self::try_parse_from(words)?;
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
    #[command(after_help = "Example:\n  who")]
    Who,

    /// Show what every thread, queue and lock of the server is doing.
    ///
    /// On a terminal a live screen, until Ctrl-C; elsewhere one screen of text, or with --every one
    /// after the other. It is shown on the server's own machine, and elsewhere to administrators.
    #[command(after_help = "Examples:\n  watch\n  watch --once\n  watch --every 1")]
    Watch(Watch),

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
            Self::Quit => "quit",
        }
    }
}
