//! Two threads, two locks, each has one.
//!
//! A server has a chat room (lock A) and a list of files (lock B). Who puts a file tells the room, and
//! looks at the list for the number to tell: it takes A, then B. Who removes one takes it off the list,
//! and tells the room: B, then A. Each is right by itself.
//!
//! **Predict:** both at the same time. What happens? How often? And what would you see from outside?
//!
//! **What one sees:** tried as it is, a few runs of a hundred stand still, although in each both try
//! twenty times, as fast as they can. With a sleep point between the first lock and the second: always,
//! and for ever. No error, no processor time, and the system says no more than `futex_do_wait`. The
//! table of `waits` says it in a sentence: `t1 → B → t2 → A → t1`.
//!
//! **Why:** t1 has A and waits for B; t2 has B and waits for A. Each will give back what it has when it
//! is done, and is not done before the other gives back. Four things have to come together: a lock is
//! one thread's alone, who waits keeps what they have, nobody can take it from them, and the waiting
//! goes round in a circle. Take one of them away and it cannot happen:
//!
//! - **`--fix order`**: everybody takes A before B. No circle: who has B never waits for A. The usual
//!   answer, and the reason why a program of any size writes its lock order down.
//! - **`--fix try`**: who cannot have the second gives the first back, and tries again later. Nobody
//!   waits while they keep. It costs: work is done twice, and two who are as polite as each other can
//!   go on giving way for ever (a *livelock*). So here only one of the two gives way.
//! - **`--fix one`**: one lock for both. Simple, and right; and all who want only one of them wait for
//!   each other.
//!
//! Ferry takes the first and the third: no two of its locks are ever held together, and a session that
//! has to wait for a name first finishes what it holds.

use std::fs;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::findings::Findings;
use super::trial::{Ending, Experiment, Promise, SLEEP_POINT, TRIES, Version};
use super::waits::{Name, Named, Waits};
use super::{Lab, watchdog};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "deadlock",
    title: "Two threads, two locks: how often do they stand still for ever?",
    wrong: "stood still",
    why: "\
Each has what the other wants, and keeps it while it waits. Nothing outside can tell this from two
threads that are patient; the table of who holds what and who waits for what can. Take the locks in one
order everywhere (--fix order), give back what you have and try again (--fix try), or have one lock
for both (--fix one).",
    versions: &[
        Version {
            name: "ab-ba",
            label: "AB and BA",
            promise: Promise::Perhaps,
            run: |_| both(House::new, tell_the_room, take_off_the_list, Duration::ZERO),
        },
        Version {
            name: "ab-ba-sleep",
            label: "AB and BA, 1 ms",
            promise: Promise::Always,
            run: |_| both(House::new, tell_the_room, take_off_the_list, SLEEP_POINT),
        },
        Version {
            name: "order",
            label: "order, 1 ms",
            promise: Promise::Never,
            run: |_| both(House::new, tell_the_room, take_off_in_order, SLEEP_POINT),
        },
        Version {
            name: "try",
            label: "try, 1 ms",
            promise: Promise::Never,
            run: |_| both(House::new, tell_the_room, take_off_or_give_back, SLEEP_POINT),
        },
        Version {
            name: "one",
            label: "one lock, 1 ms",
            promise: Promise::Never,
            run: |_| both(one_lock, tell_in_one, take_off_in_one, SLEEP_POINT),
        },
    ],
};

/// How it can be put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fix {
    /// Take A before B everywhere.
    Order,
    /// Give back what you have, and try again.
    Try,
    /// One lock for both.
    One,
}

/// Tries the wrong versions, or the one that is right in this way. Also whether any stood still.
pub fn measure(lab: &Lab, runs: u32, fix: Option<Fix>) -> io::Result<(Findings, bool)> {
    let wanted = |version: &Version| match fix {
        None => version.promise != Promise::Never,
        Some(Fix::Order) => version.name == "order",
        Some(Fix::Try) => version.name == "try",
        Some(Fix::One) => version.name == "one",
    };
    let tallies = EXPERIMENT.run(lab, runs, wanted)?;
    let stood_still = tallies.iter().any(|tally| tally.count() > 0);
    Ok((EXPERIMENT.findings(&tallies), stood_still))
}

/// Tries all of them.
pub(super) fn measure_all(lab: &Lab, runs: u32) -> io::Result<Findings> {
    Ok(EXPERIMENT.findings(&EXPERIMENT.run(lab, runs, |_| true)?))
}

/// A room where people are told things, and a list of files, each behind its lock.
struct House {
    room: Named<Vec<String>>,
    files: Named<Vec<u32>>,
}

/// Both behind one lock.
type OneLock = Named<(Vec<String>, Vec<u32>)>;

const ROOM: Name = Name { lock: "A", data: "room" };
const FILES: Name = Name { lock: "B", data: "files" };
const BOTH: Name = Name { lock: "A", data: "room and files" };

