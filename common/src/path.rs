//! Names and paths, parsed once.
//!
//! A [`VirtualPath`] is a list of [`Name`]s counted from the virtual root (`/library/a.txt`). Its
//! parser is the only way to make one, so whoever holds one knows: no `..`, no `.`, no empty or
//! hidden name, no control character. Walking it one name at a time beneath an open folder cannot
//! leave that folder, whatever its names are.
//!
//! Two rules, because there are two questions. What may be *asked for* is any name that is safe
//! to walk and to print ([`Name::parse`]): a library may hold files other programs made. What may
//! be *created* must also exist as a name on every system people will fetch it to
//! ([`Name::check_portable`]).

use std::fmt;

use crate::escape::{Safe, is_unprintable};
use crate::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX};

/// Why a text is no path. The message is for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `.` or `..`: the protocol keeps no current folder, so they have nowhere to go.
    #[error("`{0}` cannot be part of a path here; write the folders out, as in /library/notes")]
    Dots(String),
    /// Hidden names belong to the server and to people's desktops; they are neither listed nor
    /// served.
    #[error("`{}` is hidden (it starts with a dot), and hidden names are not served", Safe(.0))]
    Hidden(String),
    /// A character that would change the line it is printed on, or that no file name can hold.
    #[error("`{}` holds a control or direction character; choose a plain name", Safe(.0))]
    Unprintable(String),
    /// Over [`NAME_BYTES_MAX`] bytes.
    #[error("a name of {0} bytes is too long; the limit is {NAME_BYTES_MAX}")]
    NameTooLong(usize),
    /// Over [`PATH_BYTES_MAX`] bytes.
    #[error("a path of {0} bytes is too long; the limit is {PATH_BYTES_MAX}")]
    PathTooLong(usize),
    /// The path ends at a folder of the virtual root where a file or folder name is needed.
    #[error("`{0}` names no file or folder of its own; add a name, as in /library/notes.txt")]
    NoName(String),
    /// Legal here, impossible on a system it may be fetched to.
    #[error("`{}` cannot be a name on every system ({why}); choose another", Safe(.name))]
    NotPortable {
        /// The name as asked for.
        name: String,
        /// Which system refuses it, and what in it.
        why: &'static str,
    },
}

/// One name of a file or folder: not empty, not hidden, safe to walk and to print.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Accepts 1 to [`NAME_BYTES_MAX`] bytes without `/`, without control or direction
    /// characters, not starting with a dot.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text == "." || text == ".." || text.is_empty() {
            return Err(PathError::Dots(text.to_owned()));
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(PathError::NameTooLong(text.len()));
        }
        if text.chars().any(|c| c == '/' || is_unprintable(c)) {
            return Err(PathError::Unprintable(text.to_owned()));
        }
        if text.starts_with('.') {
            return Err(PathError::Hidden(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Windows, macOS and Linux can all store this name. The rule is the strictest of the
    /// three: Windows' "Naming Files, Paths, and Namespaces".
    pub fn check_portable(&self) -> Result<(), PathError> {
        let not = |why| Err(PathError::NotPortable { name: self.0.clone(), why });
        if self.0.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) {
            return not("Windows allows none of \\ : * ? \" < > |");
        }
        if self.0.ends_with(['.', ' ']) {
            return not("Windows drops a dot or a space at the end");
        }
        if is_device(&self.0) {
            return not("Windows keeps it for a device");
        }
        Ok(())
    }
}

/// `CON`, `nul.txt`, `COM¹`: on Windows a device whatever follows the first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(port, Some(n) if n.chars().count() == 1 && n.contains(|c| "123456789¹²³".contains(c)))
}

/// Where something is, from the virtual root down.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct VirtualPath {
    names: Vec<Name>,
}

