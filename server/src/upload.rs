//! An upload's life: claim, part, queues, publish, sync, OK.
//!
//! ```text
//! Plan ──begin──► Upload ──receive…──► Received ──publish──► Published ──sync──► OK
//!       claim, part,      chunks to the          bytes written,         name on
//!       Begin             writer, checksum       sealed, named          disk
//! ```
//!
//! Each arrow consumes what stands on its left, so no step can be skipped or done twice. Whatever
//! is dropped on the way cleans up after itself: the writer is told to abort, the part is removed,
//! the claim is given back.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use common::path::{Name, VirtualPath};
use common::protocol::{Crc32, Kind, Reason, Refusal};

use crate::answer::Answer;
use crate::claims::Claim;
use crate::fault;
use crate::quota::Charge;
use crate::refusal;
use crate::store::{Folder, Part, Tree};
use crate::writer::{CHUNK_BYTES, CHUNKS_PER_UPLOAD, Feed, Writer};

/// Why the body of an upload ended early.
#[derive(Debug)]
pub enum BodyError {
    /// The client: its connection ended or was too slow. There is nobody to answer.
    Client(io::Error),
    /// The server: the disk did not take the bytes.
    Refused(Refusal),
}

/// An upload that was checked and permitted. Its target folder is already open.
#[derive(Debug)]
pub struct Plan<'s> {
    /// Where the file will be, as its sender sees it.
    pub path: VirtualPath,
    /// The same place by the path that everybody claims it by.
    pub claim_on: VirtualPath,
    /// The tree it will lie in.
    pub tree: &'s Tree,
    /// The folder it will lie in: published into *this* folder, whatever its path leads to then.
    pub folder: Folder,
    /// Its name there.
    pub name: Name,
    /// Its length in bytes.
    pub size: u64,
    /// Its time, in seconds since 1970.
    pub mtime: Option<i64>,
    /// The body follows without waiting for the answer.
    pub eager: bool,
    /// A file of that name may be replaced.
    pub replace: bool,
    /// What its home was charged for it.
    pub charge: Option<Charge>,
    /// How long to wait for the name.
    pub patience: Duration,
}

impl Plan<'_> {
    /// The answer `EXISTS` if the name is taken now, by something that may not be replaced. Only a
    /// courtesy that saves sending a body in vain: publishing itself refuses.
    pub fn check_free(&self) -> Result<(), Answer> {
        match self.folder.has(&self.name) {
            Ok(false) => Ok(()),
            Ok(true) if self.replace && self.replaced().is_some() => Ok(()),
            Ok(true) => Err(self.exists()),
            Err(error) => Err(refusal::of_io("look for", &self.path, &error).into()),
        }
    }

    /// The size of the file that would be replaced; `None` if there is no file.
    fn replaced(&self) -> Option<u64> {
        let stat = self.folder.stat(&self.name).ok()?;
        (stat.kind == Kind::File).then_some(stat.size)
    }

    /// The answer `EXISTS`, with what stands in the way.
    pub fn exists(&self) -> Answer {
        Answer::exists(&self.path, self.folder.stat(&self.name).ok())
    }
}

/// An upload that is being received.
#[derive(Debug)]
pub struct Upload<'s> {
    target: Target<'s>,
    feed: Feed,
    hasher: crc32fast::Hasher,
    received: u64,
    /// The chunk being filled, and how far it is.
    chunk: Vec<u8>,
    filled: usize,
}

/// What an upload holds from its beginning to its end.
#[derive(Debug)]
struct Target<'s> {
    plan: Plan<'s>,
    begun: Instant,
    part: Part,
    claim: Claim<'s>,
}

impl<'s> Upload<'s> {
    /// Makes the part and tells the writer. `EXISTS` if whoever held the name before published it.
    pub fn begin(writer: &Writer, plan: Plan<'s>, claim: Claim<'s>) -> Result<Self, Answer> {
        plan.check_free()?;
        let begun = Instant::now();
        let failed = |e: io::Error| refusal::of_io("begin to write", &plan.path, &e);
        let part = plan.tree.create_part().map_err(failed)?;
        let feed = writer.begin(part.file()).map_err(failed)?;
        let target = Target { plan, begun, part, claim };
        let hasher = crc32fast::Hasher::new();
        fault::point("put.begun");
        Ok(Self { target, feed, hasher, received: 0, chunk: Vec::new(), filled: 0 })
    }

