//! Those who connect and say nothing, far more than there are places.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use common::protocol::{Greeting, Response};

use crate::PATIENCE;

/// Threads that connect at the same time.
const THREADS: usize = 4;
/// How long a connection may take to be made: the kernel tries again for seconds if the server's
/// backlog is full.
const CONNECT: Duration = Duration::from_secs(30);

/// Connections that stay open until this is dropped, and what was said to them at the door.
#[derive(Debug, Default)]
pub(super) struct Idlers {
    open: Vec<TcpStream>,
    pub(super) held: usize,
    pub(super) refused: usize,
    /// Neither: what happened instead, for each.
    pub(super) other: Vec<String>,
}

impl Idlers {
    /// Connects `count` times, as fast as it goes, and only then listens.
    pub(super) fn come(server: SocketAddr, count: usize) -> Self {
        let share = |n: usize| count / THREADS + usize::from(n < count % THREADS);
        let mut all = Self::default();
        let parts: Vec<Self> = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..THREADS).map(|n| scope.spawn(move || Self::rush(server, share(n)))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for part in parts {
            all.open.extend(part.open);
            all.other.extend(part.other);
        }
        for stream in &all.open {
            match door(stream) {
                Ok(true) => all.held += 1,
                Ok(false) => all.refused += 1,
                Err(other) => all.other.push(other),
            }
        }
        all
    }

    fn rush(server: SocketAddr, count: usize) -> Self {
        let mut these = Self::default();
        for _ in 0..count {
            match TcpStream::connect_timeout(&server, CONNECT) {
                Ok(stream) => these.open.push(stream),
                Err(error) => these.other.push(format!("cannot connect: {error}")),
            }
        }
        these
    }
}

/// What was said at the door: whether this one is held, or refused because all places are taken.
fn door(stream: &TcpStream) -> Result<bool, String> {
    stream.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
    let mut line = Vec::new();
    // A line is all that comes.
    BufReader::with_capacity(1024, stream)
        .read_until(b'\n', &mut line)
        .map_err(|e| e.to_string())?;
    match common::frame::parse::<Response<Greeting>>(&line) {
        Ok(Response::Ok(_)) => Ok(true),
        Ok(Response::Fail(refusal)) if refusal.reason == common::protocol::Reason::Full => {
            Ok(false)
        }
        Ok(other) => Err(format!("at the door: {}", other.outcome())),
        Err(error) => Err(format!("at the door: {error}")),
    }
}
