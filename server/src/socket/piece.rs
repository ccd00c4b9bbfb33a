//! How much of a file the kernel is handed at a time.
//!
//! What it has and has not sent is out of our sight: until it asks for more, a reader who takes
//! little cannot be told from one who takes nothing. So it is given little: what the slowest reader
//! we bear takes well within the longest standstill. To a fast reader that would be many small steps.
//! Nobody is known to be fast, and whose system keeps much for them seems so at first; so everybody
//! begins with little, and who has taken more than that is trusted until they are waited for.

use std::time::Duration;

/// Bytes the kernel may take from us beyond what it has sent. Without this it takes megabytes ahead.
/// It asks for more when half of them are gone.
pub(super) const UNSENT_BYTES: u32 = 64 * 1024;

/// The same, of a file for one who may be slow. At 1,000 bytes a second, what is added when half of
/// them are gone lasts for 8 s.
const UNSENT_BYTES_MIN: u32 = 8 * 1024;

/// Bytes handed over in one sendfile(2) to one who is fast; progress is looked at between two.
const SLICE_BYTES: u64 = 1024 * 1024;

/// More than a system keeps for a reader who takes nothing yet (`tcp_rmem` of tcp(7) begins with
/// 128 KiB).
const KEPT_BYTES: u64 = 256 * 1024;

/// Who lets themselves be waited for so long is slow.
const SLOW: Duration = Duration::from_secs(1);

/// How much one reader is given.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// What they have taken since they were waited for.
    taken: u64,
}

impl Piece {
    /// They took so many bytes, for which they were waited for so long.
    pub(super) fn took(&mut self, bytes: u64, waited: Duration) {
        self.taken = if waited < SLOW { self.taken.saturating_add(bytes) } else { 0 };
    }

    fn is_for_the_fast(&self) -> bool {
        self.taken > KEPT_BYTES
    }

    /// How much the kernel may have that it has not sent.
    pub(super) fn unsent(&self) -> u32 {
        if self.is_for_the_fast() { UNSENT_BYTES } else { UNSENT_BYTES_MIN }
    }

    /// How much it is handed in one call.
    pub(super) fn slice(&self) -> u64 {
        if self.is_for_the_fast() { SLICE_BYTES } else { UNSENT_BYTES_MIN.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_at_a_time_is_for_those_who_have_taken_much_and_did_not_let_us_wait() {
        let (at_once, late) = (Duration::from_millis(20), Duration::from_secs(3));
        let mut piece = Piece::default();
        piece.took(KEPT_BYTES, at_once);
        assert_eq!((piece.slice(), piece.unsent()), (8 << 10, 8 << 10));
        piece.took(1, at_once);
        assert_eq!((piece.slice(), piece.unsent()), (1 << 20, 64 << 10));
        piece.took(1 << 20, late);
        assert_eq!((piece.slice(), piece.unsent()), (8 << 10, 8 << 10));
    }
}
