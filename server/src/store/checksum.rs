//! Checksums of files: taken from their bytes, and kept beside them.
//!
//! An uploaded file has its checksum recorded before it has its name. A file that was laid into
//! the library by hand has none until somebody asks for it; what was computed then is recorded too,
//! so that the file is read through for the first of a class and not again for each of the others.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, SystemTime};

use common::protocol::Crc32;
use rustix::fs;

use crate::state::{self, State};
use crate::stop::Stop;

/// Where a published file's checksum is kept: in an extended attribute of the file itself, so
/// that it can neither be lost apart from it nor be mistaken for another file's (xattr(7)).
const CHECKSUM_ATTRIBUTE: &str = "user.ferry.crc32";

/// The coarsest clock of any file system in use (FAT's, of two seconds).
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

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
pub(super) fn record(file: &File, crc: Crc32, stat: &fs::Stat) {
    let text = format!("{crc} {}", stamp(stat));
    let how = fs::XattrFlags::empty();
    if let Err(error) = fs::fsetxattr(file, CHECKSUM_ATTRIBUTE, text.as_bytes(), how) {
        // Not every file system has attributes, and not every file is ours to write on. Clients
        // then ask SUM instead.
        log::debug!("no checksum recorded: {error}");
    }
}

/// Whether a file has rested so long that its time tells what is in it now from whatever anybody
/// writes into it from now on. The clocks of file systems are coarse: two writes in one tick bear
/// one time. The second of the two times cannot be set back by who copies a file with its date.
pub(super) fn lies_still(stat: &fs::Stat, now: SystemTime) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let still = now.saturating_sub(COARSEST_CLOCK).as_secs().cast_signed();
    stat.st_mtime < still && stat.st_ctime < still
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_still_once_neither_of_its_times_is_recent() {
        let file = tempfile::tempfile().unwrap();
        let mut stat = fs::fstat(&file).unwrap();
        let long_ago = stat.st_mtime - 1_000;
        let later = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        assert!(!lies_still(&stat, later(0)));
        assert!(lies_still(&stat, later(60)));
        stat.st_mtime = long_ago;
        assert!(!lies_still(&stat, later(0)), "its date was set back");
        assert!(!lies_still(&stat, SystemTime::UNIX_EPOCH), "it is of the future");
    }
}
