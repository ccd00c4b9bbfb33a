//! Receiving a file, or the rest of one.
//!
//! What an earlier attempt left is gone on with if the server still has the file it is a part of.
//! That is asked before (`STAT`), checked again in the answer to `GET`, and proven by the checksum
//! of the whole: of the bytes that lay here as well as of those that came.

use std::io::Write as _;
use std::path::Path;

use common::escape::Safe;
use common::protocol::{Download, Stat};

use super::note::Note;
use super::part::Part;
use crate::client::{Client, Incoming, Small};
use crate::error::{Deed, Error};
use crate::printer::Printer;
use crate::progress::{Progress, Watched};
use crate::words::{Size, Talk};

/// A file to be fetched.
pub(crate) struct Fetch<'a> {
    /// Its whole path on the server.
    pub(crate) path: &'a str,
    /// The path as the person said it.
    pub(crate) shown: &'a str,
    /// The local file it is to be.
    pub(crate) target: &'a Path,
    /// Replace a file that stands there.
    pub(crate) force: bool,
    /// Go on where an earlier attempt ended.
    pub(crate) resume: bool,
    pub(crate) progress: &'a Progress,
    pub(crate) printer: &'a Printer,
}

/// Refuses a name that is taken here. Only the sooner answer: what comes to stand there later is
/// refused when the file gets its name.
pub(crate) fn check_free(target: &Path, force: bool) -> Result<(), Error> {
    if !force && target.symlink_metadata().is_ok() {
        return Err(Error::ExistsHere(target.to_owned()));
    }
    Ok(())
}

impl Fetch<'_> {
    /// Receives the file. If the connection is lost, or the person stops it, what has come stays
    /// for the next time.
    pub(crate) fn run(&self, client: &mut Client) -> Result<Download, Error> {
        let mut part = Part::open(self.target)?;
        match self.receive(client, &mut part) {
            Ok(download) => {
                part.publish(download.mtime, self.force)?;
                Ok(download)
            }
            Err(error) if speaks_against(&error) => Err(error),
            Err(error) => Err(if part.stay() { error.unfinished() } else { error }),
        }
    }

    /// Keeps a small file that is here already.
    pub(crate) fn keep(&self, Small { download, bytes }: Small) -> Result<Download, Error> {
        let mut part = Part::open(self.target)?;
        part.begin(Note { path: self.path.to_owned(), download })?;
        let cannot = Error::local(Deed::WriteFile(self.target.to_owned()));
        (&part.file).write_all(&bytes).map_err(cannot)?;
        part.publish(download.mtime, self.force)?;
        Ok(download)
    }

    fn receive(&self, client: &mut Client, part: &mut Part) -> Result<Download, Error> {
        let (incoming, length) = match self.left(client, part)? {
            Some((note, length)) => (self.go_on(client, part, &note, length)?, length),
            None => (self.begin(client, part)?, 0),
        };
        let size = incoming.announced().size;
        let bar = self.progress.bar(self.shown, size);
        bar.skip(length);
        incoming.receive(&mut Watched { inner: &part.file, bar: &bar })
    }

    /// What an earlier attempt left of the very file the server has now.
    fn left(&self, client: &mut Client, part: &Part) -> Result<Option<(Note, u64)>, Error> {
        let left = part.left().filter(|(note, _)| self.resume && note.path == self.path);
        let Some((note, length)) = left else { return Ok(None) };
        let Stat { size, mtime, .. } = client.stat(self.path)?.stat;
        if note.fits(Download { size, mtime, crc32: None }) {
            return Ok(Some((note.clone(), length)));
        }
        self.printer.talk(&Talk::ChangedSince { name: Safe(self.shown) });
        Ok(None)
    }

    fn go_on<'c>(
        &self,
        client: &'c mut Client,
        part: &Part,
        note: &Note,
        length: u64,
    ) -> Result<Incoming<'c>, Error> {
        let head = client.read_head(self.path, &mut &part.file, length)?;
        let incoming = client.open_rest(self.path, head)?;
        let now = incoming.announced();
        if !note.fits(now) {
            return Err(Error::ChangedThere(self.path.to_owned()));
        }
        let (at, of) = (Size(length), Size(now.size));
        self.printer.talk(&Talk::GoingOn { name: Safe(self.shown), at, of });
        Ok(incoming)
    }

    fn begin<'c>(&self, client: &'c mut Client, part: &mut Part) -> Result<Incoming<'c>, Error> {
        let incoming = client.open(self.path)?;
        let (path, download) = (self.path.to_owned(), incoming.announced());
        part.begin(Note { path, download })?;
        Ok(incoming)
    }
}

/// Whether this is a reason not to keep what has come: it is wrong, or there is no room for it, or
/// its place is taken. Nothing else says anything against the bytes that are here.
fn speaks_against(error: &Error) -> bool {
    matches!(
        error,
        Error::Integrity { .. }
            | Error::ChangedThere(_)
            | Error::Local { .. }
            | Error::ExistsHere(_)
    )
}
