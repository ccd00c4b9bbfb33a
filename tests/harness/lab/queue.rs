//! What a file costs that is opened for every chunk.
//!
//! **The course's server** multiplexes with `select`, and each time a socket is ready it gets a chunk of
//! 1 KiB. Its first author did this with each:
//!
//! ```python
//! name = command_of[conn]                       # whose upload is this?
//! f = open(name, "ab"); f.write(data); f.close()
//! ```
//!
//! "Slow", he writes, and then builds two queues, one for commands and one for data, and a thread that
//! takes from both and writes: "much faster". He thinks it is the thread.
//!
//! **Predict:** how many system calls does a mebibyte take with each? What is the gain of keeping the
//! file open, of the queues and their thread, of larger chunks?
//!
//! **What one sees:** keeping the file open saves two calls of three, and most of the time. The queues
//! and the thread *by themselves* lose most of that again: handing over a chunk of 1 KiB costs more
//! than writing it. Chunks that are filled first, to 512 KiB, save nearly all that is left.
//!
//! **Why:** a call into the kernel costs more than copying a kilobyte, and `open` walks the path each
//! time, looks at every folder's rights, and makes a new open file. A queue costs calls as well: a
//! writer that finds it empty goes to sleep, and the next chunk has to wake it. What is written is the
//! same in all four. The work is in the calls.
//!
//! **So what are the queues for?** They let whoever receives go on receiving while the disk writes, and
//! they put one thread in charge of all files, so that it needs no lock. Ferry has both queues and the
//! writer for that; it is fast because its chunks are large and full, and travel back to be filled
//! again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::findings::{Claim, Column, Findings, Row};
use super::{Lab, piped, rounds, watchdog};
use crate::stress::figures::{float, megabytes};

/// The first word of a process that stores uploads in one of the ways.
pub(super) const WORD: &str = "store";

/// What one `recv` of the course's server brings, in bytes.
const CHUNK_BYTES: usize = 1024;

/// What Ferry fills before it passes it on, in bytes.
const BLOCK_BYTES: usize = 512 * 1024;

/// How many people send at the same time; the chunks come in turn, as `select` would give them.
const UPLOADS: usize = 4;

/// How many chunks the data queue holds. A queue without a bound is a memory leak that waits.
const QUEUE_CHUNKS: usize = 256;

/// The columns.
const SPEED: usize = 0;
const CALLS: usize = 1;

/// What strace does to what it counts.
const COUNTED: &str = "\
The calls were counted by strace, which makes each of them slow: a writer has more time to fall asleep.";

/// How much of each is stored.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// To be timed, in KiB.
    pub kib: u32,
    /// To have its system calls counted, in KiB: less, for being looked at takes time.
    pub counted_kib: u32,
}

/// A way to store what comes.
#[derive(Debug)]
struct Way {
    /// A word for it.
    name: &'static str,
    /// What it does, in a few words.
    label: &'static str,
    /// So many bytes at a time.
    chunk: usize,
    store: fn(&Path, Chunks) -> io::Result<()>,
}

const WAYS: [Way; 4] = [
    Way { name: "each", label: "open, write, close each", chunk: CHUNK_BYTES, store: open_each },
    Way { name: "open", label: "one open file", chunk: CHUNK_BYTES, store: keep_open },
    Way { name: "queues", label: "queues, 1 KiB chunks", chunk: CHUNK_BYTES, store: queues },
    Way { name: "blocks", label: "queues, 512 KiB chunks", chunk: BLOCK_BYTES, store: queues },
];

impl Scale {
    /// What takes a second or two.
    pub fn full() -> Self {
        Self { kib: 16 * 1024, counted_kib: 4 * 1024 }
    }

    /// What takes as long as it must to show.
    pub fn quick() -> Self {
        Self { kib: 8 * 1024, counted_kib: 2 * 1024 }
    }
}

