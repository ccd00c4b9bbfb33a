//! rsync's daemon with rsync, logging in.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{getgid, getuid};

use super::{Contestant, Peers, Standing};
use crate::bench::daemon::Server;
use crate::bench::ground::Ground;
use crate::bench::part::base;
use crate::bench::workload::{Errand, Workload};

/// A user of the daemon's own, in no system's list.
const USER: &str = "visitor";
const PASSWORD: &str = "123456";

#[derive(Debug)]
pub(super) struct Rsync {
    program: PathBuf,
}

impl Rsync {
    pub(super) fn find(peers: &Peers) -> Result<Self, String> {
        Ok(Self { program: peers.programs.find("rsync")? })
    }

    fn daemon(&self, ground: &Ground, port: u16) -> io::Result<Command> {
        let secrets = ground.settings("rsync.secrets", &format!("{USER}:{PASSWORD}\n"))?;
        let (secrets, served) = (secrets.display(), ground.served());
        let (lock, served) = (ground.path("scratch/rsync.lock"), served.display());
        let (lock, uid, gid) = (lock.display(), getuid().as_raw(), getgid().as_raw());
        let text = format!(
            "address = 127.0.0.1\nport = {port}\nuse chroot = no\nuid = {uid}\ngid = {gid}\n\
             max connections = 0\nreverse lookup = no\nlock file = {lock}\nlog file = /dev/null\n\
             [served]\npath = {served}\nread only = no\nauth users = {USER}\n\
             secrets file = {secrets}\n"
        );
        let mut command = Command::new(&self.program);
        command.args(["--daemon", "--no-detach", "--config"]);
        command.arg(ground.settings("rsyncd.conf", &text)?);
        Ok(command)
    }
}

impl Contestant for Rsync {
    fn name(&self) -> &'static str {
        "rsync"
    }

    fn standing(&self) -> Standing {
        Standing::Peer
    }

    fn does(&self, workload: Workload) -> bool {
        workload.is_bulk() || matches!(workload, Workload::SmallDown | Workload::SmallUp)
    }

    fn serve(&self, ground: &Ground) -> io::Result<Server> {
        Server::start(ground, |port| self.daemon(ground, port))
    }

    /// A list of names in a file: that is how rsync takes many.
    fn client(&self, ground: &Ground, server: SocketAddr, errand: &Errand) -> io::Result<Command> {
        let module = format!("rsync://{USER}@{server}/served/");
        let (names, from, to) = match errand {
            Errand::Fetch(names, to) => (names, module, ground.path(to).display().to_string()),
            Errand::Store(names) => {
                (names, ground.source("").display().to_string(), format!("{module}{}/", Ground::UP))
            }
            Errand::Visit { .. } | Errand::Hold(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let mut list = String::new();
        for name in names {
            let _ = writeln!(list, "{name}");
        }
        let first = names.first().map_or("none", |name| base(name));
        let list = ground.settings(&format!("rsync-{first}.list"), &list)?;
        let password = ground.settings("rsync.password", &format!("{PASSWORD}\n"))?;
        let mut command = Command::new(&self.program);
        command.args(["--quiet", "--no-relative", "--password-file"]).arg(password);
        command.arg("--files-from").arg(list).arg(from).arg(to);
        Ok(command)
    }
}
