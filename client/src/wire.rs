//! A blocking socket that waits neither for ever nor deaf to Ctrl-C.
//!
//! The kernel hands a blocked call back after each slice of time, and every slice ends with the
//! same two questions: did the person press Ctrl-C, and is the deadline over? (A signal alone
//! would not do. One that arrives just *before* the call blocks wakes nobody.) And whoever waits is
//! told that nothing moves ([`lull`](crate::lull)).
//!
//! **Slow is not gone.** A server whose disk is slow may be silent for minutes, and do all that was
//! asked. Its system answers all that time, and is asked whether it is there: so one that is gone is
//! noticed soon, however long the other may take.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use common::limits::WRITER_SECONDS_MAX;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Socket, TcpKeepalive, Type};

use crate::interrupt::Interrupt;
use crate::lull::Lull;

/// How long one call blocks before it looks around.
const SLICE: Duration = Duration::from_millis(250);
/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes the kernel may take from us beyond what it has sent. Without this it takes megabytes, and
/// they have left the processor's cache by the time the other end wants them: on one machine that
/// was measured to cost an upload a tenth of its time.
const UNSENT_BYTES: u32 = 64 * 1024;
/// How long a file that comes may go without a single byte.
const STALL: Duration = Duration::from_mins(1);
/// How long a server may take nothing of what is sent to it, or its system acknowledge nothing. One
/// that waits for its own disk takes nothing; when that takes too long, it is the server who says so.
const UNTAKEN: Duration = Duration::from_secs(WRITER_SECONDS_MAX + 30);

/// How long a peer may be silent before the system asks whether it is still there, and how often it
/// asks then.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_mins(1), Duration::from_secs(10), 6);

/// The socket. Reads and writes end with [`io::ErrorKind::TimedOut`] at the deadline.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    interrupt: Interrupt,
    /// When reading must be done with what it is about, a line; each read has [`STALL`] if none.
    pub(crate) deadline: Option<Instant>,
    /// Who is told that nothing moves.
    pub(crate) lull: Lull,
}

impl Wire {
    /// Connects to the first of `addresses` that answers. The system is to take in no more than
    /// `receive_buffer` bytes that are not read yet, if that is given.
    pub(crate) fn dial(
        addresses: &[SocketAddr],
        receive_buffer: Option<usize>,
        interrupt: Interrupt,
    ) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match dial_one(*address, receive_buffer, &interrupt) {
                Ok(stream) => return Ok(Self::of(stream, interrupt)),
                Err(error) => last = error,
            }
            interrupt.check()?;
        }
        Err(last)
    }

    fn of(stream: TcpStream, interrupt: Interrupt) -> Self {
        Self { stream, interrupt, deadline: None, lull: Lull::default() }
    }

    /// The same socket once more, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::of(self.stream.try_clone()?, self.interrupt.clone()))
    }

    /// Ends the connection, also for the thread that waits for what it brings.
    pub(crate) fn hang_up(&self) {
        // It may have ended by itself.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Whether the server has sent nothing that is yet to be read, not even its goodbye.
    pub(crate) fn is_silent(&self) -> bool {
        let looked = recv(&self.stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        looked == Err(Errno::AGAIN)
    }

    /// An error once Ctrl-C was pressed.
    pub(crate) fn check_interrupt(&self) -> io::Result<()> {
        self.interrupt.check()
    }

    /// Makes a call that returns at least once per [`SLICE`] until it succeeds or `until` passes.
    fn patiently<T>(
        &mut self,
        until: Instant,
        mut call: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        let begun = Instant::now();
        let done = loop {
            if let Err(pressed) = self.interrupt.check() {
                break Err(pressed);
            }
            match call(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if Instant::now() >= until {
                        break Err(io::ErrorKind::TimedOut.into());
                    }
                    self.lull.lasts(begun.elapsed());
                }
                done => break done,
            }
        };
        self.lull.is_over();
        done
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let until = self.deadline.unwrap_or_else(|| Instant::now() + STALL);
        self.patiently(until, |mut stream| stream.read(buffer))
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(Instant::now() + UNTAKEN, |mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn dial_one(
    address: SocketAddr,
    receive_buffer: Option<usize>,
    interrupt: &Interrupt,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(bytes) = receive_buffer {
        // Before the call: how large the window may become is said in its first packet.
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => wait_connected(&socket, interrupt),
    }?;
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(SLICE))?;
    socket.set_write_timeout(Some(SLICE))?;
    // A request is one small write that the reply waits for; there is nothing to gather.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    let (time, interval, retries) = KEEPALIVE;
    let asked = TcpKeepalive::new().with_time(time).with_interval(interval);
    socket.set_tcp_keepalive(&asked.with_retries(retries))?;
    // While something is still to be acknowledged, the system does not ask.
    socket.set_tcp_user_timeout(Some(UNTAKEN))?;
    Ok(socket.into())
}

/// A socket that is connecting becomes writable when it knows how that went.
fn wait_connected(socket: &Socket, interrupt: &Interrupt) -> io::Result<()> {
    let until = Instant::now() + CONNECT;
    let slice = Timespec { tv_sec: 0, tv_nsec: SLICE.subsec_nanos().into() };
    loop {
        interrupt.check()?;
        match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&slice)) {
            Ok(0) if Instant::now() >= until => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return socket.take_error()?.map_or(Ok(()), Err),
            Err(error) => return Err(error.into()),
        }
    }
}
