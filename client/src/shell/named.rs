//! What a person names: the number of a notice, a path as it stands, a number of the last list, or a
//! pattern.
//!
//! They are tried in this order, so what is really called `3` or `a[1].txt` can always be named, and
//! what is called `n1` as `./n1`: that number was given once and means one file for ever. Numbers
//! exist at the prompt alone: only there is a last list.

use std::path::{self, Path, PathBuf};

use common::path::{Name, VirtualPath};
use common::protocol::{Entry, Kind, Reason};
use glob::{MatchOptions, Pattern, glob_with};

use super::walk::join;
use crate::error::{Deed, Error};
use crate::link::Link;
use crate::notices::Notices;

/// As in a shell: `*` stands for what is in one name, and not for the dot of a hidden one.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The numbers a person has seen.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Whether lists are numbered at all.
    on: bool,
    /// The folder of the last `list`, and the names in their order.
    there: (VirtualPath, Vec<String>),
    /// The same of the last `lls`.
    here: (PathBuf, Vec<String>),
    /// Those one was told of since one is at the prompt.
    told: Notices,
}

/// Something on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The path as the person would say it.
    pub(super) shown: String,
    pub(super) path: VirtualPath,
}

impl Numbers {
    /// From now on lists are numbered.
    pub(super) fn turn_on(&mut self) {
        self.on = true;
    }

    /// The files one is told of.
    pub(super) fn told(&self) -> &Notices {
        &self.told
    }

    /// What follows is a list of `top`.
    pub(super) fn begin_there(&mut self, top: &VirtualPath) {
        self.there = (top.clone(), Vec::new());
    }

    /// Numbers the next entries of that list, and returns the first number.
    pub(super) fn add_there(&mut self, entries: &[Entry]) -> Option<usize> {
        let names = &mut self.there.1;
        let first = names.len() + 1;
        if self.on {
            names.extend(entries.iter().map(|entry| entry.name.clone()));
        }
        self.on.then_some(first)
    }

    /// Numbers the entries of a folder here, and returns the first number.
    pub(super) fn take_here(&mut self, dir: &Path, entries: &[Entry]) -> Option<usize> {
        if self.on {
            // Whole: `lcd` may go elsewhere before the number is used.
            let dir = path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
            self.here = (dir, entries.iter().map(|entry| entry.name.clone()).collect());
        }
        self.on.then_some(1)
    }

    /// The local files that `word` means.
    pub(super) fn here(&self, word: &Path) -> Result<Vec<PathBuf>, Error> {
        let literal = || Ok(vec![word.to_owned()]);
        let Some(text) = word.to_str().filter(|_| word.symlink_metadata().is_err()) else {
            return literal();
        };
        let (dir, names) = &self.here;
        if let Some(name) = nth(text, names) {
            return Ok(vec![dir.join(name)]);
        }
        if !is_pattern(text) {
            return literal();
        }
        // What is no pattern is a name that is not there.
        let Ok(found) = glob_with(text, LIKE_A_SHELL) else { return literal() };
        let found = found.collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| Error::local(Deed::Match)(error.into()))?;
        if found.is_empty() { Err(Error::NoMatch(text.to_owned())) } else { Ok(found) }
    }

    /// What `word` means on the server, which is asked only if the word may mean several things. The
    /// number of a file one was told of means that file, whatever is called so here or there.
    pub(super) fn there(&self, link: &mut Link, word: &str) -> Result<Vec<Named>, Error> {
        if let Some(path) = self.told.find(word) {
            return Ok(vec![Named { shown: path.to_string(), path }]);
        }
        let literal = Named { shown: word.to_owned(), path: link.place.resolve(word)? };
        let (top, names) = &self.there;
        let number = nth(word, names);
        if (number.is_none() && !is_pattern(word)) || is_there(link, &literal.path)? {
            return Ok(vec![literal]);
        }
        let Some(name) = number else { return matching(link, literal) };
        let path = VirtualPath::parse(name, top)?;
        let is_near = link.place.here() == top;
        let shown = if is_near { name.to_owned() } else { path.to_string() };
        Ok(vec![Named { shown, path }])
    }
}

