//! `put`: small files ahead of their answers, large ones one at a time, results in order.
//!
//! - `folder`: with `-r`, folders and what is in them.
//! - `compare`: what is there already, byte for byte, is not sent again.

mod compare;
mod folder;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::escape::Safe;
use common::path::Name;
use serde::Serialize;

use self::compare::is_as_long;
use super::named::Numbers;
use super::report::Report;
use super::walk::join;
use crate::client::{BATCH, EAGER_BYTES, PutOptions, WINDOW};
use crate::command::Put;
use crate::display;
use crate::error::{Error, Loss, Misuse};
use crate::link::Link;
use crate::progress::Progress;
use crate::transfer::{self, Deliver, Source, Tree, What};
use crate::words::Talk;

/// The work of one `put`.
pub(super) struct Uploads<'a> {
    link: &'a mut Link,
    report: &'a mut Report,
    put: &'a Put,
    progress: Progress,
    /// Whether the folder that files go to now was made just now, and is empty.
    folder_is_new: bool,
    /// To be compared with what may be there.
    doubtful: Vec<Upload>,
    /// Sent ahead of their answers, oldest first.
    ahead: VecDeque<Upload>,
    /// Refused since something as long stands there by now, and how that was said.
    taken: Vec<(Upload, Error)>,
}

/// A file on its way.
struct Upload {
    file: PathBuf,
    /// Its path on the server as the person would say it.
    shown: String,
    /// Its whole path there.
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

/// A word that names no file, and why.
type Unnamed = (PathBuf, Error);

impl<'a> Uploads<'a> {
    pub(super) fn new(link: &'a mut Link, report: &'a mut Report, put: &'a Put) -> Self {
        let progress = report.printer().progress();
        let (doubtful, ahead, taken) = (Vec::new(), VecDeque::new(), Vec::new());
        Self { link, report, put, progress, folder_is_new: false, doubtful, ahead, taken }
    }

    pub(super) fn run(mut self, numbers: &Numbers) {
        let named = named(&self.put.files, numbers);
        if self.put.name.is_some() && named.len() > 1 {
            // There is nothing to go on with.
            let _ = self.report.failed("", &Misuse::SeveralNames.into());
            return;
        }
        if self.progress.is_seen() {
            self.foresee(&named);
        }
        let mut named = named.into_iter();
        let sent = named.try_for_each(|file| match file {
            Ok(file) => self.top(&file),
            Err((word, error)) => self.failed(&word, error),
        });
        let compared = sent.is_continue() && self.compare().is_continue();
        let answered = compared && self.settle(0).is_continue();
        if answered {
            self.look_again();
        }
        if !answered && !self.ahead.is_empty() {
            let count = self.ahead.len();
            self.report.printer().complain(&Talk::NoAnswers { count });
        }
    }

    /// Counts what there is to send. Only for a bar: it means to walk through all folders twice.
    fn foresee(&self, named: &[Result<PathBuf, Unnamed>]) {
        for file in named.iter().flatten() {
            if self.put.recursive && file.is_dir() {
                let files = Tree::of(file).flatten().filter(|found| found.what == What::File);
                files.for_each(|found| self.progress.expect(1, found.size));
            } else {
                // A file that cannot be looked at fails in its turn.
                self.progress.expect(1, file.metadata().map_or(0, |metadata| metadata.len()));
            }
        }
    }

    /// Something that was named itself.
    fn top(&mut self, file: &Path) -> ControlFlow<()> {
        if self.put.recursive && file.is_dir() {
            return self.folder(file);
        }
        self.folder_is_new = false;
        match self.name(file) {
            Ok(name) => self.file(file, join(self.to(), name.as_str())),
            Err(error) => self.failed(file, error),
        }
    }

    /// The folder on the server, as the person would say it.
    fn to(&self) -> &str {
        self.put.to.as_deref().unwrap_or_default()
    }

    fn name(&self, file: &Path) -> Result<Name, Error> {
        self.put.name.clone().map_or_else(|| transfer::remote_name(file), Ok)
    }

    fn file(&mut self, file: &Path, shown: String) -> ControlFlow<()> {
        let (upload, source) = match self.open(file, shown) {
            Ok(opened) => opened,
            Err(error) => return self.failed(file, error),
        };
        if !self.put.recursive || self.folder_is_new {
            self.compare()?;
            return self.send(upload, source);
        }
        self.doubtful.push(upload);
        if self.doubtful.len() == BATCH { self.compare() } else { ControlFlow::Continue(()) }
    }

    fn open(&self, file: &Path, shown: String) -> Result<(Upload, Source), Error> {
        let source = Source::open(file)?;
        let path = self.link.place.resolve(&shown)?.to_string();
        let (size, mtime) = (source.size(), source.mtime());
        Ok((Upload { file: file.to_owned(), shown, path, size, mtime }, source))
    }

    fn send(&mut self, upload: Upload, source: Source) -> ControlFlow<()> {
        if upload.size <= EAGER_BYTES {
            return self.small(upload, source);
        }
        self.settle(0)?;
        let stored = self.large(&upload, source);
        self.told(upload, stored)
    }

    fn small(&mut self, upload: Upload, source: Source) -> ControlFlow<()> {
        let body = match source.read_whole() {
            Ok(body) => body,
            Err(error) => return self.failed(&upload.file, error),
        };
        let options = self.options(&upload);
        let sent = match self.link.client() {
            Ok(client) => client.put_ahead(&upload.path, &body, options),
            Err(error) => return self.failed(&upload.file, error),
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
        let delivery = Deliver { path, shown, options, progress: &self.progress, printer };
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
            let unasked = || Err(Error::Lost(Loss::NeverSent));
            let answer = client.answer_ahead().unwrap_or_else(unasked);
            self.progress.advance(upload.size);
            self.told(upload, answer)?;
        }
        ControlFlow::Continue(())
    }

    /// What was not even sent. What came before it is reported first.
    fn failed(&mut self, file: &Path, error: Error) -> ControlFlow<()> {
        self.compare()?;
        self.settle(0)?;
        self.progress.file_done();
        self.report.failed(&file.to_string_lossy(), &self.may_go_on(error))
    }

    fn told(&mut self, upload: Upload, stored: Result<(), Error>) -> ControlFlow<()> {
        let stored = match stored {
            Err(error) if self.put.recursive && is_as_long(&error, upload.size) => {
                self.taken.push((upload, error));
                return ControlFlow::Continue(());
            }
            stored => stored,
        };
        self.progress.file_done();
        let Upload { ref shown, size, mtime, .. } = upload;
        let line = format!("put {}  {}", Safe(shown), display::size(size));
        let sent = Sent { size, mtime };
        match stored.and_then(|()| self.report.moved(shown, &line, size, sent)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.report.failed(shown, &self.may_go_on(error)),
        }
    }

    /// With `-r` the same command goes on with whatever was cut off.
    fn may_go_on(&self, error: Error) -> Error {
        if self.put.recursive { error.unfinished() } else { error }
    }
}

/// What the words mean, each in its place.
fn named(words: &[PathBuf], numbers: &Numbers) -> Vec<Result<PathBuf, Unnamed>> {
    let mut named = Vec::new();
    for word in words {
        match numbers.here(word) {
            Ok(files) => named.extend(files.into_iter().map(Ok)),
            Err(error) => named.push(Err((word.clone(), error))),
        }
    }
    named
}
