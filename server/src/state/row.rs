//! One thread's line in the table.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::escape::Safe;

use super::event::{Audience, What};
use super::stake::Stake;
use super::{Bounded, IS_TOLD, State, bounded};
use crate::clock;

/// What one thread is doing. It alone writes here, at every step; so it is alone in its cache lines, or
/// every step would slow down whoever has something beside it.
#[derive(Debug)]
#[repr(align(128))]
pub struct Row {
    id: u64,
    name: Arc<str>,
    /// Who is told what happens here; mostly nobody.
    audience: Option<Arc<Audience>>,
    /// A [`Span`]: one word, so that nobody sees a state with the time of another.
    span: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    /// The number of the upload it writes, for another; 0 if it never did.
    writes: AtomicU64,
    words: Mutex<Words>,
}

/// A state, and when it began, in milliseconds of the coarse clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) state: State,
    pub(super) since_ms: u64,
}

impl Span {
    /// From now on; since when, nobody is told where nothing is told.
    fn from_now(state: State) -> Self {
        Self { state, since_ms: if IS_TOLD { clock::coarse_ms() } else { 0 } }
    }

    /// As it is stored: the state is the lowest byte. There is room for two million years.
    fn word(self) -> u64 {
        self.since_ms << 8 | u64::from(self.state as u8)
    }

    fn of(word: u64) -> Self {
        let [state, ..] = word.to_le_bytes();
        Self { state: State::of(state), since_ms: word >> 8 }
    }
}

/// What does not fit into an atomic.
#[derive(Debug, Clone)]
pub struct Words {
    /// Where its client comes from, if it has one.
    pub peer: Option<SocketAddr>,
    /// As whom its client has logged in.
    pub user: Option<String>,
    /// What its client is called in the room, as a guest there.
    pub guest: Option<String>,
    /// What it works on, or has worked on last: as it came, so not to be shown before it is escaped.
    work: String,
    /// On what it waits, if that is a queue or shared with others.
    pub on: &'static str,
    /// The names it holds and waits for.
    pub stakes: Vec<Stake>,
}

impl Words {
    /// What it works on, put together from these, as much as there is room for.
    pub(super) fn put_work(&mut self, words: &[&str]) {
        self.work.clear();
        // It ends where there is no more room.
        let _ = words.iter().try_for_each(|word| Bounded(&mut self.work).write_str(word));
    }

    /// The same, for a screen.
    pub fn shown_work(&self) -> String {
        bounded(Safe(&self.work))
    }
}

impl Row {
    pub(super) fn new(id: u64, name: &str, first: State, audience: Option<Arc<Audience>>) -> Self {
        let none = || AtomicU64::new(0);
        let (work, on, stakes) = (String::new(), "", Vec::new());
        let row = Self {
            id,
            name: name.into(),
            audience,
            span: AtomicU64::new(Span::from_now(first).word()),
            received: none(),
            sent: none(),
            writes: none(),
            words: Mutex::new(Words { peer: None, user: None, guest: None, work, on, stakes }),
        };
        row.tell(|| What::Began { name: Arc::clone(&row.name), state: first });
        row
    }

    /// Tells those who listen, if there are any.
    pub(super) fn tell(&self, what: impl FnOnce() -> What) {
        if let Some(audience) = &self.audience {
            audience.tell(self.id, what);
        }
    }

    /// What the thread is called.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the thread is doing now. Sequentially consistent with [`enter`](super::enter): see the
    /// shutdown's argument in [`roster`](crate::roster).
    pub fn state(&self) -> State {
        Span::of(self.span.load(Ordering::SeqCst)).state
    }

    /// What it works on, or has worked on last.
    pub fn work(&self) -> String {
        self.words().shown_work()
    }

    /// A copy of all it says in words.
    pub fn words(&self) -> Words {
        self.words_mut().clone()
    }

    /// For how long it has done so, or, if that is shorter, since bytes last moved.
    pub fn since(&self) -> Duration {
        Duration::from_millis(clock::coarse_ms().saturating_sub(self.span().since_ms))
    }

    /// Bytes that came to it.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes that it sent or wrote.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The number of the upload that it writes, or has written last; none if that is not its work.
    pub fn written(&self) -> Option<u64> {
        Some(self.writes.load(Ordering::Relaxed)).filter(|upload| *upload > 0)
    }

    pub(super) fn writes(&self, upload: u64) {
        if self.writes.load(Ordering::Relaxed) != upload {
            self.writes.store(upload, Ordering::Relaxed);
            self.tell(|| What::Writes(upload));
        }
    }

    /// Held for a few steps, to copy or to change.
    pub(super) fn words_mut(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state it is in.
    pub(super) fn span(&self) -> Span {
        Span::of(self.span.load(Ordering::Relaxed))
    }

    /// Begins a state that it is not in, and says which one that ends.
    pub(super) fn begins(&self, state: State) -> Option<Span> {
        (self.span().state != state).then(|| self.begin(state))
    }

    /// Begins a state, and says which one that ends.
    pub(super) fn begin(&self, state: State) -> Span {
        let before = self.span();
        self.restore(Span::from_now(state));
        before
    }

    /// Goes back to a state. A wait for somebody goes on; anything else begins anew.
    pub(super) fn resume(&self, before: Span) {
        if before.state.is_wait() {
            self.restore(before);
        } else {
            self.begin(before.state);
        }
    }

    /// Goes back to a state as if it had never been left.
    ///
    /// Only `IDLE` is decided by: what follows it must not be done before it is seen. To be in order
    /// with everything costs more than the rest of it.
    pub(super) fn restore(&self, span: Span) {
        let state = span.state;
        let order = if state == State::Idle { Ordering::SeqCst } else { Ordering::Release };
        self.span.store(span.word(), order);
        self.tell(|| What::Enters { state, on: self.words_mut().on });
    }

    /// Says on what it waits.
    pub(super) fn say_on(&self, on: &'static str) {
        if IS_TOLD {
            self.words_mut().on = on;
        }
    }

    pub(super) fn count_received(&self, bytes: u64) {
        add(&self.received, bytes);
        self.begin_anew();
    }

    pub(super) fn count_sent(&self, bytes: u64) {
        add(&self.sent, bytes);
        self.begin_anew();
    }

    /// It stays in its state, as if it had just come to it.
    fn begin_anew(&self) {
        self.span.store(Span::from_now(self.span().state).word(), Ordering::Relaxed);
    }
}

/// What a session's thread is called, in the log and in the table.
pub fn called(session: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "c{session:02}"))
}

impl fmt::Display for Row {
    /// `c07 WAIT_FILE PUT /library/a.txt 2.1 s`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (work, seconds) = (self.work(), self.since().as_secs_f64());
        write!(f, "{} {} {work} {seconds:.1} s", self.name, self.state())
    }
}

/// One more, by the only one who writes.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}
