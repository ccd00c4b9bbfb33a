//! Two people put one name.
//!
//! **The course's server** must say `EXISTS` when a file is there already. So it looks, and then
//! creates:
//!
//! ```python
//! if os.path.exists(name): conn.send(b"EXISTS")
//! else:                    f = open(name, "wb"); conn.send(b"OK"); ...
//! ```
//!
//! **Predict:** two people put `a.txt`, one half a millisecond after the other. Who is told `EXISTS`?
//! And if the first one's thread is stopped for a moment between looking and creating, as the
//! scheduler may stop any thread anywhere?
//!
//! **What one sees:** tried as it is, it never fails, and so it is handed in. With a *sleep point* of
//! one millisecond in that place it always fails: both are told `OK`, and one of the files is gone.
//! The version with one step for both never fails.
//!
//! **Why:** between the look and the act the world goes on. The second one looked before the first had
//! created, so both saw a name that was free; and `open(…, "wb")` empties what it finds. How wide the
//! window is, the machine decides. Here, in memory, it is ten microseconds. On a disk that was busy
//! with other work creating a file took so long that the same program, without a sleep point, lost one
//! of twenty files in 80 of 100 runs.
//!
//! **So** there must be no window: the kernel looks and creates in one step (`O_CREAT | O_EXCL`, in
//! Rust `create_new`), and whoever comes second is told so. Ferry publishes a file that way, too: a
//! rename that refuses to replace. That it also has a *claim*, so that the second one waits and sees
//! for whom, makes it polite; it is the one step that makes it right.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use client::client::{Client, PutOptions};
use client::error::Error;

use super::Lab;
use super::findings::Findings;
use super::trial::{Ending, Experiment, Promise, SLEEP_POINT, TRIES, Tally, Version};
use crate::actor::Ferryd;

/// How long after the first one the second comes: closer than two people ever are.
const APART: Duration = Duration::from_micros(500);

/// How much each of them puts, and how much with one `write`, in bytes.
const FILE_BYTES: usize = 16 * 1024;
const WRITE_BYTES: usize = 4 * 1024;

/// What fills the files of the two.
const FIRST: u8 = b'1';
const SECOND: u8 = b'2';

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "race",
    title: "Two put one name, 0.5 ms apart: how often is a file lost that was told OK?",
    wrong: "lost",
    why: "\
Between looking and creating another thread may run. Both looked while the name was free, both created
it, and the second emptied what the first had written; both were told OK. Without the sleep point the
window is some microseconds wide, in memory: nobody meets it, until it runs on a busy disk. `create_new`
looks and creates in one step, inside the kernel. There is no window, so nothing can come between.",
    versions: &[
        Version {
            name: "look",
            label: "look, create",
            promise: Promise::Perhaps,
            run: |folder| two_writers(folder, |name, bytes| look_then_create(name, bytes, Duration::ZERO)),
        },
        Version {
            name: "look-sleep",
            label: "look, 1 ms, create",
            promise: Promise::Always,
            run: |folder| two_writers(folder, |name, bytes| look_then_create(name, bytes, SLEEP_POINT)),
        },
        Version {
            name: "create-new",
            label: "create_new, 1 ms",
            promise: Promise::Never,
            run: |folder| two_writers(folder, create_new),
        },
    ],
};

/// What somebody who puts a file is told.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Answer {
    Ok,
    Exists,
}

/// Tries all of them, and then the real server.
pub fn measure(lab: &Lab, runs: u32) -> io::Result<Findings> {
    let mut tallies = EXPERIMENT.run(lab, runs, |_| true)?;
    tallies.push(over_ferryd(lab, runs)?);
    Ok(EXPERIMENT.findings(&tallies))
}

/// The wrong version.
fn look_then_create(name: &Path, bytes: &[u8], sleep_point: Duration) -> io::Result<Answer> {
    if name.exists() {
        return Ok(Answer::Exists);
    }
    // LESSON: the name was free. Whether it still is, nobody here knows: this thread may have been
    // stopped between the two lines, and all others have gone on. Two steps are never one, however
    // close they stand.
    thread::sleep(sleep_point);
    write(File::create(name)?, bytes)
}

/// The right version.
fn create_new(name: &Path, bytes: &[u8]) -> io::Result<Answer> {
    // LESSON: not "is it free?" but "make it mine, if it is free". The answer *is* the act, so there
    // is nothing between them. It holds between processes as well, where no Mutex reaches.
    match File::create_new(name) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Answer::Exists),
        Err(error) => Err(error),
        Ok(file) => {
            thread::sleep(SLEEP_POINT);
            write(file, bytes)
        }
    }
}

