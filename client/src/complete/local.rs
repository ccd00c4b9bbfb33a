//! Names in folders here.

use std::fs;
use std::path::Path;

use common::escape::is_unprintable;

use super::names::Names;
use crate::tilde;

/// The names in `folder` that begin with `prefix`; hidden ones for who begins with the dot. The
/// empty folder is the current one.
pub(super) fn names(folder: &str, prefix: &str) -> Names {
    let mut names = Names::default();
    let folder = Path::new(if folder.is_empty() { "." } else { folder });
    let folder = tilde::expand(folder).unwrap_or_else(|| folder.to_owned());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_asked_for =
            name.starts_with(prefix) && (!name.starts_with('.') || !prefix.is_empty());
        if !is_asked_for || name.contains(is_unprintable) {
            continue;
        }
        // Through a link, as `put` goes; one that leads nowhere is a file that cannot be sent.
        names.add(name, fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir()));
        if names.is_cut {
            break;
        }
    }
    names.beginning(prefix)
}
