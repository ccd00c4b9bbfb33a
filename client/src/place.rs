//! Where one stands in the server's tree. The protocol knows whole paths only: a session that had
//! a current folder could lose it with its connection.

use common::path::{PathError, VirtualPath};

/// A current folder, and the one it started as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    start: &'static str,
    here: VirtualPath,
}

impl Place {
    /// Where a guest starts.
    pub(crate) fn library() -> Self {
        Self::at("/library")
    }

    /// Where a user starts.
    pub(crate) fn home() -> Self {
        Self::at("/home")
    }

    fn at(start: &'static str) -> Self {
        let here = VirtualPath::parse(start, &VirtualPath::root()).unwrap_or_default();
        Self { start, here }
    }

    /// The current folder.
    pub(crate) fn here(&self) -> &VirtualPath {
        &self.here
    }

    /// Where `cd` alone leads.
    pub(crate) fn start(&self) -> &'static str {
        self.start
    }

    /// Goes there. Whether it is a folder is for the caller to know.
    pub(crate) fn go(&mut self, there: VirtualPath) {
        self.here = there;
    }

    /// The path that `text` means from here. `.` and `..` are worked out on the text alone, which
    /// is right on a server that follows no links; there is nothing above the root, so `..` stays.
    pub(crate) fn resolve(&self, text: &str) -> Result<VirtualPath, PathError> {
        let here = self.here.to_string();
        let start = if text.starts_with('/') { "" } else { here.as_str() };
        let mut names = Vec::new();
        for part in start.split('/').chain(text.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(names.pop()),
                name => names.push(name),
            }
        }
        VirtualPath::parse(&names.join("/"), &VirtualPath::root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_worked_out_before_anything_is_sent() {
        let mut place = Place::home();
        place.go(place.resolve("notes/monday").unwrap());
        for (text, path) in [
            ("", "/home/notes/monday"),
            (".", "/home/notes/monday"),
            ("a.txt", "/home/notes/monday/a.txt"),
            ("..", "/home/notes"),
            ("../..//tuesday/./x/", "/home/tuesday/x"),
            ("../../../../../..", "/"),
            ("/library/x", "/library/x"),
            ("/..", "/"),
            ("../.hidden/..", "/home/notes"),
            ("a..b", "/home/notes/monday/a..b"),
        ] {
            assert_eq!(place.resolve(text).unwrap().to_string(), path, "{text}");
        }
    }

    #[test]
    fn what_no_server_accepts_is_refused_here() {
        let place = Place::library();
        for bad in [".hidden", "...", "a\u{1b}", "x/../.y", &"a/".repeat(2100)] {
            assert!(place.resolve(bad).is_err(), "{bad:?}");
        }
    }
}
