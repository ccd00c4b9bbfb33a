//! `~`, a person's home folder here, where no shell has seen to it: at the prompt, in scripts, and
//! in the file of servers.

use std::env;
use std::path::{Path, PathBuf};

/// The path that `~` or `~/…` means. `None` of any other, and if nobody knows a home; what is
/// really called `~` is `./~`.
pub(crate) fn expand(path: &Path) -> Option<PathBuf> {
    path.strip_prefix("~").ok().and_then(|rest| Some(env::home_dir()?.join(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tilde_that_is_a_whole_name_and_the_first_is_home() {
        let home = env::home_dir().unwrap();
        for (path, meant) in [("~", ""), ("~/", ""), ("~/a/b c", "a/b c")] {
            assert_eq!(expand(Path::new(path)), Some(home.join(meant)), "{path}");
        }
        for path in ["", "~a", "./~", "/~", "a/~", "a~"] {
            assert_eq!(expand(Path::new(path)), None, "{path}");
        }
    }
}
