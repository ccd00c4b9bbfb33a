//! What an upload is known by when it comes again, and what is written on its part.

use std::fs::File;
use std::io;

use blake2::{Blake2s256, Digest as _};
use common::path::VirtualPath;
use common::protocol::Crc32;
use common::user::UserName;
use rustix::fs::{self, XattrFlags};
use serde::{Deserialize, Serialize};

use super::part::SUFFIX;

/// Where a part's record is.
const RECORD_ATTRIBUTE: &str = "user.ferry.part";

/// The longest record. A home's name has 32 bytes, the numbers 20 digits each.
const RECORD_BYTES_MAX: usize = 512;

/// What makes an upload the same one when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who sends it, told apart from everybody else and from an earlier account of the same name.
    pub sender: String,
    /// Where it is to go, by the path that it is claimed by.
    pub target: VirtualPath,
    /// The file's length in bytes.
    pub size: u64,
    /// The file's time, in seconds since 1970.
    pub mtime: Option<i64>,
    /// The home that is charged for it.
    pub home: Option<UserName>,
}

impl Origin {
    /// The name of its part. A digest: a path may be longer than a name, and what is being
    /// received is nobody's business who looks at the folder.
    pub(super) fn part_name(&self) -> String {
        let digest = Blake2s256::new()
            .chain_update(&self.sender)
            .chain_update([0])
            .chain_update(self.target.to_string())
            .finalize();
        let half = digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half));
        format!("{half:032x}{SUFFIX}")
    }

    /// What its part's record says, apart from how far it has come.
    pub fn record(&self) -> Record {
        let home = self.home.as_ref().map(UserName::to_string);
        Record { size: self.size, mtime: self.mtime, home, reached: Progress::default() }
    }
}

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// So many bytes, from the first on.
    pub bytes: u64,
    /// The checksum of these.
    pub crc32: Crc32,
}

/// What is written on a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub(super) size: u64,
    pub(super) mtime: Option<i64>,
    pub(super) home: Option<String>,
    pub(super) reached: Progress,
}

impl Record {
    /// Writes it on `file`, with how far that is. Fails where the file system has no attributes.
    pub(super) fn write(&self, file: &File, reached: Progress) -> io::Result<()> {
        let text = serde_json::to_vec(&Self { reached, ..self.clone() })?;
        Ok(fs::fsetxattr(file, RECORD_ATTRIBUTE, &text, XattrFlags::empty())?)
    }

    pub(super) fn read(file: &File) -> Option<Self> {
        let mut buffer = [0; RECORD_BYTES_MAX];
        let len = fs::fgetxattr(file, RECORD_ATTRIBUTE, &mut buffer).ok()?;
        serde_json::from_slice(buffer.get(..len)?).ok()
    }

    /// Takes it away, if there is one.
    pub(super) fn erase(file: &File) {
        let _ = fs::fremovexattr(file, RECORD_ATTRIBUTE);
    }
}
