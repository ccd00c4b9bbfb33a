//! A bad network, on this machine: what goes through it is slow, cut, or lost.
//!
//! ```text
//!              ┌────────── FaultProxy ──────────┐
//!  client ═TCP═╪═► pump ─── bytes ───────► ═TCP═╪═► server
//!         ◄════╪═══════ ◄────────── pump ◄══════╪═══
//!              └────────────────────────────────┘
//! ```
//!
//! Each connection has a thread for each direction, and its [`Fault`] from a plan made beforehand.
//! The threads are scoped: dropping the proxy cuts every connection and returns when the last
//! thread has ended.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

/// What a pump carries at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// How long a pump waits for one thing before it looks whether all is over.
const GLANCE: Duration = Duration::from_millis(50);

/// A throttled pump carries one piece, then waits one [`GLANCE`]: so many in a second.
const THROTTLE_STEPS: usize = 20;

/// What is wrong with a connection. Bytes are counted in both directions together, except where
/// only one is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every piece of up to 64 KiB comes this much later.
    Delay(Duration),
    /// At most about this many bytes a second in each direction.
    Throttle(usize),
    /// After so many bytes both sides see the other close.
    Close(u64),
    /// After so many bytes both sides see a reset.
    Reset(u64),
    /// After so many bytes from the client the server sees that side closed, and can still answer.
    HalfClose(u64),
    /// After so many bytes nothing arrives any more, and nobody is told.
    BlackHole(u64),
}

/// A running proxy.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    struck: AtomicU64,
    /// The sockets of every connection, to be woken when all is over.
    open: Mutex<HashMap<u64, [Arc<TcpStream>; 2]>>,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, [Arc<TcpStream>; 2]>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

impl FaultProxy {
    /// Stands before the server at `upstream`. `plan` says what is wrong with the nth connection,
    /// counted from 0.
    pub fn start(
        upstream: SocketAddr,
        plan: impl FnMut(u64) -> Fault + Send + 'static,
    ) -> io::Result<Self> {
        let listener = Arc::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let acceptor = {
            let (listener, shared) = (Arc::clone(&listener), Arc::clone(&shared));
            let named = thread::Builder::new().name("fault-proxy".into());
            named.spawn(move || accept(&listener, upstream, plan, &shared))?
        };
        Ok(Self { address, listener, shared, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were cut, half closed or swallowed so far. A connection that was to be
    /// cut after more bytes than it carried was not.
    pub fn struck(&self) -> u64 {
        self.shared.struck.load(Ordering::Relaxed)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes `accept`, which then fails (Linux).
        let _ = rustix::net::shutdown(&*self.listener, rustix::net::Shutdown::Both);
        for stream in self.shared.open().values().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(
    listener: &TcpListener,
    upstream: SocketAddr,
    mut plan: impl FnMut(u64) -> Fault,
    shared: &Shared,
) {
    thread::scope(|scope| {
        for (n, client) in (0..).zip(listener.incoming()) {
            let Ok(client) = client else {
                if shared.is_over() {
                    return;
                }
                thread::sleep(GLANCE);
                continue;
            };
            let fault = plan(n);
            scope.spawn(move || carry(n, client, upstream, fault, shared));
        }
    });
}

/// One connection, from its first byte to its last.
fn carry(n: u64, client: TcpStream, upstream: SocketAddr, fault: Fault, shared: &Shared) {
    let Ok(server) = TcpStream::connect(upstream) else { return };
    let ends = [Arc::new(client), Arc::new(server)];
    shared.open().insert(n, ends.clone());
    let link = Link { fault, shared, passed: AtomicU64::new(0), cut: AtomicBool::new(false) };
    // Whether all is over is looked at behind the insertion: either the drop of the proxy finds
    // the sockets there, or this finds that it is over.
    if ends.iter().all(prepared) && !shared.is_over() {
        let [client, server] = &ends;
        thread::scope(|scope| {
            scope.spawn(|| link.pump(server, client, Way::Down));
            link.pump(client, server, Way::Up);
        });
    }
    if matches!(fault, Fault::Reset(_)) && link.is_cut() {
        // Without time to linger, closing sends a reset. The last owners go when this returns.
        for end in &ends {
            let _ = set_socket_linger(&**end, Some(Duration::ZERO));
        }
    }
    shared.open().remove(&n);
}

fn prepared(end: &Arc<TcpStream>) -> bool {
    end.set_write_timeout(Some(GLANCE)).is_ok() && end.set_nodelay(true).is_ok()
}

/// Which way a pump carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What the two pumps of a connection know in common.
struct Link<'p> {
    fault: Fault,
    shared: &'p Shared,
    passed: AtomicU64,
    /// The fault has struck, and nothing goes through any more.
    cut: AtomicBool,
}

impl Link<'_> {
    /// Carries bytes one way until they end, or the fault strikes.
    fn pump(&self, mut from: &TcpStream, to: &TcpStream, way: Way) {
        let mut piece = vec![0; self.piece_bytes()];
        loop {
            match from.read(&mut piece) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // Cut, or a black hole, which swallows the goodbye as well.
                Ok(0) | Err(_) if self.is_cut() => return,
                Ok(0) | Err(_) => {
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
                Ok(bytes) => {
                    let granted = self.grant(bytes, way);
                    let sent = self.send(to, piece.get(..granted).unwrap_or_default());
                    if sent.is_err() || (granted < bytes && self.strike(from, to)) {
                        return;
                    }
                }
            }
        }
    }

    fn piece_bytes(&self) -> usize {
        match self.fault {
            Fault::Throttle(rate) => (rate / THROTTLE_STEPS).clamp(1, PIECE_BYTES),
            _ => PIECE_BYTES,
        }
    }

    /// How many of `bytes` still go through.
    fn grant(&self, bytes: usize, way: Way) -> usize {
        let after = match self.fault {
            Fault::HalfClose(after) if way == Way::Up => after,
            Fault::Close(after) | Fault::Reset(after) | Fault::BlackHole(after) => after,
            _ => return bytes,
        };
        let before = self.passed.fetch_add(bytes as u64, Ordering::SeqCst);
        usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX).min(bytes)
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) || self.shared.is_over()
    }

    /// The bytes are used up. Whether this pump ends.
    fn strike(&self, from: &TcpStream, to: &TcpStream) -> bool {
        let halves = matches!(self.fault, Fault::HalfClose(_));
        if halves || !self.cut.swap(true, Ordering::SeqCst) {
            self.shared.struck.fetch_add(1, Ordering::Relaxed);
        }
        let _ = match self.fault {
            Fault::HalfClose(_) => to.shutdown(Shutdown::Write),
            // Only the reading sides: that wakes the other pump and tells the peers nothing.
            Fault::Reset(_) => from.shutdown(Shutdown::Read).and(to.shutdown(Shutdown::Read)),
            Fault::Close(_) => from.shutdown(Shutdown::Both).and(to.shutdown(Shutdown::Both)),
            // A black hole goes on reading.
            _ => return false,
        };
        true
    }

    /// Sends what may be sent, as late and as slowly as it must be.
    fn send(&self, mut to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        match self.fault {
            Fault::Delay(time) => self.pause(time),
            Fault::Throttle(_) => self.pause(GLANCE),
            _ => {}
        }
        while !bytes.is_empty() {
            match to.write(bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(e) if e.kind() == ErrorKind::WouldBlock && !self.is_cut() => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_cut() {
            match until.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return,
                left => thread::sleep(left.min(GLANCE)),
            }
        }
    }
}
