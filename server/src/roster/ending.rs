//! How one session is ended by somebody else than its client.
//!
//! The wish is set first, then the reading side of the session's stream is shut, so that whatever
//! it waits for, or will wait for, ends. What takes long without reading looks at the wish itself:
//! waiting for a name at every turn, sending a file at its beginning. In the middle of a file nothing
//! can be told, and the whole stream is shut. The session says that it is in a file *and then* looks
//! at the wish; who ends it sets the wish *and then* looks whether it is in a file. As with `IDLE`
//! and the stop, at least one of them sees the other.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Why a session is ended by somebody else than its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SentAway {
    /// The same user goes on with what it was doing over another connection.
    TakenOver = 1,
    /// The administrator wished it.
    Kicked = 2,
}

/// How one session is to end, shared by the session and its place on the roster.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Why somebody else wishes it; 0 while nobody does.
    wish: AtomicU8,
    /// Bytes of a file are being sent, which no word can interrupt.
    in_file: AtomicBool,
}

impl Ending {
    /// The first wish counts: it is what the client is told.
    pub(super) fn wish(&self, why: SentAway) {
        let _ = self.wish.compare_exchange(0, why as u8, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub(super) fn wished(&self) -> Option<SentAway> {
        let wish = self.wish.load(Ordering::SeqCst);
        [SentAway::TakenOver, SentAway::Kicked].into_iter().find(|why| *why as u8 == wish)
    }

    /// Says that bytes of a file are being sent, until the guard is dropped.
    pub(super) fn in_file(&self) -> InFile<'_> {
        self.in_file.store(true, Ordering::SeqCst);
        InFile(&self.in_file)
    }

    pub(super) fn is_in_file(&self) -> bool {
        self.in_file.load(Ordering::SeqCst)
    }
}

/// A session sends bytes of a file for as long as it has this.
#[derive(Debug)]
#[must_use = "the file ends when the guard is dropped"]
pub struct InFile<'r>(&'r AtomicBool);

impl Drop for InFile<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
