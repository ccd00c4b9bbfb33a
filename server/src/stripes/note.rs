//! What a lock file says, for other servers to read: whose claim its lock is held for.
//!
//! It is read without a lock. It may be old, cut, or missing, and decides nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use common::escape::Safe;
use common::protocol::Wait;
use serde::{Deserialize, Serialize};

use crate::clock;

/// What is read of a lock file at most, in bytes. A path has 4,000, and escapes make it longer.
const NOTE_BYTES_MAX: usize = 32 * 1024;

/// How much of another server's words is passed on.
const WORDS_CHARS: usize = 128;

/// A claim, as other servers are told of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// What the others call the server.
    pub(super) server: String,
    /// What people there are shown of who writes.
    pub(super) who: String,
    /// What they write.
    pub(super) path: String,
    /// How many bytes they announced.
    pub(super) size: u64,
    /// Since when, in nanoseconds since 1970, by that server's clock.
    pub(super) since: u64,
}

/// Who has a stripe.
#[derive(Debug, PartialEq, Eq)]
pub enum Holder {
    /// Who writes the very path that is wanted. How far they are is not known here.
    Writer(Wait),
    /// Who writes another path under the same stripe. Whose and which is nobody's business.
    Neighbour {
        /// Where.
        server: String,
        /// For how long, in seconds.
        since: u64,
    },
}

impl Note {
    pub(super) fn write(&self, file: &File) {
        let written = serde_json::to_vec(self).map_err(io::Error::from).and_then(|text| {
            file.write_all_at(&text, 0)?;
            file.set_len(text.len() as u64)
        });
        if let Err(error) = written {
            // The others will not know for whom they wait. They wait all the same.
            log::warn!("cannot write into a file of locks/claims: {error}");
        }
    }

    fn read(file: &File) -> Option<Self> {
        let mut text = vec![0; NOTE_BYTES_MAX];
        let bytes = file.read_at(&mut text, 0).ok()?;
        serde_json::from_slice(text.get(..bytes)?).ok()
    }
}

impl Holder {
    /// Who `file` says its lock is held for, as it concerns whoever would write `wanted` there.
    pub(super) fn read(file: &File, wanted: &Note) -> Self {
        let Some(note) = Note::read(file) else {
            return Self::Neighbour { server: "another server".to_owned(), since: 0 };
        };
        let server = printable(&note.server);
        let since = clock::nanoseconds().saturating_sub(note.since) / 1_000_000_000;
        if note.path != wanted.path {
            return Self::Neighbour { server, since };
        }
        let mut holder = printable(&note.who);
        // Another process of the same server (model *process*) is at no other place.
        if note.server != wanted.server {
            holder = format!("{holder} at {server}");
        }
        Self::Writer(Wait { holder, received: 0, size: note.size, since, limit: None })
    }
}

/// What another server wrote is shown to clients: nothing in it may act on a terminal.
fn printable(words: &str) -> String {
    let words: String = words.chars().take(WORDS_CHARS).collect();
    Safe(&words).to_string()
}
