//! Class mode: a server that lets a teacher hold it up, and everybody look on.
//!
//! What it allows is not for real use, so it must be typed (no settings file can say it), it says so
//! in the log, and it keeps to the local network: it listens on no public address, and whoever comes
//! from one is turned away at the door. What holds up is in [`brakes`](crate::brakes).

use std::net::IpAddr;

use clap::Args;

use crate::brakes::{Rate, brakes};
use crate::point::{SleepAt, names};

/// What is said of it when a server begins.
pub const BANNER: &str = "CLASS MODE, not for real use: everybody may watch who does what, and \
                          whoever has the console may hold the server up (`sleep-at`, `disk-rate`). \
                          Only the local network is served";

/// The slowest disk, in bytes a second: a chunk takes four seconds there.
const DISK_RATE_MIN: Rate = 16 * 1024;

/// Most places of the data queue.
const DATA_QUEUE_MAX: u16 = 4096;

/// The options of class mode.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Class mode, not for real use")]
pub struct ClassOptions {
    /// Let everybody watch, and let the console hold the server up. Command line only; serves the
    /// local network only. The options below need it
    #[arg(long)]
    pub class: bool,

    /// Where threads are to sleep, and for how long.
    #[arg(long, value_name = "PLACE=TIME", help = sleep_at_help())]
    pub sleep_at: Vec<SleepAt>,

    /// Write all uploads together no faster than so many bytes a second, as in 256K
    #[arg(long, value_name = "RATE", value_parser = disk_rate)]
    pub disk_rate: Option<Rate>,

    /// How many places the data queue has, 1 to 4096; 256 if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(DATA_QUEUE_MAX)))]
    pub data_queue: Option<u16>,
}

impl ClassOptions {
    /// Why they cannot be had together, or by a server that listens there.
    pub fn check(&self, listens_on: IpAddr) -> Result<(), String> {
        if self.class {
            return if is_near(listens_on) || listens_on.is_unspecified() {
                Ok(())
            } else {
                Err(format!(
                    "--class is for the local network, and {listens_on} is a public address; \
                     --listen on a private one, or on 0.0.0.0, where clients from public addresses \
                     are turned away"
                ))
            };
        }
        let given = [
            ("--sleep-at", !self.sleep_at.is_empty()),
            ("--disk-rate", self.disk_rate.is_some()),
            ("--data-queue", self.data_queue.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(format!(
                "{option} holds the server up on purpose, which is for a class; add --class if you \
                 mean it"
            )),
            None => Ok(()),
        }
    }

    /// Puts on the brakes that were asked for.
    pub fn put_on_brakes(&self) {
        for SleepAt { place, sleep } in self.sleep_at.clone() {
            brakes().set_sleep(place, sleep);
        }
        if self.disk_rate.is_some() {
            brakes().set_disk_rate(self.disk_rate);
        }
    }
}

fn sleep_at_help() -> String {
    format!(
        "Have threads sleep at a place, as in put.checked=3s, or put.checked=3s,c02 for one session; \
         again for another place. The places: {}",
        names()
    )
}

/// Bytes a second, as a person writes them.
pub fn disk_rate(text: &str) -> Result<Rate, String> {
    let rate = common::size::parse(text).filter(|rate| *rate >= DISK_RATE_MIN);
    rate.ok_or_else(|| "write it as 256K or 2M, bytes a second; 16K is the least".into())
}

/// Whether it is an address of this machine or of a local network, as no public address is. Those
/// that a provider shares among its customers (RFC 6598) are such, too: hotspots hand them out.
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let is_shared = matches!(v4.octets(), [100, 64..=127, ..]);
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_network_has_no_public_address() {
        let near = |text: &str| is_near(text.parse().unwrap());
        for address in [
            "127.0.0.1",
            "10.9.0.7",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.43.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.1.5",
        ] {
            assert!(near(address), "{address}");
        }
        for address in [
            "203.0.113.7",
            "8.8.8.8",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "ff02::1",
        ] {
            assert!(!near(address), "{address}");
        }
    }
}
