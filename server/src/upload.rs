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
//! the charge and the claim are given back. Only an upload that is [`cut`](Upload::cut) leaves its
//! part behind, for one that goes on.

use std::fmt;
use std::io::{self, Read};
use std::time::Instant;

use common::escape::Safe;
use common::protocol::{Crc32, Reason, Refusal};

use crate::answer::Answer;
use crate::claims::Claim;
use crate::plan::Plan;
use crate::point;
use crate::quota::Charge;
use crate::refusal;
use crate::state::{self, State};
use crate::stop::Stop;
use crate::store::{Folder, Kept, Part, Progress};
use crate::writer::{CHUNKS_PER_UPLOAD, Feed, Writer};

/// How many bytes may come before those that have come are made certain, for an upload that can go
/// on. So much has to be sent again, at most, after the server or the power failed. The disk must
/// take them all in the end: doing it on the way costs little more than the pauses.
const CHECKPOINT_BYTES: u64 = 16 * 1024 * 1024;

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
    /// Of all bytes, those that were kept and those that have come since.
    hasher: crc32fast::Hasher,
    /// Where it goes on: how many bytes were kept of an earlier try.
    offset: u64,
    received: u64,
    /// How many of them are on disk for certain, so that they need not come again.
    certain: u64,
    /// The chunk being filled, and how far it is.
    chunk: Vec<u8>,
    filled: usize,
}

/// What an upload holds from its beginning to its end. Dropped in this order: who waits for the
/// name finds everything else given back.
#[derive(Debug)]
struct Target<'s> {
    plan: Plan<'s>,
    begun: Instant,
    part: Part,
    charge: Option<Charge>,
    claim: Claim<'s>,
}

impl<'s> Upload<'s> {
    /// Makes the part, or finds the one to go on with, and tells the writer. `EXISTS` if whoever
    /// held the name before published it.
    pub fn begin(
        writer: &Writer,
        stop: &Stop,
        plan: Plan<'s>,
        claim: Claim<'s>,
    ) -> Result<Self, Answer> {
        let _doing = state::enter(State::Disk);
        plan.check_free()?;
        let begun = Instant::now();
        let failed = |e: io::Error| refusal::of_io("begin to write", &plan.path, &e);
        // Under the claim: nobody else goes on with what was kept, or charges in its place.
        let kept = plan.kept().map_err(failed)?;
        let charge = plan.charge(kept.as_ref().map_or(0, Kept::bytes))?;
        let (part, reached) = plan.part(kept, stop).map_err(failed)?;
        let feed = writer.begin(part.file()).map_err(failed)?;
        state::feeds(claim.party(), feed.id());
        claim.party().has_received(reached.bytes);
        let target = Target { plan, begun, part, charge, claim };
        let hasher = crc32fast::Hasher::new_with_initial_len(reached.crc32.0, reached.bytes);
        point::pass("put.begun");
        let offset = reached.bytes;
        let (chunk, filled) = (Vec::new(), 0);
        Ok(Self { target, feed, hasher, offset, received: offset, certain: offset, chunk, filled })
    }

    /// The first byte that is wanted.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes there are, those kept of an earlier try among them.
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

    /// Whether [`receive`](Self::receive) would wait for nothing but the client and the disk.
    pub fn is_ready(&mut self) -> Result<bool, BodyError> {
        let ready = if !self.chunk.is_empty() {
            Ok(true)
        } else if self.must_be_certain() {
            self.feed.is_flushed()
        } else {
            self.feed.has_buffer()
        };
        ready.map(|ready| ready && self.has_room()).map_err(|e| self.disk_failed(&e))
    }

    /// Whether [`finish`](Self::finish) would not wait.
    pub fn has_room(&self) -> bool {
        self.feed.has_room()
    }

    /// Hands all that has come to the writer, once it takes it. Whether it has written all of it,
    /// so that [`cut`](Self::cut) would wait for nothing but the disk; or never will.
    pub fn is_at_rest(&mut self) -> bool {
        if self.filled > 0 && (!self.has_room() || self.send_chunk().is_err()) {
            return false;
        }
        self.feed.is_flushed().unwrap_or(true)
    }

    /// Whether so much has come that it must be made certain before more is taken.
    fn must_be_certain(&self) -> bool {
        let Target { plan, part, .. } = &self.target;
        self.received - self.certain >= CHECKPOINT_BYTES
            && plan.origin.is_some()
            && part.is_durable()
    }

