//! What the program itself takes on its command line, and what the longer commands take.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum, ValueHint,
};
use common::limits::WAIT_SECONDS_MAX;
use common::path::Name;
use common::user::UserName;
use common::watch::{BadEvery, Every};

use super::{REMOTE, Task};
use crate::address::Address;
use crate::config;
use crate::error::Misuse;
use crate::pace::Rate;
use crate::words::Lang;

/// What the short help ends with: all that somebody needs who is here for the first time.
const FIRST_STEPS: &str = "\
First steps, with `ferryd` running on this machine (else add --server HOST):
  ferry put notes.txt   send a file
  ferry list            see what is there
  ferry get notes.txt   fetch it
  ferry                 a prompt for all of this; Tab completes, `help` helps

`ferry COMMAND --help` says more of a command, `ferry help` all there is to say.";

/// What the long help ends with.
const AFTER_HELP: &str = include_str!("../help.txt");

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "ferry", version, about = "Carry files to and from a ferryd")]
#[command(override_usage = "ferry [@NAME] [OPTIONS] [COMMAND]")]
#[command(after_help = FIRST_STEPS)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Invocation {
    /// The server; a bare HOST means port 9021.
    #[arg(long, env = "FERRY_SERVER", value_name = "HOST:PORT", default_value = "127.0.0.1:9021")]
    pub(crate) server: Address,

    /// Log in as this user first; a guest if none is named.
    #[arg(long, global = true, env = "FERRY_USER", value_name = "NAME")]
    #[arg(value_parser = UserName::parse)]
    pub(crate) user: Option<UserName>,

    /// Take the password from the first line of a file, which should be yours alone (chmod 600);
    /// else it comes from `FERRY_PASSWORD`, or is asked for, unseen.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: Output,

    /// Move the bytes of files so slowly, either way, as in 64K (times 1024 bytes a second).
    #[arg(long, global = true, value_name = "SIZE")]
    pub(crate) rate: Option<Rate>,

    /// Do these commands, with `;` between them, up to the first that fails.
    #[arg(short = 'c', value_name = "COMMANDS", allow_hyphen_values = true)]
    pub(crate) script: Option<String>,

    /// Show a numbered menu instead of a prompt.
    #[arg(long, conflicts_with_all = ["json", "quiet", "script"])]
    pub(crate) menu: bool,

    /// The language of all that is said by the way or is wrong, and of the menu. If not given, as
    /// `LC_ALL`, `LC_MESSAGES` or `LANG` say, or English where no terminal shows it.
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Lang>,

    /// The `NAME` of an `@NAME`, and what was typed besides.
    #[arg(skip)]
    named: Option<(String, Typed)>,

    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

impl Invocation {
    /// Reads a command line, the program's own name first.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut words: Vec<OsString> = args.into_iter().collect();
        let name = Self::take_name(&mut words);
        let given = Self::command().try_get_matches_from(words)?;
        let mut invocation = Self::from_arg_matches(&given)?.checked()?;
        invocation.named = name.map(|name| (name, Typed::of(&given)));
        Ok(invocation)
    }

    /// Takes the `NAME` of an `@NAME` out of the words. It stands where a command would, and only
    /// the parser knows where that is: it takes it for one that does not exist.
    pub(super) fn take_name(words: &mut Vec<OsString>) -> Option<String> {
        let error = Self::command().try_get_matches_from(&*words).err()?;
        let ContextValue::String(word) = error.get(ContextKind::InvalidSubcommand)? else {
            return None;
        };
        let name = word.strip_prefix('@')?.to_owned();
        words.remove(words.iter().position(|other| other == word.as_str())?);
        Some(name)
    }

    /// What two things together may not say.
    fn checked(self) -> Result<Self, clap::Error> {
        let message = match &self {
            Self { task: None, .. } => return Ok(self),
            Self { menu: true, .. } => "--menu asks what to do; give it no command",
            Self { script: Some(_), .. } => "-c names all commands; give no other beside it",
            _ => return Ok(self),
        };
        Err(Self::command().error(ErrorKind::ArgumentConflict, message))
    }

    /// Finds out what is known of the server that an `@NAME` in front of the command names. What
    /// was typed wins over that, and that over the environment.
    pub(crate) fn look_up(&mut self) -> Result<(), Misuse> {
        let Some((name, typed)) = self.named.take() else { return Ok(()) };
        let known = config::server(&name)?;
        if !typed.server {
            self.server = known.server;
        }
        if !typed.user && known.user.is_some() {
            self.user.clone_from(&known.user);
        }
        // The password of one user opens no door to another, and is not tried there.
        if !typed.password_file && self.user == known.user {
            self.password_file = known.password_file;
        }
        Ok(())
    }

    /// The language to speak. Who reads from a terminal, or answers a menu, reads the language of
    /// their other programs; a program that reads along gets the same words on every machine.
    pub(crate) fn lang(&self) -> Lang {
        match self.lang {
            Some(chosen) => chosen,
            None if self.menu || io::stderr().is_terminal() => {
                Lang::of_locale(|name| env::var(name).ok())
            }
            None => Lang::En,
        }
    }
}

