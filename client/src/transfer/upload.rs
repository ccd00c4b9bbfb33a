//! Sending a file, or the rest of one.
//!
//! It is the server who knows what of a file it has: of which bytes, only their number. Whether
//! they are this file's shows in the checksum of the whole, at the end; if they were not, the
//! server has thrown them away, and there is one more try, from the beginning.

use common::escape::Safe;
use common::protocol::Reason;

use super::Source;
use crate::client::{Client, Outgoing, PutOptions};
use crate::error::Error;
use crate::printer::Printer;
use crate::progress::{Bar, Progress, Watched};
use crate::words::{Size, Talk};

/// A file to be sent, in two steps.
pub(crate) struct Deliver<'a> {
    /// The path it is to have on the server.
    pub(crate) path: &'a str,
    /// The path as the person said it.
    pub(crate) shown: &'a str,
    pub(crate) options: PutOptions,
    pub(crate) progress: &'a Progress,
    pub(crate) printer: &'a Printer,
}

impl Deliver<'_> {
    /// Sends `source`.
    pub(crate) fn run(&self, client: &mut Client, source: &mut Source) -> Result<(), Error> {
        let bar = self.progress.bar(self.shown, source.size());
        let outgoing = self.offer(client, source)?;
        let goes_on = outgoing.offset() > 0;
        match self.send(outgoing, source, &bar) {
            Err(Error::Refused { reason: Reason::ChecksumMismatch, .. }) if goes_on => {
                self.printer.talk(&Talk::NotItsBytes { name: Safe(self.shown) });
                source.rewind()?;
                bar.take_back(source.size());
                self.send(self.offer(client, source)?, source, &bar)
            }
            sent => sent,
        }
    }

    fn offer<'c>(&self, client: &'c mut Client, source: &Source) -> Result<Outgoing<'c>, Error> {
        let outgoing = client.offer(self.path, source.size(), self.options)?;
        if outgoing.offset() > 0 {
            let (at, of) = (Size(outgoing.offset()), Size(source.size()));
            self.printer.talk(&Talk::GoingOn { name: Safe(self.shown), at, of });
        }
        Ok(outgoing)
    }

    /// Sends what the server has not. If that is cut off, the server keeps what it has by then.
    fn send(
        &self,
        mut outgoing: Outgoing<'_>,
        source: &mut Source,
        bar: &Bar<'_>,
    ) -> Result<(), Error> {
        let sent = outgoing.pass_over(source).and_then(|()| {
            bar.skip(outgoing.offset());
            outgoing.send(&mut Watched { inner: &mut *source, bar })
        });
        let sent = sent.map_err(|error| source.explain(error));
        sent.map_err(|error| if self.options.resume { error.unfinished() } else { error })
    }
}