/// Stores in every way, `runs` times in turn or some more; the shortest time counts.
pub fn measure(lab: &Lab, scale: Scale, runs: u32) -> io::Result<Findings> {
    let has_strace = may_count();
    let mut rows = Vec::new();
    for way in &WAYS {
        let calls = if has_strace { calls_per_mib(lab, way, scale)? } else { f64::NAN };
        rows.push(Row { label: way.label.into(), values: vec![0.0, calls] });
    }
    let claims = rounds::measure(runs, || {
        for (row, way) in rows.iter_mut().zip(&WAYS) {
            lab.check()?;
            let time = time(lab, way, scale.kib)?.as_secs_f64();
            let speed = megabytes(u64::from(scale.kib) * 1024) / time;
            row.values[SPEED] = speed.max(row.values[SPEED]);
        }
        Ok(claims(&rows))
    })?;
    let [notes, unclaimed] = if has_strace {
        [vec![COUNTED.to_owned()], vec![]]
    } else {
        [
            vec![],
            vec![
                "what is said of system calls: this machine has no strace that may look".to_owned(),
            ],
        ]
    };
    Ok(Findings {
        name: "queue",
        title: format!(
            "{UPLOADS} uploads at once, {} MiB in all, in chunks: what does a file cost that is \
             opened for each?",
            scale.kib / 1024
        ),
        subject: "way",
        claims,
        columns: vec![
            Column { title: "MB/s", unit: Some("MB/s"), decimals: 0 },
            Column { title: "system calls a MiB", unit: Some("system calls a MiB"), decimals: 1 },
        ],
        rows,
        notes,
        unclaimed,
        why: "\
The bytes are the same; the calls are not. `open` walks the path and makes an open file, `close` takes
it away again, for each KiB that `write` copies. One open file saves two calls of three. The queues save
none, and a writer that finds them empty sleeps and has to be woken. What they are for: whoever receives
goes on while the disk writes, and one thread has all the files, so there is no lock. Large chunks,
filled before they are passed on, save nearly all calls that are left.",
    })
}

fn claims(rows: &[Row]) -> Vec<Claim> {
    let [each, open, queues, blocks] = rows else { return Vec::new() };
    let times = |more: &Row, less: &Row, column: usize, least: f64| {
        let figure = |row: &Row| row.values.get(column).copied().unwrap_or(f64::NAN);
        let (ratio, what) = (figure(more) / figure(less), ["MB/s", "system calls"][column]);
        let text = format!(
            "`{}` has at least {least} times the {what} of `{}`: {ratio:.1}",
            more.label, less.label
        );
        // What was not counted is not claimed.
        (!ratio.is_nan()).then_some(Claim { text, holds: ratio >= least })
    };
    let all = [
        times(open, each, SPEED, 1.5),
        times(blocks, each, SPEED, 2.0),
        times(blocks, queues, SPEED, 1.1),
        times(each, open, CALLS, 2.5),
        times(queues, blocks, CALLS, 20.0),
    ];
    all.into_iter().flatten().collect()
}

/// How long a process of its own takes for so much.
fn time(lab: &Lab, way: &Way, kib: u32) -> io::Result<Duration> {
    let folder = super::folder()?;
    let output = lab.run(&[WORD, way.name, &kib.to_string(), &folder.path().to_string_lossy()])?;
    let said = String::from_utf8_lossy(&output.stdout);
    let micros = said.trim().parse().map(Duration::from_micros);
    micros.map_err(|_| {
        let errors = String::from_utf8_lossy(&output.stderr);
        io::Error::other(format!("`{}` said `{}`: {errors}", way.name, said.trim()))
    })
}

/// How many system calls a MiB takes: what a process makes that stores something, less what one makes
/// that stores nothing.
fn calls_per_mib(lab: &Lab, way: &Way, scale: Scale) -> io::Result<f64> {
    let [some, none] = [scale.counted_kib, 0].map(|kib| calls(lab, way, kib));
    let mib = f64::from(scale.counted_kib) / 1024.0;
    Ok((float(some?) - float(none?)).max(0.0) / mib)
}

/// Whether there is a strace here, and it may look at another process.
fn may_count() -> bool {
    let mut strace = Command::new("strace");
    piped(strace.args(["-o", "/dev/null", "true"])).output().is_ok_and(|out| out.status.success())
}

fn calls(lab: &Lab, way: &Way, kib: u32) -> io::Result<u64> {
    lab.check()?;
    let (folder, summary) = (super::folder()?, tempfile::NamedTempFile::new()?);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(summary.path()).arg(&lab.stage);
    strace.args([WORD, way.name, &kib.to_string()]).arg(folder.path());
    let output = piped(&mut strace).output()?;
    let summary = fs::read_to_string(summary.path())?;
    // `100.00    0.123456           5     24601        12 total`
    let total = summary.lines().find(|line| line.ends_with(" total"));
    total
        .filter(|_| output.status.success())
        .and_then(|line| line.split_whitespace().nth(3)?.parse().ok())
        .ok_or_else(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            io::Error::other(format!("strace counted nothing: {}", errors.trim()))
        })
}