/// Which of the options that an `@NAME` stands for were typed themselves.
#[derive(Debug, Clone, Copy)]
struct Typed {
    server: bool,
    user: bool,
    password_file: bool,
}

impl Typed {
    fn of(given: &ArgMatches) -> Self {
        let [server, user, password_file] = ["server", "user", "password_file"]
            .map(|id| given.value_source(id) == Some(ValueSource::CommandLine));
        Self { server, user, password_file }
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

    /// Show every line that goes over the wire, on stderr: `->` out, `<-` in.
    #[arg(long, global = true)]
    pub(crate) wire: bool,
}

/// What `list` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct List {
    /// The folder; the current one if none is named.
    #[arg(value_name = "FOLDER", value_hint = REMOTE)]
    pub(crate) path: Option<String>,

    /// Show sizes to the byte and times to the second.
    #[arg(long, short)]
    pub(crate) long: bool,

    /// Show the folders within it too, and those within them.
    #[arg(long, short)]
    pub(crate) recursive: bool,
}

/// What `get` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Get {
    /// Files on the server: names, patterns as in '*.pdf', and at the prompt numbers of the last
    /// list.
    #[arg(required = true, value_name = "PATH", value_hint = REMOTE)]
    pub(crate) paths: Vec<String>,

    /// Fetch folders, with all that is in them. What is here already, byte for byte, is left as it
    /// is.
    #[arg(long, short)]
    pub(crate) recursive: bool,

    /// The local folder to put them in, which must exist; the current one if not given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,

    /// Another name for it here, if it is only one.
    #[arg(long = "as", value_name = "NAME", value_parser = Name::parse)]
    pub(crate) name: Option<Name>,

    /// Replace local files.
    #[arg(long)]
    pub(crate) force: bool,

    /// Fetch all of each file, even if a part of it is here from an earlier attempt.
    #[arg(long)]
    pub(crate) no_resume: bool,
}

/// What `watch` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Watch {
    /// Show one screen, as text.
    #[arg(long)]
    pub(crate) once: bool,

    /// How long from one screen to the next: 0.1 to 60 seconds; 0.25 on a terminal if not given.
    #[arg(long, value_name = "SECONDS", value_parser = every, conflicts_with = "once")]
    pub(crate) every: Option<Every>,
}

fn every(text: &str) -> Result<Every, String> {
    let seconds: f64 = text.parse().map_err(|_| BadEvery.to_string())?;
    Every::try_from(seconds).map_err(|error| error.to_string())
}

/// What `put` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Put {
    /// Local files: names, patterns as in '*.jpg', and at the prompt numbers of the last lls.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Send folders, with all that is in them. What is there already, byte for byte, is left as it
    /// is.
    #[arg(long, short)]
    pub(crate) recursive: bool,

    /// The folder on the server to put them in, which must exist; the current one if not given.
    #[arg(long, value_name = "FOLDER", value_hint = REMOTE)]
    pub(crate) to: Option<String>,

    /// Another name for it there, if it is only one.
    #[arg(long = "as", value_name = "NAME", value_parser = Name::parse)]
    pub(crate) name: Option<Name>,

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

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnOff {
    /// Yes
    On,
    /// No
    Off,
}
