//! What lies in a folder here, however deep: a folder before its files, and those before the
//! folders in it. One folder's names are in memory at a time, and those of the folders above it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, IntoIter, WalkDir};

use crate::error::{Deed, Error, Unwalkable};

/// How many folders a walk goes below the one it began with, here and on a server.
pub(crate) const DEPTH: usize = 64;

/// Something in the folder, or the folder itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// Its way from the folder; empty for the folder itself. In it every `/` parts two names.
    pub(crate) below: String,
    pub(crate) size: u64,
    pub(crate) what: What,
}

/// What it is to whoever would send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Folder,
    File,
    /// A dot in front: no server takes it. What is in a hidden folder does not come.
    Hidden,
    Link,
    /// A pipe, a socket, a device.
    Special,
}

/// A walk.
pub(crate) struct Tree {
    top: PathBuf,
    walk: IntoIter,
}

impl Tree {
    /// Begins with the folder `top` itself. A link there is followed, and none below it.
    pub(crate) fn of(top: &Path) -> Self {
        let rank = |entry: &DirEntry| (entry.file_type().is_dir(), entry.file_name().to_owned());
        let walk = WalkDir::new(top).sort_by_key(rank).into_iter();
        Self { top: top.to_owned(), walk }
    }

    /// Does not go into the folder that came last.
    pub(crate) fn pass_over(&mut self) {
        self.walk.skip_current_dir();
    }

    fn found(&mut self, entry: &DirEntry) -> Found {
        let below = entry.path().strip_prefix(&self.top).unwrap_or(entry.path());
        let names: Vec<_> = below.iter().map(OsStr::to_string_lossy).collect();
        let kind = entry.file_type();
        let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
        if hidden && kind.is_dir() {
            self.pass_over();
        }
        let what = match () {
            () if hidden => What::Hidden,
            // The folder itself may be a link to one.
            () if kind.is_dir() || entry.depth() == 0 => What::Folder,
            () if kind.is_file() => What::File,
            () if kind.is_symlink() => What::Link,
            () => What::Special,
        };
        let size = match what {
            // What cannot be looked at fails in its turn.
            What::File => entry.metadata().map_or(0, |metadata| metadata.len()),
            _ => 0,
        };
        Found { path: entry.path().to_owned(), below: names.join("/"), size, what }
    }
}

impl Iterator for Tree {
    type Item = Result<Found, (PathBuf, Error)>;

    /// The next thing, or a folder that cannot be looked into, or one that lies too deep.
    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.walk.next()? {
            Ok(entry) if entry.depth() > DEPTH && entry.file_type().is_dir() => {
                self.pass_over();
                let path = entry.into_path();
                Err((path.clone(), Error::Unwalkable(Unwalkable::DeepHere(path))))
            }
            Ok(entry) => Ok(self.found(&entry)),
            Err(error) => {
                let path = error.path().unwrap_or(&self.top).to_owned();
                let cannot = Error::local(Deed::LookInto(path.clone()));
                Err((path, cannot(io::Error::from(error))))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn a_folder_comes_before_its_files_and_those_before_its_folders() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a/b", "a/.git/objects", "空 空"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["z", "a/y", "a/b/x", ".x", "a/.git/HEAD"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("/", at("a/link")).unwrap();
        mkfifoat(CWD, at("pipe"), Mode::RWXU).unwrap();
        let found = Tree::of(folder.path()).map(Result::unwrap);
        let found: Vec<(String, What, u64)> = found.map(|f| (f.below, f.what, f.size)).collect();
        let expected = [
            ("", What::Folder, 0),
            (".x", What::Hidden, 0),
            ("pipe", What::Special, 0),
            ("z", What::File, 1),
            ("a", What::Folder, 0),
            ("a/link", What::Link, 0),
            ("a/y", What::File, 3),
            ("a/.git", What::Hidden, 0),
            ("a/b", What::Folder, 0),
            ("a/b/x", What::File, 5),
            ("空 空", What::Folder, 0),
        ];
        assert_eq!(found, expected.map(|(below, what, size)| (below.to_owned(), what, size)));
    }

    #[test]
    fn what_is_too_deep_is_told_and_not_walked_into() {
        let folder = tempfile::tempdir().unwrap();
        let deep = ["d"; DEPTH].join("/");
        fs::create_dir_all(folder.path().join(&deep).join("e/f")).unwrap();
        let mut found = Tree::of(folder.path()).skip(DEPTH);
        assert_eq!(found.next().unwrap().unwrap().below, deep);
        assert!(matches!(found.next(), Some(Err((_, Error::Unwalkable(_))))));
        assert!(found.next().is_none());
    }
}
