//! Someone who holds a path, or waits for it.
//!
//! There is one for each upload, however many look at it: the registry, by whose lock it gets its turn,
//! and the row of its thread, for who looks on. What both need stands here once, and what changes is an
//! atomic.

use std::sync::Arc as Shared;

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Condvar};

/// A path, of which there is one copy for all who have to do with it.
pub type Path = Shared<str>;

/// Someone who holds a path or waits for it.
#[derive(Debug)]
pub struct Party {
    session: u64,
    who: String,
    path: Path,
    size: u64,
    origin: Option<String>,
    received: AtomicU64,
    upload: AtomicU64,
    /// Woken when the path's entry names this party. Always used with the registry's Mutex.
    pub(crate) my_turn: Condvar,
}

impl Party {
    /// A session that wants `path`. `who` will be shown to those who wait; `size` is how many bytes
    /// they announced; `origin` is said by those whom their own next connection may replace, and is
    /// equal for equal uploads of one sender, and for nothing else.
    pub fn new(
        session: u64,
        who: impl Into<String>,
        path: impl Into<Path>,
        size: u64,
        origin: Option<String>,
    ) -> Arc<Self> {
        let (who, path) = (who.into(), path.into());
        let (received, upload) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self {
            session,
            who,
            path,
            size,
            origin,
            received,
            upload,
            my_turn: Condvar::new(),
        })
    }

    /// The number of the session it is.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// Who it is, as others are shown.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// What it wants, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes they announced.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Notes progress, for those who wait and those who look on.
    pub fn has_received(&self, bytes: u64) {
        self.received.store(bytes, Ordering::Relaxed);
    }

    /// Whether this is the same upload of the same sender as another's, begun over another connection.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        self.origin.is_some() && self.origin == other.origin
    }

    /// By which number the writer knows what it sends; 0 as long as it sends nothing.
    pub fn upload(&self) -> u64 {
        self.upload.load(Ordering::Relaxed)
    }

    /// Notes that number.
    pub fn is_upload(&self, number: u64) {
        self.upload.store(number, Ordering::Relaxed);
    }
}
