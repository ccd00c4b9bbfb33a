//! A cable that breaks where a test wants.

use std::io::{ErrorKind, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::PATIENCE;

/// What becomes of a [`Cable`].
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It carries everything.
    Sound,
    /// It breaks when it has carried so many bytes from the server.
    CutAfter(u64),
    /// It breaks before a request that holds this word.
    CutBefore(&'static str),
    /// It carries nothing more from the server after so many bytes, until it is mended.
    StuckAfter(u64),
}

/// A way to a server, for one connection. What it has carried is counted.
#[derive(Debug)]
pub struct Cable {
    /// Where its near end is.
    pub address: SocketAddr,
    carried: Arc<AtomicU64>,
    /// Dropped, it tells the far end that the cable is mended.
    stuck: Option<Sender<()>>,
}

impl Cable {
    /// Lays a cable to `server`.
    pub fn to(server: SocketAddr, fate: Fate) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let carried = Arc::new(AtomicU64::new(0));
        let (stuck, mended) = channel();
        let count = Arc::clone(&carried);
        thread::spawn(move || {
            // A test that ends in the middle has nothing more to be told.
            let _ = connect(&listener, server, fate, &count, &mended);
        });
        Ok(Self { address, carried, stuck: Some(stuck) })
    }

    /// How many bytes have come from the server.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Lets what is stuck go on.
    pub fn mend(&mut self) {
        self.stuck = None;
    }
}

fn connect(
    listener: &TcpListener,
    server: SocketAddr,
    fate: Fate,
    carried: &AtomicU64,
    mended: &Receiver<()>,
) -> std::io::Result<()> {
    let (near, _) = listener.accept()?;
    let far = TcpStream::connect(server)?;
    for end in [&near, &far] {
        end.set_read_timeout(Some(PATIENCE))?;
        end.set_write_timeout(Some(PATIENCE))?;
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            requests(&near, &far, fate);
            // The other direction may be waiting for an answer that will never be asked for.
            cut(&near, &far);
        });
        answers(&far, &near, fate, carried, mended);
        cut(&near, &far);
    });
    Ok(())
}

/// Carries to the server. A request fits one segment, so a word is seen whole.
fn requests(mut near: &TcpStream, mut far: &TcpStream, fate: Fate) {
    let mut buffer = vec![0; 64 * 1024];
    while let Some(bytes) = some(&mut near, &mut buffer) {
        let held = |word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        if matches!(fate, Fate::CutBefore(word) if held(word)) || far.write_all(bytes).is_err() {
            return;
        }
    }
}

/// Carries from the server, and counts.
fn answers(
    mut far: &TcpStream,
    mut near: &TcpStream,
    fate: Fate,
    carried: &AtomicU64,
    mended: &Receiver<()>,
) {
    let mut left = match fate {
        Fate::CutAfter(bytes) | Fate::StuckAfter(bytes) => bytes,
        Fate::Sound | Fate::CutBefore(_) => u64::MAX,
    };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if left == 0 {
            if matches!(fate, Fate::CutAfter(_)) {
                return;
            }
            // Nothing is ever sent: it returns when the sender is gone.
            let _ = mended.recv();
            left = u64::MAX;
        }
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let Some(bytes) = some(&mut far, &mut buffer[..most]) else { return };
        if near.write_all(bytes).is_err() {
            return;
        }
        carried.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        left -= bytes.len() as u64;
    }
}

/// The next bytes; `None` at the end, however that came.
fn some<'b>(from: &mut &TcpStream, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    loop {
        match from.read(buffer) {
            Ok(0) => return None,
            Ok(count) => return Some(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// Ends both connections. What was carried still arrives.
fn cut(near: &TcpStream, far: &TcpStream) {
    for end in [near, far] {
        let _ = end.shutdown(Shutdown::Both);
    }
}
