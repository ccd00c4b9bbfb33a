//! What a thread notes of the names it holds and waits for.
//!
//! The claims themselves are the registry's, behind its lock. A stake is the copy for who looks on:
//! made by the session that has the claim, in its own row, and gone with the claim.

use std::sync::Arc;

use super::{Row, What, tell};
use crate::party::Party;

/// A name that a thread holds or waits for.
#[derive(Debug, Clone)]
pub struct Stake {
    /// Who wants what.
    pub party: Arc<Party>,
    /// Where it stands in the line for the name. Who has the smaller number is served sooner.
    pub place: u64,
    /// Whether the thread holds the name. Else it waits for it.
    pub is_held: bool,
}

/// Notes that the calling thread waits for what `party` wants.
pub fn stake(party: &Arc<Party>, place: u64) -> Note {
    let noted = tell(|row| {
        let stake = Stake { party: Arc::clone(party), place, is_held: false };
        row.words_mut().stakes.push(stake);
        row.tell(|| What::Wants(Arc::clone(party.path())));
        (Arc::clone(row), Arc::clone(party))
    });
    Note { noted }
}

/// A stake stands in its thread's row until this is dropped.
#[derive(Debug)]
#[must_use = "the note is gone when it is dropped"]
pub struct Note {
    /// Where it stands, and of what; none of a thread without a row.
    noted: Option<(Arc<Row>, Arc<Party>)>,
}

impl Note {
    /// The thread holds the name now.
    pub fn holds(&self) {
        if let Some((row, party)) = &self.noted {
            // It is mostly the last one that was noted.
            let mut words = row.words_mut();
            let own = words.stakes.iter_mut().rfind(|stake| Arc::ptr_eq(&stake.party, party));
            if let Some(stake) = own {
                stake.is_held = true;
            }
            drop(words);
            row.tell(|| What::Holds(Arc::clone(party.path())));
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        if let Some((row, party)) = &self.noted {
            let mut words = row.words_mut();
            let own = words.stakes.iter().position(|stake| Arc::ptr_eq(&stake.party, party));
            let own = own.map(|own| words.stakes.swap_remove(own));
            drop((words, own));
            row.tell(|| What::LetsGo(Arc::clone(party.path())));
        }
    }
}

#[cfg(all(test, not(feature = "untold")))]
mod tests {
    use super::super::{State, Table};
    use super::*;

    #[test]
    fn a_stake_is_seen_as_long_as_its_note_is_kept() {
        let table = Table::default();
        let seat = table.seat("c07", State::Run);
        let party = |path: &str| Party::new(7, "ann", path, 5, None);
        let (a, b) = (stake(&party("/library/a"), 0), stake(&party("/library/b"), 3));
        a.holds();
        let seen = || {
            let stakes = seat.row().words().stakes.into_iter();
            stakes.map(|Stake { party, place, is_held }| (party.path().to_string(), place, is_held))
        };
        let both = [("/library/a".into(), 0, true), ("/library/b".into(), 3, false)];
        assert!(seen().eq(both));
        drop(a);
        assert!(seen().eq([("/library/b".into(), 3, false)]));
        drop(b);
        assert_eq!(seen().count(), 0);
    }
}
