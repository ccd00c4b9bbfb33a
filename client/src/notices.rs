//! The files one was told of, by the numbers they were told with: `n1`, `n2`, …

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use common::path::VirtualPath;

/// How many are remembered. No number is used twice, so an old one means nothing rather than
/// another file.
const REMEMBERED: usize = 1000;

/// What was told. Clones share it: one thread hears of files, another fetches them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    forgotten: usize,
    paths: VecDeque<VirtualPath>,
}

impl Notices {
    /// Remembers a file, and returns its number.
    pub(crate) fn add(&self, path: VirtualPath) -> usize {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.paths.len() == REMEMBERED {
            told.paths.pop_front();
            told.forgotten += 1;
        }
        told.paths.push_back(path);
        told.forgotten + told.paths.len()
    }

    /// The file that `word` is the number of.
    pub(crate) fn find(&self, word: &str) -> Option<VirtualPath> {
        let number: usize = word.strip_prefix('n')?.parse().ok()?;
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.paths.get(number.checked_sub(told.forgotten + 1)?).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_one_file_for_ever_or_none_any_more() {
        let notices = Notices::default();
        let path = |n: usize| VirtualPath::parse(&format!("/library/{n}"), &VirtualPath::root());
        for n in 1..=REMEMBERED + 1 {
            assert_eq!(notices.add(path(n).unwrap()), n);
        }
        assert_eq!(notices.find("n1"), None);
        assert_eq!(notices.find("n2"), path(2).ok());
        assert_eq!(notices.find("n1001"), path(1001).ok());
        for none in ["n1002", "n0", "n", "2", "", "n-2"] {
            assert_eq!(notices.find(none), None, "{none}");
        }
    }
}
