//! Many small files in two round trips.
//!
//! One question and one answer for each file cost more than the bytes of a small one. So a batch of
//! names is asked about in one breath, and then all that turn out to be small are asked for in one:
//!
//! ```text
//! client  STAT a  STAT b  STAT c …        server  3 bytes, 2 bytes, a folder …
//! client  GET a   GET b …                 server  {"status":"OK","size":3,…} abc  {…} de  …
//! ```
//!
//! The files are taken one by one, so that one is written here while the next is on its way. What is
//! not small, not there, or not as it was said to be is left out: whoever wants it asks for it alone,
//! and hears then why it cannot be had.

use common::protocol::{Crc32, Details, Download, Kind, Request};

use super::breath::settled;
use super::{Client, REPLY};
use crate::error::{Error, Loss};

/// The largest file that comes this way, in bytes. A server has one of this size in memory when it
/// sends it, and so always says its checksum.
const SMALL_BYTES: u64 = 32 * 1024;

/// A whole small file, verified.
#[derive(Debug)]
pub(crate) struct Small {
    pub(crate) download: Download,
    pub(crate) bytes: Vec<u8>,
}

impl Client {
    /// Asks for those of at most [`BATCH`](super::BATCH) files that are small; says which, in the
    /// order of `paths`. Before anything else is asked, [`next_small`](Self::next_small) must have
    /// brought each.
    pub(crate) fn ask_small(&mut self, paths: &[String]) -> Result<Vec<bool>, Error> {
        let stat = |path: &String| Request::Stat { path: path.clone() };
        let is_small = self.breath(paths.iter().map(stat), |client| {
            let answer = client.reply_with::<Details>("", REPLY);
            let is_small = |d: Details| d.stat.kind == Kind::File && d.stat.size <= SMALL_BYTES;
            Ok(settled(answer)?.is_some_and(is_small))
        })?;
        let wanted = paths.iter().zip(&is_small).filter(|(_, small)| **small);
        self.small_due = self.ask_all(wanted.map(|(path, _)| get(path)))?;
        self.out_of_step = self.small_due > 0;
        Ok(is_small)
    }

    /// The next of the small files that were asked for; nothing if it was refused or is damaged.
    pub(crate) fn next_small(&mut self) -> Result<Option<Small>, Error> {
        self.small_due = self.small_due.checked_sub(1).ok_or(Error::Lost(Loss::NeverAsked))?;
        let small = self.small_body()?;
        self.out_of_step = self.small_due > 0;
        Ok(small)
    }

    /// One answer to a `GET`, with its bytes; nothing if it was refused or is damaged.
    fn small_body(&mut self) -> Result<Option<Small>, Error> {
        let Some(download) = settled(self.reply_with::<Download>("", REPLY))? else {
            return Ok(None);
        };
        let len = usize::try_from(download.size).ok().filter(|_| download.size <= SMALL_BYTES);
        let len = len.ok_or(Error::Lost(Loss::Grown))?;
        let mut bytes = vec![0; len];
        let (_, filled) = self.connection.read_block(&mut bytes);
        self.connection.body_ends();
        filled.map_err(|error| Error::from_wire(&error))?;
        let whole = download.crc32 == Some(Crc32(crc32fast::hash(&bytes)));
        Ok(whole.then_some(Small { download, bytes }))
    }
}

fn get(path: &str) -> Request {
    Request::Get { path: path.to_owned(), offset: None }
}
