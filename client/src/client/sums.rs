//! Which of many files are on the server already, byte for byte.
//!
//! A time says when a file was changed, and a size how long it is; that two files are the same says
//! a checksum only. So whoever goes on with a folder asks for sizes first, and then for the
//! checksums of what has the right size, as the server computes them from its disk now:
//!
//! ```text
//! client  STAT a  STAT b  STAT c …        server  3 bytes, 2 bytes, not there …
//! client  SUM a …                         server  {"status":"OK","crc32":"352441c2"} …
//! ```

use common::protocol::{Crc32, Details, Kind, Request, Summed};

use super::breath::settled;
use super::{Client, DISK, REPLY};
use crate::error::Error;

impl Client {
    /// The checksums of those of at most [`BATCH`](super::BATCH) files that are there with the size
    /// that is given with their path; in the order of `files`.
    pub(crate) fn sums_of_size(
        &mut self,
        files: &[(String, u64)],
    ) -> Result<Vec<Option<Crc32>>, Error> {
        let stat = files.iter().map(|(path, _)| Request::Stat { path: path.clone() });
        let sizes = self.breath(stat, |client| {
            let details = settled(client.reply_with::<Details>("", REPLY))?;
            Ok(details.filter(|d| d.stat.kind == Kind::File).map(|d| d.stat.size))
        })?;
        let fits = |(&(_, wanted), size): (&(String, u64), _)| size == Some(wanted);
        let fit: Vec<bool> = files.iter().zip(sizes).map(fits).collect();
        let sum = files.iter().zip(&fit).filter(|(_, fits)| **fits);
        let sum = sum.map(|((path, _), _)| Request::Sum { path: path.clone() });
        let sums = self.breath(sum, |client| settled(client.reply_with::<Summed>("", DISK)))?;
        let mut sums = sums.into_iter().map(|summed| summed.map(|summed| summed.crc32));
        Ok(fit.into_iter().map(|fits| if fits { sums.next()? } else { None }).collect())
    }
}
