//! What a server promised, and whether it was kept.
//!
//! Goal: after every kind of crash the same question is asked. Method: a client notes each deed
//! before it asks for it, and notes the OK when it has read it. Afterwards what was told OK must
//! be so. What was asked and not answered may be so or not, but not by half. And nothing may be
//! there that nobody asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::fmt;

use crate::verdict::{Fault, Verdict};

/// Something that a server can keep or lose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A path, as an administrator sees it: `/library/…` or `/homes/NAME/…`.
    Path(String),
    /// A user's account.
    Account(String),
}

/// What is at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// No file, no folder, no account.
    Nothing,
    /// A folder.
    Folder,
    /// A file with this content.
    File(Content),
    /// An account with this password.
    Account(String),
    /// An account that is neither open nor closed: it cannot be read.
    Broken,
}

/// A file's content, as good as its bytes: every content sent has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Content {
    /// Its length in bytes.
    pub size: u64,
    /// Their checksum.
    pub crc32: u32,
}

impl Content {
    /// That of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { size: bytes.len() as u64, crc32: crc32fast::hash(bytes) }
    }
}

/// What is at each place; nothing, where a place is missing.
pub type Found = BTreeMap<Place, Thing>;

/// Something asked of a server.
#[derive(Debug, Clone)]
pub enum Deed {
    /// The place becomes this, whatever it was.
    Make(Place, Thing),
    /// What is at the first place goes to the second.
    Move(Place, Place),
}

/// What one client, or several with places of their own each, asked for and were told.
#[derive(Debug, Default)]
pub struct Promises {
    /// What every place must be by what was told OK.
    settled: Found,
    /// Asked and not answered, in the order of asking.
    under_way: VecDeque<Deed>,
    /// Every whole content that was ever sent. Any other is a part of one.
    sent: HashSet<Content>,
    told_ok: u64,
    files: u64,
}

impl Promises {
    /// Notes a deed. To be called before it is asked for: the answer may never come.
    pub fn ask(&mut self, deed: Deed) {
        if let Deed::Make(_, Thing::File(content)) = deed {
            self.sent.insert(content);
        }
        self.under_way.push_back(deed);
    }

    /// Notes the OK to the oldest deed under way.
    pub fn told_ok(&mut self) {
        let Some(deed) = self.under_way.pop_front() else { return };
        self.told_ok += 1;
        match deed {
            Deed::Make(place, thing) => {
                self.files += u64::from(matches!(thing, Thing::File(_)));
                self.settled.insert(place, thing);
            }
            Deed::Move(from, to) => {
                let moved = self.settled.insert(from, Thing::Nothing);
                self.settled.insert(to, moved.unwrap_or(Thing::Nothing));
            }
        }
    }

    /// What was told OK, and is still so.
    pub fn settled(&self) -> &Found {
        &self.settled
    }

    /// Adds the promises to somebody who has no place in common with these.
    pub fn absorb(&mut self, other: Self) {
        self.settled.extend(other.settled);
        self.under_way.extend(other.under_way);
        self.sent.extend(other.sent);
        self.told_ok += other.told_ok;
        self.files += other.files;
    }

    /// The passwords that may open each account that was asked for.
    pub fn passwords(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut passwords = BTreeMap::<_, Vec<_>>::new();
        let asked = self.under_way.iter().filter_map(|deed| match deed {
            Deed::Make(place, thing) => Some((place, thing)),
            Deed::Move(..) => None,
        });
        for account in self.settled.iter().chain(asked) {
            if let (Place::Account(user), Thing::Account(password)) = account {
                passwords.entry(user.as_str()).or_default().push(password.as_str());
            }
        }
        passwords
    }

    /// Compares what is there with what was promised.
    pub fn judge(&self, found: &Found) -> Verdict {
        let (told_ok, files) = (self.told_ok, self.files);
        let mut verdict = Verdict { crashes: 1, told_ok, files, ..Verdict::default() };
        let places: BTreeSet<&Place> = self.settled.keys().chain(found.keys()).collect();
        for place in places {
            let is = at(found, place);
            let allowed = self.allowed(place);
            if !allowed.contains(&is) {
                let fault = self.fault(is);
                verdict.blame(fault, format!("{place}: {is}; should be {}", allowed[0]));
            }
        }
        for deed in &self.under_way {
            // Either name may be what is there; none of them may not.
            if let Deed::Move(from, to) = deed
                && [from, to].map(|place| at(found, place)) == [&Thing::Nothing; 2]
            {
                verdict.blame(Fault::Lost, format!("{from}: gone on its way to {to}"));
            }
        }
        verdict
    }