fn one_lock(waits: &Arc<Waits>) -> OneLock {
    Named::new(waits, BOTH, (Vec::new(), Vec::new()))
}

impl House {
    fn new(waits: &Arc<Waits>) -> Self {
        Self {
            room: Named::new(waits, ROOM, Vec::new()),
            files: Named::new(waits, FILES, Vec::new()),
        }
    }
}

/// What t1 does in every version with two locks: A, then B.
fn tell_the_room(house: &House, sleep_point: Duration) {
    let mut room = house.room.lock();
    thread::sleep(sleep_point);
    let mut files = house.files.lock();
    add(&mut files, &mut room);
}

/// What t2 does in the wrong version: B, then A.
fn take_off_the_list(house: &House, sleep_point: Duration) {
    let mut files = house.files.lock();
    thread::sleep(sleep_point);
    // LESSON: this line is right, and so is every other in this function. What is wrong stands in
    // *two* functions: this one wants A while it has B, the other B while it has A. No test of one of
    // them finds it, nor does a reader of one.
    let mut room = house.room.lock();
    remove(&mut files, &mut room);
}

/// `--fix order`: A, then B, as everybody does.
fn take_off_in_order(house: &House, sleep_point: Duration) {
    // LESSON: the room's lock is taken earlier than it is needed, only because it comes first. An
    // order that holds everywhere is worth that: where all climb the same stairs nobody meets
    // somebody who comes down.
    let mut room = house.room.lock();
    thread::sleep(sleep_point);
    let mut files = house.files.lock();
    remove(&mut files, &mut room);
}

/// `--fix try`: B, then A if it is to be had; else B is given back.
fn take_off_or_give_back(house: &House, sleep_point: Duration) {
    loop {
        let mut files = house.files.lock();
        thread::sleep(sleep_point);
        // LESSON: who asks and does not wait is never part of a circle.
        if let Some(mut room) = house.room.try_lock() {
            return remove(&mut files, &mut room);
        }
        drop(files);
        // LESSON: without this pause the lock would be taken again before the other has woken up,
        // which is to give way for show. And if both gave way, both at the same pace, each would find
        // the other in the door again and again.
        thread::sleep(SLEEP_POINT);
    }
}

/// `--fix one`, t1.
fn tell_in_one(house: &OneLock, sleep_point: Duration) {
    let mut house = house.lock();
    let (room, files) = &mut *house;
    thread::sleep(sleep_point);
    add(files, room);
}

/// `--fix one`, t2.
fn take_off_in_one(house: &OneLock, sleep_point: Duration) {
    // LESSON: nothing is held while something else is waited for, so there is no circle. The price is
    // that who only wants to speak waits for who only wants to list.
    let mut house = house.lock();
    let (room, files) = &mut *house;
    thread::sleep(sleep_point);
    remove(files, room);
}

fn add(files: &mut Vec<u32>, room: &mut Vec<String>) {
    let number = u32::try_from(files.len()).unwrap_or(u32::MAX);
    files.push(number);
    room.push(format!("file {number} is here"));
}

fn remove(files: &mut Vec<u32>, room: &mut Vec<String>) {
    if let Some(number) = files.pop() {
        room.push(format!("file {number} is gone"));
    }
}

/// Two threads, each of which does its own again and again.
fn both<H: Send + Sync + 'static>(
    house: impl FnOnce(&Arc<Waits>) -> H,
    first: fn(&H, Duration),
    second: fn(&H, Duration),
    sleep_point: Duration,
) -> io::Result<Ending> {
    let waits = Arc::new(Waits::default());
    let house = Arc::new(house(&waits));
    watch(waits)?;
    let threads = [("t1", first), ("t2", second)].map(|(name, deed)| {
        let house = Arc::clone(&house);
        let work = move || (0..TRIES).for_each(|_| deed(&house, sleep_point));
        // Not scoped: those who wait for each other are never joined.
        thread::Builder::new().name(name.into()).spawn(work)
    });
    for thread in threads {
        thread?.join().map_err(|_| io::Error::other("a thread panicked"))?;
    }
    Ok(Ending::Right)
}

/// Ends this process when the table shows a circle. No need to wait and see: it never undoes itself.
fn watch(waits: Arc<Waits>) -> io::Result<()> {
    watchdog::watch(move || {
        let cycle = waits.cycle()?;
        // The last of them has said that it will wait, and in a moment does.
        thread::sleep(SLEEP_POINT);
        Some(format!("{cycle}\n{}", what_the_system_says()))
    })
}

/// All that can be seen of t1 and t2 from outside.
fn what_the_system_says() -> String {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut said: Vec<String> = threads
        .filter_map(|thread| {
            let read = |what| fs::read_to_string(thread.path().join(what)).ok();
            let name = read("comm")?.trim().to_owned();
            let is_ours = name == "t1" || name == "t2";
            Some(format!("{name} {}", read("wchan")?.trim())).filter(|_| is_ours)
        })
        .collect();
    said.sort();
    format!("(the system only knows: {})", said.join(", "))
}
