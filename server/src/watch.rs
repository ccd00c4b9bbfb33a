//! The view: rows, queues and counters, put together for who looks on.
//!
//! # What it takes
//! Nothing that data waits for: see [`state`](crate::state). Names that are written and the lines
//! for them are put together from what each session notes of its own; the registry is not asked.
//! Locks are asked for their numbers, and not taken; counters are atomics. Such a picture is not of
//! one instant. A name that is handed over between two looks may be shown with two holders or with
//! none, once.
//!
//! # What does not fit
//! A line has its bound. What says least is left out first (threads that rest, empty queues, names
//! that nobody waits for), and how much that is, is said.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, SystemTimeError};

use common::escape::Safe;
use common::limits::LINE_BYTES_MAX;
use common::user::GUEST;
use common::watch::{Counters as Counted, File, Lock, More, Queue, Table as Told, Thread};
use serde::Serialize;

use crate::accounts::Accounts;
use crate::claims::Claims;
use crate::counters::Counters;
use crate::quota::Ledger;
use crate::room::Room;
use crate::roster::Roster;
use crate::state::{Row, Stake, State, Table, Words};

/// Shares of a line. What is left of it is for locks, counters and the rest.
const THREADS_BYTES: usize = 36 * 1024;
const FILES_BYTES: usize = 16 * 1024;
const QUEUES_BYTES: usize = 6 * 1024;
const _: () = assert!(THREADS_BYTES + FILES_BYTES + QUEUES_BYTES + 4096 < LINE_BYTES_MAX);

/// Of those who wait for a name, so many are named.
const WAITERS_MAX: usize = 32;

/// How much of a path is shown: its end says most.
const PATH_CHARS: usize = 160;

/// All that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View<'v> {
    /// What the threads do.
    pub table: &'v Table,
    /// Of these the locks' numbers.
    pub claims: &'v Claims,
    /// The same, and how many came.
    pub roster: &'v Roster,
    /// The same.
    pub room: &'v Room<'v>,
    /// The same.
    pub ledger: &'v Ledger,
    /// The same.
    pub accounts: &'v Accounts<'v>,
    /// What was done so far.
    pub counters: &'v Counters,
    /// How sessions are run, in a word.
    pub model: &'v str,
    /// Whether this is class mode.
    pub class: bool,
}

impl View<'_> {
    /// How everything stands now.
    pub fn take(&self) -> Told {
        let now = SystemTime::now();
        let seen: Vec<Seen> = self.table.rows().iter().map(|row| Seen::of(row)).collect();
        let mut more = More::default();
        let (files, holders) = files(&seen, &mut more);
        let threads = seen.iter().map(|one| one.thread(&holders, &seen)).collect();
        let queues = self.table.queues().iter().map(|queue| queue.look()).collect();
        let threads = fitting(threads, THREADS_BYTES, Thread::rests, &mut more.threads);
        let queues =
            fitting(queues, QUEUES_BYTES, |queue: &Queue| queue.len == 0, &mut more.queues);
        let nobody_waits = |file: &File| file.waiters.is_empty();
        let files = fitting(files, FILES_BYTES, nobody_waits, &mut more.files);
        Told {
            t_ms: millis(now.duration_since(SystemTime::UNIX_EPOCH)),
            model: self.model.to_owned(),
            class: self.class,
            up_s: millis(now.duration_since(self.counters.counts().begun)) / 1000,
            threads,
            queues,
            files,
            locks: self.locks(),
            counters: self.counted(),
            more,
        }
    }

    fn locks(&self) -> Vec<Lock> {
        let first = [self.claims.lock_counts(), self.roster.lock_counts(), self.room.lock_counts()];
        let then = [self.table.lock_counts(), self.ledger.lock_counts()];
        first.into_iter().chain(then).chain(self.accounts.lock_counts()).collect()
    }

    fn counted(&self) -> Counted {
        let (counts, attendance) = (self.counters.counts(), self.roster.attendance());
        Counted {
            sessions: attendance.now,
            sessions_most: attendance.most,
            let_in: attendance.ever,
            turned_away: attendance.turned_away,
            files_in: counts.received.0,
            bytes_in: counts.received.1,
            files_out: counts.sent.0,
            bytes_out: counts.sent.1,
            refusals: counts.refusals,
        }
    }
}