/// Stores in one way, in this process, and says how many microseconds it took.
pub(super) fn play(way: &str, kib: &str, folder: &Path) -> io::Result<ExitCode> {
    let no_such = || io::Error::other("there is no such way to store anything");
    let way = WAYS.iter().find(|known| known.name == way).ok_or_else(no_such)?;
    watchdog::limit()?;
    let chunks = Chunks::of(kib.parse().map_err(io::Error::other)?, way.chunk);
    let expected = chunks.bytes;
    let begun = Instant::now();
    (way.store)(folder, chunks)?;
    let time = begun.elapsed();
    let stored: io::Result<Vec<u64>> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).collect();
    if stored?.iter().sum::<u64>() != expected {
        return Err(io::Error::other("not every byte was stored"));
    }
    writeln!(io::stdout(), "{}", time.as_micros())?;
    Ok(ExitCode::SUCCESS)
}

/// What comes from the clients: chunks, each with the number of its upload.
struct Chunks {
    left: usize,
    size: usize,
    bytes: u64,
}

impl Chunks {
    fn of(kib: usize, size: usize) -> Self {
        let left = kib * 1024 / size;
        Self { left, size, bytes: (left * size) as u64 }
    }
}

impl Iterator for Chunks {
    type Item = (usize, Vec<u8>);
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.left % UPLOADS, vec![b'x'; self.size]))
    }
}

fn file_of(folder: &Path, upload: usize) -> PathBuf {
    folder.join(format!("upload{upload}"))
}

/// The course's first way.
fn open_each(folder: &Path, chunks: Chunks) -> io::Result<()> {
    for (upload, chunk) in chunks {
        // LESSON: three system calls for a kilobyte, and only one of them writes. In a loop the first
        // question is what of it could stand before the loop.
        let mut file = File::options().append(true).create(true).open(file_of(folder, upload))?;
        file.write_all(&chunk)?;
    }
    Ok(())
}

/// The same with the files kept open.
fn keep_open(folder: &Path, chunks: Chunks) -> io::Result<()> {
    let open = |upload| File::create(file_of(folder, upload));
    let mut files = (0..UPLOADS).map(open).collect::<io::Result<Vec<_>>>()?;
    for (upload, chunk) in chunks {
        files[upload].write_all(&chunk)?;
    }
    Ok(())
}

/// What is sent through the first queue: an upload begins.
struct Begin {
    upload: usize,
    path: PathBuf,
}

/// The course's second way: one queue for commands, one for data, and a thread that writes.
fn queues(folder: &Path, chunks: Chunks) -> io::Result<()> {
    let (command_queue, commands) = sync_channel(UPLOADS);
    let (data_queue, data) = sync_channel(QUEUE_CHUNKS);
    thread::scope(|scope| {
        let writer = thread::Builder::new()
            .name("writer".into())
            .spawn_scoped(scope, move || write(&commands, &data))?;
        receive(folder, chunks, &command_queue, &data_queue);
        // LESSON: the writer ends when nobody can send any more. Nobody has to tell it.
        drop((command_queue, data_queue));
        writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))
    })
}

/// Receives, and never waits for the disk while there is room in the queue.
fn receive(
    folder: &Path,
    chunks: Chunks,
    commands: &SyncSender<Begin>,
    data: &SyncSender<(usize, Vec<u8>)>,
) {
    let mut known = [false; UPLOADS];
    for (upload, chunk) in chunks {
        if !known[upload] {
            known[upload] = true;
            let begin = Begin { upload, path: file_of(folder, upload) };
            if commands.send(begin).is_err() {
                return;
            }
        }
        // A writer that is gone says itself why.
        if data.send((upload, chunk)).is_err() {
            return;
        }
    }
}

/// Writes, and does nothing else.
fn write(commands: &Receiver<Begin>, data: &Receiver<(usize, Vec<u8>)>) -> io::Result<()> {
    let mut files: HashMap<usize, File> = HashMap::new();
    for (upload, chunk) in data {
        // LESSON: two queues have no order between them. But the command was sent before the first
        // chunk, so by now it is there: whoever meets an upload they do not know looks there first.
        if !files.contains_key(&upload) {
            for Begin { upload, path } in commands.try_iter() {
                files.insert(upload, File::create(path)?);
            }
        }
        let unknown = || io::Error::other("a chunk came whose upload never began");
        files.get_mut(&upload).ok_or_else(unknown)?.write_all(&chunk)?;
    }
    Ok(())
}
