//! Puts and removals, and what their answers mean to the ledger.

use std::sync::atomic::Ordering;

use common::protocol::Reason;

use super::{Done, Visit, wrong};
use crate::soak::ledger::{Look, Pending, Version};
use crate::soak::speaker::{Answer, Heard, Speaker, Upload};
use crate::soak::world::{Place, World};

/// The longest file that is sent at once, in bytes.
const EAGER_BYTES: usize = 64 * 1024;
/// The longest file over a bad network: a throttled visit must end.
const SLOW_BYTES: usize = 64 * 1024;
/// Uploads sent ahead of their answers.
const AHEAD_MAX: usize = 24;

/// A file's content, ready to be sent to a place.
pub(in crate::soak) struct Parcel {
    pub(in crate::soak) place: Place,
    pub(in crate::soak) version: Version,
    bytes: Vec<u8>,
    eager: bool,
    overwrite: bool,
    mtime: Option<i64>,
    wait: u64,
}

impl Parcel {
    pub(in crate::soak) fn upload(&self) -> Upload<'_> {
        let Self { place, bytes, eager, overwrite, mtime, wait, .. } = self;
        let (path, overwrite) = (&place.path, *overwrite);
        Upload { path, bytes, eager: *eager, overwrite, mtime: *mtime, wait: *wait }
    }

    /// It broke off. Whether its part may be kept is the server's choice if it had a time.
    pub(in crate::soak) fn broke_off(&self, world: &World) {
        world.tally.resumable.fetch_add(u64::from(self.mtime.is_some()), Ordering::Relaxed);
    }
}

impl Visit<'_> {
    /// Something to send.
    pub(in crate::soak) fn parcel(&mut self, small: bool) -> Parcel {
        let place = self.role.place(self.dice);
        let size = self.size(if small { 4096 } else { usize::MAX });
        let (version, bytes) = self.world.ledger.new_version(size);
        let eager = size <= EAGER_BYTES && (small || self.dice.one_in(2));
        let overwrite = place.owned && !self.dice.one_in(3);
        // Its own number as its time: who resumes this file resumes no other.
        let mtime = (place.timed && self.dice.one_in(2)).then_some(1_000_000 + number(&version));
        let wait = self.dice.below(3) as u64;
        Parcel { place, version, bytes, eager, overwrite, mtime, wait }
    }

    fn size(&mut self, most: usize) -> usize {
        let most = if self.clean { most } else { most.min(SLOW_BYTES) };
        let end = match self.dice.below(100) {
            0..3 => 3 << 20,
            3..15 => 600 << 10,
            15..40 => 64 << 10,
            _ => 4 << 10,
        };
        self.dice.between(1, end.min(most))
    }

    pub(super) fn put(&mut self, speaker: &mut dyn Speaker) -> Done {
        let parcel = self.parcel(false);
        let look = self.world.ledger.looking(&parcel.place.name);
        let pending = self.world.ledger.changing(&parcel.place.name, Some(parcel.version));
        let heard = speaker.put(parcel.upload());
        self.put_was(&parcel, &look, pending, heard)
    }

    /// What an upload came to.
    pub(in crate::soak) fn put_was(
        &self,
        parcel: &Parcel,
        look: &Look<'_>,
        pending: Pending<'_>,
        heard: Heard<()>,
    ) -> Done {
        let what = format!("PUT {} as {:?}", parcel.place.name, self.role);
        match heard {
            Ok(Answer::Ok(())) => {
                self.world.did(parcel.bytes.len());
                if parcel.overwrite {
                    pending.done();
                    return Ok(());
                }
                pending.created().map_err(wrong)
            }
            Ok(Answer::Exists) => {
                pending.never();
                self.world.did(0);
                if parcel.overwrite {
                    return Err(wrong(format!("{what}: EXISTS, although it may replace")));
                }
                look.saw("what EXISTS", |_| true).map_err(wrong)
            }
            Ok(Answer::Refused(Reason::Busy, _)) => {
                pending.never();
                self.world.did(0);
                Ok(())
            }
            Ok(Answer::Refused(reason, message)) => {
                pending.never();
                parcel.broke_off(self.world);
                Err(self.refused(&what, reason, &message))
            }
            Err(trouble) => {
                pending.unheard();
                parcel.broke_off(self.world);
                Err(trouble)
            }
        }
    }

    pub(super) fn put_many(&mut self, speaker: &mut dyn Speaker) -> Done {
        let parcels: Vec<Parcel> =
            (0..self.dice.between(2, AHEAD_MAX)).map(|_| self.parcel(true)).collect();
        let noted: Vec<_> = parcels
            .iter()
            .map(|parcel| {
                let (ledger, name) = (&self.world.ledger, &parcel.place.name);
                (ledger.looking(name), ledger.changing(name, Some(parcel.version)))
            })
            .collect();
        let uploads: Vec<Upload<'_>> = parcels.iter().map(Parcel::upload).collect();
        let heard = speaker.put_ahead(&uploads);
        let mut first = Ok(());
        for ((parcel, (look, pending)), heard) in parcels.iter().zip(noted).zip(heard) {
            first = first.and(self.put_was(parcel, &look, pending, heard));
        }
        first
    }

    pub(super) fn delete(&mut self, speaker: &mut dyn Speaker) -> Done {
        let place = self.role.place(self.dice);
        let look = self.world.ledger.looking(&place.name);
        let pending = self.world.ledger.changing(&place.name, None);
        let heard = speaker.delete(&place.path);
        let what = format!("DELETE {} as {:?}", place.name, self.role);
        match heard {
            Err(trouble) => {
                pending.unheard();
                Err(trouble)
            }
            Ok(Answer::Ok(())) if place.owned => {
                self.world.did(0);
                pending.done();
                Ok(())
            }
            Ok(Answer::Ok(())) => Err(wrong(format!("{what}: OK, without the right to"))),
            Ok(Answer::Refused(Reason::Denied, _)) if !place.owned => {
                pending.never();
                Ok(())
            }
            Ok(Answer::Refused(Reason::Busy, _)) => {
                pending.never();
                Ok(())
            }
            Ok(other) => {
                pending.never();
                self.absent(&what, &look, other)
            }
        }
    }
}

fn number(version: &Version) -> i64 {
    i64::try_from(version.number).unwrap_or_default()
}
