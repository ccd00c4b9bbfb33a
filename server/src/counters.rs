//! What the server has done since it began, counted.
//!
//! The counters are apart: none says anything about another, and nobody decides by them. So the
//! weakest order will do, which costs a session next to nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The counters.
#[derive(Debug)]
pub struct Counters {
    begun: SystemTime,
    received: Traffic,
    sent: Traffic,
    refusals: AtomicU64,
}

/// Whole files that went one way.
#[derive(Debug, Default)]
struct Traffic {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    fn add(&self, bytes: u64) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn load(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// What the counters said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// When the server began.
    pub begun: SystemTime,
    /// Files that were published, and their bytes.
    pub received: (u64, u64),
    /// Files that were sent to their end, and the bytes that were sent of them.
    pub sent: (u64, u64),
    /// Answers that were a `FAIL`.
    pub refusals: u64,
}

impl Counters {
    /// Nothing yet, by a server that begins at this time.
    pub fn since(begun: SystemTime) -> Self {
        Self {
            begun,
            received: Traffic::default(),
            sent: Traffic::default(),
            refusals: AtomicU64::new(0),
        }
    }

    /// A file of so many bytes was published.
    pub fn received(&self, bytes: u64) {
        self.received.add(bytes);
    }

    /// So many bytes of a file were sent, to its end.
    pub fn sent(&self, bytes: u64) {
        self.sent.add(bytes);
    }

    /// Somebody was told `FAIL`.
    pub fn refused(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// What they say now.
    pub fn counts(&self) -> Counts {
        Counts {
            begun: self.begun,
            received: self.received.load(),
            sent: self.sent.load(),
            refusals: self.refusals.load(Ordering::Relaxed),
        }
    }
}
