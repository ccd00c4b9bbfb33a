//! What goes out, and whose turn it is.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use socket2::SockRef;

use super::piece::{Piece, UNSENT_BYTES};
use super::way::Way;
use crate::patience::{Deadlines, Patience};
use crate::point;
use crate::state::{self, State};

/// The sending end of a connection, for whoever has their [`Turn`].
#[derive(Debug)]
pub struct Outgoing {
    stream: Arc<TcpStream>,
    /// What each answer has anew: to be taken, all of it, at the pace of a file.
    answer: Patience,
    /// When the system gives up a peer, unless it was told not to.
    gone: Duration,
    sending: Mutex<Sending>,
}

/// What the lock guards.
#[derive(Debug)]
struct Sending {
    way: Way,
    /// The time, for an end that never waits itself.
    now: Option<Instant>,
    /// Something was sent in part, so nothing can follow it.
    broken: bool,
    /// No call waits: between the pieces of a file we wait ourselves.
    piecemeal: bool,
    /// The system was told not to give up a peer that seems to have no room.
    bears_with_slow: bool,
    /// How much of a file the kernel is handed at a time.
    piece: Piece,
    /// How much the kernel was told that it may have unsent.
    unsent: u32,
}

impl Outgoing {
    /// That of a [`prepare`](super::prepare)d stream.
    pub fn new(stream: Arc<TcpStream>, deadlines: Deadlines) -> Self {
        let answer = deadlines.file();
        let way = Way::new(answer, TcpStream::set_write_timeout, state::sent);
        let (now, broken, piecemeal, bears_with_slow) = (None, false, false, false);
        let (piece, unsent) = (Piece::default(), UNSENT_BYTES);
        let sending = Sending { way, now, broken, piecemeal, bears_with_slow, piece, unsent };
        Self { stream, answer, gone: deadlines.gone(), sending: Mutex::new(sending) }
    }

    /// The right to send, until it is dropped; behind whatever the other thread is sending.
    pub fn turn(&self) -> Turn<'_> {
        let sending = self.sending.try_lock().or_else(|error| match error {
            TryLockError::Poisoned(poisoned) => Err(poisoned),
            TryLockError::WouldBlock => {
                let _doing = state::enter_on(State::WaitLock, "own connection");
                self.sending.lock()
            }
        });
        let sending = sending.unwrap_or_else(|poisoned| {
            // Whoever panicked may have been in the middle of something.
            let mut sending = poisoned.into_inner();
            sending.broken = true;
            sending
        });
        Turn { outgoing: self, sending }
    }
}

/// The right to send over a connection. What is sent with it stays together.
#[derive(Debug)]
pub struct Turn<'o> {
    outgoing: &'o Outgoing,
    sending: MutexGuard<'o, Sending>,
}