/// A clock that was set back has run for no time.
fn millis(time: Result<Duration, SystemTimeError>) -> u64 {
    u64::try_from(time.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// A row at one moment.
struct Seen {
    name: String,
    state: State,
    words: Words,
    /// The number of the upload it writes for another.
    written: Option<u64>,
    since_ms: u64,
    received: u64,
    sent: u64,
}

impl Seen {
    fn of(row: &Row) -> Self {
        Self {
            name: row.name().to_string(),
            state: row.state(),
            words: row.words(),
            written: row.written(),
            since_ms: u64::try_from(row.since().as_millis()).unwrap_or(u64::MAX),
            received: row.received(),
            sent: row.sent(),
        }
    }

    /// What it works on: its own, or the upload of another.
    fn work(&self, all: &[Self]) -> Option<String> {
        if self.state.is_rest() {
            return None;
        }
        let own = || Some(self.words.shown_work()).filter(|work| !work.is_empty());
        self.written.map_or_else(own, |upload| all.iter().find_map(|one| one.sends(upload)))
    }

    /// As whose upload, under what name, the writer knows that number, if it is this one's.
    fn sends(&self, upload: u64) -> Option<String> {
        let mut parties = self.words.stakes.iter().map(|stake| &stake.party);
        let party = parties.find(|party| party.upload() == upload)?;
        Some(format!("{} PUT {}", self.name, Safe(&end_of(party.path()))))
    }

    /// Who its client is, if that is known. A guest is marked: no account has a name with a blank.
    fn client(&self) -> Option<String> {
        let guest = || self.words.guest.as_ref().map(|name| format!("{GUEST} {name}"));
        self.words.user.clone().or_else(guest)
    }

    fn thread(&self, holders: &BTreeMap<&str, &str>, all: &[Self]) -> Thread {
        let Words { peer, on, stakes, .. } = &self.words;
        let awaited = stakes.iter().find(|stake| !stake.is_held).map(|stake| &**stake.party.path());
        let (on, by) = match (self.state, awaited) {
            (State::WaitFile, Some(path)) => (Some(end_of(path)), holders.get(path)),
            _ => (Some(*on).filter(|on| !on.is_empty()).map(str::to_owned), None),
        };
        Thread {
            name: self.name.clone(),
            peer: peer.map(|peer| peer.to_string()),
            user: self.client(),
            cmd: self.work(all),
            state: self.state.to_string(),
            on,
            by: by.map(|by| (*by).to_owned()),
            since_ms: self.since_ms,
            received: self.received,
            sent: self.sent,
        }
    }
}

/// A name, and who has to do with it.
#[derive(Default)]
struct Wanted<'s> {
    holder: Option<&'s str>,
    received: u64,
    size: u64,
    /// With their places.
    line: Vec<(u64, &'s str)>,
}

/// The names that are written, sorted; and by which threads.
fn files<'s>(seen: &'s [Seen], more: &mut More) -> (Vec<File>, BTreeMap<&'s str, &'s str>) {
    let mut names: BTreeMap<&str, Wanted<'_>> = BTreeMap::new();
    for thread in seen {
        for stake in &thread.words.stakes {
            let Stake { party, place, is_held } = stake;
            let wanted = names.entry(party.path()).or_default();
            if *is_held {
                wanted.holder = Some(&thread.name);
                (wanted.received, wanted.size) = (party.received(), party.size());
            } else {
                wanted.line.push((*place, &thread.name));
            }
        }
    }
    let holders = names.iter().filter_map(|(path, wanted)| Some((*path, wanted.holder?))).collect();
    let files = names.into_iter().map(|(path, Wanted { holder, received, size, mut line })| {
        line.sort_unstable();
        more.waiters += line.len().saturating_sub(WAITERS_MAX) as u64;
        let waiters = line.iter().take(WAITERS_MAX).map(|(_, name)| (*name).to_owned()).collect();
        File { name: end_of(path), holder: holder.map(str::to_owned), received, size, waiters }
    });
    (files.collect(), holders)
}

/// A path that is not too long, or its end.
fn end_of(path: &str) -> String {
    let chars = path.chars().count();
    if chars <= PATH_CHARS {
        return path.to_owned();
    }
    std::iter::once('…').chain(path.chars().skip(chars - PATH_CHARS + 1)).collect()
}

/// As many of these as there is room for, in their order: first those that are not `dull`. How many
/// are left out is added to `left_out`.
fn fitting<T: Serialize>(
    all: Vec<T>,
    bytes: usize,
    dull: impl Fn(&T) -> bool,
    left_out: &mut u64,
) -> Vec<T> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|nth| dull(&all[*nth]));
    let mut room = bytes;
    let mut chosen = vec![false; all.len()];
    for nth in order {
        // With the comma behind it. What cannot be written fits nowhere.
        let needed = serde_json::to_vec(&all[nth]).map_or(usize::MAX, |json| json.len() + 1);
        let Some(left) = room.checked_sub(needed) else { break };
        (room, chosen[nth]) = (left, true);
    }
    *left_out += chosen.iter().filter(|chosen| !**chosen).count() as u64;
    let mut chosen = chosen.into_iter();
    all.into_iter().filter(|_| chosen.next().unwrap_or(false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_least_is_left_out_first_and_counted() {
        let numbers: Vec<u32> = (10..30).collect();
        let mut left_out = 0;
        let kept = fitting(numbers, 3 * 12, |n| n % 2 == 0, &mut left_out);
        assert_eq!(kept, [10, 11, 12, 13, 15, 17, 19, 21, 23, 25, 27, 29]);
        assert_eq!(left_out, 8);
    }

    #[test]
    fn of_a_long_path_the_end_is_shown() {
        let long = format!("/library/{}/a.txt", "长".repeat(400));
        let shown = end_of(&long);
        assert!(shown.starts_with('…') && shown.ends_with("长/a.txt"), "{shown}");
        assert_eq!((shown.chars().count(), end_of("/library/a")), (160, "/library/a".into()));
    }
}
