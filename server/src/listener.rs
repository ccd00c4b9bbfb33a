//! The door: accepts connections, lets in as many as there is room for, and survives whatever
//! `accept` reports.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::frame;
use common::protocol::{Done, Reason, Refusal, Response};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use crate::roster::{Roster, Slot};
use crate::socket;
use crate::state::{self, State};
use crate::stop::Stop;

/// Connections the kernel may shake hands with before we accept them. Connected is not served.
const BACKLOG: i32 = 1024;

/// A pause after an error that will not go away by itself, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound and listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    stop: Stop,
    /// Kept open to be closed when descriptors run out: then one connection can be accepted,
    /// told, and closed, instead of waiting in the backlog for ever.
    spare: Option<File>,
    next_session: u64,
}

/// A client that was let in.
#[derive(Debug)]
pub struct Admitted<'r> {
    /// The session's number.
    pub session: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// Its connection.
    pub stream: Arc<TcpStream>,
    /// Its place on the roster.
    pub slot: Slot<'r>,
}

impl Listener {
    /// Binds and listens.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restarted server may take its port although old connections linger in TIME_WAIT.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from(socket);
        let stop = Stop::of(socket.try_clone()?);
        Ok(Self { socket, stop, spare: spare_descriptor(), next_session: 1 })
    }

    /// Where it listens: the port is a real one even if 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// A handle that ends the accept loop.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Waits for the next client there is room for; `None` when a stop was asked for.
    pub fn next<'r>(&mut self, roster: &'r Roster) -> Option<Admitted<'r>> {
        while !self.stop.is_asked() {
            let accepted = {
                let _doing = state::enter(State::Accept);
                self.socket.accept()
            };
            match accepted {
                Ok((stream, peer)) => match self.admit(stream, peer, roster) {
                    Ok(admitted) => return Some(admitted),
                    Err(error) => log::info!("{peer} was not let in: {error}"),
                },
                Err(_) if self.stop.is_asked() => break,
                Err(error) => self.survive(&error),
            }
        }
        None
    }

    fn admit<'r>(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        roster: &'r Roster,
    ) -> io::Result<Admitted<'r>> {
        socket::prepare(&stream)?;
        let session = self.next_session;
        self.next_session += 1;
        let stream = Arc::new(stream);
        let Some(slot) = roster.enter(session, Arc::clone(&stream)) else {
            turn_away(&stream, "all places are taken");
            return Err(io::Error::other("all places are taken"));
        };
        Ok(Admitted { session, peer, stream, slot })
    }

    /// No error of `accept` may end the loop (accept(2), "Error handling").
    fn survive(&mut self, error: &io::Error) {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // The client gave up before we looked, or a signal came by.
            Some(Errno::CONNABORTED | Errno::INTR) => return,
            Some(Errno::MFILE | Errno::NFILE) => {
                drop(self.spare.take());
                if let Ok((stream, _)) = self.socket.accept() {
                    turn_away(&stream, "the server has no file descriptor left");
                }
                self.spare = spare_descriptor();
            }
            _ => {}
        }
        log::error!("cannot accept: {error}");
        thread::sleep(ACCEPT_PAUSE);
    }
}

fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Tells a client that there is no room, without ever waiting for it.
pub fn turn_away(stream: &TcpStream, why: &str) {
    let refusal = Refusal::new(Reason::Full, format!("{why}; try again in a moment"));
    let mut line = Vec::new();
    if frame::write_line(&mut line, &Response::<Done>::Fail(refusal)).is_ok()
        && stream.set_nonblocking(true).is_ok()
    {
        let mut stream = stream;
        let _ = stream.write(&line);
        let _ = stream.shutdown(Shutdown::Write);
    }
}
