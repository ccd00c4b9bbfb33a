//! Who takes part: Ferry, the limit, and those of the peers that this machine has.

mod ferry;
mod ftp;
mod nginx;
mod programs;
mod raw;
mod rsync;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

pub use self::programs::Programs;
use super::daemon::Server;
use super::ground::Ground;
use super::workload::{Errand, Workload};
use crate::stress::plan::Account;

/// What a contestant is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Ferry.
    Ours,
    /// What the machine could do: no server for use.
    Limit,
    /// A server that speaks FTP.
    FtpPeer,
    /// Another file server.
    Peer,
}

impl Standing {
    /// Whether it is somebody else's server for the same purpose.
    pub fn is_peer(self) -> bool {
        matches!(self, Self::FtpPeer | Self::Peer)
    }
}

/// A server with a client.
pub(super) trait Contestant: std::fmt::Debug {
    /// The name it has in tables.
    fn name(&self) -> &'static str;

    /// What it is to the others.
    fn standing(&self) -> Standing;

    /// Whether it can do that, and it says something.
    fn does(&self, workload: Workload) -> bool;

    /// Starts a new server.
    fn serve(&self, ground: &Ground) -> io::Result<Server>;

    /// A client process that will do an errand at this server.
    fn client(&self, ground: &Ground, server: SocketAddr, errand: &Errand) -> io::Result<Command>;
}

/// A peer that does not take part.
#[derive(Debug)]
pub struct Missing {
    /// Its name.
    pub name: &'static str,
    /// What it lacks.
    pub why: String,
}

/// Where peers are looked for, and who logs in there.
#[derive(Debug, Default)]
pub struct Peers {
    /// Where their programs may be.
    pub programs: Programs,
    /// A user of this system, for those who know no others.
    pub account: Option<Account>,
    /// The PAM service that lets this user in.
    pub pam: String,
}

/// All names a contestant may have.
pub const NAMES: [&str; 9] = [
    "ferry",
    "ferry-full",
    "raw",
    "raw-window",
    "vsftpd",
    "pure-ftpd",
    "pyftpdlib",
    "rsync",
    "nginx",
];

/// All who can take part here, and all who cannot.
pub(super) fn all(stage: &Path, peers: &Peers) -> (Vec<Box<dyn Contestant>>, Vec<Missing>) {
    let mut present: Vec<Box<dyn Contestant>> = vec![
        Box::new(ferry::Ferry::quick(stage.into())),
        Box::new(ferry::Ferry::durable(stage.into())),
        Box::new(raw::Raw::one_by_one(stage.into())),
        Box::new(raw::Raw::windowed(stage.into())),
    ];
    let mut missing = Vec::new();
    let found = [
        ("vsftpd", ftp::Ftp::vsftpd(stage, peers).map(boxed)),
        ("pure-ftpd", ftp::Ftp::pure_ftpd(stage, peers).map(boxed)),
        ("pyftpdlib", ftp::Ftp::pyftpdlib(stage, peers).map(boxed)),
        ("rsync", rsync::Rsync::find(peers).map(boxed)),
        ("nginx", nginx::Nginx::find(peers).map(boxed)),
    ];
    for (name, peer) in found {
        match peer {
            Ok(peer) => present.push(peer),
            Err(why) => missing.push(Missing { name, why }),
        }
    }
    (present, missing)
}

fn boxed(contestant: impl Contestant + 'static) -> Box<dyn Contestant> {
    Box::new(contestant)
}

/// A part that this program plays itself, as a client of that server.
fn part(stage: &Path, who: &str, server: SocketAddr) -> Command {
    let mut command = Command::new(stage);
    command.args([super::part::PART, who, "--server", &server.to_string()]);
    command
}

/// What a part is to do; files are sent to the folder `up` as the server knows it.
fn does(command: &mut Command, ground: &Ground, errand: &Errand, root: &str) {
    match errand {
        Errand::Fetch(names, to) => {
            command.args(["get", "--to"]).arg(ground.path(to));
            command.args(names.iter().map(|name| format!("{root}{name}")));
        }
        Errand::Store(names) => {
            command.args(["put", "--to", &format!("{root}{}", Ground::UP)]);
            command.args(names.iter().map(|name| ground.source(name)));
        }
        Errand::Visit { count, at_once, .. } => {
            let (count, at_once) = (count.to_string(), at_once.to_string());
            command.args(["visit", "--count", &count, "--at-once", &at_once]);
            command.arg(format!("{root}{}", Ground::ONE));
        }
        Errand::Hold(count) => {
            command.args(["hold", &count.to_string()]);
        }
    }
}
