//! A file being sent.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::to_seconds;
use crate::error::{Deed, Error, Unsendable};

/// A local file as it was when it was opened.
///
/// Read as [`Read`], it ends where it ended then, and its last bytes come only if nothing was
/// changed meanwhile: a mix of two versions must not be stored as either.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    file: File,
    size: u64,
    modified: SystemTime,
    left: u64,
}

impl Source {
    /// Opens a regular file. Anything else has no size that could be announced.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let cannot = |source| Error::local(Deed::ReadFile(path.to_owned()))(source);
        let unsendable = |why| Error::Unsendable { file: path.to_owned(), why };
        // Asked before opening: opening a pipe would wait for somebody to write into it.
        let metadata = fs::metadata(path).map_err(cannot)?;
        if metadata.is_dir() {
            return Err(unsendable(Unsendable::Folder));
        }
        if !metadata.is_file() {
            return Err(unsendable(Unsendable::NotRegular));
        }
        let file = File::open(path).map_err(cannot)?;
        let (size, modified) = (metadata.len(), metadata.modified().map_err(cannot)?);
        let path = path.to_owned();
        Ok(Self { path, file, size, modified, left: size })
    }

    /// Its length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// When it was last changed, in seconds since 1970.
    pub(crate) fn mtime(&self) -> Option<i64> {
        to_seconds(self.modified)
    }

    /// All of a small file.
    pub(crate) fn read_whole(mut self) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let read = self.read_to_end(&mut body);
        let cannot = Error::local(Deed::ReadFile(self.path.clone()));
        read.map_err(cannot).map_err(|error| self.explain(error))?;
        Ok(body)
    }

    /// Goes back to the beginning.
    pub(crate) fn rewind(&mut self) -> Result<(), Error> {
        let cannot = Error::local(Deed::ReadFile(self.path.clone()));
        self.file.rewind().map_err(cannot)?;
        self.left = self.size;
        Ok(())
    }

    /// Tells a file that was changed from one that cannot be read.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match error {
            Error::Local { source, .. } if is_change(&source) => {
                Error::ChangedHere(self.path.clone())
            }
            error => error,
        }
    }

    fn check_unchanged(&self) -> io::Result<()> {
        let now = self.file.metadata()?;
        if self.left == 0 && now.len() == self.size && now.modified()? == self.modified {
            return Ok(());
        }
        Err(io::Error::other(Changed))
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = (&self.file).take(self.left).read(buffer)?;
        self.left -= got as u64;
        let ended = got == 0 && !buffer.is_empty();
        if ended || self.left == 0 {
            self.check_unchanged()?;
        }
        Ok(got)
    }
}

/// What [`Source`] wraps in its error when it is not what it was.
#[derive(Debug, thiserror::Error)]
#[error("it was changed meanwhile")]
struct Changed;

fn is_change(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Changed>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_not_sent_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for meanwhile in ["longer", "s", "new"] {
            fs::write(&path, "old").unwrap();
            let mut file = Source::open(&path).unwrap();
            assert_eq!(file.read(&mut [0; 1]).unwrap(), 1);
            fs::write(&path, meanwhile).unwrap();
            // The clock of a file system is coarse: two writes in one tick have one time.
            let later = file.modified + std::time::Duration::from_secs(1);
            File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
            assert!(matches!(file.read_whole(), Err(Error::ChangedHere(_))), "{meanwhile}");
        }
    }

    #[test]
    fn a_file_is_read_to_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["", "abc"] {
            fs::write(&path, text).unwrap();
            assert_eq!(Source::open(&path).unwrap().read_whole().unwrap(), text.as_bytes());
        }
        assert!(matches!(Source::open(folder.path()), Err(Error::Unsendable { .. })));
    }
}
