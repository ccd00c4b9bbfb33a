//! Sending a file, or the rest of one.
//!
//! It is the server who knows what of a file it has: of which bytes, only their number. Whether
//! they are this file's shows in the checksum of the whole, at the end; if they were not, the
//! server has thrown them away, and there is one more try, from the beginning.

use common::escape::Safe;
use common::protocol::Reason;

use super::Source;
use crate::client::{Client, PutOptions};
use crate::display;
use crate::error::Error;
use crate::printer::Printer;
use crate::progress::{Bar, Watched};
use crate::words::Message;

/// A file to be sent, in two steps.
pub(crate) struct Deliver<'a> {
    /// The path it is to have on the server.
    pub(crate) path: &'a str,
    /// The path as the person said it.
    pub(crate) shown: &'a str,
    pub(crate) options: PutOptions,
    pub(crate) bar: &'a Bar,
    pub(crate) printer: &'a Printer,
}

impl Deliver<'_> {
    /// Sends `source`.
    pub(crate) fn run(&self, client: &mut Client, source: &mut Source) -> Result<(), Error> {
        let mut offset = 0;
        let sent = self.attempt(client, source, &mut offset);
        let not_its_bytes =
            matches!(sent, Err(Error::Refused { reason: Reason::ChecksumMismatch, .. }));
        if offset == 0 || !not_its_bytes {
            return sent;
        }
        self.printer.talk(self.printer.words(Message::NotItsBytes, &[&Safe(self.shown)]));
        source.rewind()?;
        self.bar.take_back(source.size());
        self.attempt(client, source, &mut 0)
    }

    /// `offset` says how much of the file the server had.
    fn attempt(
        &self,
        client: &mut Client,
        source: &mut Source,
        offset: &mut u64,
    ) -> Result<(), Error> {
        let size = source.size();
        let mut outgoing = client.offer(self.path, size, self.options)?;
        *offset = outgoing.offset();
        if *offset > 0 {
            let (at, of) = (display::size(*offset), display::size(size));
            let parts: [&dyn std::fmt::Display; 3] = [&Safe(self.shown), &at, &of];
            self.printer.talk(self.printer.words(Message::GoingOn, &parts));
        }
        let sent = outgoing.pass_over(source).and_then(|()| {
            self.bar.skip(*offset);
            outgoing.send(&mut Watched { inner: &mut *source, bar: self.bar })
        });
        let sent = sent.map_err(|error| source.explain(error));
        sent.map_err(|error| if self.options.resume { error.unfinished() } else { error })
    }
}
