//! Between the client's streams and local files.
//!
//! - `download`: receiving a file, or the rest of one.
//! - `part`: a file being received, under a hidden name until it is whole; `note`: of which file
//!   it is a part, if it was not finished; `hidden`: how both are found again, and by whom.
//! - `upload`: sending a file, or the rest of one.
//! - `source`: a file being sent, as it was when it was opened.
//! - `folder`: what there is here that could be sent; `tree`: what lies below it, however deep.
//! - `same`: whether a file is on both sides already.

mod download;
mod folder;
mod hidden;
mod note;
mod part;
mod same;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod upload;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::path::Name;

pub(crate) use self::download::{Fetch, check_free};
pub(crate) use self::folder::entries;
pub(crate) use self::same::is_same;
pub(crate) use self::source::Source;
pub(crate) use self::tree::{DEPTH, Found, Tree, What};
pub(crate) use self::upload::Deliver;
use crate::error::{Error, Unsendable};

/// The name a local file will have on the server.
pub(crate) fn remote_name(file: &Path) -> Result<Name, Error> {
    let cannot = |why| Error::Unsendable { file: file.to_owned(), why };
    let name = file.file_name().ok_or_else(|| cannot(Unsendable::NoName))?;
    let name = name.to_str();
    let name = name.ok_or_else(|| cannot(Unsendable::NotText))?;
    let name = Name::parse(name)?;
    name.check_portable()?;
    Ok(name)
}

/// As the protocol counts: seconds since 1970, or before it.
fn to_seconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|seconds| -seconds),
    }
}

fn from_seconds(mtime: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(mtime.unsigned_abs());
    if mtime < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}
