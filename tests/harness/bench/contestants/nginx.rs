//! nginx with curl: no login, downloads only.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use super::{Contestant, Peers, Standing};
use crate::bench::daemon::Server;
use crate::bench::ground::Ground;
use crate::bench::part::base;
use crate::bench::workload::{Errand, Workload};

/// What nginx keeps somewhere even if it never needs it.
const TEMPORARY: [&str; 5] =
    ["client_body_temp", "proxy_temp", "fastcgi_temp", "uwsgi_temp", "scgi_temp"];

#[derive(Debug)]
pub(super) struct Nginx {
    nginx: PathBuf,
    curl: PathBuf,
}

impl Nginx {
    pub(super) fn find(peers: &Peers) -> Result<Self, String> {
        Ok(Self { nginx: peers.programs.find("nginx")?, curl: peers.programs.find("curl")? })
    }

    fn daemon(&self, ground: &Ground, port: u16) -> io::Result<Command> {
        let scratch = ground.path("scratch");
        let (served, scratch) = (ground.served(), scratch.display());
        let mut temporary = String::new();
        for name in TEMPORARY {
            let _ = write!(temporary, " {name}_path {scratch}/nginx-{name};");
        }
        let text = format!(
            "daemon off;\nuser root root;\npid {scratch}/nginx.pid;\nerror_log {scratch}/nginx.log;\n\
             worker_processes auto;\nevents {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n\
             {temporary}\n server {{ listen {}:{port} backlog=1024; root \"{}\"; }} }}\n",
            "127.0.0.1",
            served.display()
        );
        let mut command = Command::new(&self.nginx);
        command.arg("-c").arg(ground.settings("nginx.conf", &text)?);
        Ok(command)
    }
}

impl Contestant for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn standing(&self) -> Standing {
        Standing::Peer
    }

    fn does(&self, workload: Workload) -> bool {
        use Workload::{Down, DownMany, Processes, SmallDown};
        matches!(workload, Down | DownMany | SmallDown | Processes)
    }

    fn serve(&self, ground: &Ground) -> io::Result<Server> {
        Server::start(ground, |port| self.daemon(ground, port))
    }

    /// One file is named in the command, many in a file of settings, over one connection.
    fn client(&self, ground: &Ground, server: SocketAddr, errand: &Errand) -> io::Result<Command> {
        let Errand::Fetch(names, to) = errand else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let to = ground.path(to);
        let mut command = Command::new(&self.curl);
        command.args(["--silent", "--show-error", "--fail", "--disable"]);
        if let [name] = names.as_slice() {
            command.arg(format!("http://{server}/{name}")).arg("--output").arg(to.join(base(name)));
            return Ok(command);
        }
        let mut list = String::new();
        for name in names {
            let file = to.join(base(name));
            let _ = writeln!(list, "url = \"http://{server}/{name}\"");
            let _ = writeln!(list, "output = \"{}\"", file.display());
        }
        command.arg("--config").arg(ground.settings("curl.conf", &list)?);
        Ok(command)
    }
}
