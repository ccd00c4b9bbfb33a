//! The one table of commands. The command line, the prompt, scripts and the help of all three are
//! derived from it, so none can know a command that another does not.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use common::limits::WAIT_SECONDS_MAX;

use crate::address::Address;

/// What every help page of the program ends with.
const AFTER_HELP: &str = include_str!("help.txt");

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "ferry", version, about = "Carry files to and from a ferryd")]
#[command(after_help = "`ferry help` also lists exit statuses and examples.")]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Invocation {
    /// The server; a bare HOST means port 9021.
    #[arg(long, env = "FERRY_SERVER", value_name = "HOST:PORT", default_value = "127.0.0.1:9021")]
    pub(crate) server: Address,

    #[command(flatten)]
    pub(crate) output: Output,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// A line at the prompt: a command without the program's name in front.
#[derive(Debug, Parser)]
#[command(multicall = true, about = "What can be said here, or in a script, one command a line")]
#[command(override_usage = "COMMAND [ARGUMENTS]")]
#[command(after_help = "`help COMMAND` says more. Ctrl-C stops a transfer, Ctrl-D leaves.")]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How results are shown.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Output {
    /// Say only what was asked for and what went wrong.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Print results as JSON, an object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What can be asked of `ferry`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Show what a folder holds, folders first.
    #[command(visible_aliases = ["ls", "dir"])]
    #[command(after_help = "Examples:\n  list\n  list /library/monday")]
    List {
        /// The folder; /library if none is named.
        path: Option<String>,
    },

    /// Fetch files.
    ///
    /// A file gets its name only when it is complete and its checksum is verified.
    #[command(
        after_help = "Examples:\n  get notes.pdf\n  get monday/a.txt monday/b.txt --to copies"
    )]
    Get(Get),

    /// Send files. Done means: on the server's disk, whole, under that name.
    #[command(
        after_help = "Examples:\n  put report.pdf\n  put *.jpg --to photos\n  put a.txt --wait 0"
    )]
    Put(Put),

    /// Show size and time of files and folders.
    #[command(after_help = "Examples:\n  stat notes.pdf\n  stat /library/monday")]
    Stat {
        /// Files or folders.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },

    /// Show the checksum (CRC-32) of files, as computed from the server's disk now.
    #[command(after_help = "Example:\n  sum notes.pdf")]
    Sum {
        /// Files.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },

    /// Make folders; the folder around each must exist.
    #[command(after_help = "Example:\n  mkdir monday monday/slides")]
    Mkdir {
        /// The new folders.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },

    /// Remove files or empty folders.
    #[command(after_help = "Example:\n  rm monday/old.txt")]
    Rm {
        /// What to remove.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },

    /// Give a file or folder another name. Never replaces.
    #[command(after_help = "Example:\n  mv draft.txt monday/final.txt")]
    Mv {
        /// What exists.
        from: String,
        /// Its new path, name included.
        to: String,
    },

    /// Leave the prompt, or end a script.
    #[command(visible_aliases = ["exit", "bye"])]
    Quit,
}

/// What `get` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Get {
    /// Files on the server.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,

    /// The local folder to put them in, which must exist; the current one if not given.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,

    /// Replace local files.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What `put` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Put {
    /// Local files.
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// The folder on the server to put them in, which must exist; /library if not given.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: Option<String>,

    /// Replace files on the server; it needs the right to remove them.
    #[arg(long)]
    pub(crate) force: bool,

    /// How long to wait while somebody else writes a name; the server's choice if not given.
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=WAIT_SECONDS_MAX))]
    pub(crate) wait: Option<u64>,
}

impl Command {
    /// The command's first name, for results.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Get(_) => "get",
            Self::Put(_) => "put",
            Self::Stat { .. } => "stat",
            Self::Sum { .. } => "sum",
            Self::Mkdir { .. } => "mkdir",
            Self::Rm { .. } => "rm",
            Self::Mv { .. } => "mv",
            Self::Quit => "quit",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn both(words: &[&str]) -> (Option<Command>, Option<Command>) {
        let typed = Line::try_parse_from(words).ok().map(|line| line.command);
        let shell = ["ferry"].iter().chain(words);
        let given = Invocation::try_parse_from(shell).ok().and_then(|given| given.command);
        (typed, given)
    }

    #[test]
    fn the_table_is_sound() {
        Invocation::command().debug_assert();
        Line::command().debug_assert();
    }

    #[test]
    fn a_line_means_the_same_at_the_prompt_and_in_the_shell() {
        for line in [
            "list",
            "ls /a",
            "dir",
            "get a b --to c --force",
            "put a --to b --wait 3",
            "stat a b",
            "sum a",
            "mkdir a",
            "rm a",
            "mv a b",
            "quit",
            "bye",
            "exit",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let (typed, given) = both(&words);
            assert!(typed.is_some(), "{line}");
            assert_eq!(typed, given, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_both() {
        for line in
            ["", "nonsense", "get", "mv a", "put a --wait 3601", "put a --wait -1", "ls a b"]
        {
            let words: Vec<&str> = line.split_terminator(' ').collect();
            assert_eq!(both(&words), (None, None), "{line}");
        }
    }

    #[test]
    fn every_command_has_its_verb_and_an_example() {
        for command in Line::command().get_subcommands() {
            let name = command.get_name();
            let (typed, _) = both(&[name, "a", "b"]);
            let typed = typed.or(both(&[name, "a"]).0).or(both(&[name]).0);
            assert_eq!(typed.map(|command| command.verb()), Some(name));
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(name == "quit" || example.contains(&format!("\n  {name}")), "{name}");
        }
    }
}
