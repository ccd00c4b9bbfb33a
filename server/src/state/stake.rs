//! What a thread notes of the names it holds and waits for.
//!
//! The claims themselves are the registry's, behind its lock. A stake is the copy for who looks on:
//! made by the session that has the claim, in its own row, and gone with the claim.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Row, What, with_own_row};

/// A name that a thread holds or waits for.
#[derive(Debug)]
pub struct Stake {
    path: Box<str>,
    size: u64,
    /// Who has the smaller number is served sooner.
    place: u64,
    received: AtomicU64,
    held: AtomicBool,
}

impl Stake {
    /// The name, from the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How many bytes were announced.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where it stands in the line for the name.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether the thread holds the name. Else it waits for it.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }
}

/// Notes that the calling thread waits for `path`, into which it wants to put `size` bytes.
pub fn stake(path: &str, size: u64, place: u64) -> Note {
    let (received, held) = (AtomicU64::new(0), AtomicBool::new(false));
    let stake = Arc::new(Stake { path: path.into(), size, place, received, held });
    let row = with_own_row(|row| {
        row.words_mut().stakes.push(Arc::clone(&stake));
        row.tell(|| What::Wants(Arc::clone(&stake)));
        Arc::clone(row)
    });
    Note { row, stake }
}

/// A stake stands in its thread's row until this is dropped.
#[derive(Debug)]
#[must_use = "the note is gone when it is dropped"]
pub struct Note {
    row: Option<Arc<Row>>,
    stake: Arc<Stake>,
}

impl Note {
    /// The thread holds the name now.
    pub fn holds(&self) {
        self.stake.held.store(true, Ordering::Relaxed);
        if let Some(row) = &self.row {
            row.tell(|| What::Holds(Arc::clone(&self.stake)));
        }
    }

    /// So many bytes have come.
    pub fn received(&self, bytes: u64) {
        self.stake.received.store(bytes, Ordering::Relaxed);
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        if let Some(row) = &self.row {
            row.words_mut().stakes.retain(|stake| !Arc::ptr_eq(stake, &self.stake));
            row.tell(|| What::LetsGo(Arc::clone(&self.stake)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{State, Table};
    use super::*;

    #[test]
    fn a_stake_is_seen_as_long_as_its_note_is_kept() {
        let table = Table::default();
        let seat = table.seat("c07", State::Run);
        let (a, b) = (stake("/library/a", 5, 0), stake("/library/b", 7, 3));
        a.holds();
        a.received(2);
        let seen = seat.row().words().stakes;
        let told = |stake: &Stake| (stake.path().to_owned(), stake.is_held(), stake.received());
        assert_eq!(told(&seen[0]), ("/library/a".into(), true, 2));
        assert_eq!((told(&seen[1]), seen[1].place()), (("/library/b".into(), false, 0), 3));
        drop(a);
        assert_eq!(seat.row().words().stakes[0].path(), "/library/b");
        drop(b);
        assert!(seat.row().words().stakes.is_empty());
    }
}
