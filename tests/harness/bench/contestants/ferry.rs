//! Ferry itself: `ferryd` and `ferry` as people run them, guests in the library.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use super::{Contestant, Standing, does, part};
use crate::actor::{self, Ferryd};
use crate::bench::daemon::Server;
use crate::bench::ground::Ground;
use crate::bench::workload::{Errand, Workload};

/// Who comes with a password.
const USER: &str = "visitor";
const PASSWORD: &str = "123456";

/// Places beside those of the clients: for who just left, and for those kept for the machine.
const SPARE_PLACES: u32 = 64;

#[derive(Debug)]
pub(super) struct Ferry {
    stage: PathBuf,
    /// Whether OK waits for the disk.
    waits: bool,
}

impl Ferry {
    /// OK waits only for the operating system: the promise all others make.
    pub(super) fn quick(stage: PathBuf) -> Self {
        Self { stage, waits: false }
    }

    /// OK waits for the disk: what Ferry does if nobody says otherwise.
    pub(super) fn durable(stage: PathBuf) -> Self {
        Self { stage, waits: true }
    }
}

impl Contestant for Ferry {
    fn name(&self) -> &'static str {
        if self.waits { "ferry-full" } else { "ferry" }
    }

    fn standing(&self) -> Standing {
        Standing::Ours
    }

    fn does(&self, workload: Workload) -> bool {
        !self.waits || workload.is_upload()
    }

    fn serve(&self, ground: &Ground) -> io::Result<Server> {
        let data = tempfile::tempdir_in(ground.path("scratch"))?;
        let opened = actor::user_task(&self.stage, data.path(), &["add", USER], PASSWORD)?;
        if !opened.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&opened.stderr).into_owned()));
        }
        let served = ground.served().display().to_string();
        let places = (ground.scale().connections_max() + SPARE_PLACES).to_string();
        let durability = if self.waits { "full" } else { "none" };
        let words = [
            ["--library", &served],
            ["--max-clients", &places],
            ["--durability", durability],
            ["--idle-timeout", "3600"],
        ];
        let ferryd = Ferryd::start(&self.stage, data.path(), words.as_flattened())?;
        Ok(Server::ferryd(ferryd, data))
    }

    fn client(&self, ground: &Ground, server: SocketAddr, errand: &Errand) -> io::Result<Command> {
        let mut command = match errand {
            Errand::Fetch(names, to) => {
                let mut get = actor::ferry(&self.stage, server, ["--quiet", "get"]);
                get.args(names).arg("--to").arg(ground.path(to));
                return Ok(get);
            }
            Errand::Store(names) => {
                let mut put = actor::ferry(&self.stage, server, ["--quiet", "put"]);
                put.args(names.iter().map(|name| ground.source(name)));
                put.args(["--to", &format!("/library/{}", Ground::UP)]);
                return Ok(put);
            }
            Errand::Visit { .. } | Errand::Hold(_) => part(&self.stage, "ferry", server),
        };
        if matches!(errand, Errand::Visit { login: true, .. }) {
            command.args(["--user", USER, "--password", PASSWORD]);
        }
        does(&mut command, ground, errand, "/library/");
        Ok(command)
    }
}
