//! A file being received.
//!
//! It is written under a hidden name beside its own and gets its own name in one step, once every
//! byte is verified. So there is never half a file under a name that somebody might open.
//!
//! ```text
//! .film.mp4.ferry-1a2b3c4d.part     the bytes so far; locked while a ferry works on them
//! .film.mp4.ferry-1a2b3c4d.note     whose bytes: {"path":"/library/film.mp4","size":…,"mtime":…}
//! ```
//!
//! The hidden name follows from the name alone, so the next `get` of the same name finds what an
//! earlier one left, and goes on with it or replaces it: nothing piles up. Whoever finds the part
//! locked receives into one of its own, which nobody else will ever find. Whatever ends a download
//! ends in [`Part`]'s `Drop`, which removes both files unless the part was told to stay.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::note::{self, Note};
use super::{from_seconds, hidden};
use crate::client::EAGER_BYTES;
use crate::error::{Deed, Error};

/// A file up to this size is not worth a note: to fetch it anew costs no more than to ask.
const NOTED_FROM: u64 = EAGER_BYTES;

/// A file under a hidden name, which is gone once this is dropped.
pub(super) struct Part {
    pub(super) file: File,
    /// Whether it was there already, and may hold something.
    was_there: bool,
    hidden: PathBuf,
    target: PathBuf,
    /// Where its note belongs; nowhere, if nobody else is to find this part.
    note_path: Option<PathBuf>,
    /// What is noted there.
    note: Option<Note>,
    /// Whether dropping it has nothing to remove: it is to be found again, or has its name.
    stays: bool,
}

impl Part {
    /// Takes what is to become `target`: what an earlier attempt left, or nothing yet.
    pub(super) fn open(target: &Path) -> Result<Self, Error> {
        let cannot = Error::local(Deed::WriteFile(target.to_owned()));
        Self::take(target).map_err(cannot)
    }

