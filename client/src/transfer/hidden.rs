//! Hidden files beside a file that is to be. Their names can be guessed, so that the next program
//! finds them, and so may be taken by somebody else already, or in the same moment.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;

/// Bytes of a name that its hidden name repeats; with what is added it stays a legal name.
const HINT_BYTES: usize = 150;

/// The hidden file beside `target` with that ending.
pub(super) fn path(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let hint = &name[..name.floor_char_boundary(HINT_BYTES)];
    target.with_file_name(format!(".{hint}.ferry-{ending}"))
}

/// Opens and locks a part that anybody can find, and says whether it was there already. `None`:
/// somebody else has it.
pub(super) fn claim(hidden: &Path) -> io::Result<Option<(File, bool)>> {
    let file = match File::create_new(hidden) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            open_own(hidden).ok().map(|file| (file, true))
        }
        made => Some((made?, false)),
    };
    Ok(file.filter(|(file, _)| is_ours(file, hidden)))
}

/// Locks a part that was opened. Who had it until now may have published or removed it between the
/// opening and the locking: then this lock is on a file that is no part any more.
fn is_ours(part: &File, hidden: &Path) -> bool {
    part.try_lock().is_ok() && is_there(part, hidden)
}

/// Opens a file that was left under a name that others can guess. In a folder shared with them it
/// may be a link they laid, a pipe that nobody fills, or a file they could change afterwards.
pub(super) fn open_own(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = File::options().read(true).write(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    let own = metadata.uid() == geteuid().as_raw();
    if own && metadata.is_file() && metadata.nlink() == 1 {
        return Ok(file);
    }
    Err(io::ErrorKind::PermissionDenied.into())
}

/// Whether this open file is the one of that name.
pub(super) fn is_there(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), path.symlink_metadata()) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn a_part_that_got_its_name_before_it_was_locked_is_not_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let hidden = folder.path().join(".a");
        let (first, was_there) = claim(&hidden).unwrap().unwrap();
        assert!(!was_there);
        assert!(claim(&hidden).unwrap().is_none(), "it is locked");
        let opened = open_own(&hidden).unwrap();
        fs::rename(&hidden, folder.path().join("a")).unwrap();
        drop(first);
        assert!(!is_ours(&opened, &hidden));
        let (next, _) = claim(&hidden).unwrap().unwrap();
        assert!(is_there(&next, &hidden) && !is_ours(&opened, &hidden));
    }

    #[test]
    fn what_could_lead_elsewhere_is_not_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        assert!(open_own(&at("file")).is_ok());
        symlink("file", at("link")).unwrap();
        mkfifoat(CWD, at("pipe"), Mode::RWXU).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for name in ["link", "pipe", "folder", "missing"] {
            assert!(open_own(&at(name)).is_err(), "{name}");
        }
        fs::hard_link(at("file"), at("same")).unwrap();
        assert!(open_own(&at("file")).is_err(), "it has another name");
    }
}
