//! `put`: small files ahead of their answers, large ones one at a time, results in order.
//!
//! With `-r` a folder is made on the server before its files are sent. If it was there already, so
//! may be some of its files, from an earlier attempt: those are compared first, many at a time, and
//! what is there byte for byte is not sent again.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::escape::Safe;
use common::path::Name;
use common::protocol::{Crc32, Kind};
use serde::Serialize;

use super::named::Numbers;
use super::report::Report;
use super::walk::join;
use crate::client::{BATCH, EAGER_BYTES, PutOptions, WINDOW};
use crate::command::Put;
use crate::display;
use crate::error::Error;
use crate::link::Link;
use crate::progress::Progress;
use crate::transfer::{self, Deliver, Found, Source, Tree, What};

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
            let _ = self.report.failed("", &Error::one_name());
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
            self.report.printer().complain(format_args!(
                "no answer came for {} more; `ferry list` shows whether they are stored.",
                self.ahead.len()
            ));
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

    fn folder(&mut self, top: &Path) -> ControlFlow<()> {
        // `.` has no name of its own: what is in it goes to where a folder would have gone.
        let is_nameless = self.put.name.is_none() && top.file_name().is_none();
        let name = if is_nameless { Ok(None) } else { self.name(top).map(Some) };
        let there = match name {
            Ok(Some(name)) => join(self.to(), name.as_str()),
            Ok(None) => self.to().to_owned(),
            Err(error) => return self.failed(top, error),
        };
        let mut tree = Tree::of(top);
        while let Some(found) = tree.next() {
            match found {
                Ok(found) if is_nameless && found.below.is_empty() => self.folder_is_new = false,
                Ok(found) => self.found(&found, &there, &mut tree)?,
                Err((path, error)) => self.failed(&path, error)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn found(&mut self, found: &Found, top: &str, tree: &mut Tree) -> ControlFlow<()> {
        let path = &found.path;
        match (found.what, there(found, top)) {
            (What::Hidden, _) => self.report.hidden(path),
            (What::Link, _) => self.report.left_out(path, "a link"),
            (What::Special, _) => self.report.left_out(path, "no regular file"),
            (What::File, Ok(shown)) => return self.file(path, shown),
            (What::File, Err(error)) => return self.failed(path, error),
            (What::Folder, shown) => {
                // No other request may come between an upload sent ahead and its answer.
                self.settle(0)?;
                if let Err(error) = shown.and_then(|shown| self.make(&shown)) {
                    tree.pass_over();
                    return self.failed(path, error);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn make(&mut self, folder: &str) -> Result<(), Error> {
        let path = self.link.place.resolve(folder)?.to_string();
        let made = self.link.client()?.mkdir(&path);
        self.folder_is_new = made.is_ok();
        match made {
            Err(Error::Exists { existing, .. }) => match existing.stat {
                Some(stat) if stat.kind == Kind::Folder => Ok(()),
                _ => Err(Error::Unwalkable(format!(
                    "`{}` is a file on the server; no folder can be made there",
                    Safe(&path)
                ))),
            },
            made => made,
        }
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

    /// Sends those of the doubtful that are not there yet.
    fn compare(&mut self) -> ControlFlow<()> {
        let doubtful = mem::take(&mut self.doubtful);
        let Some(first) = doubtful.first() else { return ControlFlow::Continue(()) };
        self.settle(0)?;
        let sums = match self.sums(&doubtful) {
            Ok(sums) => sums,
            Err(error) if error.ends_everything() => return self.failed(&first.file, error),
            // What speaks against one of them only, that one will say in its turn.
            Err(_) => vec![None; doubtful.len()],
        };
        for (upload, there) in doubtful.into_iter().zip(sums) {
            match self.is_same(&upload, there) {
                Ok(true) => self.unchanged(&upload)?,
                Ok(false) => match self.open(&upload.file, upload.shown) {
                    Ok((upload, source)) => self.send(upload, source)?,
                    Err(error) => self.failed(&upload.file, error)?,
                },
                Err(error) => self.failed(&upload.file, error)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn sums<'u>(
        &mut self,
        uploads: impl IntoIterator<Item = &'u Upload>,
    ) -> Result<Vec<Option<Crc32>>, Error> {
        let files: Vec<_> = uploads.into_iter().map(|u| (u.path.clone(), u.size)).collect();
        self.link.client()?.sums_of_size(&files)
    }

    fn is_same(&mut self, upload: &Upload, there: Option<Crc32>) -> Result<bool, Error> {
        let Some(there) = there else { return Ok(false) };
        transfer::is_same(self.link.client()?, &upload.path, &upload.file, there)
    }

    /// Compares what came to stand there since it was first looked at. After a cut the server may
    /// still have been storing what had arrived, or a second `put -r` is under way.
    fn look_again(&mut self) {
        let mut taken = mem::take(&mut self.taken);
        while !taken.is_empty() {
            let batch: Vec<_> = taken.drain(..taken.len().min(BATCH)).collect();
            let sums = self.sums(batch.iter().map(|(upload, _)| upload));
            let sums = sums.unwrap_or_else(|_| vec![None; batch.len()]);
            for ((upload, error), there) in batch.into_iter().zip(sums) {
                let done = match self.is_same(&upload, there) {
                    Ok(true) => self.unchanged(&upload),
                    _ => self.report.failed(&upload.shown, &error),
                };
                if done.is_break() {
                    return;
                }
            }
        }
    }

    fn unchanged(&mut self, upload: &Upload) -> ControlFlow<()> {
        self.settle(0)?;
        self.progress.skip(upload.size);
        self.progress.file_done();
        match self.report.unchanged(&upload.shown, upload.size) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.report.failed(&upload.shown, &error),
        }
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
            let unasked = || Err(Error::lost("it was never sent"));
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

/// Whether the name is taken by a file of that size.
fn is_as_long(error: &Error, size: u64) -> bool {
    let Error::Exists { existing, .. } = error else { return false };
    existing.stat.is_some_and(|stat| stat.kind == Kind::File && stat.size == size)
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

/// Where something goes that was found in a folder, if the folder itself goes to `top`.
fn there(found: &Found, top: &str) -> Result<String, Error> {
    if found.below.is_empty() {
        return Ok(top.to_owned());
    }
    transfer::remote_name(&found.path)?;
    Ok(join(top, &found.below))
}
