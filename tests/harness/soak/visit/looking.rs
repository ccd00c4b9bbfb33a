//! Looks of every kind: each sees what the ledger says may be seen.

use common::protocol::{Details, Entry, Kind, Reason};

use super::{Done, Visit, wrong};
use crate::soak::ledger::{Look, Version};
use crate::soak::speaker::{Answer, Speaker};
use crate::soak::world::{BIG, HOME_NAMES, LIBRARY_NAMES, Place, Role, home_place, library_name};

impl Visit<'_> {
    pub(super) fn get(&mut self, speaker: &mut dyn Speaker) -> Done {
        let place = self.role.place(self.dice);
        let look = self.world.ledger.looking(&place.name);
        let offset = if self.dice.one_in(3) { self.dice.below(2000) } else { 0 };
        match speaker.get(&place.path, offset)? {
            Answer::Ok((from, bytes)) => {
                self.world.did(bytes.len());
                let what = format!(
                    "a GET of {} bytes from {from} on (crc32 {:08x})",
                    bytes.len(),
                    crc32fast::hash(&bytes)
                );
                let fits = |version: &Version| {
                    version.size == from + bytes.len()
                        && version.bytes().get(from..) == Some(bytes.as_slice())
                };
                look.saw(&what, fits).map_err(wrong)
            }
            // It is shorter than that.
            Answer::Refused(Reason::BadRequest, _) if offset > 0 => Ok(()),
            other => self.absent(&format!("GET {}", place.name), &look, other),
        }
    }

    pub(super) fn sum(&mut self, speaker: &mut dyn Speaker) -> Done {
        let place = self.role.place(self.dice);
        let look = self.world.ledger.looking(&place.name);
        match speaker.sum(&place.path)? {
            Answer::Ok(crc) => {
                self.world.did(0);
                look.saw(&format!("a SUM of {crc}"), |version| version.crc == crc.0).map_err(wrong)
            }
            other => self.absent(&format!("SUM {}", place.name), &look, other),
        }
    }

    pub(super) fn stat(&mut self, speaker: &mut dyn Speaker) -> Done {
        let place = self.role.place(self.dice);
        let look = self.world.ledger.looking(&place.name);
        match speaker.stat(&place.path)? {
            Answer::Ok(Details { stat, .. }) => {
                self.world.did(0);
                let fits = |version: &Version| version.size as u64 == stat.size;
                look.saw(&format!("a STAT of {} bytes", stat.size), fits).map_err(wrong)
            }
            other => self.absent(&format!("STAT {}", place.name), &look, other),
        }
    }

    /// A look that found nothing.
    pub(super) fn absent<T>(&self, what: &str, look: &Look<'_>, answer: Answer<T>) -> Done {
        match answer {
            Answer::Refused(Reason::NotFound, _) => {
                self.world.did(0);
                look.saw_nothing().map_err(wrong)
            }
            other => self.expect_ok(what, other).map(drop),
        }
    }

    pub(super) fn list(&mut self, speaker: &mut dyn Speaker) -> Done {
        let (folder, places): (_, Vec<Place>) = match self.role {
            Role::User(n) if self.dice.one_in(2) => {
                ("/home", (0..HOME_NAMES).map(|name| home_place(n, name, true)).collect())
            }
            _ => ("/library", (0..LIBRARY_NAMES).map(library_place).collect()),
        };
        let looks: Vec<Look<'_>> =
            places.iter().map(|place| self.world.ledger.looking(&place.name)).collect();
        let answer = speaker.list(folder)?;
        let entries = self.expect_ok(&format!("LIST {folder}"), answer)?;
        for Entry { name, stat } in entries {
            let path = format!("{folder}/{name}");
            let at = places.iter().position(|place| place.path == path);
            if let Some(look) = at.and_then(|at| looks.get(at)) {
                let fits = |version: &Version| version.size as u64 == stat.size;
                let what = format!("{} bytes in a LIST", stat.size);
                look.saw(&what, fits).map_err(wrong)?;
            } else if stat.kind == Kind::File && path != BIG {
                return Err(wrong(format!("LIST {folder}: nobody put `{name}`")));
            }
        }
        Ok(())
    }
}

fn library_place(n: usize) -> Place {
    let name = library_name(n);
    Place { path: name.clone(), name, owned: false, timed: false }
}