    /// Bytes that have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.target.plan.size - self.received
    }

    /// Whether the next byte begins a new chunk.
    pub fn at_chunk_start(&self) -> bool {
        self.filled == 0
    }

    /// Takes what one read of `input` gives, and hands a filled chunk to the writer. At most the
    /// announced bytes are ever read.
    pub fn receive(&mut self, input: &mut impl Read) -> Result<(), BodyError> {
        if self.at_chunk_start() {
            let len = usize::try_from(self.remaining()).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            self.chunk = self.feed.buffer(len).map_err(|e| self.disk_failed(&e))?;
        }
        let space = self.chunk.get_mut(self.filled..).unwrap_or_default();
        let bytes = input.read(space).map_err(BodyError::Client)?;
        if bytes == 0 {
            return Err(BodyError::Client(io::ErrorKind::UnexpectedEof.into()));
        }
        self.hasher.update(space.get(..bytes).unwrap_or_default());
        self.received += bytes as u64;
        self.filled += bytes;
        self.target.claim.party().received(self.received);
        if self.filled == self.chunk.len() {
            self.filled = 0;
            let full = std::mem::take(&mut self.chunk);
            self.feed.send(full).map_err(|e| self.disk_failed(&e))?;
        }
        Ok(())
    }

    fn disk_failed(&self, error: &io::Error) -> BodyError {
        BodyError::Refused(refusal::of_io("write", &self.target.plan.path, error))
    }

    /// Everything has arrived; `sent` is the checksum the client computed.
    pub fn finish(mut self, sent: Crc32) -> Result<Received<'s>, Refusal> {
        let crc = Crc32(self.hasher.finalize());
        let path = &self.target.plan.path;
        if crc != sent {
            let message = format!("`{path}` arrived as {crc}, not as {sent}; send it again");
            return Err(Refusal::new(Reason::ChecksumMismatch, message));
        }
        self.feed.end().map_err(|e| refusal::of_io("write", path, &e))?;
        Ok(Received { target: self.target, feed: self.feed, crc })
    }
}

/// An upload whose bytes have all arrived and are on their way through the writer.
#[derive(Debug)]
pub struct Received<'s> {
    target: Target<'s>,
    feed: Feed,
    crc: Crc32,
}

impl<'s> Received<'s> {
    /// Waits for the writer, puts the bytes on disk, and gives them their name.
    ///
    /// `AlreadyExists` here means that somebody got around the registry, as another program on
    /// the same folder can; the rename itself refused, and what was there is untouched.
    pub fn publish(self) -> Result<Published<'s>, Answer> {
        let Target { plan, part, claim, .. } = self.target;
        let failed = |e: &io::Error| refusal::of_io("write", &plan.path, e);
        let written = self.feed.written().map_err(|e| failed(&e))?;
        if written != plan.size {
            log::error!("{written} of {} bytes of {} were written", plan.size, plan.path);
            return Err(failed(&io::ErrorKind::WriteZero.into()).into());
        }
        part.seal(plan.mtime, self.crc).map_err(|e| failed(&e))?;
        fault::point("put.sealed");
        // Under the claim, which whoever removes or replaces a file needs as well: what is
        // counted here is what goes.
        let replaced = if plan.replace { plan.replaced().unwrap_or(0) } else { 0 };
        match part.publish(&plan.folder, &plan.name, plan.replace) {
            Ok(()) => {}
            Err(e) if is_taken(&e) => return Err(plan.exists()),
            Err(e) => return Err(failed(&e).into()),
        }
        if let Some(charge) = plan.charge {
            charge.keep(replaced);
        }
        fault::point("put.published");
        Ok(Published { folder: plan.folder, _claim: claim })
    }

    /// How many bytes of buffers it keeps until it is published.
    pub fn buffer_bytes(&self) -> u64 {
        self.target.plan.size.min((CHUNKS_PER_UPLOAD * CHUNK_BYTES) as u64)
    }

    /// What the journal will say of it.
    pub fn report(&self) -> Report {
        let plan = &self.target.plan;
        Report { path: plan.path.to_string(), bytes: plan.size, begun: self.target.begun }
    }
}

/// A file that has its name, but not yet for certain after a power cut. The claim is kept until
/// then: whoever waits for the name is not served before its fate is known.
#[derive(Debug)]
pub struct Published<'s> {
    /// The folder that must be synced now.
    pub folder: Folder,
    _claim: Claim<'s>,
}

/// What the journal says of an upload.
#[derive(Debug)]
pub struct Report {
    /// Where it was to go.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// When its claim was had.
    pub begun: Instant,
}

/// A file stands there that may not be replaced, or a folder, which never is.
fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, IsADirectory};
    matches!(error.kind(), AlreadyExists | IsADirectory)
}
