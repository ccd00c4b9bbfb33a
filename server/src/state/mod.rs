//! The table of states: what every thread is doing, since when, and on what.
//!
//! The operating system cannot say it: a full queue and a condition variable are both a futex
//! wait to it. So each thread takes a [`Seat`] in the table and says what it does next by holding
//! a [`Doing`] guard:
//!
//! ```text
//! let _doing = state::enter(State::Disk);     // the row says DISK ...
//! part.sync()?;                               // ... while this runs, and whatever way it ends,
//!                                             // dropping the guard restores what stood there
//! ```
//!
//! # Who writes and who reads
//! A row is some atomics and a few words. Its owner is its only writer; readers may see a state and
//! the words of the next one, which is good enough to look at and used for nothing else. The one
//! exception is `IDLE`, which the shutdown reads to decide (see [`roster`](crate::roster)). What is
//! noted is mostly never looked at: so it is noted as it is, and whoever looks makes a text of it.
//!
//! # What looking at it takes
//! Never a lock that guards data: not the registry's, not the roster's, not the room's. Whoever owns
//! something that others want to see (a claim, a place in a line, a user's name) notes a copy of it
//! in its own row. The viewer takes, one after the other and never two at once:
//!
//! - the table's own lock, for as long as it takes to copy a list of pointers. A thread needs that
//!   lock twice in its life, as it comes and as it goes;
//! - each row's lock, for as long as it takes to copy a few words. Its owner needs it to change
//!   them: once for a request, and where it begins to wait. It can be kept waiting by that one
//!   copy, and nobody else can.
//!
//! Entering a state and leaving it takes no lock at all. So no data ever waits for who looks on.
//!
//! # What listening to it takes
//! Whoever wants to be told of each step as it happens (a trace, a log in columns) is an [`Ear`] of
//! the table. Then to enter a state takes the row's own lock as well, which is nobody else's, and the
//! ear never waits. Where there is none, it costs one look at a word that never changes.
//!
//! # One thread, many rows
//! Where one thread serves all clients (model *select*), each client has a [`Line`] all the same. The
//! thread sits down at it to go on with that client, and what it does meanwhile stands there; when it
//! gets up it leaves what the client waits for.
//!
//! # What it costs
//! Built with the feature `untold` nobody tells anything, and only `IDLE` is left, which the shutdown
//! needs: what is gained by that is what the table costs (docs/performance.md).
//!
//! `row` is one thread's line, `stake` what it notes of the names it holds and waits for, `table`
//! all rows together, and the queues that are shown beside them. `event` is what happens at a row, for
//! those who are told of it.

mod event;
mod row;
mod stake;
mod table;

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::sync::Arc;

use common::user::UserName;
use common::watch::Queue;

pub use self::event::{Ear, Event, What};
use self::row::Span;
pub use self::row::{Row, Words, called};
pub use self::stake::{Note, Stake, stake};
pub use self::table::{Depth, Line, Seat, Shown, Table};
use crate::party::Party;

/// Whether threads tell what they do. Where they do not, the compiler leaves out all that would.
pub const IS_TOLD: bool = cfg!(not(feature = "untold"));

/// How many bytes of what a thread works on are kept. A request may name a path of 64 KiB.
const WORK_BYTES: usize = 400;

/// A text that takes no more than there is room for.
struct Bounded<'t>(&'t mut String);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let fits = more.floor_char_boundary(WORK_BYTES.saturating_sub(self.0.len()));
        self.0.push_str(&more[..fits]);
        if fits == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// So much of `what` as there is room for, without spaces behind it.
fn bounded(what: impl fmt::Display) -> String {
    let mut text = String::new();
    // It ends where there is no more room.
    let _ = write!(Bounded(&mut text), "{what}");
    text.truncate(text.trim_end().len());
    text
}

/// What a thread can be doing. Waiting for what, in the lesson's sense, is always one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Waiting for the next client to connect.
    Accept,
    /// Waiting for somebody to ask for something.
    Idle,
    /// Waiting for the rest of something a client has begun to send.
    Read,
    /// Computing.
    Run,
    /// Waiting for a client to take what is sent to it.
    Send,
    /// Waiting for the disk.
    Disk,
    /// Waiting for a name that another session holds.
    WaitFile,
    /// Waiting for room in a queue, or for a buffer to come back from it.
    WaitQueueFull,
    /// Waiting for something to come out of a queue.
    WaitQueueEmpty,
    /// Waiting for something only so many can have at once.
    WaitLock,
    /// Held up on purpose, in class.
    Sleep,
}

