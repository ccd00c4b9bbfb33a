//! What the command line may say, checked before anything starts.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use common::limits::{DEFAULT_PORT, WAIT_SECONDS_MAX};

use crate::store::Durability;

/// Serve a folder to many people at once. OK means on disk, whole, under that name.
#[derive(Debug, Clone, Parser)]
#[command(name = "ferryd", version, after_help = EXAMPLES)]
pub struct Config {
    /// Where everything of this server is kept; made if missing
    #[arg(long, value_name = "DIR", default_value = "ferry-data")]
    pub data: PathBuf,

    /// Share this folder instead of DATA/library
    #[arg(long, value_name = "DIR")]
    pub library: Option<PathBuf>,

    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = default_address(), value_parser = address)]
    pub listen: SocketAddr,

    /// How many clients may be connected at once
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_clients: u32,

    /// Seconds a client may stay silent between two requests
    #[arg(long, value_name = "S", default_value = "300", value_parser = seconds::<1>)]
    pub idle_timeout: Duration,

    /// Seconds an upload waits, at most, while somebody else writes the same name
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds::<0>)]
    pub claim_wait: Duration,

    /// Seconds that transfers under way may take to finish when the server is stopped
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds::<0>)]
    pub grace: Duration,

    /// Whether OK waits for the disk (full) or only for the operating system (none)
    #[arg(long, value_enum, default_value_t = Durability::Full)]
    pub durability: Durability,
}

impl Config {
    /// What is in force, for the first line of the journal.
    pub fn summary(&self) -> String {
        let library = self.library.clone().unwrap_or_else(|| self.data.join("library"));
        let Self { max_clients, claim_wait, idle_timeout, durability, .. } = self;
        format!(
            "library {}, at most {max_clients} clients, durability {durability:?}, \
             claim wait {claim_wait:?}, idle timeout {idle_timeout:?}",
            library.display()
        )
    }
}

const EXAMPLES: &str = "\
Examples:
  ferryd                                 share ./ferry-data/library with this machine
  ferryd --listen 0.0.0.0:9021           share it with the local network
  ferryd --library ~/Public              share a folder that is already there

Exit status: 0 stopped as asked, 1 failed, 2 wrong usage. Ctrl-C stops; twice stops at once.";

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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["ferryd"], args].concat())
    }

    #[test]
    fn the_defaults_are_those_of_the_manual() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9021");
        assert_eq!(config.data, PathBuf::from("ferry-data"));
        assert_eq!(config.durability, Durability::Full);
    }

    #[test]
    fn a_value_that_cannot_be_meant_is_wrong_usage() {
        for bad in [
            &["--idle-timeout", "0"],
            &["--idle-timeout", "-1"],
            &["--max-clients", "0"],
            &["--listen", "nonsense"],
            &["--durability", "maybe"],
            &["--claim-wait", "1e9"],
        ] {
            assert_eq!(config(bad).unwrap_err().exit_code(), 2, "{bad:?}");
        }
        assert_eq!(config(&["--no-such-option"]).unwrap_err().exit_code(), 2);
    }
}
