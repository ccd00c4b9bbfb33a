//! The writer: one thread that writes every part, fed by two queues.
//!
//! # The story
//! A session receives an upload; the writer writes it. Between them stand two queues, as in the
//! lesson: *commands* say that an upload begins, *data* carries its bytes and its end.
//!
//! ```text
//!  session c01 ── Begin ──► command queue ──┐
//!       │ ▲  └─── Chunk … End ─► data queue ─┴─► writer ──write──► part
//!       │ └───────── buffers, errors, Done ◄─────┘
//!  session c02 ── …
//! ```
//!
//! # Order
//! Two queues have no order between them: `select!` picks at random among those that are ready.
//! So order is carried by design. `Begin` is sent before the first chunk, therefore it is already
//! in its queue when a chunk arrives: a writer that meets an unknown id drains the command queue
//! and knows it. The end travels in the *data* queue, behind the last byte.
//!
//! # Memory
//! An upload owns at most [`CHUNKS_PER_UPLOAD`] buffers. They travel session → writer → back; a
//! session whose buffers are all on their way waits for one to return. That is the back-pressure,
//! and the bound: a slow client holds only its own buffers, an idle one holds none.
//!
//! # If it dies
//! A panic here is a mistake of ours, and what is in memory cannot be trusted any more. Nobody
//! starts a second writer. The server is asked to stop, and until the last session has gone the
//! thread throws away whatever is still sent to it: so each upload learns at once that it has
//! failed, as its way back is dropped, and none waits for an answer that will not come.
//!
//! # What the writer never does
//! It never syncs, never renames, never touches a socket, and never waits for a session: the way
//! back has room for everything that can be on it. One slow disk sync must not stop the others'
//! writes, so the session threads, which have nothing else to do, sync and publish.
//!
//! This file holds the queues and what travels in them; `feed` is a session's side of them, `desk` the
//! thread's.

mod desk;
mod feed;

use std::fs::File;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use common::limits::WRITER_SECONDS_MAX;
use crossbeam_channel::{Receiver, Sender, bounded, select};

use self::desk::Desk;
pub use self::feed::Feed;
use crate::bell::Bell;
use crate::queue::{Inlet, queue};
use crate::state::{self, State, Table};
use crate::stop::Stop;

/// Buffers one upload may own: one being filled, one being written, one between.
pub const CHUNKS_PER_UPLOAD: usize = 3;

/// Places in the command queue.
const COMMAND_PLACES: usize = 256;

/// What flows to the writer, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// Bytes in one full chunk. Big and full is what makes writing fast: half a mebibyte is worth
    /// about twice the speed of 64 KiB.
    pub chunk_bytes: usize,
    /// Places in the data queue. What stands in them is bounded in bytes by the uploads' own buffers.
    pub data_places: usize,
    /// The writer answers within microseconds of its disk. Past this it is stuck, and the upload
    /// that waits for it is told so.
    pub patience: Duration,
}

impl Flow {
    /// To be looked at: each file is several chunks, nobody waits for their next one until their
    /// client gives up although the disk is slow, and a writer that is held up on purpose is not
    /// stuck.
    pub const IN_CLASS: Self =
        Self { chunk_bytes: 64 * 1024, data_places: 256, patience: Duration::from_secs(60 * 60) };
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            chunk_bytes: 512 * 1024,
            data_places: 256,
            patience: Duration::from_secs(WRITER_SECONDS_MAX),
        }
    }
}

/// Room on the way back: every buffer, a failure and the final word can be under way at once.
const BACK_PLACES: usize = CHUNKS_PER_UPLOAD + 2;

enum Command {
    Begin { id: u64, part: Arc<File>, back: Sender<Back> },
}

enum Data {
    Chunk { id: u64, bytes: Vec<u8> },
    End { id: u64 },
    Abort { id: u64 },
}

impl Data {
    /// How much of a buffer it holds.
    fn bytes(&self) -> u64 {
        match self {
            Self::Chunk { bytes, .. } => bytes.len() as u64,
            Self::End { .. } | Self::Abort { .. } => 0,
        }
    }
}

enum Back {
    /// A written buffer, to be filled again.
    Buffer(Vec<u8>),
    /// A write failed; what is still sent will be thrown away.
    Failed(io::Error),
    /// All is written: so many bytes.
    Done(u64),
}

