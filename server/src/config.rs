//! What the command line and the settings file may say, checked before anything starts.
//!
//! A settings file (`--config FILE`) is the same options in another spelling: each `key = value` of
//! it becomes `--key value` in front of what was typed, and the one parser reads it all. So a file
//! can say nothing the command line cannot, and what was typed wins.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory as _, Parser, Subcommand, ValueEnum};
use common::limits::{DEFAULT_PORT, PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, WAIT_SECONDS_MAX};
use common::reference::Reference;

use crate::class::ClassOptions;
use crate::patience::Deadlines;
use crate::rights::{Guests, LibraryWriters, Policy};
use crate::roster::Capacity;
use crate::service::Registration;
use crate::store::Durability;
use crate::writer::Flow;

/// How sessions are run. `models` has a file for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    /// A thread for each client: nobody waits for a stranger
    Thread,
    /// One client at a time: the others wait at the door, and see nothing
    Iterative,
    /// A process for each client: they share the folder, and no memory
    Process,
    /// One thread for all clients: it waits for none of them, and all wait for its disk
    Select,
}

impl fmt::Display for Model {
    /// Its name, as on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(self))
    }
}

/// What the server shows on stderr while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// A line for each deed
    Lines,
    /// A column for each thread, and in it what happens there, step by step
    Columns,
}

/// Serve files to many people at once. OK means on disk, whole, under that name.
#[derive(Debug, Clone, Parser)]
#[command(name = "ferryd", version, after_help = EXAMPLES, args_override_self = true)]
pub struct Config {
    /// Read further options from a TOML file, under their own names
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where everything of this server is kept; made if missing
    #[arg(long, value_name = "DIR", default_value = "ferry-data", global = true)]
    pub data: PathBuf,

    /// Share this folder instead of DATA/library
    #[arg(long, value_name = "DIR")]
    pub library: Option<PathBuf>,

    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = default_address(), value_parser = address)]
    pub listen: SocketAddr,

    /// What may be done in the library without logging in
    #[arg(long, value_enum, default_value_t = Guests::Write)]
    pub guests: Guests,

    /// Who may put files into the library
    #[arg(long, value_enum, default_value_t = LibraryWriters::All)]
    pub library_writers: LibraryWriters,

    /// Who may open an account: whoever connects, or nobody but you, with `ferryd user add`
    #[arg(long, value_enum, default_value_t = Registration::Open)]
    pub registration: Registration,

    /// Space of each home, as in 500M or 2G; without limit if not given
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub quota: Option<u64>,

    /// Shortest password, in bytes, for new accounts
    #[arg(long, value_name = "N", default_value_t = PASSWORD_BYTES_MIN, global = true,
          value_parser = password_bytes)]
    pub password_min: usize,

    /// Seconds for which a right password is not hashed again when it comes again from the same
    /// address; 0 hashes it every time
    #[arg(long, value_name = "S", default_value = "600", value_parser = seconds::<0>)]
    pub password_cache: Duration,

    /// How many clients may be connected at once
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_clients: u32,

    /// How many of them from one address (in IPv6 one /64); if not given, half of them from another
    /// machine, and any number from this one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_per_address: Option<u32>,

    /// Seconds a client may stay silent between two requests
    #[arg(long, value_name = "S", default_value = "300", value_parser = seconds::<1>)]
    pub idle_timeout: Duration,

    /// Seconds a file may stand still, coming or going; other deadlines are in proportion. Hidden:
    /// what suits people is not a matter of taste, but tests cannot wait for it
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds::<1>, hide = true)]
    pub stall_timeout: Duration,

    /// Seconds an upload waits, at most, while somebody else writes the same name
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds::<0>)]
    pub claim_wait: Duration,

    /// Seconds that transfers under way may take to finish when the server is stopped
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds::<0>)]
    pub grace: Duration,

    /// Whether OK waits for the disk (full) or only for the operating system (none)
    #[arg(long, value_enum, default_value_t = Durability::Full)]
    pub durability: Durability,

    /// Share DATA with other servers, all of which say so
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
          action = ArgAction::Set, default_value_t = false, default_missing_value = "true",
          hide_default_value = true, hide_possible_values = true)]
    pub shared_data: bool,

    /// How sessions are run
    #[arg(long, value_enum, default_value_t = Model::Thread)]
    pub model: Model,

    /// What is shown on stderr; logs/server.log has its lines either way
    #[arg(long, value_enum, default_value_t = Log::Lines)]
    pub log: Log,

    /// Record what every thread does, and write it at the end: a trace in FILE, which ends in .json,
    /// and a picture beside it, which ends in .svg
    #[arg(long, value_name = "FILE", value_parser = trace)]
    pub trace: Option<PathBuf>,

    /// What a class may do with it.
    #[command(flatten)]
    pub class: ClassOptions,

    /// The number of the one session to hold, with the client that is standard input. Hidden: the
    /// model `process` says so to itself
    #[arg(long, value_name = "N", hide = true)]
    pub session: Option<u64>,

    /// Something else than serving
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// What `ferryd` does besides serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Look after accounts; also while a server runs on the same data folder
    #[command(subcommand)]
    User(UserTask),
    /// What shells and `man` can be told of it.
    #[command(flatten)]
    Reference(Reference),
}

