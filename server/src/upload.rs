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
//!
//! # Many small uploads
//! A client may send many small files without waiting for the answers. What has been received
//! when the session would have to wait for more is a [`Batch`]: all of it is published, each
//! folder is synced once, and then all answers go out.

use std::io::{self, Read};
use std::time::Instant;

use common::protocol::{Crc32, Done, Reason, Refusal, Response};

use crate::refusal;
use crate::registry::Claim;
use crate::service::{Answer, Plan, Service};
use crate::store::{Folder, Inode, Part};
use crate::writer::{CHUNK_BYTES, Feed};

/// Received uploads that may await their common sync. Each holds two file descriptors and a claim.
const BATCH_MAX: usize = 64;

/// Why the body of an upload ended early.
#[derive(Debug)]
pub enum BodyError {
    /// The client: its connection ended or was too slow. There is nobody to answer.
    Client(io::Error),
    /// The server: the disk did not take the bytes.
    Refused(Refusal),
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
    plan: Plan,
    begun: Instant,
    part: Part,
    claim: Claim<'s>,
}

impl<'s> Upload<'s> {
    /// Makes the part and tells the writer. `EXISTS` if whoever held the name before published it.
    pub fn begin(service: &Service<'_>, plan: Plan, claim: Claim<'s>) -> Result<Self, Answer> {
        plan.check_free()?;
        let begun = Instant::now();
        let failed = |e: io::Error| refusal::of_io("begin to write", &plan.path, &e);
        let part = service.store.library().create_part().map_err(failed)?;
        let feed = service.writer.begin(part.file()).map_err(failed)?;
        let target = Target { plan, begun, part, claim };
        let hasher = crc32fast::Hasher::new();
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
    fn publish(self) -> Result<Published<'s>, Answer> {
        let Target { plan, part, claim, .. } = self.target;
        let failed = |e: &io::Error| refusal::of_io("write", &plan.path, e);
        let written = self.feed.written().map_err(|e| failed(&e))?;
        if written != plan.size {
            log::error!("{written} of {} bytes of {} were written", plan.size, plan.path);
            return Err(failed(&io::ErrorKind::WriteZero.into()).into());
        }
        part.seal(plan.mtime, self.crc).map_err(|e| failed(&e))?;
        match part.publish(&plan.folder, &plan.name, false) {
            Ok(()) => Ok(Published { folder: plan.folder, _claim: claim }),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(plan.exists()),
            Err(e) => Err(failed(&e).into()),
        }
    }

    fn report(&self) -> Report {
        let plan = &self.target.plan;
        Report { path: plan.path.to_string(), bytes: plan.size, begun: self.target.begun }
    }
}

/// A file that has its name, but not yet for certain after a power cut. The claim is kept until
/// then, so that nobody is told about it early.
struct Published<'s> {
    folder: Folder,
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

/// Uploads that have been received and await their common sync, in the order they came.
#[derive(Debug, Default)]
pub struct Batch<'s> {
    received: Vec<Received<'s>>,
}

impl<'s> Batch<'s> {
    /// Adds one.
    pub fn push(&mut self, received: Received<'s>) {
        self.received.push(received);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Whether it must be settled before another may be added.
    pub fn is_full(&self) -> bool {
        self.received.len() >= BATCH_MAX
    }

    /// Publishes everything, syncs every folder concerned once, and gives the answers in order.
    /// After this the batch is empty and its claims are given back.
    pub fn settle(&mut self) -> Vec<(Report, Answer)> {
        let published: Vec<_> =
            self.received.drain(..).map(|one| (one.report(), one.publish())).collect();
        // Only now, behind the last rename: one sync of a folder covers every name in it.
        let mut folders = SyncOnce::default();
        published
            .into_iter()
            .map(|(report, published)| {
                let synced = published.and_then(|one| Ok(folders.sync(&one.folder)?));
                (report, synced.map_or_else(|refused| refused, |()| done()))
            })
            .collect()
    }
}

/// The folders that were synced, and how that went.
#[derive(Default)]
struct SyncOnce {
    folders: Vec<(Inode, Result<(), Refusal>)>,
}

impl SyncOnce {
    fn sync(&mut self, folder: &Folder) -> Result<(), Refusal> {
        let inode = folder.inode();
        if let Some((_, result)) = self.folders.iter().find(|(synced, _)| *synced == inode) {
            return result.clone();
        }
        let result = folder.sync().map_err(|e| unconfirmed(&e));
        self.folders.push((inode, result.clone()));
        result
    }
}

fn done() -> Answer {
    Answer::of(&Response::Ok(Done {}))
}

/// The name is there, but whether it survives a power cut nobody can say. Never an OK.
fn unconfirmed(error: &io::Error) -> Refusal {
    log::error!("cannot sync a folder: {error}");
    let message = "the file has its name, but the disk did not confirm it; STAT and SUM it later";
    Refusal::new(Reason::Internal, message)
}
