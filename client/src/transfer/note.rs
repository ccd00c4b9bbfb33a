//! What an unfinished download is a part of, noted beside it for whoever goes on with it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use common::protocol::{Crc32, Download};
use serde::{Deserialize, Serialize};

use super::hidden::open_own;

/// A note is a path and some numbers; more than this is none of ours.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// A file on a server, as it was when its first bytes came from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) download: Download,
}

impl Note {
    /// The note that lies there, if one does that makes sense.
    pub(super) fn read(from: &Path) -> Option<Self> {
        let mut text = Vec::new();
        open_own(from).ok()?.take(NOTE_BYTES_MAX).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it where no note must be left of anything else. Cut short, it makes no sense.
    pub(super) fn write(&self, to: &Path) -> io::Result<()> {
        remove(to)?;
        File::create_new(to)?.write_all(&serde_json::to_vec(self)?)
    }

    /// Whether what the server says now can be of the same file. The checksum decides where both
    /// times it was known; else it is verified when all bytes are here.
    pub(super) fn fits(&self, now: Download) -> bool {
        let Download { size, mtime, crc32 } = self.download;
        let differ = |(then, now): (Crc32, Crc32)| then != now;
        (size, mtime) == (now.size, now.mtime) && !crc32.zip(now.crc32).is_some_and(differ)
    }
}

/// Removes a note, if there is one.
pub(super) fn remove(note: &Path) -> io::Result<()> {
    match fs::remove_file(note) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_is_cut_short_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("note");
        let download = Download { size: 9, mtime: -1, crc32: Some(Crc32(7)) };
        let note = Note { path: "/library/a".into(), download };
        assert_eq!(Note::read(&at), None);
        for _ in 0..2 {
            note.write(&at).unwrap();
            assert_eq!(Note::read(&at), Some(note.clone()));
        }
        File::options().write(true).open(&at).unwrap().set_len(20).unwrap();
        assert_eq!(Note::read(&at), None);
    }

    #[test]
    fn size_time_and_a_checksum_known_twice_must_agree() {
        let download = Download { size: 9, mtime: 1, crc32: Some(Crc32(7)) };
        let fits = |now| Note { path: "a".into(), download }.fits(now);
        assert!(fits(download) && fits(Download { crc32: None, ..download }));
        assert!(!fits(Download { size: 8, ..download }));
        assert!(!fits(Download { mtime: 2, ..download }));
        assert!(!fits(Download { crc32: Some(Crc32(8)), ..download }));
    }
}