impl State {
    const ALL: [Self; 11] = [
        Self::Accept,
        Self::Idle,
        Self::Read,
        Self::Run,
        Self::Send,
        Self::Disk,
        Self::WaitFile,
        Self::WaitQueueFull,
        Self::WaitQueueEmpty,
        Self::WaitLock,
        Self::Sleep,
    ];

    /// The state that is stored as this byte.
    fn of(byte: u8) -> Self {
        Self::ALL[usize::from(byte) % Self::ALL.len()]
    }

    /// Somebody else is waited for, and goes on being waited for whatever is done meanwhile.
    fn is_wait(self) -> bool {
        matches!(self, Self::WaitFile | Self::WaitQueueFull | Self::WaitLock)
    }

    /// Nothing is under way: whatever the thread worked on is done.
    pub fn is_rest(self) -> bool {
        matches!(self, Self::Accept | Self::Idle | Self::WaitQueueEmpty)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "ACCEPT",
            Self::Idle => "IDLE",
            Self::Read => "READ",
            Self::Run => "RUN",
            Self::Send => "SEND",
            Self::Disk => "DISK",
            Self::WaitFile => "WAIT_FILE",
            Self::WaitQueueFull => "WAIT_QFULL",
            Self::WaitQueueEmpty => "WAIT_QEMPTY",
            Self::WaitLock => "WAIT_LOCK",
            Self::Sleep => "SLEEP",
        })
    }
}

thread_local! {
    /// LESSON: thread-local storage: each thread sees its own variable under this one name.
    static OWN_ROW: RefCell<Option<Arc<Row>>> = const { RefCell::new(None) };
}

/// Does something with the calling thread's row. A thread without a seat (in a unit test) says
/// nothing to nobody.
fn with_own_row<T>(act: impl FnOnce(&Arc<Row>) -> T) -> Option<T> {
    OWN_ROW.try_with(|row| row.borrow().as_ref().map(act)).ok().flatten()
}

/// The same, to say what is there only to be looked at.
fn tell<T>(act: impl FnOnce(&Arc<Row>) -> T) -> Option<T> {
    if IS_TOLD { with_own_row(act) } else { None }
}

/// The calling thread's row says `state` until the guard is dropped. A thread that is in it already
/// stays as it is: a step may say for all of its parts what they do.
#[must_use = "the state ends when the guard is dropped"]
pub fn enter(state: State) -> Doing {
    let begin = |row: &Arc<Row>| row.begins(state).map(|span| Before { span, on: None });
    let before = if state == State::Idle { with_own_row(begin) } else { tell(begin) }.flatten();
    Doing { before, not_sent: PhantomData }
}

/// The same, and on what it waits: a queue, or what is shared with others. Nobody is idle *on*
/// something.
#[must_use = "the state ends when the guard is dropped"]
pub fn enter_on(state: State, on: &'static str) -> Doing {
    let before = tell(|row| {
        let before = std::mem::replace(&mut row.words_mut().on, on);
        Before { span: row.begin(state), on: Some(before) }
    });
    Doing { before, not_sent: PhantomData }
}

/// Notes what the calling thread does, and on what, until it works on something else.
pub fn works_on(verb: &str, what: &str) {
    tell(|row| {
        row.words_mut().put_work(&[verb, " ", what]);
        row.tell(|| What::WorksOn(row.work().into()));
    });
}

/// Notes by which number the writer knows what the calling thread sends.
///
/// The writer says no more than this number, and whoever looks on finds here whose upload it is. It
/// could be handed all there is to show; but what two threads hold travels between their processors at
/// each step.
pub fn feeds(party: &Party, upload: u64) {
    tell(|row| {
        party.is_upload(upload);
        row.tell(|| What::Feeds { upload, path: Arc::clone(party.path()) });
    });
}

/// Notes that the calling thread writes the upload of that number.
pub fn writes(upload: u64) {
    tell(|row| row.writes(upload));
}

/// Notes that the calling thread works on what another has said for itself ([`own_label`]).
pub fn works_for(label: Option<&str>) {
    if let Some(label) = label {
        tell(|row| {
            row.words_mut().put_work(&[label]);
            row.tell(|| What::WorksFor(row.work().into()));
        });
    }
}

/// Who the calling thread is and what it works on, for another thread that works for it.
pub fn own_label() -> Option<String> {
    tell(|row| format!("{} {}", row.name(), row.work()))
}

