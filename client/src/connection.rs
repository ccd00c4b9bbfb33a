//! Lines and bodies on the wire. This is the one place that sees every frame, so it logs them,
//! and sees to it that no password is among what it logs.

use std::io::{self, BufReader, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::escape::Safe;
use common::frame::{self, FrameError};
use common::protocol::{Password, Request, Sum};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Loss};
use crate::interrupt::Interrupt;
use crate::wire::Wire;

/// Room for a line of any length. Bodies are read past it, straight into the caller's buffer.
const READ_AHEAD: usize = common::limits::LINE_BYTES_MAX;

/// One connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    input: BufReader<Wire>,
    /// What is queued and not yet sent.
    output: Vec<u8>,
    line: Vec<u8>,
}

impl Connection {
    pub(crate) fn dial(addresses: &[SocketAddr], interrupt: Interrupt) -> io::Result<Self> {
        let wire = Wire::dial(addresses, interrupt)?;
        let input = BufReader::with_capacity(READ_AHEAD, wire);
        Ok(Self { input, output: Vec::new(), line: Vec::new() })
    }

    /// Queues a request.
    pub(crate) fn queue(&mut self, request: &Request) -> io::Result<()> {
        log::debug!("> {}", json(&masked(request)));
        frame::write_line(&mut self.output, request)
    }

    /// Queues the line that ends a body.
    pub(crate) fn queue_sum(&mut self, sum: Sum) -> io::Result<()> {
        log::debug!("> {}", json(&sum));
        frame::write_line(&mut self.output, &sum)
    }

    /// Queues the bytes of a body.
    pub(crate) fn queue_body(&mut self, bytes: &[u8]) {
        log::debug!("> {} bytes", bytes.len());
        self.output.extend_from_slice(bytes);
    }

    /// How many bytes are queued.
    pub(crate) fn queued(&self) -> usize {
        self.output.len()
    }

    /// Sends what is queued.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let sent = self.input.get_mut().write_all(&self.output);
        self.output.clear();
        sent
    }

    /// Sends a block of a body at once, without queuing it. `false` means that the server spoke
    /// in the middle of it: it wants no more.
    pub(crate) fn send_block(&mut self, mut block: &[u8]) -> io::Result<bool> {
        log::debug!("> {} bytes", block.len());
        while !block.is_empty() {
            // On a slow line a block takes a while, and comes in pieces.
            if !self.is_silent() {
                return Ok(false);
            }
            match self.input.get_mut().write(block)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                sent => block = &block[sent..],
            }
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
        log::debug!("< {}", printable(&self.line));
        Ok(&self.line)
    }

    /// A way to ask over this connection for another thread than the one that reads it. The server
    /// may be silent on it for as long as it likes, if it is there.
    pub(crate) fn voice(&self) -> io::Result<Voice> {
        let wire = self.input.get_ref();
        wire.keep_alive()?;
        Ok(Voice(wire.try_clone()?))
    }

    /// Fills `block` with bytes of a body. Returns how many came, and why not all.
    pub(crate) fn read_block(&mut self, block: &mut [u8]) -> (usize, io::Result<()>) {
        let (mut count, mut filled) = (0, Ok(()));
        while count < block.len() && filled.is_ok() {
            match self.input.read(&mut block[count..]) {
                Ok(0) => filled = Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(more) => count += more,
                Err(error) => filled = Err(error),
            }
        }
        log::debug!("< {count} bytes");
        (count, filled)
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
pub(crate) struct Voice(Wire);

impl Voice {
    /// Sends a request, whose answer the other thread will meet.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<()> {
        log::debug!("> {}", json(&masked(request)));
        let mut line = Vec::new();
        frame::write_line(&mut line, request)?;
        self.0.write_all(&line)
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

/// Understands a line.
pub(crate) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Error> {
    frame::parse(line).map_err(|error| Error::Protocol(error.to_string()))
}

fn printable(line: &[u8]) -> String {
    Safe(&String::from_utf8_lossy(line)).to_string()
}

fn json(value: &impl Serialize) -> String {
    printable(&serde_json::to_vec(value).unwrap_or_default())
}

/// The request as a log may show it. No `_` here: a new request must say whether it has a secret.
fn masked(request: &Request) -> Request {
    let mut shown = request.clone();
    let mask = || Password("***".into());
    match &mut shown {
        Request::Register(who) | Request::Login(who) => who.password = mask(),
        Request::Passwd { old, new } => (*old, *new) = (mask(), mask()),
        Request::List { .. }
        | Request::Get { .. }
        | Request::Put(_)
        | Request::Stat { .. }
        | Request::Sum { .. }
        | Request::Mkdir { .. }
        | Request::Delete { .. }
        | Request::Rename { .. }
        | Request::Who {}
        | Request::Join { .. }
        | Request::Listen { .. }
        | Request::Say { .. }
        | Request::Leave {}
        | Request::Vote { .. }
        | Request::Admin { .. }
        | Request::Watch { .. }
        | Request::Quit {} => {}
    }
    shown
}

#[cfg(test)]
mod tests {
    use common::protocol::Credentials;

    use super::*;

    #[test]
    fn a_log_shows_who_but_no_password() {
        let secret = || Password("s3cret".into());
        let who = Credentials { user: "xiaoyu".into(), password: secret() };
        let shown = json(&masked(&Request::Login(who.clone())));
        assert_eq!(shown, r#"{"cmd":"LOGIN","user":"xiaoyu","password":"***"}"#);
        for request in [
            Request::Register(who.clone()),
            Request::Login(who),
            Request::Passwd { old: secret(), new: secret() },
        ] {
            assert!(!json(&masked(&request)).contains("s3cret"), "{}", request.verb());
        }
    }
}
