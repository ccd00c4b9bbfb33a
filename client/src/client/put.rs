//! Uploads, in two forms.
//!
//! [`Client::put`] asks first and sends when told to: nothing of a large file travels in vain.
//! For a small one that question would cost more than the bytes, so [`Client::put_ahead`] sends
//! request, bytes and checksum at once, and the next file behind them, before any answer is read:
//!
//! ```text
//! client  {"cmd":"PUT","path":"a","size":3,"eager":true}  abc  {"crc32":"352441c2"}
//! client  {"cmd":"PUT","path":"b","size":2,"eager":true}  de   {"crc32":"7d90298b"}
//! server  {"status":"OK"}                                                        to the first
//! server  {"status":"EXISTS","message":…}                                        to the second
//! ```
//!
//! An upload that asks first may also ask to be resumed ([`PutOptions::resume`]). The server then
//! says from which byte on, and only those travel; the checksum is of the whole file all the same,
//! so what the server kept is verified with what it gets:
//!
//! ```text
//! client  {"cmd":"PUT","path":"film","size":9,"mtime":1795199007,"resume":true}
//! server  {"status":"OK","offset":6}
//! client  ghi  {"crc32":"8da988af"}
//! ```
//!
//! A server with many uploads at hand brings them all to disk with one sync, so this is also what
//! makes a thousand small files fast. [`WINDOW`] bounds how many may be under way: their answers
//! must fit the socket's buffers, or both sides would wait for the other to read.

use std::io::Read;
use std::time::Duration;

use common::protocol::{Crc32, Done, Offset, Put, Request, Sum};

use super::head::{next_block, unreadable};
use super::{BLOCK, Client, DISK, Head, disk_time};
use crate::error::{Error, Loss, Misuse};

/// The largest file to send ahead of its answer, in bytes.
pub const EAGER_BYTES: u64 = 64 * 1024;
/// How many uploads may be under way at once.
pub const WINDOW: usize = 64;

/// When a connection breaks, what the server said before is here already, or never will be.
const LAST_WORDS: Duration = Duration::from_secs(1);

const _: () = assert!(EAGER_BYTES <= common::limits::EAGER_BYTES_MAX);

/// What an upload may ask for besides its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct PutOptions {
    /// When the file was last changed, in seconds since 1970; the moment it is stored if absent.
    pub mtime: Option<i64>,
    /// Replace a file of that name.
    pub overwrite: bool,
    /// How long to wait while somebody else writes that name, in seconds; the server's choice if
    /// absent.
    pub wait: Option<u64>,
    /// Go on where an earlier upload of the same file by the same user stopped, if the server still
    /// has it. It knows the file by path, size and `mtime`. An upload sent ahead never asks for it.
    pub resume: bool,
}

impl PutOptions {
    fn request(self, path: &str, size: u64, eager: bool) -> Request {
        let Self { mtime, overwrite, wait, resume } = self;
        let (path, resume) = (path.to_owned(), resume && !eager);
        Request::Put(Put { path, size, mtime, overwrite, resume, eager, wait })
    }
}

/// A file the server is waiting for. Dropped before it is sent, it leaves the client out of step.
#[derive(Debug)]
pub struct Outgoing<'a> {
    client: &'a mut Client,
    path: String,
    size: u64,
    /// How many of its first bytes the server has.
    offset: u64,
    head: Head,
}

impl Client {
    /// Stores the first `size` bytes of `source` as `path`. `Ok` means: on the server's disk,
    /// whole, under that name.
    pub fn put(
        &mut self,
        path: &str,
        size: u64,
        source: &mut dyn Read,
        options: PutOptions,
    ) -> Result<(), Error> {
        self.offer(path, size, options)?.send(source)
    }

