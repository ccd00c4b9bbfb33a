//! The harness: everything the tests and programs need to speak to Ferry from outside.
//!
//! - [`TestServer`]: a server in this process, on a free port, in a folder of its own; stopped
//!   and joined when dropped.
//! - [`Peer`]: a raw connection, for bytes no well-behaved client would send.
//! - [`Cable`]: a way to a server that breaks where a test wants.
//! - [`actor`]: the real programs in processes of their own.
//! - [`content`]: bytes that no two places of a file share, and their checksums.
//! - [`models`]: under which model the servers of a test run.
//! - [`dice`]: chance that can be repeated.
//! - [`rush`], [`promises`], [`aftermath`]: clients until the server is struck down, what they were
//!   told by then, and what is left of it. [`powercut`] and [`crashes`] strike.
//! - [`image`]: a disk whose power can be cut.
//! - [`FaultProxy`](fault_proxy::FaultProxy): a bad network on this machine.
//! - [`gauges`]: what a process holds: threads, descriptors, memory.
//! - [`soak`]: everybody does everything at once, and every promise is checked.
//! - [`siege`]: many who are in the way, and one honest client.
//! - [`room`]: a room full of people, some of whom never read.
//! - [`page`], [`transcript`]: the documents, and what they show, played again.
//! - [`Screen`]: a program on a terminal, keys in and a screen out.
//! - [`properties`]: what must hold whatever bytes come; shared with the fuzz targets.
//! - [`stress`]: many clients at once, and every byte looked at.
//! - [`curves`]: what an operation costs as something grows.
//! - [`cost`]: what a difference between two builds of the server costs.
//! - [`lab`]: programs that are wrong on purpose, beside those that are right.
//! - [`mod@bench`]: Ferry beside the limit of the machine and beside its peers.
//! - [`eventually`]: the only way to wait for something that has no event.

pub mod actor;
pub mod aftermath;
pub mod bench;
mod cable;
mod chart;
pub mod content;
pub mod cost;
pub mod crashes;
pub mod curves;
mod descriptors;
pub mod dice;
pub mod fault_proxy;
pub mod gauges;
pub mod image;
pub mod lab;
pub mod models;
pub mod page;
mod peer;
pub mod powercut;
pub mod promises;
pub mod properties;
mod prose;
pub mod room;
pub mod rush;
mod screen;
pub mod siege;
pub mod soak;
pub mod stress;
mod table;
mod test_server;
pub mod transcript;
mod tree;
pub mod verdict;
mod visitor;

use std::io::Write as _;
use std::time::{Duration, Instant};

pub use cable::{Cable, Fate};
pub use peer::Peer;
pub use screen::Screen;
pub use test_server::TestServer;

/// How long anything in a test may take before it counts as hung. Far above what it takes on a
/// loaded machine: a test that meets it has failed, not been slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Says, past the test runner's capture, that a check could not be made on this machine. `.ci/run`
/// installs what is missing, so there nothing is skipped.
pub fn skipped(check: &str, missing: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {check}: this machine has no {missing}");
}

/// Waits until `condition` holds, looking often; fails with `what` when [`PATIENCE`] is over.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "still not so after {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
