//! What came of the files of one command, in one line at its end.

use std::fmt::Write as _;
use std::time::Duration;

use common::escape::Safe;

use crate::display;

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

    /// `5 files, 1.2 MB in 0.1 s, 12.0 MB/s; 3 unchanged; 2 left out; 4 hidden left out (.git, …);
    /// 1 failed`. Nothing, where a line of its own has said it all; of a folder with no file in it
    /// there was none.
    pub(super) fn sum(self, time: Duration) -> Option<String> {
        let Self { moved, bytes, unchanged, left_out, folders, hidden, hidden_names, failed } =
            self;
        let has_lines = moved + failed > 0 || folders == 0;
        if moved < 2 && unchanged + left_out + hidden == 0 && has_lines {
            return None;
        }
        let seconds = time.as_secs_f64();
        let plural = if moved == 1 { "" } else { "s" };
        let mut sum = format!("{moved} file{plural}, {} in {seconds:.1} s", display::size(bytes));
        // In whole milliseconds: what takes less has no rate worth the name.
        let rate = (u128::from(bytes) * 1000).checked_div(time.as_millis());
        if let Some(rate) = rate.filter(|_| bytes > 0).and_then(|rate| u64::try_from(rate).ok()) {
            // A `String` takes whatever is written.
            let _ = write!(sum, ", {}/s", display::size(rate));
        }
        let more = if hidden > hidden_names.len() as u64 { ", …" } else { "" };
        let hidden_names = Safe(&hidden_names.join(", ")).to_string();
        for (count, what) in [
            (unchanged, "unchanged".to_owned()),
            (left_out, "left out".to_owned()),
            (hidden, format!("hidden left out ({hidden_names}{more})")),
            (failed, "failed".to_owned()),
        ] {
            if count > 0 {
                let _ = write!(sum, "; {count} {what}");
            }
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_says_what_no_other_line_has_said() {
        let tally = |moved, unchanged| Tally { moved, unchanged, ..Tally::default() };
        let second = Duration::from_secs(1);
        assert_eq!(tally(1, 0).sum(second), None);
        assert_eq!(tally(0, 1).sum(second).unwrap(), "0 files, 0 B in 1.0 s; 1 unchanged");
        let folder = |moved, failed| Tally { moved, failed, folders: 1, ..Tally::default() };
        assert_eq!(folder(0, 0).sum(second).unwrap(), "0 files, 0 B in 1.0 s");
        assert_eq!(folder(1, 0).sum(second), None);
        assert_eq!(folder(0, 1).sum(second), None);
        let names = || [".git", "\u{1b}"].map(str::to_owned).to_vec();
        let all = Tally {
            moved: 2,
            bytes: 5000,
            unchanged: 0,
            left_out: 1,
            folders: 1,
            hidden: 3,
            hidden_names: names(),
            failed: 1,
        };
        assert_eq!(
            all.sum(second * 2).unwrap(),
            r"2 files, 5.0 kB in 2.0 s, 2.5 kB/s; 1 left out; 3 hidden left out (.git, \u{1b}, …); 1 failed"
        );
    }
}