    /// Asks to store a file of `size` bytes as `path`; what of it must travel is known before its
    /// bytes are read.
    pub fn offer(
        &mut self,
        path: &str,
        size: u64,
        options: PutOptions,
    ) -> Result<Outgoing<'_>, Error> {
        // Who kept bytes reads them first, to know their checksum.
        let within = if options.resume { disk_time(size) } else { DISK };
        let Offset { offset } = self.ask(path, &options.request(path, size, false), within)?;
        self.out_of_step = true;
        if offset > size || (offset > 0 && !options.resume) {
            return Err(Error::Protocol(format!("send from byte {offset} on of {size}")));
        }
        Ok(Outgoing { client: self, path: path.to_owned(), size, offset, head: Head::default() })
    }

    /// Stores `body` as `path` without waiting for the answer, which
    /// [`answer_ahead`](Self::answer_ahead) brings later. No other request may come between. At
    /// most [`WINDOW`] may be under way, of at most [`EAGER_BYTES`] each; one more is refused.
    ///
    /// Any other error means that the connection broke; the answers the server had already sent can
    /// still be read.
    pub fn put_ahead(&mut self, path: &str, body: &[u8], options: PutOptions) -> Result<(), Error> {
        if self.out_of_step {
            return Err(Error::Lost(Loss::OutOfStep));
        }
        if self.ahead.len() == WINDOW {
            return Err(Error::Usage(Misuse::TooManyAhead));
        }
        self.ahead.push_back(path.to_owned());
        let crc32 = Crc32(crc32fast::hash(body));
        let queued = self.connection.queue(&options.request(path, body.len() as u64, true));
        self.connection.queue_body(body);
        let queued = queued.and_then(|()| self.connection.queue_sum(Sum { crc32 }));
        let full = self.connection.queued() >= self.connection.block(BLOCK);
        let sent = queued.and_then(|()| if full { self.connection.flush() } else { Ok(()) });
        sent.map_err(|error| Error::from_wire(&error))
    }

    /// How many uploads are still to be answered.
    pub fn ahead(&self) -> usize {
        self.ahead.len()
    }

    /// The answer to the oldest upload under way; `None` if there is none.
    pub fn answer_ahead(&mut self) -> Option<Result<(), Error>> {
        let path = self.ahead.pop_front()?;
        // A failure to send shows when reading, behind what the server had to say.
        let _ = self.connection.flush();
        let answer = self.reply_with(&path, disk_time(BLOCK as u64)).map(|Done {}| ());
        Some(self.end(answer))
    }
}

impl Outgoing<'_> {
    /// How many bytes of the file the server has already.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads those bytes from the file's beginning, which [`send`](Self::send) would do first.
    pub fn pass_over(&mut self, source: &mut dyn Read) -> Result<(), Error> {
        if self.head.length < self.offset {
            self.head = self.client.read_head(&self.path, source, self.offset)?;
        }
        Ok(())
    }

    /// Does what [`Client::put`] does after the first answer.
    pub fn send(mut self, source: &mut dyn Read) -> Result<(), Error> {
        self.pass_over(source)?;
        let Self { client, path, size, head, .. } = self;
        client.send_body(&path, size, head, source)?;
        let answer = client.reply_with(&path, disk_time(size)).map(|Done {}| ());
        client.end(answer)
    }
}

impl Client {
    /// Sends what follows `head`, and the checksum line. The checksum is over the very bytes sent:
    /// reading them twice could meet two different files.
    fn send_body(
        &mut self,
        path: &str,
        size: u64,
        head: Head,
        source: &mut dyn Read,
    ) -> Result<(), Error> {
        let Head { length, mut crc } = head;
        let mut left = size - length;
        self.block.resize(BLOCK, 0);
        while left > 0 {
            let count = self.connection.block(next_block(left));
            let bytes = &mut self.block[..count];
            source.read_exact(bytes).map_err(|error| unreadable(path, error))?;
            crc.update(bytes);
            left -= bytes.len() as u64;
            match self.connection.send_block(bytes) {
                Ok(true) => {}
                Ok(false) => return Err(self.last_words(path, Error::Lost(Loss::Closed))),
                Err(error) => return Err(self.last_words(path, Error::from_wire(&error))),
            }
        }
        let crc32 = Crc32(crc.finalize());
        let sent = self.connection.queue_sum(Sum { crc32 }).and_then(|()| self.connection.flush());
        sent.map_err(|error| self.last_words(path, Error::from_wire(&error)))
    }

    /// A server that gives an upload up says why before it stops reading: the disk is full, or the
    /// same user goes on with it over another connection. That is worth more than the broken pipe
    /// which tells us so.
    fn last_words(&mut self, path: &str, broken: Error) -> Error {
        if !matches!(broken, Error::Lost(_)) {
            return broken;
        }
        match self.reply_with::<Done>(path, LAST_WORDS) {
            Err(error) if error.is_answer() => error,
            _ => broken,
        }
    }
}