impl Turn<'_> {
    /// From now on no call waits, the stream having been made non-blocking; and this is the time,
    /// until another is told.
    pub fn tell_time(&mut self, now: Instant) {
        self.sending.now = Some(now);
    }

    /// When a peer that is waited for will have been too slow, by the time as it is told.
    pub fn due(&self) -> Option<Instant> {
        self.sending.way.due()
    }

    /// Sends lines.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send_flagged(bytes, SendFlags::NOSIGNAL)
    }

    /// Sends lines that a file will follow at once: the kernel may wait to fill the packet.
    pub fn send_ahead(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send_flagged(bytes, SendFlags::MORE | SendFlags::NOSIGNAL)
    }

    fn send_flagged(&mut self, bytes: &[u8], flags: SendFlags) -> io::Result<()> {
        self.bear_with_slow(false)?;
        self.sending.way.allow(self.outgoing.answer);
        self.send_on(bytes, &mut 0, flags)
    }

    /// Sends what of the lines of an answer was not sent yet. `sent` tells how far it came, also
    /// after an error: `WouldBlock` where [`tell_time`](Self::tell_time) was called.
    pub fn send_rest(&mut self, bytes: &[u8], sent: &mut usize) -> io::Result<()> {
        if *sent == 0 && self.sending.way.since.is_none() {
            self.bear_with_slow(false)?;
            self.sending.way.allow(self.outgoing.answer);
        }
        self.send_on(bytes, sent, SendFlags::NOSIGNAL)
    }

    fn send_on(&mut self, bytes: &[u8], sent: &mut usize, flags: SendFlags) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        while let Some(rest @ [_, ..]) = bytes.get(*sent..) {
            let stream = &*self.outgoing.stream;
            *sent += self.pass(rest.len(), || send(stream, rest, flags))?;
        }
        Ok(())
    }

    /// Sends the bytes of `file` from `offset` to `end` without carrying them through this process,
    /// behind [`send_ahead`](Self::send_ahead). `offset` tells how far it came, also after an error.
    ///
    /// std's `io::copy` does not do this (rust-lang/rust#108283: a page changed after sendfile
    /// returned may go out changed). Served files are never changed in place, only replaced.
    ///
    /// For a file that may not be taken at once it is for us alone to say when its reader is too slow.
    /// Two others would, and are wrong about it.
    ///
    /// - A blocking sendfile returns when the whole slice is taken, and its time-out starts anew with
    ///   every byte: who takes one now and then could keep us in that one call for hours. So no call
    ///   waits; we do, between the pieces.
    /// - To the system a peer that has less room than what is ready to be sent has none, and is given
    ///   up after so long, whatever it took meanwhile (`TCP_USER_TIMEOUT` in tcp(7); the persist timer
    ///   of RFC 9293, 3.8.6.1). So it is told not to, until something else is sent.
    pub fn send_file(&mut self, file: &File, offset: &mut u64, end: u64) -> io::Result<()> {
        let is_long = end.saturating_sub(*offset) > UNSENT_BYTES.into();
        if is_long {
            self.bear_with_slow(true)?;
        }
        if !is_long || self.sending.now.is_some() {
            return self.send_slices(file, offset, end);
        }
        let stream = &*self.outgoing.stream;
        // Nobody waits in a call on this stream now: the session is here, and who else would send
        // waits for its turn.
        stream.set_nonblocking(true)?;
        self.sending.piecemeal = true;
        let sent = self.send_slices(file, offset, end);
        self.sending.piecemeal = false;
        stream.set_nonblocking(false)?;
        sent
    }

    fn bear_with_slow(&mut self, bear: bool) -> io::Result<()> {
        if self.sending.bears_with_slow != bear {
            let gone = (!bear).then_some(self.outgoing.gone);
            SockRef::from(&*self.outgoing.stream).set_tcp_user_timeout(gone)?;
            self.sending.bears_with_slow = bear;
        }
        Ok(())
    }

    fn send_slices(&mut self, file: &File, offset: &mut u64, end: u64) -> io::Result<()> {
        let _doing = state::enter(State::Send);
        while *offset < end {
            self.size_pieces()?;
            let slice = (end - *offset).min(self.sending.piece.slice());
            let slice = usize::try_from(slice).unwrap_or(usize::MAX);
            point::pass("get.sending");
            let stream = &*self.outgoing.stream;
            let bytes = self.pass(slice, || sendfile(stream, file, Some(offset), slice))?;
            if bytes == 0 {
                // The file has become shorter: what was promised cannot be sent any more.
                self.sending.broken = true;
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let Sending { piece, way, .. } = &mut *self.sending;
            piece.took(bytes as u64, way.waited());
        }
        Ok(())
    }

    fn size_pieces(&mut self) -> io::Result<()> {
        let unsent = self.sending.piece.unsent();
        if self.sending.unsent != unsent {
            SockRef::from(&*self.outgoing.stream).set_tcp_notsent_lowat(unsent)?;
            self.sending.unsent = unsent;
        }
        Ok(())
    }

    /// Moves `most` bytes or fewer by `call`. If that fails, what was begun stays in part, and a line
    /// behind it would be taken for its rest: so the other thread must not send any more, either.
    fn pass(
        &mut self,
        most: usize,
        call: impl FnMut() -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        let Sending { way, now, broken, piecemeal, .. } = &mut *self.sending;
        if *broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let stream = &*self.outgoing.stream;
        let passed = if *piecemeal {
            way.pass_piecemeal(stream, most, call)
        } else {
            way.pass(stream, *now, call)
        };
        *broken = passed.as_ref().is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
        passed
    }
}
