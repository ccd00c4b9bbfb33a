//! The client's own record of what it did: a line for each command and name, in
//! `$XDG_STATE_HOME/ferry/client.log`. Never a password, and a record that cannot be kept is no
//! failure of what it records.
//!
//! ```text
//! 2026-11-20T18:24:10+08:00 | xiaoyu@127.0.0.1:9021 /home | put | ip.txt | 9 | OK
//! ```
//!
//! The bars are tabs. The second field is what the prompt showed, which the path starts from.

use std::fs::File;
use std::io::Write as _;
use std::rc::Rc;

use common::escape::Safe;

use crate::display;
use crate::error::Error;
use crate::xdg;

/// The record. Clones share one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    file: Option<Rc<File>>,
}

impl Journal {
    /// The file, to be added to.
    pub(crate) fn open() -> Self {
        let path = xdg::state_file("client.log");
        let file = path.and_then(|path| File::options().append(true).create(true).open(path).ok());
        Self { file: file.map(Rc::new) }
    }

    /// Adds a line: `link` did `command` on `path`, which moved so many bytes, and how that ended.
    pub(crate) fn add(
        &self,
        link: &str,
        command: &str,
        path: &str,
        outcome: Result<Option<u64>, &Error>,
    ) {
        let Some(mut file) = self.file.as_deref() else { return };
        let text = format!("{}\t{}\n", display::now(), line(link, command, path, outcome));
        // One write, so that two clients that add at once do not mix.
        let _ = file.write_all(text.as_bytes());
    }
}

fn line(link: &str, command: &str, path: &str, outcome: Result<Option<u64>, &Error>) -> String {
    let (bytes, outcome) = match outcome {
        Ok(bytes) => (bytes, "OK".to_owned()),
        Err(error) => (None, format!("{} {error}", display::status(error))),
    };
    let bytes = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    let path = if path.is_empty() { "-" } else { path };
    [link, command, path, &bytes, &outcome].map(|field| Safe(field).to_string()).join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_fields_whatever_a_file_is_called() {
        let link = "xiaoyu@127.0.0.1:9021 /home";
        let stored = line(link, "put", "a\tb\nc", Ok(Some(9)));
        assert_eq!(stored, format!("{link}\tput\t{}\t9\tOK", r"a\u{9}b\u{a}c"));
        let refused = line(link, "passwd", "", Err(&Error::LoginRefused("no\n".into())));
        assert_eq!(refused, format!("{link}\tpasswd\t-\t-\tFAIL no{}", r"\u{a}"));
    }
}