/// What can be done to accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum UserTask {
    /// Open an account. The password is asked for, or read from the first line of stdin
    Add {
        /// The user's name
        name: String,
        /// Make them an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Give an account another password, asked for in the same way
    Passwd {
        /// The user's name
        name: String,
    },
    /// Show all accounts
    List,
    /// Close an account; the home is kept under a hidden name
    Remove {
        /// The user's name
        name: String,
    },
}

const EXAMPLES: &str = "\
Examples:
  ferryd                                 share ./ferry-data/library with this machine
  ferryd --listen 0.0.0.0:9021           share it with the local network
  ferryd --library ~/Public              share a folder that is already there
  ferryd --library-writers admins        students can download, only teachers upload
  ferryd --guests none --quota 500M      everybody logs in, and has 500 MB
  ferryd user add zhang --admin          make zhang an administrator
  ferryd --data /srv/f --shared-data     one of several servers on /srv/f
  ferryd --model iterative               how it was before there were threads
  ferryd --class --sleep-at put.checked=3s   a class sees what happens between two steps
  ferryd --trace monday.json             what every thread did, also as a picture

A settings file has the same options:  listen = \"0.0.0.0:9021\"
                                       quota = \"500M\"

On a terminal it has a console: `help` there says what can be typed. In the background, as a
service or in a pipe it has none.

Exit status: 0 stopped as asked, 1 failed, 2 wrong usage. Ctrl-C stops; twice stops at once.";

