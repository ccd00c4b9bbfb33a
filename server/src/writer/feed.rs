//! A session's side: one upload's way to the writer and back.

use std::io;

use crossbeam_channel::{Receiver, TryRecvError};

use super::{Back, CHUNKS_PER_UPLOAD, Data, Flow, has_room, writer_gone};
use crate::queue::Inlet;
use crate::state::{self, State};

/// One upload's way to the writer and back. Dropped before its end, it aborts.
#[derive(Debug)]
pub struct Feed {
    id: u64,
    flow: Flow,
    data: Inlet<Data>,
    returns: Receiver<Back>,
    /// How many buffers this upload has made so far.
    pub(super) buffers: usize,
    /// How many of them are on their way.
    out: usize,
    /// Those that came back and wait to be filled again.
    spare: Vec<Vec<u8>>,
    ended: bool,
    /// What became of it, if that was asked before it was waited for.
    outcome: Option<io::Result<u64>>,
}

impl Feed {
    pub(super) fn new(id: u64, flow: Flow, data: Inlet<Data>, returns: Receiver<Back>) -> Self {
        let (buffers, out, spare) = (0, 0, Vec::new());
        Self { id, flow, data, returns, buffers, out, spare, ended: false, outcome: None }
    }

    /// By which number the writer knows the upload. Never 0.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether [`send`](Self::send) and [`end`](Self::end) would not wait now, as
    /// [`Writer::has_room`](super::Writer::has_room).
    pub fn has_room(&self) -> bool {
        has_room(&self.data)
    }

    /// Whether [`buffer`](Self::buffer) would not wait now. Fails as soon as a write has failed.
    pub fn has_buffer(&mut self) -> io::Result<bool> {
        self.take_in()?;
        Ok(!self.spare.is_empty() || self.buffers < CHUNKS_PER_UPLOAD)
    }

    /// Whether [`flush`](Self::flush) would not wait now.
    pub fn is_flushed(&mut self) -> io::Result<bool> {
        self.take_in()?;
        Ok(self.out == 0)
    }

    /// Whether [`written`](Self::written) would not wait now.
    pub fn is_written(&mut self) -> bool {
        while self.outcome.is_none() {
            match self.returns.try_recv() {
                Ok(Back::Buffer(_)) => {}
                Ok(Back::Failed(error)) => self.outcome = Some(Err(error)),
                Ok(Back::Done(bytes)) => self.outcome = Some(Ok(bytes)),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => self.outcome = Some(Err(writer_gone())),
            }
        }
        true
    }

    /// Takes back what is there to be taken, without waiting for more.
    fn take_in(&mut self) -> io::Result<()> {
        loop {
            match self.returns.try_recv() {
                Ok(back) => self.take(back)?,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(writer_gone()),
            }
        }
    }

    /// How long a buffer should be, but for the last.
    pub fn chunk_bytes(&self) -> usize {
        self.flow.chunk_bytes
    }

    /// A buffer of `len` bytes to fill: one that came back, else a new one while the upload owns
    /// fewer than its share, else the next one the writer returns. Fails as soon as a write has
    /// failed.
    pub fn buffer(&mut self, len: usize) -> io::Result<Vec<u8>> {
        if self.spare.is_empty() && self.buffers < CHUNKS_PER_UPLOAD {
            self.buffers += 1;
            return Ok(vec![0; len]);
        }
        if self.spare.is_empty() {
            self.take_back()?;
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.resize(len, 0);
        Ok(buffer)
    }

    /// Sends a filled buffer on its way.
    pub fn send(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.put(Data::Chunk { id: self.id, bytes })?;
        self.out += 1;
        Ok(())
    }

    /// Waits until everything sent so far is written, with more to come.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.out > 0 {
            self.take_back()?;
        }
        Ok(())
    }

    fn take_back(&mut self) -> io::Result<()> {
        let back = self.next_return(State::WaitQueueFull)?;
        self.take(back)
    }

    fn take(&mut self, back: Back) -> io::Result<()> {
        match back {
            Back::Buffer(buffer) => {
                self.out -= 1;
                self.spare.push(buffer);
                Ok(())
            }
            Back::Failed(error) => Err(error),
            Back::Done(_) => Err(writer_gone()),
        }
    }

    /// Says that no more bytes come. Does not wait for them to be written.
    pub fn end(&mut self) -> io::Result<()> {
        self.ended = true;
        self.put(Data::End { id: self.id })
    }

    /// Waits, after [`end`](Self::end), until everything is written; says how many bytes.
    pub fn written(&mut self) -> io::Result<u64> {
        if let Some(outcome) = self.outcome.take() {
            return outcome;
        }
        loop {
            match self.next_return(State::Disk)? {
                Back::Buffer(_) => {}
                Back::Failed(error) => return Err(error),
                Back::Done(bytes) => return Ok(bytes),
            }
        }
    }

    fn put(&self, data: Data) -> io::Result<()> {
        let bytes = data.bytes();
        self.data.send(data, bytes, self.flow.patience).map_err(|_| writer_gone())
    }

    fn next_return(&self, waiting: State) -> io::Result<Back> {
        if let Ok(back) = self.returns.try_recv() {
            return Ok(back);
        }
        let _doing = state::enter_on(waiting, "writer");
        self.returns.recv_timeout(self.flow.patience).map_err(|_| writer_gone())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if !self.ended {
            // If the writer is gone there is nobody left to tell.
            let _ = self.put(Data::Abort { id: self.id });
        }
    }
}
