//! What a server tells who watches it: what every thread is doing, how full every queue is, who
//! holds which name and who waits for it, how often every lock was taken.
//!
//! ```text
//! {"status":"OK","t_ms":…,"model":"thread","up_s":12,
//!  "threads":[{"name":"c02","peer":"127.0.0.1:50112","cmd":"PUT a.txt","state":"WAIT_FILE",
//!              "on":"/library/a.txt","by":"c01","since_ms":2100,"in":47,"out":139}, …],
//!  "queues":[{"name":"data","len":3,"cap":256,"bytes":1572864,"oldest_ms":2}, …],
//!  "files":[{"name":"/library/a.txt","holder":"c01","received":10,"size":100,"waiters":["c02"]}],
//!  "locks":[{"name":"registry","taken":812,"contended":3}, …],
//!  "counters":{"sessions":2, …}}
//! ```
//!
//! A line has its bound, and threads come by the thousand. So the server leaves out what says
//! least, and [`Table::more`] says how much that is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{WATCH_MS_MAX, WATCH_MS_MIN};

/// How often somebody wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Every(Duration);

/// Too often, too seldom, or no time at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`every` is a time from {} to {} seconds",
    Duration::from_millis(WATCH_MS_MIN).as_secs_f64(),
    Duration::from_millis(WATCH_MS_MAX).as_secs_f64()
)]
pub struct BadEvery;

impl Every {
    /// The time from one table to the next.
    pub fn time(self) -> Duration {
        self.0
    }
}

impl TryFrom<f64> for Every {
    type Error = BadEvery;

    fn try_from(seconds: f64) -> Result<Self, BadEvery> {
        let time = Duration::try_from_secs_f64(seconds).map_err(|_| BadEvery)?;
        let bounds = Duration::from_millis(WATCH_MS_MIN)..=Duration::from_millis(WATCH_MS_MAX);
        if bounds.contains(&time) { Ok(Self(time)) } else { Err(BadEvery) }
    }
}

impl From<Every> for f64 {
    fn from(every: Every) -> Self {
        every.0.as_secs_f64()
    }
}

/// The table at one moment: the `OK` to a `WATCH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The moment, in milliseconds since 1970.
    pub t_ms: u64,
    /// How sessions run.
    pub model: String,
    /// Whether the server is in class mode, held up on purpose perhaps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub class: bool,
    /// For how many seconds the server has run.
    pub up_s: u64,
    /// In the order in which the threads began.
    pub threads: Vec<Thread>,
    /// In the order in which the queues were made.
    pub queues: Vec<Queue>,
    /// The names that are being written, sorted.
    pub files: Vec<File>,
    /// The locks, by the data they guard.
    pub locks: Vec<Lock>,
    /// What was counted since the server began.
    pub counters: Counters,
    /// What there was no room for.
    #[serde(default, skip_serializing_if = "More::is_none")]
    pub more: More,
}

/// What one thread is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The thread's own name; `c` and the session's number for one that serves a client.
    pub name: String,
    /// Where its client comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// As whom its client has logged in; of a guest in the room `guest`, a blank, and their name there,
    /// which is no account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<String>,
    /// What it does or waits for, in capitals.
    pub state: String,
    /// On what it waits: a name, a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Which thread holds that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// For how many milliseconds it has done so, or, if that is later, since bytes last moved.
    pub since_ms: u64,
    /// Bytes that came to it, from its client or through its queue.
    #[serde(rename = "in")]
    pub received: u64,
    /// Bytes that it sent to its client or wrote.
    #[serde(rename = "out")]
    pub sent: u64,
}

impl Thread {
    /// Whether nothing is under way: it waits for somebody to ask, or to speak in the room. In a class
    /// these are most, and nobody looks for them.
    pub fn rests(&self) -> bool {
        let hears = self.on.as_deref() == Some("outbox");
        self.state == "IDLE" || (self.state == "WAIT_QEMPTY" && hears)
    }
}

/// How full a queue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// What it is called; an outbox is called as the thread that empties it.
    pub name: String,
    /// How many places are taken.
    pub len: u64,
    /// How many there are.
    pub cap: u64,
    /// Bytes of what stands in it, where that is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// For how many milliseconds what is next has stood in it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<u64>,
}

/// A name that is being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The name, from the root.
    pub name: String,
    /// The thread that holds it; none if that is at another server on the same folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// How many bytes have come.
    pub received: u64,
    /// How many were announced.
    pub size: u64,
    /// The threads that wait for it, the next one first.
    pub waiters: Vec<String>,
}

/// How often a lock was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The data it guards.
    pub name: String,
    /// How often it was taken.
    pub taken: u64,
    /// How often whoever took it had to wait.
    pub contended: u64,
}

/// What was counted since the server began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Sessions there are now.
    pub sessions: u64,
    /// Sessions there were at once, at most.
    pub sessions_most: u64,
    /// Sessions that were let in.
    pub let_in: u64,
    /// Connections that found no place.
    pub turned_away: u64,
    /// Files that were published.
    pub files_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Files that were sent to their end.
    pub files_out: u64,
    /// The bytes that were sent of them.
    pub bytes_out: u64,
    /// Answers that were a `FAIL`.
    pub refusals: u64,
}

/// How much was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct More {
    /// Threads, those that rest first.
    pub threads: u64,
    /// Queues, the empty ones first.
    pub queues: u64,
    /// Names, and who waits for them.
    pub files: u64,
    /// Of those who wait for the names that are shown, so many are not named.
    pub waiters: u64,
}

impl More {
    /// Whether everything is there.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_between_two_tables_is_neither_a_blink_nor_an_age() {
        let read = |text: &str| serde_json::from_str::<Every>(text);
        for (text, ms) in [("0.1", 100), ("0.25", 250), ("1", 1000), ("60", 60_000)] {
            assert_eq!(read(text).unwrap().time(), Duration::from_millis(ms), "{text}");
        }
        for bad in ["0", "0.09", "60.1", "-1", "1e300", "null", "\"1\""] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(BadEvery.to_string(), "`every` is a time from 0.1 to 60 seconds");
    }
}
