//! The folders below one on the server, each whole before what it holds.
//!
//! A server may call an entry anything. Here every name is one name: no `..`, no `/`, nothing
//! hidden; so whoever follows a walk with folders of their own stays below where they began.

use common::path::{Name, VirtualPath};
use common::protocol::{Entry, Kind};

use crate::error::{Error, Unwalkable};
use crate::link::Link;
use crate::transfer::DEPTH;

/// A walk. One folder's names are in memory at a time, and those of folders still to come.
pub(super) struct Walk {
    top: VirtualPath,
    /// Still to come, the next one last: the folder each lies in, and its name.
    ahead: Vec<(String, String)>,
    begun: bool,
}

impl Walk {
    /// Begins with `top` itself.
    pub(super) fn of(top: VirtualPath) -> Self {
        Self { top, ahead: Vec::new(), begun: false }
    }

    /// The next folder, as seen from the first, and what it holds. The first is the empty text.
    pub(super) fn next(&mut self, link: &mut Link) -> Option<(String, Result<Vec<Entry>, Error>)> {
        if !self.begun {
            self.begun = true;
            return Some((String::new(), self.list("", link)));
        }
        let (above, name) = self.ahead.pop()?;
        let folder = join(&above, &name);
        let entries = match Name::parse(&name) {
            Ok(_) => self.list(&folder, link),
            Err(error) => Err(error.into()),
        };
        Some((folder, entries))
    }

    /// Goes into the folders among `entries`, which are those of `folder`.
    pub(super) fn go_into(&mut self, folder: &str, entries: &[Entry]) {
        let folders = entries.iter().rev().filter(|entry| entry.stat.kind == Kind::Folder);
        self.ahead.extend(folders.map(|entry| (folder.to_owned(), entry.name.clone())));
    }

    fn list(&self, folder: &str, link: &mut Link) -> Result<Vec<Entry>, Error> {
        if folder.matches('/').count() >= DEPTH {
            return Err(Error::Unwalkable(Unwalkable::DeepThere(folder.to_owned())));
        }
        let path = VirtualPath::parse(folder, &self.top)?.to_string();
        link.client()?.list(Some(&path))
    }
}

/// A name in a folder; in the current one if that is the empty text.
pub(super) fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{}/{name}", folder.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use common::protocol::Stat;

    use super::*;
    use crate::command::Output;
    use crate::connection::Terms;
    use crate::interrupt::Interrupt;
    use crate::password::Passwords;
    use crate::printer::Printer;
    use crate::words::Lang;

    /// What a walk says of a folder of that name, when nobody answers.
    fn asked(folder: &str, name: &str) -> Result<Vec<Entry>, Error> {
        let printer = Printer::new(Output::default(), Lang::En);
        let nobody = "127.0.0.1:1".parse().unwrap();
        let passwords = Passwords::current(None, Interrupt::default());
        let mut link = Link::new(nobody, None, passwords, printer, Terms::default());
        let mut walk = Walk::of(VirtualPath::root());
        walk.begun = true;
        let stat = Stat { kind: Kind::Folder, size: 0, mtime: 0 };
        walk.go_into(folder, &[Entry { name: name.into(), stat }]);
        walk.next(&mut link).unwrap().1
    }

    #[test]
    fn what_is_too_deep_or_no_name_is_not_even_asked_for() {
        let deep = ["a"; DEPTH - 1].join("/");
        assert!(matches!(asked(&deep, "a"), Err(Error::NoServer { .. })));
        assert!(matches!(asked(&format!("{deep}/a"), "a"), Err(Error::Unwalkable(_))));
        for name in ["..", "../x", "a/b", ".ferry", "", "a\u{1b}"] {
            assert!(matches!(asked("a", name), Err(Error::BadName(_))), "{name:?}");
        }
    }

    #[test]
    fn a_name_goes_behind_its_folder() {
        for (folder, path) in
            [("", "a"), ("notes", "notes/a"), ("/notes/", "/notes/a"), ("/", "/a")]
        {
            assert_eq!(join(folder, "a"), path);
        }
    }
}