/// The sending ends of both queues. The thread ends when this and every [`Feed`] are gone.
#[derive(Debug)]
pub struct Writer {
    commands: Inlet<Command>,
    data: Inlet<Data>,
    next_id: AtomicU64,
    flow: Flow,
    bell: Bell,
}

impl Writer {
    /// Starts the thread in `scope`. Joined, it says whether it panicked; then it has asked for
    /// the `stop` before.
    pub fn spawn<'scope>(
        scope: &'scope Scope<'scope, '_>,
        table: &'scope Table,
        stop: &'scope Stop,
        flow: Flow,
    ) -> io::Result<(Self, ScopedJoinHandle<'scope, ()>)> {
        let (commands, command_queue, announced) = queue("commands", COMMAND_PLACES);
        let (data, data_queue, carried) = queue("data", flow.data_places);
        let bell = Bell::default();
        let rung = bell.clone();
        let thread =
            thread::Builder::new().name("writer".into()).spawn_scoped(scope, move || {
                // What it does in between is over at once: it waits for the queues, or for the disk.
                let _seat = table.seat("writer", State::WaitQueueEmpty);
                let _shown = (table.show(announced.clone()), table.show(carried.clone()));
                let bell = rung;
                let desk = Desk::new(command_queue.clone(), announced, carried, bell.clone());
                let work = AssertUnwindSafe(|| desk.run(&data_queue));
                if let Err(panicked) = panic::catch_unwind(work) {
                    stop.ask();
                    throw_away(&command_queue, &data_queue, &bell);
                    panic::resume_unwind(panicked);
                }
            })?;
        Ok((Self { commands, data, next_id: AtomicU64::new(1), flow, bell }, thread))
    }

    /// Rung when something has become of the data queue.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Whether [`begin`](Self::begin) would not wait now. That stays so for the one thread that
    /// sends all there is to send.
    pub fn has_room(&self) -> bool {
        self.commands.free() > 0 && has_room(&self.data)
    }

    /// Announces an upload into `part`, whose writing position is where its bytes belong.
    pub fn begin(&self, part: Arc<File>) -> io::Result<Feed> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (back, returns) = bounded(BACK_PLACES);
        // LESSON: this send happens before the first chunk's, in the same thread. That is all the
        // order the writer needs.
        self.commands
            .send(Command::Begin { id, part, back }, 0, self.flow.patience)
            .map_err(|_| writer_gone())?;
        Ok(Feed::new(id, self.flow, self.data.clone(), returns))
    }
}

/// Half of the places are kept for the ends of uploads, which cannot be put off.
fn has_room(data: &Inlet<Data>) -> bool {
    data.free() > data.places() / 2
}

/// What is left to do for a writer that died, until all senders are gone.
fn throw_away(commands: &Receiver<Command>, data: &Receiver<Data>, bell: &Bell) {
    let _doing = state::enter(State::WaitQueueEmpty);
    loop {
        bell.ring();
        // Dropped here, a command hangs up on the session that sent it.
        select! {
            recv(commands) -> command => if command.is_err() { return },
            recv(data) -> data => if data.is_err() { return },
        }
    }
}