impl VirtualPath {
    /// The virtual root itself, `/`.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads `text`: from the root when it starts with `/`, else from `start`. Repeated and
    /// trailing slashes mean nothing, so `a//b/` is `a/b`; an empty text is `start`.
    pub fn parse(text: &str, start: &Self) -> Result<Self, PathError> {
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError::PathTooLong(text.len()));
        }
        let mut path = if text.starts_with('/') { Self::root() } else { start.clone() };
        for part in text.split('/').filter(|part| !part.is_empty()) {
            path.names.push(Name::parse(part)?);
        }
        match path.to_string().len() {
            0..=PATH_BYTES_MAX => Ok(path),
            long => Err(PathError::PathTooLong(long)),
        }
    }

    /// The names from the root down; none for the root.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// The folder this path lies in, and its last name; `None` for the root.
    pub fn split_last(&self) -> Option<(Self, &Name)> {
        let (last, folder) = self.names.split_last()?;
        Some((Self { names: folder.to_vec() }, last))
    }
}

impl fmt::Display for VirtualPath {
    /// Always absolute; parsing it gives the same path again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("/");
        }
        self.names.iter().try_for_each(|name| write!(f, "/{}", name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn library() -> VirtualPath {
        VirtualPath::parse("/library", &VirtualPath::root()).unwrap()
    }

    #[test]
    fn a_relative_path_starts_where_the_asker_starts() {
        let path = VirtualPath::parse("a//b/", &library()).unwrap();
        assert_eq!(path.to_string(), "/library/a/b");
        assert_eq!(VirtualPath::parse("/a", &library()).unwrap().to_string(), "/a");
        assert_eq!(VirtualPath::parse("", &library()).unwrap(), library());
    }

    /// Every text of up to six signs that traversal attempts are made of.
    #[test]
    fn no_spelling_of_dots_and_slashes_leaves_the_folder() {
        let signs = [".", "/", "\\", "%", "2", "e", "\0", "a"];
        let mut texts = vec![String::new()];
        for _ in 0..6 {
            let longer: Vec<String> =
                texts.iter().flat_map(|t| signs.iter().map(move |s| format!("{t}{s}"))).collect();
            for text in &longer {
                if let Ok(path) = VirtualPath::parse(text, &library()) {
                    assert!(path.names().iter().all(|n| !n.as_str().starts_with('.')), "{text:?}");
                    assert!(!path.to_string().contains('\0'), "{text:?}");
                }
            }
            texts = longer;
        }
    }

    #[test]
    fn hidden_and_unprintable_names_are_no_names() {
        for bad in [".", "..", ".ferry", ".a", "a\nb", "a\u{1b}[2J", "a\u{202e}b", "a\u{7f}", "\0"]
        {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Name::parse(&"é".repeat(127)).is_ok());
        assert!(Name::parse(&"é".repeat(128)).is_err());
    }

    #[test]
    fn a_created_name_exists_on_every_system() {
        for bad in ["a:b", "a\\b", "what?", "CON", "nul.txt", "com1.log", "LPT¹", "end.", "end "] {
            let name = Name::parse(bad).unwrap();
            assert!(name.check_portable().is_err(), "{bad:?}");
        }
        for good in ["notes.pdf", "笔记.txt", "communism.txt", "com10", "😀", "a b"] {
            assert_eq!(Name::parse(good).unwrap().check_portable(), Ok(()), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_as_something_that_parses_to_the_same(text in any::<String>()) {
            if let Ok(path) = VirtualPath::parse(&text, &library()) {
                let again = VirtualPath::parse(&path.to_string(), &VirtualPath::root());
                prop_assert_eq!(again, Ok(path));
            }
        }

        #[test]
        fn the_last_name_and_its_folder_make_the_path(parts in "[a-z]{1,9}(/[a-z]{1,9}){0,5}") {
            let path = VirtualPath::parse(&parts, &library()).unwrap();
            let (folder, name) = path.split_last().unwrap();
            prop_assert_eq!(VirtualPath::parse(name.as_str(), &folder), Ok(path.clone()));
        }
    }
}
