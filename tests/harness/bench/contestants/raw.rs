//! The limit, with one request under way or with a window of them.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use super::{Contestant, Standing, does, part};
use crate::bench::daemon::Server;
use crate::bench::ground::Ground;
use crate::bench::part::PART;
use crate::bench::workload::{Errand, Workload};

/// How many small files may be under way in the window.
const WINDOW: u32 = 32;

#[derive(Debug)]
pub(super) struct Raw {
    stage: PathBuf,
    window: u32,
}

impl Raw {
    /// Each request waits for the answer to the one before it.
    pub(super) fn one_by_one(stage: PathBuf) -> Self {
        Self { stage, window: 1 }
    }

    /// Several small files are under way.
    pub(super) fn windowed(stage: PathBuf) -> Self {
        Self { stage, window: WINDOW }
    }
}

impl Contestant for Raw {
    fn name(&self) -> &'static str {
        if self.window == 1 { "raw" } else { "raw-window" }
    }

    fn standing(&self) -> Standing {
        Standing::Limit
    }

    fn does(&self, workload: Workload) -> bool {
        match workload {
            Workload::SmallDown | Workload::SmallUp => true,
            Workload::LoginVisits => false,
            _ => self.window == 1,
        }
    }

    fn serve(&self, ground: &Ground) -> io::Result<Server> {
        Server::start(ground, |port| {
            let mut command = Command::new(&self.stage);
            command.args([PART, "raw-serve", "--port", &port.to_string(), "--root"]);
            command.arg(ground.served());
            Ok(command)
        })
    }

    fn client(&self, ground: &Ground, server: SocketAddr, errand: &Errand) -> io::Result<Command> {
        let mut command = part(&self.stage, "raw", server);
        command.args(["--window", &self.window.to_string()]);
        does(&mut command, ground, errand, "");
        Ok(command)
    }
}
