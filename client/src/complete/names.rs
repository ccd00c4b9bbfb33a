//! Names found in a folder.

/// How many are kept and offered. A folder of a million must not fill memory, or a screen.
const MAX: usize = 1000;

/// The names of a folder that begin with what was typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) found: Vec<Found>,
    /// There are more.
    pub(super) is_cut: bool,
}

/// One of them. It is fit to be shown and to be typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) is_folder: bool,
}

impl Names {
    /// Adds one, if there is room.
    pub(super) fn add(&mut self, name: String, is_folder: bool) {
        if self.found.len() < MAX {
            self.found.push(Found { name, is_folder });
        } else {
            self.is_cut = true;
        }
    }

    /// Those of them that begin with `prefix`, in order.
    pub(super) fn beginning(&self, prefix: &str) -> Self {
        let fits = |found: &&Found| found.name.starts_with(prefix);
        let mut found: Vec<Found> = self.found.iter().filter(fits).cloned().collect();
        found.sort_unstable();
        Self { found, is_cut: self.is_cut }
    }
}
