//! Checksums of files: taken from their bytes, and kept beside them.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;

use common::protocol::Crc32;
use rustix::fs;

use crate::state::{self, State};
use crate::stop::Stop;

/// Where a published file's checksum is kept: in an extended attribute of the file itself, so
/// that it can neither be lost apart from it nor be mistaken for another file's (xattr(7)).
const CHECKSUM_ATTRIBUTE: &str = "user.ferry.crc32";

/// Bytes read at a time.
const READ_BYTES: usize = 512 * 1024;

/// The checksum of the first `bytes` bytes of a file as they are on disk now. `UnexpectedEof` if
/// there are not so many. It may take long, so a stop ends it.
pub(super) fn of_file(file: &File, bytes: u64, stop: &Stop) -> io::Result<Crc32> {
    let _doing = state::enter(State::Disk);
    let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(READ_BYTES).min(READ_BYTES)];
    let mut hasher = crc32fast::Hasher::new();
    let mut read = 0;
    while read < bytes {
        if stop.is_asked() {
            return Err(io::Error::other("the server is stopping"));
        }
        let rest = usize::try_from(bytes - read).unwrap_or(READ_BYTES).min(READ_BYTES);
        let piece = buffer.get_mut(..rest).unwrap_or_default();
        file.read_exact_at(piece, read)?;
        hasher.update(piece);
        read += rest as u64;
    }
    Ok(Crc32(hasher.finalize()))
}

/// Keeps the checksum with the size and time it belongs to: a file changed by other programs no
/// longer matches them, and its record is then not believed.
pub(super) fn record(file: &File, crc: Crc32) {
    let recorded = fs::fstat(file).and_then(|stat| {
        let text = format!("{crc} {}", stamp(&stat));
        fs::fsetxattr(file, CHECKSUM_ATTRIBUTE, text.as_bytes(), fs::XattrFlags::empty())
    });
    if let Err(error) = recorded {
        // Not every file system has attributes. Clients then ask SUM instead.
        log::debug!("no checksum recorded: {error}");
    }
}

/// The checksum recorded at upload, if the file is still the one that was uploaded.
pub(super) fn recorded(file: BorrowedFd<'_>, stat: &fs::Stat) -> Option<Crc32> {
    let mut buffer = [0; 64];
    let len = fs::fgetxattr(file, CHECKSUM_ATTRIBUTE, &mut buffer).ok()?;
    let (crc, stamped) = str::from_utf8(buffer.get(..len)?).ok()?.split_once(' ')?;
    (stamped == stamp(stat)).then(|| crc.parse().ok())?
}

fn stamp(stat: &fs::Stat) -> String {
    format!("{} {}.{}", stat.st_size, stat.st_mtime, stat.st_mtime_nsec)
}
