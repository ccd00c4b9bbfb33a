//! The files that are there to be fetched, and what is known of each: the version that was last
//! told OK.
//!
//! Bytes alone show a mix or a half. They do not show an old version after the OK to a new one, nor
//! that two who may not replace each other were both told OK. The shelf does.

use std::collections::HashMap;

use crate::dice::Dice;

/// How many names are remembered. A load by a guest makes ever new ones.
const NAMES_MAX: usize = 10_000;

/// A file, and the version it was last known to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The file's name.
    pub name: Name,
    /// The version that was last told OK.
    pub serial: u64,
}

/// A file's name, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// One client's own: its versions follow each other.
    Own(String),
    /// Several want it, nobody may replace it, so there is one version until it is removed.
    Contested(String),
}

impl Name {
    /// As the server knows it.
    pub fn text(&self) -> &str {
        match self {
            Self::Own(text) | Self::Contested(text) => text,
        }
    }
}

/// What is there.
#[derive(Debug, Default)]
pub struct Shelf {
    names: Vec<Name>,
    serials: HashMap<Name, u64>,
}

impl Shelf {
    /// Notes what was told OK. `false` if that cannot be: somebody else was told OK before, and
    /// what they put was not removed.
    pub fn told_ok(&mut self, name: &Name, serial: u64) -> bool {
        if let Some(known) = self.serials.get_mut(name) {
            *known = serial;
            return matches!(name, Name::Own(_));
        }
        if self.names.len() < NAMES_MAX {
            self.names.push(name.clone());
            self.serials.insert(name.clone(), serial);
        }
        true
    }

    /// Forgets a file. To be called before it is asked to be removed: from then on anything may be
    /// there.
    pub fn forget(&mut self, name: &Name) {
        self.names.retain(|known| known != name);
        self.serials.remove(name);
    }

    /// One of the files.
    pub fn pick(&self, dice: &mut Dice) -> Option<Known> {
        let name = dice.pick(&self.names)?;
        let serial = *self.serials.get(name)?;
        Some(Known { name: name.clone(), serial })
    }

    /// Whether a version that was fetched cannot be: `known` is what was known before it was asked
    /// for.
    pub fn contradicts(&self, known: &Known, fetched: u64) -> bool {
        match &known.name {
            // It may be newer than anybody was told yet.
            Name::Own(_) => fetched < known.serial,
            // It may have been removed meanwhile, and even have come again.
            Name::Contested(_) => {
                fetched != known.serial && self.serials.get(&known.name) == Some(&known.serial)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_file_may_be_newer_than_known_but_not_older() {
        let (mut shelf, own) = (Shelf::default(), Name::Own("a".into()));
        assert!(shelf.told_ok(&own, 5) && shelf.told_ok(&own, 9));
        let known = shelf.pick(&mut Dice::new(1)).unwrap();
        assert_eq!(known, Known { name: own, serial: 9 });
        assert!(shelf.contradicts(&known, 5));
        assert!(!shelf.contradicts(&known, 9) && !shelf.contradicts(&known, 12));
    }

    #[test]
    fn a_contested_file_has_one_version_until_it_is_removed() {
        let (mut shelf, name) = (Shelf::default(), Name::Contested("a".into()));
        assert!(shelf.told_ok(&name, 5));
        let known = shelf.pick(&mut Dice::new(1)).unwrap();
        assert!(!shelf.told_ok(&name, 6), "both were told OK");
        let mut shelf = Shelf::default();
        shelf.told_ok(&name, 5);
        assert!(shelf.contradicts(&known, 6) && !shelf.contradicts(&known, 5));
        shelf.forget(&name);
        assert!(!shelf.contradicts(&known, 6));
        assert!(shelf.told_ok(&name, 4) && !shelf.contradicts(&known, 4));
    }
}