/// The name that `word` is the number of.
fn nth<'a>(word: &str, names: &'a [String]) -> Option<&'a str> {
    let number: usize = word.parse().ok()?;
    names.get(number.checked_sub(1)?).map(String::as_str)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn is_there(link: &mut Link, path: &VirtualPath) -> Result<bool, Error> {
    match link.client()?.stat(&path.to_string()) {
        Ok(_) => Ok(true),
        Err(Error::Refused { reason: Reason::NotFound, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What on the server has a name like this, name by name from the first folder down.
fn matching(link: &mut Link, literal: Named) -> Result<Vec<Named>, Error> {
    let word = literal.shown.as_str();
    let parts: Vec<&str> = word.split('/').filter(|part| !part.is_empty()).collect();
    let mut found = vec![if word.starts_with('/') { "/".to_owned() } else { String::new() }];
    for (nth, part) in parts.iter().enumerate() {
        let is_last = nth + 1 == parts.len();
        let after_pattern = parts[..nth].iter().any(|before| is_pattern(before));
        found = match Pattern::new(part) {
            Ok(pattern) if is_pattern(part) => below(link, &found, &pattern, is_last)?,
            _ => found.iter().map(|folder| join(folder, part)).collect(),
        };
        if after_pattern && !is_pattern(part) {
            found = those_there(link, found)?;
        }
    }
    let named = found.into_iter().map(|shown| {
        let path = link.place.resolve(&shown)?;
        Ok(Named { shown, path })
    });
    let named = named.collect::<Result<Vec<_>, Error>>()?;
    if named.is_empty() { Err(Error::NoMatch(literal.shown)) } else { Ok(named) }
}

/// What in these folders has a name like this; only folders, unless it is the last name.
fn below(
    link: &mut Link,
    folders: &[String],
    pattern: &Pattern,
    is_last: bool,
) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for folder in folders {
        let path = link.place.resolve(folder)?.to_string();
        let entries = link.client()?.list(Some(&path))?;
        let fits = |entry: &&Entry| {
            (is_last || entry.stat.kind == Kind::Folder)
                && pattern.matches_with(&entry.name, LIKE_A_SHELL)
                // A server may call an entry anything.
                && Name::parse(&entry.name).is_ok()
        };
        found.extend(entries.iter().filter(fits).map(|entry| join(folder, &entry.name)));
    }
    Ok(found)
}

fn those_there(link: &mut Link, paths: Vec<String>) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let whole = link.place.resolve(&path)?;
        if is_there(link, &whole)? {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use common::protocol::Stat;

    use super::*;
    use crate::client::scripted::{GREETING, Peer, Script, serve_each};
    use crate::command::Output;
    use crate::connection::Terms;
    use crate::interrupt::Interrupt;
    use crate::password::Passwords;
    use crate::printer::Printer;
    use crate::words::Lang;

    #[test]
    fn here_a_name_wins_over_a_number_and_a_number_over_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.txt", "b.txt", "[ab].txt", ".hidden.txt"] {
            fs::write(at(name), "").unwrap();
        }
        let stat = Stat { kind: Kind::File, size: 0, mtime: 0 };
        let entries = ["a.txt", "b.txt"].map(|name| Entry { name: name.into(), stat });
        let mut numbers = Numbers::default();
        assert_eq!(numbers.take_here(folder.path(), &entries), None);
        assert_eq!(numbers.here(Path::new("2")).unwrap(), [Path::new("2")], "nothing is numbered");
        numbers.turn_on();
        assert_eq!(numbers.take_here(folder.path(), &entries), Some(1));
        assert_eq!(numbers.here(Path::new("2")).unwrap(), [at("b.txt")]);
        for (word, found) in [
            ("[ab].txt", vec![at("[ab].txt")]),
            ("?.txt", vec![at("a.txt"), at("b.txt")]),
            ("*.txt", vec![at("[ab].txt"), at("a.txt"), at("b.txt")]),
            ("3", vec![at("3")]),
            ("[", vec![at("[")]),
        ] {
            assert_eq!(numbers.here(&at(word)).unwrap(), found, "{word}");
        }
        assert_eq!(numbers.here(&at("*.pdf")).unwrap_err().exit_status(), 6);
    }

    #[test]
    fn there_a_number_is_of_the_folder_that_was_listed() {
        let answers: Script = Box::new(|peer: &mut Peer| {
            peer.say(GREETING);
            for answer in [
                r#"{"status":"FAIL","reason":"not-found","message":"no"}"#,
                r#"{"status":"FAIL","reason":"not-found","message":"no"}"#,
                r#"{"status":"OK","kind":"file","size":1,"mtime":9}"#,
            ] {
                assert!(peer.hear().contains(r#"/2"}"#));
                peer.say(answer);
            }
        });
        let server = serve_each(vec![answers]).parse().unwrap();
        let printer = Printer::new(Output::default(), Lang::En);
        let passwords = Passwords::current(None, Interrupt::default());
        let mut link = Link::new(server, None, passwords, printer, Terms::default());
        let stat = Stat { kind: Kind::File, size: 0, mtime: 0 };
        let entries = ["a", "b"].map(|name| Entry { name: name.into(), stat });
        let mut numbers = Numbers::default();
        numbers.turn_on();
        numbers.begin_there(link.place.here());
        assert_eq!(numbers.add_there(&entries[..1]), Some(1));
        assert_eq!(numbers.add_there(&entries[1..]), Some(2));
        let named = |link: &mut Link, word| {
            let [named] = <[Named; 1]>::try_from(numbers.there(link, word).unwrap()).unwrap();
            (named.shown, named.path.to_string())
        };
        assert_eq!(named(&mut link, "2"), ("b".into(), "/library/b".into()));
        link.place.go(link.place.resolve("monday").unwrap());
        assert_eq!(named(&mut link, "2"), ("/library/b".into(), "/library/b".into()));
        assert_eq!(named(&mut link, "2"), ("2".into(), "/library/monday/2".into()));
        // More than there are is a name, and nobody is asked before it is wanted.
        assert_eq!(named(&mut link, "3"), ("3".into(), "/library/monday/3".into()));
    }

    #[test]
    fn numbers_count_from_one() {
        let names = ["a", "b"].map(str::to_owned);
        assert_eq!(["1", "2"].map(|word| nth(word, &names)), [Some("a"), Some("b")]);
        assert!(["0", "3", "-1", "a", ""].iter().all(|word| nth(word, &names).is_none()));
    }
}
