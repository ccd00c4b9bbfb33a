//! What the program itself takes on its command line, and what the longer commands take.

use std::env;
use std::path::PathBuf;

use clap::{Args, Parser, ValueHint};
use common::limits::WAIT_SECONDS_MAX;
use common::user::UserName;

use super::{Command, REMOTE};
use crate::address::Address;
use crate::words::Lang;

/// What every help page of the program ends with.
const AFTER_HELP: &str = include_str!("../help.txt");

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "ferry", version, about = "Carry files to and from a ferryd")]
#[command(after_help = "`ferry help` also lists exit statuses and examples.")]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Invocation {
    /// The server; a bare HOST means port 9021.
    #[arg(long, env = "FERRY_SERVER", value_name = "HOST:PORT", default_value = "127.0.0.1:9021")]
    pub(crate) server: Address,

    /// Log in as this user first; a guest if none is named.
    #[arg(long, global = true, env = "FERRY_USER", value_name = "NAME")]
    #[arg(value_parser = UserName::parse)]
    pub(crate) user: Option<UserName>,

    /// Take the password from the first line of a file; else it comes from `FERRY_PASSWORD`, or is
    /// asked for, unseen.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,

    /// Show a numbered menu instead of a prompt.
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    pub(crate) menu: bool,

    /// The language of the menu; as `LC_ALL`, `LC_MESSAGES` or `LANG` say if not given.
    #[arg(long, requires = "menu", value_enum)]
    pub(crate) lang: Option<Lang>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Invocation {
    /// The language to speak: the menu's users may choose, who types commands types English.
    pub(crate) fn lang(&self) -> Lang {
        match self.lang {
            Some(chosen) => chosen,
            None if self.menu => Lang::of_locale(|name| env::var(name).ok()),
            None => Lang::En,
        }
    }
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

/// What `list` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct List {
    /// The folder; the current one if none is named.
    #[arg(value_name = "FOLDER", value_hint = REMOTE)]
    pub(crate) path: Option<String>,

    /// Show the folders within it too, and those within them.
    #[arg(long, short)]
    pub(crate) recursive: bool,
}

/// What `get` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Get {
    /// Files on the server.
    #[arg(required = true, value_name = "PATH", value_hint = REMOTE)]
    pub(crate) paths: Vec<String>,

    /// The local folder to put them in, which must exist; the current one if not given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,

    /// Replace local files.
    #[arg(long)]
    pub(crate) force: bool,

    /// Fetch all of each file, even if a part of it is here from an earlier attempt.
    #[arg(long)]
    pub(crate) no_resume: bool,
}

/// What `put` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Put {
    /// Local files.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// The folder on the server to put them in, which must exist; the current one if not given.
    #[arg(long, value_name = "FOLDER", value_hint = REMOTE)]
    pub(crate) to: Option<String>,

    /// Replace files on the server; it needs the right to remove them.
    #[arg(long)]
    pub(crate) force: bool,

    /// How long to wait while somebody else writes a name; the server's choice if not given.
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=WAIT_SECONDS_MAX))]
    pub(crate) wait: Option<u64>,

    /// Send all of each file, even if the server has a part of it from an earlier attempt.
    #[arg(long)]
    pub(crate) no_resume: bool,
}