fn writer_gone() -> io::Error {
    io::Error::other("the writer thread does not answer")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};
    use std::net::TcpListener;
    use std::sync::atomic::Ordering;
    use std::time::Instant;

    use super::*;

    fn with_writer(test: impl FnOnce(&Writer)) {
        let (table, stop) = (Table::default(), Stop::of(TcpListener::bind("127.0.0.1:0").unwrap()));
        thread::scope(|scope| {
            test(&Writer::spawn(scope, &table, &stop, Flow::default()).unwrap().0);
        });
        assert!(!stop.is_asked());
    }

    fn upload(writer: &Writer, file: &File, bytes: &[u8], chunk: usize) -> io::Result<u64> {
        let mut feed = writer.begin(Arc::new(file.try_clone()?))?;
        for piece in bytes.chunks(chunk) {
            let mut buffer = feed.buffer(piece.len())?;
            buffer.copy_from_slice(piece);
            feed.send(buffer)?;
        }
        feed.end()?;
        feed.written()
    }

    fn temporary() -> File {
        tempfile::tempfile().unwrap()
    }

    #[test]
    fn the_end_of_an_upload_is_behind_its_last_byte() {
        with_writer(|writer| {
            thread::scope(|scope| {
                for n in 0..8_u8 {
                    scope.spawn(move || {
                        for round in 0..50_usize {
                            let bytes = vec![n; 1000 + round];
                            let mut file = temporary();
                            assert_eq!(
                                upload(writer, &file, &bytes, 100).unwrap(),
                                bytes.len() as u64
                            );
                            let mut back = Vec::new();
                            file.rewind().unwrap();
                            file.read_to_end(&mut back).unwrap();
                            assert_eq!(back, bytes);
                        }
                    });
                }
            });
        });
    }

    #[test]
    fn an_empty_upload_ends_without_a_chunk() {
        with_writer(|writer| assert_eq!(upload(writer, &temporary(), b"", 1).unwrap(), 0));
    }

    #[test]
    fn a_failed_write_is_told_and_the_others_go_on() {
        with_writer(|writer| {
            let read_only = File::open("/proc/self/exe").unwrap();
            let error = upload(writer, &read_only, &[0; 5000], 10).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(9), "EBADF expected: {error}");
            assert_eq!(upload(writer, &temporary(), &[1; 5000], 10).unwrap(), 5000);
        });
    }

    /// Whole uploads may stand in the queues, their announcements with them, when the writer dies.
    #[test]
    fn nobody_waits_for_a_dead_writer() {
        let (commands, command_queue, _) = queue("commands", COMMAND_PLACES);
        let flow = Flow::default();
        let (data, data_queue, _) = queue("data", flow.data_places);
        let (next_id, bell) = (AtomicU64::new(1), Bell::default());
        let writer = Writer { commands, data, next_id, flow, bell };
        let mut feed = writer.begin(Arc::new(temporary())).unwrap();
        let buffer = feed.buffer(8).unwrap();
        feed.send(buffer).unwrap();
        feed.end().unwrap();
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(move || throw_away(&command_queue, &data_queue, &Bell::default()));
            feed.written().unwrap_err();
            drop((feed, writer));
        });
        assert!(begun.elapsed() < flow.patience / 2);
    }

    /// What the model *select* asks, again and again, where others wait.
    #[test]
    fn what_is_asked_without_waiting_is_in_the_end_what_waiting_would_find() {
        with_writer(|writer| {
            let woken = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&woken);
            let wake = move || {
                count.fetch_add(1, Ordering::SeqCst);
            };
            writer.bell().answers(wake);
            assert!(writer.has_room());
            let mut feed = writer.begin(Arc::new(temporary())).unwrap();
            for _ in 0..CHUNKS_PER_UPLOAD {
                assert!(feed.has_room() && feed.has_buffer().unwrap());
                let buffer = feed.buffer(9).unwrap();
                feed.send(buffer).unwrap();
            }
            let deadline = Instant::now() + Flow::default().patience;
            while !feed.is_flushed().unwrap() {
                assert!(Instant::now() < deadline);
                thread::yield_now();
            }
            assert!(feed.has_buffer().unwrap());
            feed.end().unwrap();
            while !feed.is_written() {
                assert!(Instant::now() < deadline);
                thread::yield_now();
            }
            assert_eq!(feed.written().unwrap(), 9 * CHUNKS_PER_UPLOAD as u64);
            while woken.load(Ordering::SeqCst) <= CHUNKS_PER_UPLOAD as u64 {
                assert!(Instant::now() < deadline);
                thread::yield_now();
            }
        });
    }

    #[test]
    fn an_upload_never_owns_more_than_its_share_of_buffers() {
        with_writer(|writer| {
            let mut feed = writer.begin(Arc::new(temporary())).unwrap();
            let owned: Vec<_> = (0..CHUNKS_PER_UPLOAD).map(|_| feed.buffer(8).unwrap()).collect();
            assert_eq!(feed.buffers, CHUNKS_PER_UPLOAD);
            for buffer in owned {
                feed.send(buffer).unwrap();
            }
            assert_eq!(feed.buffer(5).unwrap().len(), 5);
            assert_eq!(feed.buffers, CHUNKS_PER_UPLOAD);
        });
    }
}