    /// Takes what one read of `input` gives, and hands a filled chunk to the writer. At most the
    /// announced bytes are ever read.
    pub fn receive(&mut self, input: &mut impl Read) -> Result<(), BodyError> {
        if self.must_be_certain() {
            self.checkpoint().map_err(|e| self.disk_failed(&e))?;
        }
        if self.chunk.is_empty() {
            let most = self.feed.chunk_bytes();
            let len = usize::try_from(self.remaining()).unwrap_or(most).min(most);
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
        self.target.claim.party().has_received(self.received);
        if self.filled == self.chunk.len() {
            point::pass("put.chunk");
            self.send_chunk().map_err(|e| self.disk_failed(&e))?;
        }
        Ok(())
    }

    /// Hands what there is of the chunk to the writer.
    fn send_chunk(&mut self) -> io::Result<()> {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.truncate(self.filled);
        self.filled = 0;
        self.feed.send(chunk)
    }

    /// Makes certain what has come so far; whether it can be gone on with.
    fn checkpoint(&mut self) -> io::Result<bool> {
        let Some(origin) = &self.target.plan.origin else { return Ok(false) };
        let record = origin.record();
        if self.filled > 0 {
            self.send_chunk()?;
        }
        self.feed.flush()?;
        let crc32 = Crc32(self.hasher.clone().finalize());
        let reached = Progress { bytes: self.received, crc32 };
        self.certain = self.received;
        self.target.part.checkpoint(&record, reached)
    }

    /// The client is gone in the middle. What has come is made certain and kept, if this upload can
    /// be known again; else everything is gone when this returns.
    pub fn cut(mut self) {
        if self.received == 0 {
            return;
        }
        match self.checkpoint() {
            Ok(true) => self.keep(),
            Ok(false) => {}
            Err(error) => log::warn!("cannot keep what came of an upload: {error}"),
        }
    }

    fn keep(self) {
        let Target { plan, part, charge, claim, .. } = self.target;
        match part.keep() {
            Ok(()) => log::info!("keeps {} of {} bytes of {}", self.received, plan.size, plan.path),
            Err(error) => log::warn!("cannot keep what came of {}: {error}", plan.path),
        }
        if let Some(charge) = charge {
            charge.keep(plan.size - self.received);
        }
        drop(claim);
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
        point::pass("put.checked");
        self.feed.end().map_err(|e| refusal::of_io("write", path, &e))?;
        let expected = self.received - self.offset;
        Ok(Received { target: self.target, feed: self.feed, crc, expected })
    }
}

/// An upload whose bytes have all arrived and are on their way through the writer.
#[derive(Debug)]
pub struct Received<'s> {
    target: Target<'s>,
    feed: Feed,
    crc: Crc32,
    /// How many bytes the writer was sent.
    expected: u64,
}

impl<'s> Received<'s> {
    /// Waits for the writer, puts the bytes on disk, and gives them their name.
    ///
    /// `AlreadyExists` here means that somebody got around the registry, as another program on
    /// the same folder can; the rename itself refused, and what was there is untouched.
    pub fn publish(mut self) -> Result<Published<'s>, Answer> {
        let Target { plan, part, charge, claim, .. } = self.target;
        let failed = |e: &io::Error| refusal::of_io("write", &plan.path, e);
        let written = self.feed.written().map_err(|e| failed(&e))?;
        if written != self.expected {
            log::error!("{written} of {} bytes of {} were written", self.expected, plan.path);
            return Err(failed(&io::ErrorKind::WriteZero.into()).into());
        }
        let _doing = state::enter(State::Disk);
        if plan.origin.is_some() {
            part.forget();
        }
        part.seal(plan.mtime, self.crc).map_err(|e| failed(&e))?;
        point::pass("put.sealed");
        // Under the claim, which whoever removes or replaces a file needs as well: what is
        // counted here is what goes.
        let replaced = plan.replaced().unwrap_or(0);
        match part.publish(&plan.folder, &plan.name, plan.replaces()) {
            Ok(()) => {}
            Err(e) if is_taken(&e) => return Err(plan.taken()),
            Err(e) => return Err(failed(&e).into()),
        }
        if let Some(charge) = charge {
            charge.keep(replaced);
        }
        state::did(fmt::from_fn(|f| write!(f, "published {}", Safe(&plan.path.to_string()))));
        point::pass("put.published");
        Ok(Published { folder: plan.folder, _claim: claim })
    }

    /// Whether [`publish`](Self::publish) would wait for nothing but the disk.
    pub fn is_written(&mut self) -> bool {
        self.feed.is_written()
    }

    /// How many bytes of buffers it keeps until it is published.
    pub fn buffer_bytes(&self) -> u64 {
        self.target.plan.size.min((CHUNKS_PER_UPLOAD * self.feed.chunk_bytes()) as u64)
    }

    /// What the journal will say of it.
    pub fn report(&self) -> Report {
        let plan = &self.target.plan;
        let (path, shared) = (plan.path.to_string(), plan.is_shared());
        Report { path, shared, bytes: plan.size, begun: self.target.begun }
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
    /// Whether that is where everybody sees it.
    pub shared: bool,
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
