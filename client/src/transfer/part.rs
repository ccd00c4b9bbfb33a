//! A file being received.
//!
//! It is written under a hidden name beside its own and gets its own name in one step, once every
//! byte is verified. So there is never half a file under a name that somebody might open, and
//! whatever ends a download early ends in [`Part`]'s `Drop`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::from_seconds;
use crate::display;
use crate::error::Error;

/// Bytes of a name that its hidden name repeats; with what is added it stays a legal name.
const HINT_BYTES: usize = 150;

/// A file under a hidden name, which is gone once this is dropped.
pub(super) struct Part {
    pub(super) file: File,
    hidden: PathBuf,
    target: PathBuf,
}

impl Part {
    /// Begins what is to become `target`.
    pub(super) fn create(target: &Path) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let hint = &name[..name.floor_char_boundary(HINT_BYTES)];
        let process = std::process::id();
        let hidden = target.with_file_name(format!(".{hint}.ferry-{process}-{count}.part"));
        let file = File::create_new(&hidden)
            .map_err(Error::local(format!("cannot write `{}` here", display::local(target))))?;
        Ok(Self { file, hidden, target: target.to_owned() })
    }

    /// Gives the file its time and its name. Without `force` the kernel itself refuses to
    /// replace what may have come to stand there meanwhile.
    pub(super) fn publish(self, mtime: i64, force: bool) -> Result<(), Error> {
        if let Some(time) = from_seconds(mtime) {
            // A file system without times is no reason to throw the file away.
            let _ = self.file.set_modified(time);
        }
        let named = if force { fs::rename(&self.hidden, &self.target) } else { self.name_new() };
        named.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::ExistsHere(self.target.clone()),
            _ => Error::local(format!("cannot name `{}`", display::local(&self.target)))(source),
        })
    }

    fn name_new(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.hidden, CWD, &self.target, RenameFlags::NOREPLACE) {
            // A file system that cannot refuse in a rename can in a link; `drop` takes the other
            // name away.
            Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(&self.hidden, &self.target),
            named => Ok(named?),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Published, there is nothing of this name left to remove.
        let _ = fs::remove_file(&self.hidden);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_part_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let part = Part::create(&folder.path().join("a")).unwrap();
        assert!(matches!(names(folder.path()).as_slice(), [name] if name.starts_with(".a.ferry-")));
        drop(part);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn publishing_replaces_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(&target, "old").unwrap();
        let refused = Part::create(&target).unwrap().publish(9, false);
        assert!(matches!(refused, Err(Error::ExistsHere(_))));
        assert_eq!(fs::read(&target).unwrap(), b"old");
        Part::create(&target).unwrap().publish(9, true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"");
        let modified = target.metadata().unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn the_longest_name_can_be_received() {
        let folder = tempfile::tempdir().unwrap();
        let name = "é".repeat(127);
        Part::create(&folder.path().join(&name)).unwrap().publish(0, false).unwrap();
        assert_eq!(names(folder.path()), [name]);
    }
}