impl Config {
    /// Reads the command line, and the settings file it may name.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let typed: Vec<OsString> = args.into_iter().collect();
        let config = Self::try_parse_from(&typed)?;
        let Some(file) = &config.config else { return config.checked() };
        let settings = settings(file).map_err(|message| wrong(file, &message))?;
        let (program, rest) = typed.split_at(1.min(typed.len()));
        Self::try_parse_from(program.iter().chain(&settings).chain(rest))
            .and_then(Self::checked)
            .map_err(|error| wrong(file, error.to_string().trim_start_matches("error: ")))
    }

    /// What two options together may not say.
    fn checked(self) -> Result<Self, clap::Error> {
        let conflict = |message| Self::command().error(ErrorKind::ArgumentConflict, message);
        self.class.check(self.listen.ip()).map_err(conflict)?;
        if self.model == Model::Process && (self.trace.is_some() || self.log == Log::Columns) {
            let message = "--trace and --log columns cannot be had together with --model process: \
                           processes share no memory, and none knows what the others do";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        if self.quota.is_none() || !self.shares_data() {
            return Ok(self);
        }
        let (with, each) = match self.model {
            Model::Process => ("--model process", "process"),
            _ => ("--shared-data", "server"),
        };
        let message = format!(
            "--quota cannot be kept together with {with}: each {each} counts only what it writes \
             itself, and so a home could be overfilled"
        );
        Err(conflict(message))
    }

    /// Whether other processes work on the same folder: other servers, or others of this one.
    pub fn shares_data(&self) -> bool {
        self.shared_data || self.model == Model::Process
    }

    /// The settings that the table of rights depends on.
    pub fn policy(&self) -> Policy {
        Policy { guests: self.guests, library_writers: self.library_writers }
    }

    /// How many may be connected at once.
    pub fn capacity(&self) -> Capacity {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Capacity { places: count(self.max_clients), per_address: self.max_per_address.map(count) }
    }

    /// How long clients may take for what they do.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines {
            idle: self.idle_timeout,
            stall: self.stall_timeout,
            one_at_a_time: self.model == Model::Iterative,
        }
    }

    /// How uploads go to the writer.
    pub fn flow(&self) -> Flow {
        let flow = if self.class.class { Flow::IN_CLASS } else { Flow::default() };
        let data_places = self.class.data_queue.map_or(flow.data_places, usize::from);
        Flow { data_places, ..flow }
    }

    /// Whether others than this machine can connect and then write without a name.
    pub fn is_exposed(&self) -> bool {
        !self.listen.ip().is_loopback()
            && self.guests == Guests::Write
            && self.library_writers == LibraryWriters::All
    }
}

impl fmt::Display for Config {
    /// What is in force, in words, for the first lines of the journal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let library = self.library.clone().unwrap_or_else(|| self.data.join("library"));
        let quota = self.quota.map_or("no quota".to_owned(), |bytes| format!("{bytes} bytes each"));
        write!(
            f,
            "library {}; guests {}; library writers {}; registration {}; homes {quota}; at most {} \
             clients; durability {}; model {}{}{}",
            library.display(),
            word(&self.guests),
            word(&self.library_writers),
            word(&self.registration),
            self.max_clients,
            word(&self.durability),
            self.model,
            if self.shared_data { "; data shared with other servers" } else { "" },
            if self.class.class { "; class mode" } else { "" },
        )
    }
}

/// A value as it is spelt on the command line.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |word| word.get_name().to_owned())
}

fn wrong(file: &Path, message: &str) -> clap::Error {
    let message = format!("in the settings file {}: {message}", file.display());
    clap::Error::raw(ErrorKind::InvalidValue, message + "\n")
}

/// The options of a settings file, as words of a command line.
fn settings(file: &Path) -> Result<Vec<OsString>, String> {
    let text = fs::read_to_string(file).map_err(|e| e.to_string())?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let mut words = Vec::new();
    for (key, value) in table {
        if key == "config" {
            return Err("`config` names a settings file and cannot stand in one".into());
        }
        if key == "class" {
            return Err("`class` must be typed, as --class: it is not for real use".into());
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(either) => either.to_string(),
            other => {
                return Err(format!(
                    "`{key}` must be a text, a number, true or false, not a {}",
                    other.type_str()
                ));
            }
        };
        words.push(format!("--{key}={value}").into());
    }
    Ok(words)
}

fn default_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().map_err(|e| format!("{e}; write it as 127.0.0.1:9021"))?;
    found.into_iter().next().ok_or_else(|| "no such address; write it as 127.0.0.1:9021".into())
}

/// Seconds from `MIN` to an hour's worth: a deadline of nothing, or of for ever, is a mistake.
fn seconds<const MIN: u64>(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(s) if (MIN..=WAIT_SECONDS_MAX).contains(&s) => Ok(Duration::from_secs(s)),
        _ => Err(format!("give a whole number of seconds from {MIN} to {WAIT_SECONDS_MAX}")),
    }
}

/// The name of a trace. The picture beside it ends in something else.
fn trace(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|end| end == "json") {
        Ok(path)
    } else {
        Err("give it a name that ends in .json; the picture will end in .svg".into())
    }
}

fn password_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if (1..=PASSWORD_BYTES_MAX).contains(&bytes) => Ok(bytes),
        _ => Err(format!("give a number from 1 to {PASSWORD_BYTES_MAX}")),
    }
}

