//! What a client has sent and nobody has looked at yet.
//!
//! A reader like std's `BufReader`, but for its size: small for as long as a client says little,
//! because a thousand clients that say nothing should cost next to nothing, and growing as far as
//! one line may be long while a client sends more at once than fits.

use std::io::{self, BufRead, Read};

use common::limits::LINE_BYTES_MAX;

use crate::socket::Incoming;

/// What an idle session keeps.
const LEAST_BYTES: usize = 1024;

/// A buffered socket.
#[derive(Debug)]
pub struct Input {
    incoming: Incoming,
    buffer: Vec<u8>,
    /// What was read and not yet consumed is `buffer[start..end]`.
    start: usize,
    end: usize,
}

impl Input {
    /// Buffers what comes in.
    pub fn new(incoming: Incoming) -> Self {
        Self { incoming, buffer: Vec::new(), start: 0, end: 0 }
    }

    /// What is here already.
    pub fn buffer(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The socket's receiving end, to look at.
    pub fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    /// The socket's receiving end, to set a deadline. What it would read goes past this buffer.
    pub fn incoming_mut(&mut self) -> &mut Incoming {
        &mut self.incoming
    }

    /// Gives memory back before a wait that may be long.
    pub fn rest(&mut self) {
        if self.buffer().is_empty() && self.buffer.len() > LEAST_BYTES {
            (self.buffer, self.start, self.end) = (Vec::new(), 0, 0);
        }
    }

    /// A read that filled the buffer would have brought more.
    fn make_room(&mut self) {
        let len = self.buffer.len();
        if len == 0 {
            self.buffer.resize(LEAST_BYTES, 0);
        } else if self.end == len && len < LINE_BYTES_MAX {
            self.buffer.resize((len * 4).min(LINE_BYTES_MAX), 0);
        }
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.make_room();
            (self.start, self.end) = (0, 0);
            self.end = self.incoming.read(&mut self.buffer)?;
        }
        Ok(self.buffer())
    }

    fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }
}

impl Read for Input {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && target.len() >= LINE_BYTES_MAX {
            // The body of a large file: no need to touch its bytes twice.
            return self.incoming.read(target);
        }
        let bytes = self.fill_buf()?.read(target)?;
        self.consume(bytes);
        Ok(bytes)
    }
}
