//! Where what is remembered from run to run is kept, as the XDG Base Directory Specification has
//! it.

use std::env;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

/// A file in `$XDG_STATE_HOME/ferry`, whose folder is there then; `None` if there can be none.
pub(crate) fn file(name: &str) -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let folder = folder(variable("XDG_STATE_HOME"), variable("HOME"))?;
    // What one does is nobody else's business.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    Some(folder.join(name))
}

/// The specification ignores a path that is not absolute.
fn folder(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |path: Option<PathBuf>| path.filter(|path| path.is_absolute());
    let state = absolute(state).or_else(|| Some(absolute(home)?.join(".local").join("state")))?;
    Some(state.join("ferry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_count() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(folder(path("/s"), path("/h")), path("/s/ferry"));
        assert_eq!(folder(path("s"), path("/h")), path("/h/.local/state/ferry"));
        assert_eq!(folder(None, path("h")), None);
    }
}
