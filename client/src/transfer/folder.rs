//! A folder here, seen as a server would list it.

use std::fs::{self, DirEntry};
use std::path::Path;

use common::protocol::{Entry, Kind, Stat};

use super::to_seconds;
use crate::client::by_kind_and_name;
use crate::error::{Deed, Error};

/// The files that could be sent, and the folders; hidden ones are neither, as on the server.
pub(crate) fn entries(dir: &Path) -> Result<Vec<Entry>, Error> {
    let cannot = || Error::local(Deed::ListFolder(dir.to_owned()));
    let mut entries = Vec::new();
    for found in fs::read_dir(dir).map_err(cannot())? {
        entries.extend(entry(&found.map_err(cannot())?));
    }
    entries.sort_unstable_by(by_kind_and_name);
    Ok(entries)
}

/// What was removed meanwhile, or is a link that leads nowhere, is not there.
fn entry(found: &DirEntry) -> Option<Entry> {
    let name = found.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
    let metadata = fs::metadata(found.path()).ok()?;
    let (kind, size) = match metadata.file_type() {
        kind if kind.is_dir() => (Kind::Folder, 0),
        kind if kind.is_file() => (Kind::File, metadata.len()),
        _ => return None,
    };
    let mtime = metadata.modified().ok().and_then(to_seconds)?;
    Some(Entry { name, stat: Stat { kind, size, mtime } })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_what_could_be_sent_or_gone_to_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name| folder.path().join(name);
        fs::write(at("b.txt"), "abc").unwrap();
        fs::write(at(".hidden"), "").unwrap();
        fs::create_dir(at("z")).unwrap();
        symlink("b.txt", at("a-link")).unwrap();
        symlink("nowhere", at("broken")).unwrap();
        let entries = entries(folder.path()).unwrap();
        let shown: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.stat.size)).collect();
        assert_eq!(shown, [("z", 0), ("a-link", 3), ("b.txt", 3)]);
        assert_eq!(super::entries(&at("missing")).unwrap_err().exit_status(), 6);
    }
}
