//! Whether a file is on both sides already.

use std::path::Path;

use common::protocol::Crc32;

use super::Source;
use crate::client::Client;
use crate::error::Error;

/// Whether the local `file` has the checksum that the server computed of `path`, which is as long.
pub(crate) fn is_same(
    client: &mut Client,
    path: &str,
    file: &Path,
    there: Crc32,
) -> Result<bool, Error> {
    let mut source = Source::open(file)?;
    let size = source.size();
    let all = client.read_head(path, &mut source, size).map_err(|error| source.explain(error))?;
    Ok(all.crc32() == there)
}
