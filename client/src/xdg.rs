//! Where a person's own files are, as the XDG Base Directory Specification has it.

use std::env;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

/// A file that is remembered from run to run, in `$XDG_STATE_HOME/ferry`, whose folder is there
/// then; `None` if there can be none.
pub(crate) fn state_file(name: &str) -> Option<PathBuf> {
    let folder = folder(variable("XDG_STATE_HOME"), variable("HOME"), ".local/state")?;
    // What one does is nobody else's business.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    Some(folder.join(name))
}

/// A file that the person writes, in `$XDG_CONFIG_HOME/ferry`; `None` if nobody says where that is.
pub(crate) fn config_file(name: &str) -> Option<PathBuf> {
    let folder = folder(variable("XDG_CONFIG_HOME"), variable("HOME"), ".config")?;
    Some(folder.join(name))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}

/// The specification ignores a path that is not absolute.
fn folder(named: Option<PathBuf>, home: Option<PathBuf>, usual: &str) -> Option<PathBuf> {
    let absolute = |path: Option<PathBuf>| path.filter(|path| path.is_absolute());
    let base = absolute(named).or_else(|| Some(absolute(home)?.join(usual)))?;
    Some(base.join("ferry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_count() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(folder(path("/s"), path("/h"), ".config"), path("/s/ferry"));
        assert_eq!(folder(path("s"), path("/h"), ".config"), path("/h/.config/ferry"));
        assert_eq!(folder(None, path("h"), ".config"), None);
    }
}
