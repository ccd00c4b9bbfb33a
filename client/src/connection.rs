//! Lines and bodies on the wire. This is the one place that sees every frame, so whoever wants to
//! see them looks on from here ([`tap`](crate::tap)), and here the bytes of files keep to their rate.

use std::io::{self, BufReader, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::frame::{self, FrameError};
use common::protocol::{Request, Sum};
use serde::de::DeserializeOwned;

use crate::error::{Error, Loss};
use crate::interrupt::Interrupt;
use crate::lull::Lull;
use crate::pace::{Pace, Rate};
use crate::tap::{Onlooker, Tap, Way};
use crate::wire::Wire;

/// Room for a line of any length. Bodies are read past it, straight into the caller's buffer.
const READ_AHEAD: usize = common::limits::LINE_BYTES_MAX;

/// What the system is to take in where nobody will read, in bytes: about the least it can do with.
const FROZEN_BUFFER: usize = 4096;

/// How a connection is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    /// Set, every wait ends.
    pub(crate) interrupt: Interrupt,
    /// How fast the bytes of files go, either way; as fast as they can if none.
    pub(crate) rate: Option<Rate>,
    /// Nothing will be read once the room is entered, and the server is to feel that: so the system
    /// takes in as little as it can.
    pub(crate) freezes: bool,
    /// Who is shown what goes over it.
    pub(crate) onlooker: Onlooker,
}

impl Terms {
    /// The usual ones.
    pub(crate) fn until(interrupt: Interrupt) -> Self {
        Self { interrupt, ..Self::default() }
    }

    fn receive_buffer(&self) -> Option<usize> {
        if self.freezes { Some(FROZEN_BUFFER) } else { self.rate.map(Rate::receive_buffer) }
    }
}

/// One connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    input: BufReader<Wire>,
    /// What is queued and not yet sent.
    output: Vec<u8>,
    /// Some of it is a body.
    has_body: bool,
    line: Vec<u8>,
    /// Of the bytes of files, if they are not as fast as they can be.
    pace: Option<Pace>,
    tap: Tap,
}

impl Connection {
    pub(crate) fn dial(addresses: &[SocketAddr], terms: Terms) -> io::Result<Self> {
        let receive_buffer = terms.receive_buffer();
        let Terms { interrupt, rate, onlooker, .. } = terms;
        let wire = Wire::dial(addresses, receive_buffer, interrupt)?;
        let (pace, tap) = (rate.map(Pace::new), Tap::new(onlooker));
        // Of a body that must be slow not more than a piece is read ahead.
        let ahead = pace.as_ref().map_or(READ_AHEAD, |pace| pace.piece(READ_AHEAD));
        let input = BufReader::with_capacity(ahead, wire);
        let (output, line) = (Vec::new(), Vec::new());
        Ok(Self { input, output, has_body: false, line, pace, tap })
    }

    /// Queues a request.
    pub(crate) fn queue(&mut self, request: &Request) -> io::Result<()> {
        self.tap.request(request);
        frame::write_line(&mut self.output, request)
    }

    /// Queues the line that ends a body.
    pub(crate) fn queue_sum(&mut self, sum: Sum) -> io::Result<()> {
        self.tap.line_out(&sum);
        frame::write_line(&mut self.output, &sum)
    }

    /// Queues the bytes of a body.
    pub(crate) fn queue_body(&mut self, bytes: &[u8]) {
        self.tap.body(Way::Out, bytes.len());
        self.output.extend_from_slice(bytes);
        self.has_body = true;
    }

    /// How many of at most `most` bytes of a body make one block here.
    pub(crate) fn block(&self, most: usize) -> usize {
        self.pace.as_ref().map_or(most, |pace| pace.piece(most))
    }

    /// How many bytes are queued.
    pub(crate) fn queued(&self) -> usize {
        self.output.len()
    }

