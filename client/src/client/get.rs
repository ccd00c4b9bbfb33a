//! Downloads.

use std::io::Write;

use common::protocol::{Crc32, Download, Request};

use super::head::next_block;
use super::{BLOCK, Client, Head, REPLY};
use crate::error::{Deed, Error};

/// A file whose bytes are on their way. Dropped before they are read, it leaves the client out of
/// step.
#[derive(Debug)]
pub struct Incoming<'a> {
    client: &'a mut Client,
    path: String,
    head: Head,
    download: Download,
}

impl Client {
    /// Receives a file into `sink` and verifies its checksum. What the sink holds is not to be
    /// trusted before this returns `Ok`; the checksum is then in the result.
    pub fn get(&mut self, path: &str, sink: &mut dyn Write) -> Result<Download, Error> {
        self.open(path)?.receive(sink)
    }

    /// Asks for a file; its size is known before its bytes are read.
    pub fn open(&mut self, path: &str) -> Result<Incoming<'_>, Error> {
        self.open_rest(path, Head::default())
    }

    /// Asks for what follows `head` in a file. Whether that is still the file `head` belongs to, the
    /// answer may show ([`Incoming::announced`]), and the checksum will.
    pub fn open_rest(&mut self, path: &str, head: Head) -> Result<Incoming<'_>, Error> {
        let offset = (head.length > 0).then_some(head.length);
        let request = Request::Get { path: path.to_owned(), offset };
        let download = self.ask(path, &request, REPLY)?;
        self.out_of_step = true;
        Ok(Incoming { client: self, path: path.to_owned(), head, download })
    }
}

impl Incoming<'_> {
    /// What the server says of the whole file.
    pub fn announced(&self) -> Download {
        self.download
    }

    /// Does what [`Client::get`] does after the first line. What comes before an error is in
    /// `sink`, to the last byte: somebody may go on from there.
    pub fn receive(self, sink: &mut dyn Write) -> Result<Download, Error> {
        let Self { client, path, head, download } = self;
        let received = client.receive_body(&path, head, download.size, sink);
        client.connection.body_ends();
        let actual = received?;
        client.out_of_step = false;
        // A file somebody laid into the library by hand was never uploaded, so nobody knows its
        // checksum without reading it.
        let expected = match download.crc32 {
            Some(crc32) => crc32,
            None => client.sum(&path)?,
        };
        if actual != expected {
            return Err(Error::Integrity { path, expected, actual });
        }
        Ok(Download { crc32: Some(actual), ..download })
    }
}

impl Client {
    fn receive_body(
        &mut self,
        path: &str,
        head: Head,
        size: u64,
        sink: &mut dyn Write,
    ) -> Result<Crc32, Error> {
        let Self { connection, block, .. } = self;
        block.resize(BLOCK, 0);
        let Head { length, mut crc } = head;
        let beyond = || Error::Protocol(format!("{size} bytes, of a file that has {length} here"));
        let mut left = size.checked_sub(length).ok_or_else(beyond)?;
        while left > 0 {
            let most = connection.block(next_block(left));
            let (count, filled) = connection.read_block(&mut block[..most]);
            let bytes = &block[..count];
            crc.update(bytes);
            sink.write_all(bytes).map_err(Error::local(Deed::KeepBytesOf(path.to_owned())))?;
            filled.map_err(|error| Error::from_wire(&error))?;
            left -= count as u64;
        }
        Ok(Crc32(crc.finalize()))
    }
}
