//! How much is moved, how many come, and how long anything may take.

use std::time::Duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The sizes of everything.
#[derive(Debug, Clone)]
pub struct Scale {
    /// The one large file, in bytes.
    pub big: u64,
    /// How many clients at once have a part each.
    pub parts: u32,
    /// Such a part, in bytes.
    pub part: u64,
    /// How many small files one client has.
    pub small_files: u32,
    /// A small file, in bytes.
    pub small: u64,
    /// What a visit fetches, in bytes.
    pub visited: u64,
    /// How many short visits one generator makes.
    pub visits: u32,
    /// How many short visits are made by a client process each.
    pub processes: u32,
    /// How many visits there are at a time.
    pub at_once: u32,
    /// How many sessions are held that do nothing.
    pub idle: u32,
    /// The same, for those who bear more.
    pub crowd: u32,
    /// How much memory is touched before a large file is moved, in bytes.
    pub touched: u64,
    /// How long one client may take, or the coming in of all that are held.
    pub patience: Duration,
    /// Whether figures mean anything: then the targets hold for them, and the machine is brought to
    /// rest before each run.
    pub is_real: bool,
}

impl Scale {
    /// The sizes that the targets are for.
    pub fn full() -> Self {
        Self {
            big: 1024 * MIB,
            parts: 16,
            part: 64 * MIB,
            small_files: 2000,
            small: 4 * KIB,
            visited: KIB,
            visits: 1000,
            processes: 500,
            at_once: 8,
            idle: 5000,
            crowd: 10_000,
            touched: 3 * 1024 * MIB,
            patience: Duration::from_secs(120),
            is_real: true,
        }
    }

    /// So little that all of it is over in seconds, and no figure means anything.
    pub fn quick() -> Self {
        Self {
            big: 3 * MIB,
            parts: 4,
            part: 300 * KIB,
            small_files: 50,
            visits: 40,
            processes: 12,
            idle: 20,
            crowd: 40,
            touched: 0,
            patience: Duration::from_secs(60),
            is_real: false,
            ..Self::full()
        }
    }

    /// All that is laid out and moved at a time, in bytes: what is there, and once more what comes.
    pub(super) fn bytes_max(&self) -> u64 {
        let parts = self.part * u64::from(self.parts);
        let small = self.small * u64::from(self.small_files);
        self.big + parts + small + self.big.max(parts)
    }

    /// The most connections at a time.
    pub(super) fn connections_max(&self) -> u32 {
        self.idle.max(self.crowd).max(self.at_once).max(self.parts)
    }
}