    /// What a place may be: first what was told OK, then what may have come of it since.
    fn allowed<'p>(&'p self, place: &Place) -> Vec<&'p Thing> {
        let mut allowed = vec![at(&self.settled, place)];
        allowed.extend(self.under_way.iter().filter_map(|deed| match deed {
            Deed::Make(made, thing) => (made == place).then_some(thing),
            Deed::Move(from, _) if from == place => Some(&Thing::Nothing),
            Deed::Move(from, to) => (to == place).then_some(at(&self.settled, from)),
        }));
        allowed
    }

    /// What is wrong with something that should be otherwise.
    fn fault(&self, is: &Thing) -> Fault {
        match is {
            Thing::Nothing => Fault::Lost,
            Thing::File(content) if !self.sent.contains(content) => Fault::Partial,
            Thing::Broken => Fault::Partial,
            Thing::File(_) | Thing::Folder | Thing::Account(_) => Fault::Wrong,
        }
    }
}

fn at<'f>(found: &'f Found, place: &Place) -> &'f Thing {
    found.get(place).unwrap_or(&Thing::Nothing)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Account(user) => write!(f, "the account of {user}"),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("not there"),
            Self::Folder => f.write_str("a folder"),
            Self::File(Content { size, crc32 }) => write!(f, "{size} bytes ({crc32:08x})"),
            Self::Account(password) => write!(f, "open to `{password}`"),
            Self::Broken => f.write_str("broken"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> Place {
        Place::Path(format!("/library/{name}"))
    }

    fn file(bytes: &[u8]) -> Thing {
        Thing::File(Content::of(bytes))
    }

    fn put(name: &str, bytes: &[u8]) -> Deed {
        Deed::Make(path(name), file(bytes))
    }

    /// How many faults of each kind there are if this is what is there.
    fn faults(promises: &Promises, there: &[(&str, Thing)]) -> [u64; 4] {
        let there = there.iter().map(|(name, thing)| (path(name), thing.clone()));
        promises.judge(&there.collect()).faults
    }

    #[test]
    fn what_was_told_ok_must_be_there_as_it_was_sent() {
        let mut promises = Promises::default();
        for version in [&b"old version"[..], b"new version"] {
            promises.ask(put("f", version));
            promises.told_ok();
        }
        assert_eq!(faults(&promises, &[("f", file(b"new version"))]), [0, 0, 0, 0]);
        assert_eq!(faults(&promises, &[]), [1, 0, 0, 0], "lost");
        assert_eq!(faults(&promises, &[("f", file(b"old version"))]), [0, 1, 0, 0], "wrong");
        assert_eq!(faults(&promises, &[("f", file(b"new ver"))]), [0, 0, 1, 0], "partial");
        assert_eq!(faults(&promises, &[("f", file(b"new version")), ("g", Thing::Folder)])[1], 1);
    }

    #[test]
    fn what_was_asked_and_not_answered_may_be_so_or_not_but_not_by_half() {
        let mut promises = Promises::default();
        promises.ask(put("f", b"old"));
        promises.told_ok();
        promises.ask(put("f", b"new"));
        assert_eq!(faults(&promises, &[("f", file(b"old"))]), [0; 4]);
        assert_eq!(faults(&promises, &[("f", file(b"new"))]), [0; 4]);
        assert_eq!(faults(&promises, &[("f", file(b"ne"))]), [0, 0, 1, 0]);
        assert_eq!(faults(&promises, &[]), [1, 0, 0, 0]);
    }

    #[test]
    fn a_file_on_its_way_may_have_either_name_and_must_have_one() {
        let mut promises = Promises::default();
        promises.ask(put("f", b"x"));
        promises.told_ok();
        promises.ask(Deed::Move(path("f"), path("g")));
        assert_eq!(faults(&promises, &[("f", file(b"x"))]), [0; 4]);
        assert_eq!(faults(&promises, &[("g", file(b"x"))]), [0; 4]);
        assert_eq!(faults(&promises, &[]), [1, 0, 0, 0]);
        promises.told_ok();
        assert_eq!(faults(&promises, &[("g", file(b"x"))]), [0; 4]);
        assert_eq!(faults(&promises, &[("f", file(b"x"))]), [1, 1, 0, 0]);
    }
}
