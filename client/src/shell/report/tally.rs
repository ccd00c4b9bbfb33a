//! What came of the files of one command, in one line at its end.

use std::time::Duration;

use crate::words::Sum;

/// What came of the files of one command.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) moved: u64,
    pub(super) bytes: u64,
    /// On the other side already, byte for byte.
    pub(super) unchanged: u64,
    /// Links and the like.
    pub(super) left_out: u64,
    /// Folders that were named.
    pub(super) folders: u64,
    hidden: u64,
    /// The first few of the hidden.
    hidden_names: Vec<String>,
    pub(super) failed: u64,
}

/// How many hidden names are told.
const HIDDEN_TOLD: usize = 3;

impl Tally {
    /// Counts something hidden; the first few are told by name.
    pub(super) fn name_hidden(&mut self, name: &str) {
        self.hidden += 1;
        let names = &mut self.hidden_names;
        if names.len() < HIDDEN_TOLD && names.iter().all(|told| told != name) {
            names.push(name.to_owned());
        }
    }

    /// What there is to say of it after `time`: nothing, where a line of its own has said it all; of
    /// a folder with no file in it there was none.
    pub(super) fn sum(&self, time: Duration) -> Option<Sum<'_>> {
        let Self { moved, bytes, unchanged, left_out, folders, hidden, failed, .. } = *self;
        let hidden_names = &self.hidden_names;
        let sum = Sum { moved, bytes, time, unchanged, left_out, hidden, hidden_names, failed };
        let has_lines = moved + failed > 0 || folders == 0;
        (moved > 1 || unchanged + left_out + hidden > 0 || !has_lines).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_says_what_no_other_line_has_said() {
        let tally = |moved, unchanged| Tally { moved, unchanged, ..Tally::default() };
        let is_said = |tally: Tally| tally.sum(Duration::from_secs(1)).is_some();
        assert!(!is_said(tally(1, 0)));
        assert!(is_said(tally(2, 0)) && is_said(tally(0, 1)));
        let folder = |moved, failed| Tally { moved, failed, folders: 1, ..Tally::default() };
        assert!(is_said(folder(0, 0)));
        assert!(!is_said(folder(1, 0)) && !is_said(folder(0, 1)));
    }

    #[test]
    fn only_the_first_few_hidden_names_are_told() {
        let mut tally = Tally::default();
        for name in [".git", ".git", ".a", ".b", ".c"] {
            tally.name_hidden(name);
        }
        assert_eq!(
            (tally.hidden, tally.hidden_names),
            (5, [".git", ".a", ".b"].map(str::to_owned).to_vec())
        );
    }
}
