//! Named places that threads come by, where they can be made to sleep, or to fail.
//!
//! Between "is the name free?" and "then it is mine" lie microseconds, and whoever wants to see what
//! happens there sees nothing. So the code says the name of a place as it goes by, and two who want
//! to see more may ask for something there:
//!
//! - whoever gives a class: `ferryd --class --sleep-at put.checked=3s`, or `sleep-at` at the console.
//!   The thread stands there for so long, `SLEEP` in the [table of states](crate::state), and the
//!   others can be watched meanwhile ([`brakes`]);
//! - a test: the thread panics, the process dies, a step is left out (`trap`). In a release build
//!   there is nothing of that: the variable is not read, and its name is not in the program.
//!
//! Nobody wanting anything, a place costs the read of one flag.

mod sleep_at;
#[cfg(debug_assertions)]
mod trap;

pub use self::sleep_at::SleepAt;
use crate::brakes;

/// A place that threads come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it is called: whose it is, and what has just been done.
    pub name: &'static str,
    /// What that means.
    pub meaning: &'static str,
}

const fn place(name: &'static str, meaning: &'static str) -> Place {
    Place { name, meaning }
}

/// Every place, in the order in which a session comes by; then the writer's.
pub const PLACES: [Place; 16] = [
    place("session.greeted", "the greeting is ready, and not sent"),
    place("session.line", "a whole line has come"),
    place("request.handled", "it is known what comes of a request"),
    place("login.hashing", "a password is about to be hashed, to see whether it is right"),
    place("login.verified", "the password was right"),
    place("list.page", "a page of a listing is ready"),
    place("get.sending", "before each piece of a file"),
    place("put.claimed", "the name is this session's alone, and nothing was written"),
    place("put.begun", "the writer knows of the upload"),
    place("put.chunk", "a chunk is full, and not sent to the writer"),
    place("put.received", "the body and its checksum line have come"),
    place("put.checked", "the name was free, the checksum agrees; it is not published"),
    place("put.sealed", "the file is on disk, under no name"),
    place("put.published", "it has its name, which is not on disk"),
    place("put.synced", "and now that is, too; not a word was said of it"),
    place("writer.chunk", "the writer is about to write a chunk"),
];

/// The names of all places.
pub fn names() -> String {
    PLACES.map(|place| place.name).join(", ")
}

/// The calling thread comes by `place`, one of [`PLACES`].
#[inline]
pub(crate) fn pass(place: &'static str) {
    #[cfg(debug_assertions)]
    trap::spring(place);
    brakes::sleep_at(place);
}

/// Whether a test wants the step at `place` left out.
#[inline]
#[must_use]
pub(crate) fn skips(place: &'static str) -> bool {
    #[cfg(debug_assertions)]
    return trap::skips(place);
    #[cfg(not(debug_assertions))]
    {
        let _ = place;
        false
    }
}