    fn take(target: &Path) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().as_encoded_bytes();
        // Of the whole name: two long ones may begin alike.
        let whole = crc32fast::hash(name);
        let hidden = |ending: &str| hidden::path(target, &format!("{whole:08x}.{ending}"));
        let (part, note_path) = (hidden("part"), hidden("note"));
        let Some((file, was_there)) = hidden::claim(&part)? else {
            return Self::take_another(target);
        };
        let note = Note::read(&note_path);
        let (target, note_path) = (target.to_owned(), Some(note_path));
        Ok(Self { file, was_there, hidden: part, target, note_path, note, stays: false })
    }

    /// A part of one's own, because somebody has the one that everybody finds.
    fn take_another(target: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let hidden = hidden::path(target, &format!("{}-{count}.part", std::process::id()));
        let file = File::create_new(&hidden)?;
        let target = target.to_owned();
        let was_there = false;
        Ok(Self { file, was_there, hidden, target, note_path: None, note: None, stays: false })
    }

    /// What an earlier attempt left: a note, and how many bytes there are of what it says.
    pub(super) fn left(&self) -> Option<(&Note, u64)> {
        let note = self.note.as_ref()?;
        let length = self.file.metadata().ok()?.len();
        (1..=note.download.size).contains(&length).then_some((note, length))
    }

    /// Forgets all that was left, and begins with what `note` says.
    pub(super) fn begin(&mut self, note: Note) -> Result<(), Error> {
        let begun = self.try_begin(note);
        begun.map_err(Error::local(Deed::WriteFile(self.target.clone())))
    }

    fn try_begin(&mut self, note: Note) -> io::Result<()> {
        // In this order: never may bytes lie beside a note that is not theirs.
        if self.was_there {
            self.file.set_len(0)?;
            self.file.rewind()?;
        }
        let Some(path) = &self.note_path else { return Ok(()) };
        if self.note.take().is_some() {
            note::remove(path)?;
        }
        // A note that cannot be written costs the next attempt, not this one.
        let noted = note.download.size > NOTED_FROM && note.write(path).is_ok();
        self.note = noted.then_some(note);
        Ok(())
    }

    /// Lets what there is stay for the next attempt. `false`: there is nothing to go on with.
    pub(super) fn stay(&mut self) -> bool {
        self.stays = self.left().is_some();
        self.stays
    }

    /// Gives the file its time and its name. Without `force` the kernel itself refuses to
    /// replace what may have come to stand there meanwhile.
    pub(super) fn publish(mut self, mtime: i64, force: bool) -> Result<(), Error> {
        if let Some(time) = from_seconds(mtime) {
            // A file system without times is no reason to throw the file away.
            let _ = self.file.set_modified(time);
        }
        // While the part holds the lock under its hidden name: afterwards a note there may be
        // somebody else's.
        self.remove_note();
        let named = if force { fs::rename(&self.hidden, &self.target) } else { self.name_new() };
        // Its hidden name is gone then, and would be somebody else's.
        self.stays = named.is_ok();
        named.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::ExistsHere(self.target.clone()),
            _ => Error::local(Deed::NameFile(self.target.clone()))(source),
        })
    }

    fn name_new(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.hidden, CWD, &self.target, RenameFlags::NOREPLACE) {
            // A file system that cannot refuse in a rename can in a link.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::hard_link(&self.hidden, &self.target)?;
                // It has its name, whatever becomes of the other one.
                let _ = fs::remove_file(&self.hidden);
                Ok(())
            }
            named => Ok(named?),
        }
    }

    fn remove_note(&mut self) {
        if let (Some(path), Some(_)) = (&self.note_path, self.note.take()) {
            // A note without a part means nothing to anybody.
            let _ = note::remove(path);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.stays {
            self.remove_note();
            // Last, and before the file is closed: with it goes the lock on both.
            let _ = fs::remove_file(&self.hidden);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::symlink;
    use std::time::{Duration, UNIX_EPOCH};

    use common::protocol::Download;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect()
    }

    fn note(size: u64) -> Note {
        Note { path: "/library/a".into(), download: Download { size, mtime: 9, crc32: None } }
    }

    /// A part with three bytes of `size`, which is told to stay.
    fn cut_off(target: &Path, size: u64) -> bool {
        let mut part = Part::open(target).unwrap();
        part.begin(note(size)).unwrap();
        part.file.write_all(b"abc").unwrap();
        part.stay()
    }

    #[test]
    fn a_part_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = Part::open(&folder.path().join("a")).unwrap();
        part.begin(note(NOTED_FROM + 1)).unwrap();
        let (found, hidden) = (names(folder.path()), ".a.ferry-");
        assert!(found.len() == 2 && found.iter().all(|n| n.starts_with(hidden)), "{found:?}");
        assert!(!part.stay(), "there is not a byte of it");
        drop(part);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_part_that_stays_is_found_with_what_it_is_a_part_of() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        assert!(cut_off(&target, NOTED_FROM + 1));
        let mut part = Part::open(&target).unwrap();
        assert_eq!(part.left(), Some((&note(NOTED_FROM + 1), 3)));
        part.begin(note(3)).unwrap();
        assert_eq!((part.left(), names(folder.path()).len()), (None, 1));
        part.publish(9, false).unwrap();
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_small_file_is_not_worth_keeping_in_part() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!cut_off(&folder.path().join("a"), NOTED_FROM));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn two_at_once_have_a_part_each() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        assert!(cut_off(&target, NOTED_FROM + 1));
        let first = Part::open(&target).unwrap();
        let mut second = Part::open(&target).unwrap();
        assert!(first.left().is_some() && second.left().is_none());
        second.begin(note(NOTED_FROM + 1)).unwrap();
        second.file.write_all(b"abc").unwrap();
        assert!(!second.stay(), "nobody could find it again");
        second.publish(9, false).unwrap();
        assert_eq!(first.left().map(|(_, length)| length), Some(3));
        assert!(matches!(first.publish(9, false), Err(Error::ExistsHere(_))));
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_link_in_the_place_of_a_part_or_a_note_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(folder.path().join("precious"), "abc").unwrap();
        for ending in ["part", "note"] {
            let at = hidden::path(&target, &format!("{:08x}.{ending}", crc32fast::hash(b"a")));
            symlink("precious", &at).unwrap();
            let mut part = Part::open(&target).unwrap();
            part.begin(note(NOTED_FROM + 1)).unwrap();
            part.file.write_all(b"abcdef").unwrap();
            drop(part);
            let _ = fs::remove_file(at);
        }
        assert_eq!(fs::read(folder.path().join("precious")).unwrap(), b"abc");
        assert_eq!(names(folder.path()), ["precious"]);
    }

    #[test]
    fn publishing_replaces_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(&target, "old").unwrap();
        let refused = Part::open(&target).unwrap().publish(9, false);
        assert!(matches!(refused, Err(Error::ExistsHere(_))));
        assert_eq!(fs::read(&target).unwrap(), b"old");
        Part::open(&target).unwrap().publish(9, true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"");
        let modified = target.metadata().unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn the_longest_name_can_be_received() {
        let folder = tempfile::tempdir().unwrap();
        let name = "é".repeat(127);
        let target = folder.path().join(&name);
        assert!(cut_off(&target, NOTED_FROM + 1));
        Part::open(&target).unwrap().publish(0, false).unwrap();
        assert_eq!(names(folder.path()), [name]);
    }
}