/// Whether the calling thread, or the line it sits at, is called so.
pub fn is_own_name(name: &str) -> bool {
    with_own_row(|row| **row.name() == *name).unwrap_or(false)
}

/// Tells those who listen that the calling thread has done something worth reading. Nobody listens:
/// it is not even put into words.
pub fn did(what: impl fmt::Display) {
    with_own_row(|row| {
        row.tell(|| What::Did(bounded(what).into()));
    });
}

/// Tells those who listen how full a queue is, now that the calling thread has changed that.
pub fn has_moved(name: &'static str, queue: &impl Depth) {
    with_own_row(|row| {
        row.tell(|| {
            let Queue { len, cap: places, .. } = queue.look();
            What::Queue { name, len, places }
        });
    });
}

/// Notes as whom the calling thread's client has logged in.
pub fn serves(user: &UserName) {
    tell(|row| row.words_mut().user = Some(user.to_string()));
}

/// Notes what the calling thread's client is called in the room, as a guest there; or that it is none.
pub fn is_guest_called(name: Option<&str>) {
    tell(|row| row.words_mut().guest = name.map(str::to_owned));
}

/// Counts bytes that came to the calling thread. What it does, it does anew from now on.
pub fn received(bytes: u64) {
    tell(|row| row.count_received(bytes));
}

/// Counts bytes that the calling thread sent or wrote. What it does, it does anew from now on.
pub fn sent(bytes: u64) {
    tell(|row| row.count_sent(bytes));
}

/// What a row said before a guard changed it.
#[derive(Debug, Clone, Copy)]
struct Before {
    span: Span,
    /// On what it waited, if the guard changed that.
    on: Option<&'static str>,
}

/// Restores the state that stood before, on every way out.
#[derive(Debug)]
pub struct Doing {
    /// What the row said; none for a thread without a row.
    before: Option<Before>,
    /// It is about the thread it was made by, and dropped there.
    not_sent: PhantomData<*const ()>,
}

impl Drop for Doing {
    fn drop(&mut self) {
        let Some(Before { span, on }) = self.before else { return };
        with_own_row(|row| {
            if let Some(on) = on {
                row.words_mut().on = on;
            }
            row.resume(span);
        });
    }
}

#[cfg(all(test, not(feature = "untold")))]
mod tests {
    use super::*;

    #[test]
    fn a_guard_restores_what_stood_before_and_a_seat_leaves_with_its_thread() {
        let table = Table::default();
        {
            let seat = table.seat("c07", State::Run);
            works_on("PUT", "a");
            {
                let _outer = enter(State::Disk);
                let _inner = enter(State::WaitFile);
                assert_eq!(seat.row().state(), State::WaitFile);
                assert_eq!(table.rows()[0].to_string(), "c07 WAIT_FILE PUT a 0.0 s");
            }
            assert_eq!(seat.row().state(), State::Run);
        }
        assert!(table.rows().is_empty());
    }

    #[test]
    fn what_is_waited_on_is_said_as_long_as_it_is_waited_on() {
        let table = Table::default();
        let seat = table.seat("c07", State::Run);
        {
            let _waits = enter_on(State::WaitQueueFull, "data");
            assert_eq!(seat.row().words().on, "data");
        }
        assert_eq!((seat.row().words().on, seat.row().state()), ("", State::Run));
    }

    #[test]
    fn a_wait_lasts_although_something_is_sent_meanwhile_and_work_begins_anew() {
        let table = Table::default();
        let row = table.seat("c07", State::Run).row();
        let wait = Span { state: State::WaitFile, since_ms: 3 };
        let before = row.begin(State::WaitFile);
        row.resume(wait);
        assert_eq!(row.begin(State::Send), wait);
        row.resume(wait);
        assert_eq!(row.begin(State::Disk), wait);
        assert_eq!(before.state, State::Run);
    }

    #[test]
    fn bytes_that_move_begin_the_wait_anew_and_a_long_name_is_cut() {
        let table = Table::default();
        let seat = table.seat("c07", State::Read);
        received(3);
        sent(4);
        received(5);
        works_on("PUT", &"长".repeat(1000));
        let row = seat.row();
        assert_eq!((row.received(), row.sent()), (8, 4));
        assert!((WORK_BYTES - 3..=WORK_BYTES).contains(&row.work().len()));
        assert_eq!(own_label().unwrap().split(' ').next(), Some("c07"));
    }

    #[test]
    fn every_state_is_the_byte_it_is_stored_as() {
        for (byte, state) in State::ALL.iter().enumerate() {
            assert_eq!(byte, *state as usize, "{state}");
        }
    }
}
