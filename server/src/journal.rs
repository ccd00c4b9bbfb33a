//! The journal: who did what, from where, how much, how long, and how it ended.
//!
//! Every line goes to `logs/server.log` and to stderr, or to the console while that has the
//! terminal. A session must never wait for any of them, and a terminal that somebody has stopped
//! with Ctrl-S may wait for ever. So lines travel through a bounded queue to one thread; if the
//! queue is full a line is dropped and counted, and if stderr would block, stderr goes without.
//! Neither a full disk nor a closed stderr stops the server.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use common::watch::Queue;
use crossbeam_channel::{Receiver, Sender, bounded};
use env_logger::{Builder, Env, Target};
use log::LevelFilter;
use rustix::event::{PollFd, PollFlags, poll};

use crate::state::{self, Depth, State, Table};

/// Lines that may wait to be written.
const LINES_MAX: usize = 4096;

/// What goes to stderr of one line.
const PIPE_BYTES: usize = 4096;

/// What is done with each line besides keeping it.
pub type Echo = Box<dyn FnMut(&[u8]) + Send>;

enum Entry {
    Line(Vec<u8>),
    Stop,
}

/// The journal's queue, once there is one. The logger is the process's, and so is this.
static QUEUE: OnceLock<Sender<Entry>> = OnceLock::new();

/// How full the queue to the journal is, for who looks on; none if nothing is logged.
pub fn queue() -> Option<Arc<dyn Depth>> {
    QUEUE.get().map(|queue| Arc::new(Lines(queue.clone())) as Arc<dyn Depth>)
}

struct Lines(Sender<Entry>);

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

impl Depth for Lines {
    fn look(&self) -> Queue {
        Queue {
            name: "journal".into(),
            len: self.0.len() as u64,
            cap: LINES_MAX as u64,
            bytes: None,
            oldest_ms: None,
        }
    }
}

/// The running journal. Dropping it writes what is still queued and joins the thread.
#[derive(Debug)]
pub struct Journal {
    queue: Sender<Entry>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Makes this the process's logger; `RUST_LOG` chooses what is logged, `info` by default. Each
    /// line goes to `file` and is handed to `echo`, which must not wait: see [`to_stderr`]. Its thread has a row
    /// in `table`.
    pub fn start(file: File, echo: Echo, table: Arc<Table>) -> io::Result<Self> {
        let (queue, lines) = bounded(LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        let thread = thread::Builder::new().name("journal".into()).spawn(move || {
            let _seat = table.seat("journal", State::Disk);
            write_lines(&lines, file, echo, &lost);
        })?;
        let inlet = Inlet { queue: queue.clone(), dropped };
        Builder::from_env(Env::default().default_filter_or("info"))
            // What the line editor says of its own doing would come above the line it edits, which
            // it would have something to say about.
            .filter_module("rustyline", LevelFilter::Warn)
            .target(Target::Pipe(Box::new(inlet)))
            .format(|out, record| {
                let thread = thread::current();
                let name = thread.name().unwrap_or("-");
                let at = out.timestamp_millis();
                writeln!(out, "{at} {:<5} {name:<8} {}", record.level(), record.args())
            })
            .try_init()
            .map_err(io::Error::other)?;
        let _ = QUEUE.set(queue.clone());
        Ok(Self { queue, thread: Some(thread) })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // The logger lives as long as the process, so the queue never closes by itself.
        if self.queue.send(Entry::Stop).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// Where `env_logger` writes: one call, one line.
struct Inlet {
    queue: Sender<Entry>,
    dropped: Arc<AtomicU64>,
}

impl Write for Inlet {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Entry::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_lines(lines: &Receiver<Entry>, mut file: File, mut echo: Echo, dropped: &AtomicU64) {
    // A line that cannot be written is let go: there is nobody to tell.
    let mut write = |line: &[u8]| {
        let _ = file.write_all(line);
        echo(line);
    };
    let next = || {
        let _doing = state::enter(State::WaitQueueEmpty);
        lines.recv()
    };
    while let Ok(Entry::Line(line)) = next() {
        write(&line);
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            write(format!("… {lost} lines lost: the journal was full\n").as_bytes());
        }
    }
}

/// Shows only what went wrong: that is worth reading whatever else is shown.
pub fn only_trouble(mut echo: Echo) -> Echo {
    Box::new(move |line| {
        let level = line.split(|byte| *byte == b' ').nth(1);
        if let Some(b"WARN" | b"ERROR") = level {
            echo(line);
        }
    })
}

/// Shows a line to whoever watches stderr, unless that would have to wait.
pub fn to_stderr(line: &[u8]) {
    let mut stderr = io::stderr();
    let mut ready = [PollFd::new(&stderr, PollFlags::OUT)];
    let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut ready, Some(&at_once)).is_ok_and(|n| n > 0) {
        // A pipe that is ready has room for so much and no more (POSIX, PIPE_BUF).
        let _ = stderr.write_all(line.get(..PIPE_BYTES).unwrap_or(line));
    }
}
