//! `put`: small files ahead of their answers, large ones one at a time, results in order.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::escape::Safe;
use serde::Serialize;

use super::report::Report;
use crate::client::{EAGER_BYTES, PutOptions, WINDOW};
use crate::command::Put;
use crate::display;
use crate::error::Error;
use crate::link::Link;
use crate::progress::Bar;
use crate::transfer::{self, Deliver, Source};

/// The work of one `put`.
pub(super) struct Uploads<'a> {
    link: &'a mut Link,
    report: &'a mut Report,
    put: &'a Put,
    bar: Bar,
    /// Sent ahead of their answers, oldest first.
    ahead: VecDeque<Upload>,
}

/// A file on its way.
struct Upload {
    /// Its path as the person would say it.
    shown: String,
    /// Its whole path on the server.
    path: String,
    size: u64,
    mtime: Option<i64>,
}

/// What `put` adds to a result.
#[derive(Serialize)]
struct Sent {
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtime: Option<i64>,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(link: &'a mut Link, report: &'a mut Report, put: &'a Put) -> Self {
        // A file that cannot be looked at counts for nothing here and fails in its turn.
        let sizes = put.files.iter().filter_map(|file| file.metadata().ok());
        let total = sizes.map(|metadata| metadata.len()).sum();
        let label = match put.files.as_slice() {
            [file] => file.to_string_lossy().into_owned(),
            files => format!("{} files", files.len()),
        };
        let bar = report.printer().bar(&label, total);
        Self { link, report, put, bar, ahead: VecDeque::new() }
    }

    pub(super) fn run(mut self, files: &[PathBuf]) {
        let sent = files.iter().try_for_each(|file| self.file(file));
        let answered = sent.is_continue() && self.settle(0).is_continue();
        if !answered && !self.ahead.is_empty() {
            self.report.printer().complain(format_args!(
                "no answer came for {} more; `ferry list` shows whether they are stored.",
                self.ahead.len()
            ));
        }
    }

    fn file(&mut self, file: &Path) -> ControlFlow<()> {
        match self.open(file) {
            Ok((upload, source)) if upload.size <= EAGER_BYTES => self.small(file, upload, source),
            Ok((upload, source)) => {
                self.settle(0)?;
                let stored = self.large(&upload, source);
                self.told(&upload, stored)
            }
            Err(error) => self.failed(file, &error),
        }
    }

    fn open(&self, file: &Path) -> Result<(Upload, Source), Error> {
        let name = transfer::remote_name(file)?;
        let source = Source::open(file)?;
        let shown = remote_path(self.put.to.as_deref(), name.as_str());
        let path = self.link.place.resolve(&shown)?.to_string();
        Ok((Upload { shown, path, size: source.size(), mtime: source.mtime() }, source))
    }

    fn small(&mut self, file: &Path, upload: Upload, source: Source) -> ControlFlow<()> {
        let body = match source.read_whole() {
            Ok(body) => body,
            Err(error) => return self.failed(file, &error),
        };
        let options = self.options(&upload);
        let sent = match self.link.client() {
            Ok(client) => client.put_ahead(&upload.path, &body, options),
            Err(error) => return self.failed(file, &error),
        };
        self.ahead.push_back(upload);
        // Half a window stays under way while the other half is refilled, so that neither side
        // waits for the other. What broke the sending shows in the answers.
        match (sent, self.ahead.len()) {
            (Err(_), _) => self.settle(0),
            (Ok(()), WINDOW) => self.settle(WINDOW / 2),
            _ => ControlFlow::Continue(()),
        }
    }

    fn large(&mut self, upload: &Upload, mut source: Source) -> Result<(), Error> {
        let (options, printer) = (self.options(upload), self.report.printer());
        let Upload { path, shown, .. } = upload;
        let delivery = Deliver { path, shown, options, bar: &self.bar, printer };
        delivery.run(self.link.client()?, &mut source)
    }

    fn options(&self, upload: &Upload) -> PutOptions {
        let &Put { force: overwrite, wait, no_resume, .. } = self.put;
        PutOptions { mtime: upload.mtime, overwrite, wait, resume: !no_resume }
    }

    /// Reads answers until no more than `rest` are outstanding.
    fn settle(&mut self, rest: usize) -> ControlFlow<()> {
        while self.ahead.len() > rest {
            let Some(upload) = self.ahead.pop_front() else { break };
            let Some(client) = self.link.current() else { break };
            let unasked = || Err(Error::lost("it was never sent"));
            let answer = client.answer_ahead().unwrap_or_else(unasked);
            self.bar.advance(upload.size);
            self.told(&upload, answer)?;
        }
        ControlFlow::Continue(())
    }

    /// A file that was not even sent. Those before it are reported first.
    fn failed(&mut self, file: &Path, error: &Error) -> ControlFlow<()> {
        self.settle(0)?;
        self.report.failed(&file.to_string_lossy(), error)
    }

    fn told(&mut self, upload: &Upload, stored: Result<(), Error>) -> ControlFlow<()> {
        let &Upload { ref shown, size, mtime, .. } = upload;
        let line = format!("put {}  {}", Safe(shown), display::size(size));
        let sent = Sent { size, mtime };
        match stored.and_then(|()| self.report.moved(shown, &line, size, sent)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.report.failed(shown, &error),
        }
    }
}

/// A name in a folder on the server; in the current one if none is given.
fn remote_path(folder: Option<&str>, name: &str) -> String {
    folder.map_or_else(|| name.to_owned(), |f| format!("{}/{name}", f.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_into_the_folder_under_its_own_name() {
        assert_eq!(remote_path(None, "a"), "a");
        assert_eq!(remote_path(Some("notes"), "a"), "notes/a");
        assert_eq!(remote_path(Some("/library/notes/"), "a"), "/library/notes/a");
        assert_eq!(remote_path(Some("/"), "a"), "/a");
    }
}
