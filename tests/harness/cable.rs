//! A cable that breaks where a test wants.

use std::io::{ErrorKind, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::PATIENCE;

/// What becomes of a [`Cable`].
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It carries everything.
    Sound,
    /// It breaks when it has carried so many bytes from the server.
    CutAfter(u64),
    /// It breaks when it has carried so many bytes to the server.
    CutAfterSent(u64),
    /// It breaks before a request that holds this word.
    CutBefore(&'static str),
    /// It carries nothing more from the server after so many bytes, until it is mended.
    StuckAfter(u64),
    /// It carries nothing more to the server after so many bytes, until it is mended.
    StuckAfterSent(u64),
}

/// How many bytes went which way.
#[derive(Debug, Default)]
struct Counts {
    from_server: AtomicU64,
    to_server: AtomicU64,
}

/// Tells whoever waits for it that the cable is mended, by an error: its sender is gone.
type Mended = Mutex<Receiver<()>>;

/// A way to a server, for one connection. What it has carried is counted.
#[derive(Debug)]
pub struct Cable {
    /// Where its near end is.
    pub address: SocketAddr,
    counts: Arc<Counts>,
    /// Dropped, it tells the far end that the cable is mended.
    stuck: Option<Sender<()>>,
}

impl Cable {
    /// Lays a cable to `server`.
    pub fn to(server: SocketAddr, fate: Fate) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let (stuck, mended) = channel();
        let mended = Mutex::new(mended);
        let counted = Arc::clone(&counts);
        thread::spawn(move || {
            // A test that ends in the middle has nothing more to be told.
            let _ = connect(&listener, server, fate, &counted, &mended);
        });
        Ok(Self { address, counts, stuck: Some(stuck) })
    }

    /// How many bytes have come from the server.
    pub fn carried(&self) -> u64 {
        self.counts.from_server.load(Ordering::Relaxed)
    }

    /// How many bytes have gone to the server.
    pub fn sent(&self) -> u64 {
        self.counts.to_server.load(Ordering::Relaxed)
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
    counts: &Counts,
    mended: &Mended,
) -> std::io::Result<()> {
    let (near, _) = listener.accept()?;
    let far = TcpStream::connect(server)?;
    for end in [&near, &far] {
        end.set_read_timeout(Some(PATIENCE))?;
        end.set_write_timeout(Some(PATIENCE))?;
    }
    let (there, back) = ways(fate);
    thread::scope(|scope| {
        scope.spawn(|| {
            carry(&near, &far, there, &counts.to_server, mended);
            // The other direction may be waiting for an answer that will never be asked for.
            cut(&near, &far);
        });
        carry(&far, &near, back, &counts.from_server, mended);
        cut(&near, &far);
    });
    Ok(())
}

/// What becomes of one direction.
#[derive(Debug, Clone, Copy)]
enum Course {
    Sound,
    CutAfter(u64),
    CutBefore(&'static str),
    StuckAfter(u64),
}

/// The course of what is sent to the server, and of what comes from it.
fn ways(fate: Fate) -> (Course, Course) {
    match fate {
        Fate::Sound => (Course::Sound, Course::Sound),
        Fate::CutAfter(bytes) => (Course::Sound, Course::CutAfter(bytes)),
        Fate::CutAfterSent(bytes) => (Course::CutAfter(bytes), Course::Sound),
        Fate::CutBefore(word) => (Course::CutBefore(word), Course::Sound),
        Fate::StuckAfter(bytes) => (Course::Sound, Course::StuckAfter(bytes)),
        Fate::StuckAfterSent(bytes) => (Course::StuckAfter(bytes), Course::Sound),
    }
}

/// Carries one way, and counts.
fn carry(
    mut from: &TcpStream,
    mut to: &TcpStream,
    course: Course,
    count: &AtomicU64,
    mended: &Mended,
) {
    let mut left = match course {
        Course::CutAfter(bytes) | Course::StuckAfter(bytes) => bytes,
        Course::Sound | Course::CutBefore(_) => u64::MAX,
    };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if left == 0 {
            if matches!(course, Course::CutAfter(_)) {
                return;
            }
            left = wait_for(mended);
        }
        let Some(bytes) = some(&mut from, &mut buffer, left) else { return };
        // A request fits one segment, so a word is seen whole.
        let held = |word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        if matches!(course, Course::CutBefore(word) if held(word)) || to.write_all(bytes).is_err() {
            return;
        }
        count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        left -= bytes.len() as u64;
    }
}

/// Returns when the cable is mended, with how many bytes it carries then.
fn wait_for(mended: &Mended) -> u64 {
    let mended = mended.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = mended.recv();
    u64::MAX
}

/// The next bytes, at most so many; `None` at the end, however that came.
fn some<'b>(from: &mut &TcpStream, buffer: &'b mut [u8], most: u64) -> Option<&'b [u8]> {
    let most = usize::try_from(most).map_or(buffer.len(), |most| most.min(buffer.len()));
    let buffer = &mut buffer[..most];
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
