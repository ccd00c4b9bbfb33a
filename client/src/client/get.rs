//! Downloads.

use std::io::Write;

use common::protocol::{Crc32, Download, Request};

use super::{BLOCK, Client, REPLY};
use crate::error::Error;

/// A file whose bytes are on their way. Dropped before they are read, it leaves the client out of
/// step.
#[derive(Debug)]
pub struct Incoming<'a> {
    client: &'a mut Client,
    path: String,
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
        let request = Request::Get { path: path.to_owned(), offset: None };
        let download = self.ask(path, &request, REPLY)?;
        self.out_of_step = true;
        Ok(Incoming { client: self, path: path.to_owned(), download })
    }
}

impl Incoming<'_> {
    /// The file's length in bytes.
    pub fn size(&self) -> u64 {
        self.download.size
    }

    /// Does what [`Client::get`] does after the first line.
    pub fn receive(self, sink: &mut dyn Write) -> Result<Download, Error> {
        let Self { client, path, download } = self;
        let actual = client.receive_body(&path, download.size, sink)?;
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
        size: u64,
        sink: &mut dyn Write,
    ) -> Result<Crc32, Error> {
        let Self { connection, block, .. } = self;
        block.resize(BLOCK, 0);
        let (mut left, mut crc) = (size, crc32fast::Hasher::new());
        while left > 0 {
            let length = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
            let bytes = &mut block[..length];
            connection.read_block(bytes).map_err(|error| Error::from_wire(&error))?;
            crc.update(bytes);
            sink.write_all(bytes).map_err(Error::local(format!("cannot keep `{path}` here")))?;
            left -= length as u64;
        }
        Ok(Crc32(crc.finalize()))
    }
}