fn size(text: &str) -> Result<u64, String> {
    let bytes = common::size::parse(text).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "write it as 500M or 2G; 0 is no space".into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn config(args: &[&str]) -> Result<Config, clap::Error> {
        Config::read(["ferryd"].iter().chain(args).map(OsString::from))
    }

    fn with_settings(settings: &str, args: &[&str]) -> Result<Config, clap::Error> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        config(&[&["--config", path], args].concat())
    }

    #[test]
    fn the_defaults_are_those_of_the_manual() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9021");
        assert_eq!(config.data, PathBuf::from("ferry-data"));
        assert_eq!(config.durability, Durability::Full);
        assert_eq!((config.guests, config.password_min), (Guests::Write, 6));
        assert_eq!(config.password_cache, Duration::from_secs(600));
    }

    #[test]
    fn a_value_that_cannot_be_meant_is_wrong_usage() {
        for bad in [
            &["--idle-timeout", "0"][..],
            &["--idle-timeout", "-1"],
            &["--max-clients", "0"],
            &["--max-per-address", "0"],
            &["--stall-timeout", "0"],
            &["--listen", "nonsense"],
            &["--durability", "maybe"],
            &["--claim-wait", "1e9"],
            &["--quota", "0"],
            &["--quota", "much"],
            &["--quota", "99999999999G"],
            &["--guests", "some"],
            &["--password-min", "0"],
            &["--password-cache", "3601"],
            &["--log", "rows"],
            &["--trace", "monday.svg"],
            &["--trace", "monday.json", "--model", "process"],
            &["--log", "columns", "--model", "process"],
        ] {
            assert_eq!(config(bad).unwrap_err().exit_code(), 2, "{bad:?}");
        }
        assert_eq!(config(&["--no-such-option"]).unwrap_err().exit_code(), 2);
        assert_eq!(config(&["--shared-data=maybe"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn servers_and_processes_that_share_a_folder_keep_no_quota() {
        for (settings, words) in [
            ("shared-data = true\nquota = \"1G\"", &[][..]),
            ("", &["--shared-data", "--quota=1G"]),
        ] {
            let error = with_settings(settings, words).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("each server counts only"), "{error}");
        }
        let apart = with_settings("shared-data = true\nquota = \"1G\"", &["--shared-data=false"]);
        assert!(!apart.unwrap().shared_data);
        assert!(with_settings("shared-data = true", &[]).unwrap().shared_data);
        let error = with_settings("model = \"process\"", &["--quota=1G"]).unwrap_err();
        assert!(error.to_string().contains("each process counts only"), "{error}");
    }

    #[test]
    fn threads_can_be_told_to_sleep_at_several_places() {
        let words = ["--class", "--sleep-at", "put.checked=3s", "--sleep-at", "put.sealed=1s"];
        let places = config(&words).unwrap().class.sleep_at;
        let places: Vec<_> = places.iter().map(|at| at.place).collect();
        assert_eq!(places, ["put.checked", "put.sealed"]);
    }

    #[test]
    fn a_settings_file_says_what_the_command_line_can_and_the_command_line_wins() {
        let settings = "quota = \"1M\"\nmax-clients = 7\nguests = \"read\"\n";
        let config = with_settings(settings, &["--max-clients", "9"]).unwrap();
        assert_eq!((config.quota, config.max_clients), (Some(1 << 20), 9));
        assert_eq!(config.guests, Guests::Read);
    }

    #[test]
    fn a_settings_file_with_a_mistake_refuses_to_start_and_says_which() {
        for (settings, named) in [
            ("max-cleints = 7", "max-cleints"),
            ("max-clients = 0", "max-clients"),
            ("listen = \"no.such.host.invalid:1\"", "listen"),
            ("[deep]\nkey = 1", "deep"),
            ("class = true", "must be typed"),
            ("disk-rate = \"256K\"", "add --class"),
            ("not toml", "settings file"),
        ] {
            let error = with_settings(settings, &[]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{settings}");
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
