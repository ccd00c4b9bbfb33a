//! Small files of the server's own, such as accounts: written by the same steps as an upload, so
//! that there is never half of one, and a name can be taken only once.

use std::io::{self, Write as _};

use common::path::Name;
use common::protocol::Crc32;

use super::folder::{Folder, Version};
use super::part::{Part, Readers};
use super::tree::Tree;

/// The longest record, in bytes. What is longer was not written by us.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

impl Tree {
    /// Writes a new record at the top of the tree; on disk, whole, when this returns.
    /// `AlreadyExists` if the name is taken.
    pub fn add_record(&self, name: &Name, bytes: &[u8]) -> io::Result<()> {
        let (top, part) = self.sealed_record(bytes)?;
        part.publish(&top, name, false)?;
        top.sync()
    }

    /// Writes a record in the place of the one that is there. `NotFound` if there is none: what
    /// was removed meanwhile must not come back.
    pub fn update_record(&self, name: &Name, bytes: &[u8]) -> io::Result<()> {
        let (top, part) = self.sealed_record(bytes)?;
        part.exchange(&top, name)?;
        top.sync()
    }

    fn sealed_record(&self, bytes: &[u8]) -> io::Result<(Folder, Part)> {
        let top = self.open_folder(&[])?;
        // Accounts hold password hashes: nobody else's business.
        let part = self.create_part_for(Readers::Owner)?;
        (&*part.file()).write_all(bytes)?;
        part.seal(None, Crc32(crc32fast::hash(bytes)))?;
        Ok((top, part))
    }

    /// Reads a record at the top of the tree, and says which version of it that was.
    pub fn read_record(&self, name: &Name) -> io::Result<(Vec<u8>, Version)> {
        let opened = self.open_file(std::slice::from_ref(name))?;
        if opened.stat.size > RECORD_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok((opened.read_rest(0)?, Version::of(&opened.file)?))
    }
}