    /// Sends what is queued.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let wire = self.input.get_mut();
        let sent = match &mut self.pace {
            Some(pace) if self.has_body => write_paced(wire, &self.output, pace),
            _ => wire.write_all(&self.output),
        };
        self.output.clear();
        self.has_body = false;
        sent
    }

    /// Sends a block of a body at once, without queuing it. `false` means that the server spoke
    /// in the middle of it: it wants no more.
    pub(crate) fn send_block(&mut self, mut block: &[u8]) -> io::Result<bool> {
        let (begun, bytes) = (Instant::now(), block.len());
        while !block.is_empty() {
            // On a slow line a block takes a while, and comes in pieces.
            if !self.is_silent() {
                return Ok(false);
            }
            match self.input.get_mut().write(block)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                sent => {
                    self.tap.body(Way::Out, sent);
                    block = &block[sent..];
                }
            }
        }
        if let Some(pace) = &mut self.pace {
            pace.moved(begun, bytes);
        }
        Ok(true)
    }

    /// Reads a line. The whole line has `within` to arrive, not each of its bytes.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, within: Duration) -> Result<T, Error> {
        parse(self.read_line(within)?)
    }

    /// The same, not understood yet: for who does not know what will come.
    pub(crate) fn read_line(&mut self, within: Duration) -> Result<&[u8], Error> {
        self.input.get_mut().deadline = Some(Instant::now() + within);
        let got = frame::read_line(&mut self.input, &mut self.line);
        self.input.get_mut().deadline = None;
        match got {
            Ok(true) => {}
            Ok(false) => return Err(Error::Lost(Loss::Closed)),
            Err(FrameError::Io(error)) => return Err(Error::from_wire(&error)),
            Err(FrameError::Cut) => return Err(Error::Lost(Loss::MidReply)),
            Err(FrameError::TooLong) => {
                return Err(Error::Protocol(FrameError::TooLong.to_string()));
            }
        }
        self.tap.line_in(&self.line);
        Ok(&self.line)
    }

    /// Who is told, while something is waited for, that nothing moves.
    pub(crate) fn lull(&mut self) -> &mut Lull {
        &mut self.input.get_mut().lull
    }

    /// A way to ask over this connection for another thread than the one that reads it.
    pub(crate) fn voice(&self) -> io::Result<Voice> {
        Ok(Voice { wire: self.input.get_ref().try_clone()?, tap: self.tap.another() })
    }

    /// Fills `block` with bytes of a body. Returns how many came, and why not all.
    pub(crate) fn read_block(&mut self, block: &mut [u8]) -> (usize, io::Result<()>) {
        let (mut count, mut filled) = (0, Ok(()));
        while count < block.len() && filled.is_ok() {
            let (begun, most) = (Instant::now(), self.block(block.len() - count));
            match self.input.read(&mut block[count..count + most]) {
                Ok(0) => filled = Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(more) => {
                    count += more;
                    if let Some(pace) = &mut self.pace {
                        pace.moved(begun, more);
                    }
                }
                Err(error) => filled = Err(error),
            }
        }
        self.tap.body(Way::In, count);
        (count, filled)
    }

    /// A body that was read has ended, be it whole or not. What ends one that is sent is a line.
    pub(crate) fn body_ends(&mut self) {
        self.tap.body_ends();
    }

    /// An error once Ctrl-C was pressed, for who is busy with something else than this connection.
    pub(crate) fn check_interrupt(&self) -> io::Result<()> {
        self.input.get_ref().check_interrupt()
    }

    /// Whether the server has sent nothing that is yet to be read. It speaks only when spoken to,
    /// so what it says unasked is bad news.
    pub(crate) fn is_silent(&self) -> bool {
        self.input.buffer().is_empty() && self.input.get_ref().is_silent()
    }
}

/// Asks over a connection that another thread reads. Who drops it hangs up.
#[derive(Debug)]
pub(crate) struct Voice {
    wire: Wire,
    tap: Tap,
}

impl Voice {
    /// Sends a request, whose answer the other thread will meet.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<()> {
        self.tap.request(request);
        let mut line = Vec::new();
        frame::write_line(&mut line, request)?;
        self.wire.write_all(&line)
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.wire.hang_up();
    }
}

/// Writes what is a body for the most part.
fn write_paced(wire: &mut Wire, bytes: &[u8], pace: &mut Pace) -> io::Result<()> {
    for piece in bytes.chunks(pace.piece(bytes.len()).max(1)) {
        let begun = Instant::now();
        wire.write_all(piece)?;
        pace.moved(begun, piece.len());
    }
    Ok(())
}

/// Understands a line.
pub(crate) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Error> {
    frame::parse(line).map_err(|error| Error::Protocol(error.to_string()))
}