fn write(mut file: File, bytes: &[u8]) -> io::Result<Answer> {
    bytes.chunks(WRITE_BYTES).try_for_each(|piece| file.write_all(piece))?;
    Ok(Answer::Ok)
}

/// Two put one name, and then another name, until a file is lost.
fn two_writers(
    folder: &Path,
    put: impl Fn(&Path, &[u8]) -> io::Result<Answer> + Sync,
) -> io::Result<Ending> {
    for number in 0..TRIES {
        let name = folder.join(format!("{number}.txt"));
        let (put, name, begun) = (&put, name.as_path(), channel());
        let told = thread::scope(|scope| {
            let second = scope.spawn(move || {
                // An end without a word is an end, too.
                let _ = begun.1.recv();
                thread::sleep(APART);
                put(name, &[SECOND; FILE_BYTES])
            });
            let first = scope.spawn(move || {
                let _ = begun.0.send(());
                put(name, &[FIRST; FILE_BYTES])
            });
            both(first.join(), second.join())
        })?;
        let ending = judge(told, &fs::read(name)?);
        if matches!(ending, Ending::Wrong(_)) {
            return Ok(ending);
        }
    }
    Ok(Ending::Right)
}

/// The same with the real server and its real client; the server takes the time it takes, and both
/// begin at the same moment.
fn over_ferryd(lab: &Lab, runs: u32) -> io::Result<Tally> {
    let data = super::folder()?;
    let server = Ferryd::start(&lab.stage, data.path(), &["--durability", "none"])?;
    let connect = || Client::connect(&server.address.to_string()).map_err(io::Error::other);
    let mut clients = [(connect()?, FIRST), (connect()?, SECOND)];
    let (label, promise) = ("PUT to ferryd", Promise::Never);
    let mut tally = Tally { label, promise, runs, wrong: std::collections::BTreeMap::new() };
    for run in 0..runs {
        lab.check()?;
        let (name, both_here) = (format!("{run}.txt"), &Barrier::new(2));
        let told = thread::scope(|scope| {
            let [first, second] = clients.each_mut().map(|(client, byte)| {
                let name = &name;
                scope.spawn(move || {
                    both_here.wait();
                    put_to_ferryd(client, name, &[*byte; FILE_BYTES])
                })
            });
            both(first.join(), second.join())
        })?;
        tally.note(judge(told, &fs::read(data.path().join("library").join(&name))?));
    }
    Ok(tally)
}

fn put_to_ferryd(client: &mut Client, name: &str, mut bytes: &[u8]) -> io::Result<Answer> {
    match client.put(name, bytes.len() as u64, &mut bytes, PutOptions::default()) {
        Ok(()) => Ok(Answer::Ok),
        Err(Error::Exists { .. }) => Ok(Answer::Exists),
        Err(error) => Err(io::Error::other(error)),
    }
}

type Joined = thread::Result<io::Result<Answer>>;

fn both(first: Joined, second: Joined) -> io::Result<[Answer; 2]> {
    let told =
        |joined: Joined| joined.unwrap_or_else(|_| Err(io::Error::other("a writer panicked")));
    Ok([told(first)?, told(second)?])
}

/// Right is: one of them was told OK, and the file is theirs, whole.
fn judge(told: [Answer; 2], file: &[u8]) -> Ending {
    let is_all = |byte: u8| file.len() == FILE_BYTES && file.iter().all(|b| *b == byte);
    match told {
        [Answer::Ok, Answer::Exists] if is_all(FIRST) => Ending::Right,
        [Answer::Exists, Answer::Ok] if is_all(SECOND) => Ending::Right,
        [Answer::Ok, Answer::Ok] => Ending::Wrong(format!("both were told OK; {}", whose(file))),
        [first, second] => Ending::Wrong(format!("told {first:?} and {second:?}; {}", whose(file))),
    }
}

/// Whose file it is.
fn whose(file: &[u8]) -> &'static str {
    match (file.contains(&FIRST), file.contains(&SECOND)) {
        (true, true) => "the file is a mix of both",
        (true, false) => "the file is the first one's",
        (false, true) => "the file is the second one's",
        (false, false) => "the file is empty",
    }
}
