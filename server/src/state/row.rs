//! One thread's line in the table.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::State;
use super::event::{Audience, What};
use super::stake::Stake;

/// What one thread is doing. It alone writes here.
#[derive(Debug)]
pub struct Row {
    id: u64,
    name: String,
    /// Who is told what happens here; mostly nobody.
    audience: Option<Arc<Audience>>,
    born: Instant,
    state: AtomicU8,
    since_ms: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    words: Mutex<Words>,
}

/// A state, and when it began, in milliseconds since the row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) state: State,
    pub(super) since_ms: u64,
}

/// What does not fit into an atomic.
#[derive(Debug, Clone)]
pub struct Words {
    /// Where its client comes from, if it has one.
    pub peer: Option<SocketAddr>,
    /// As whom its client has logged in.
    pub user: Option<String>,
    /// What it works on, or has worked on last.
    pub work: String,
    /// On what it waits, if that is a queue or shared with others.
    pub on: &'static str,
    /// The names it holds and waits for.
    pub stakes: Vec<Arc<Stake>>,
}

impl Row {
    pub(super) fn new(id: u64, name: &str, first: State, audience: Option<Arc<Audience>>) -> Self {
        let none = || AtomicU64::new(0);
        let (peer, user, work, on, stakes) = (None, None, String::new(), "", Vec::new());
        let row = Self {
            id,
            name: name.to_owned(),
            audience,
            born: Instant::now(),
            state: AtomicU8::new(first as u8),
            since_ms: none(),
            received: none(),
            sent: none(),
            words: Mutex::new(Words { peer, user, work, on, stakes }),
        };
        row.tell(|| What::Began { name: name.into(), state: first });
        row
    }

    /// Tells those who listen, if there are any.
    pub(super) fn tell(&self, what: impl FnOnce() -> What) {
        if let Some(audience) = &self.audience {
            audience.tell(self.id, what);
        }
    }

    /// What the thread is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the thread is doing now. Sequentially consistent with [`enter`](super::enter): see the
    /// shutdown's argument in [`roster`](crate::roster).
    pub fn state(&self) -> State {
        State::of(self.state.load(Ordering::SeqCst))
    }

    /// What it works on, or has worked on last.
    pub fn work(&self) -> String {
        self.words_mut().work.clone()
    }

    /// A copy of all it says in words.
    pub fn words(&self) -> Words {
        self.words_mut().clone()
    }

    /// For how long it has done so, or, if that is shorter, since bytes last moved.
    pub fn since(&self) -> Duration {
        let entered = Duration::from_millis(self.since_ms.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(entered)
    }

    /// Bytes that came to it.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes that it sent or wrote.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Held for a few steps, to copy or to change.
    pub(super) fn words_mut(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state it is in.
    pub(super) fn span(&self) -> Span {
        Span {
            state: State::of(self.state.load(Ordering::Relaxed)),
            since_ms: self.since_ms.load(Ordering::Relaxed),
        }
    }

    /// Begins a state, and says which one that ends.
    pub(super) fn begin(&self, state: State) -> Span {
        let before = self.span();
        self.begin_anew(Instant::now());
        self.store(state);
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
    pub(super) fn restore(&self, Span { state, since_ms }: Span) {
        self.since_ms.store(since_ms, Ordering::Relaxed);
        self.store(state);
    }

    /// Only `IDLE` is decided by: what follows it must not be done before it is seen. To be in order
    /// with everything costs more than the rest of it.
    fn store(&self, state: State) {
        let order = if state == State::Idle { Ordering::SeqCst } else { Ordering::Release };
        self.state.store(state as u8, order);
        self.tell(|| What::Enters { state, on: self.words_mut().on });
    }

    pub(super) fn count_received(&self, bytes: u64, now: Instant) {
        add(&self.received, bytes);
        self.begin_anew(now);
    }

    pub(super) fn count_sent(&self, bytes: u64, now: Instant) {
        add(&self.sent, bytes);
        self.begin_anew(now);
    }

    fn begin_anew(&self, now: Instant) {
        let age = now.saturating_duration_since(self.born);
        let ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        self.since_ms.store(ms, Ordering::Relaxed);
    }
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
