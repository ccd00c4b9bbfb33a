//! The beginning of a file that need not travel: an earlier attempt brought it there already.

use std::io::{self, Read};

use common::protocol::Crc32;

use super::{BLOCK, Client};
use crate::error::{Deed, Error};

/// So many first bytes of a file, of which only the checksum matters any more: the whole file's
/// goes on from theirs.
#[derive(Debug, Default)]
pub struct Head {
    pub(super) length: u64,
    pub(super) crc: crc32fast::Hasher,
}

impl Head {
    /// The checksum of these bytes.
    pub fn crc32(self) -> Crc32 {
        Crc32(self.crc.finalize())
    }
}

impl Client {
    /// Reads the first `length` bytes of what is, or is to be, `path`. `source` then stands behind
    /// them.
    pub fn read_head(
        &mut self,
        path: &str,
        source: &mut dyn Read,
        length: u64,
    ) -> Result<Head, Error> {
        let Self { connection, block, .. } = self;
        block.resize(BLOCK, 0);
        let mut head = Head::default();
        while head.length < length {
            // A local file gives no other occasion to be interrupted, and may be long.
            connection.check_interrupt().map_err(|error| Error::from_wire(&error))?;
            let count = next_block(length - head.length);
            let bytes = &mut block[..count];
            source.read_exact(bytes).map_err(|error| unreadable(path, error))?;
            head.crc.update(bytes);
            head.length += count as u64;
        }
        Ok(head)
    }
}

/// How many of the `left` bytes the next block takes.
pub(super) fn next_block(left: u64) -> usize {
    usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK))
}

/// A local file that fails in the middle, or ends there.
pub(super) fn unreadable(path: &str, error: io::Error) -> Error {
    Error::local(Deed::ReadBytesOf(path.to_owned()))(error)
}
