//! Two servers on one folder.
//!
//! Goal: a test speaks to either of them, and says so in a word. Method: two real `ferryd
//! --shared-data` in processes of their own, on a data folder that vanishes with them.

use std::fs;
use std::path::Path;

use harness::Peer;
use harness::actor::Ferryd;
use tempfile::TempDir;

use crate::people::{known, stage};

/// Both, and their folder.
pub(crate) struct Pair {
    servers: [Ferryd; 2],
    pub(crate) data: TempDir,
}

/// A server that need not share its folder.
pub(crate) fn start(data: &Path, words: &[&str]) -> std::io::Result<Ferryd> {
    Ferryd::start(stage(), data, &[&["--durability", "none"], words].concat())
}

/// A server that shares it. People may wait far longer than anything here takes: whoever hears
/// `busy` has waited in vain.
pub(crate) fn shared(data: &Path) -> Ferryd {
    start(data, &["--shared-data", "--claim-wait", "120"]).unwrap()
}

impl Pair {
    pub(crate) fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self { servers: [shared(data.path()), shared(data.path())], data }
    }

    /// A client of one of the two, even and odd ones taking turns.
    pub(crate) fn peer(&self, n: usize) -> Peer {
        Peer::connect(self.servers[n % 2].address)
    }

    /// The same, for a user who logs in.
    pub(crate) fn known(&self, n: usize, user: &str) -> Peer {
        known(self.servers[n % 2].address, user)
    }

    /// A file of the library, as it is on disk.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.data.path().join("library").join(name)).unwrap()
    }

    /// What the servers call that one.
    pub(crate) fn address(&self, n: usize) -> String {
        self.servers[n % 2].address.to_string()
    }
}
