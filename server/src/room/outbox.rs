//! A member's outbox: lines from the room to the thread that writes them, and never too many.
//!
//! ```text
//! whoever speaks ──offer──► [ line line line … ] ──take──► the member's own thread ──► socket
//!  (the room's lock)         256 lines, 64 KiB              (may wait as long as it likes)
//! ```
//!
//! A line that does not fit is not waited for: it is counted as missed. From then on everything is,
//! until the outbox has run dry and the number of missed lines was told. So what is in the queue is
//! always older than the gap, and the gap is told in its place between two lines.
//!
//! Before all that come the lines a newcomer hears first. They are few, and count for nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::room::Event;
use common::watch::Queue;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::line::Line;
use crate::state::{self, Depth, State};

/// Lines that may wait for one member.
pub(super) const LINES_MAX: usize = 256;

/// Bytes of lines that may wait for one member.
const BYTES_MAX: usize = 64 * 1024;

/// Who misses as many has long stopped to follow.
const MISSED_MAX: u64 = 256;

/// How long there may be no room for a line.
const FULL_MAX: Duration = Duration::from_secs(10);

/// Bytes that are taken out at once, about: many lines for one system call.
const TAKEN_BYTES: usize = 16 * 1024;

/// What both ends know.
#[derive(Debug, Default)]
struct Backlog {
    /// Lines in the queue, and their bytes.
    lines: AtomicUsize,
    bytes: AtomicUsize,
    /// Lines that did not fit since the last gap was told. While there are any, none is queued.
    missed: AtomicU64,
    /// The room has given this member up.
    dropped: AtomicBool,
    /// Nobody takes anything out any more.
    closed: AtomicBool,
}

/// An outbox that begins with the `first` lines: the room's end of it, the writing thread's, and
/// one for who only asks.
pub(super) fn outbox(first: VecDeque<Line>) -> (Inlet, Outbox, Watch) {
    let (queue, lines) = bounded(LINES_MAX);
    let backlog = Arc::<Backlog>::default();
    let inlet = Inlet { queue, backlog: Arc::clone(&backlog), full_since: None };
    let watch = Watch(Arc::clone(&backlog));
    (inlet, Outbox { first, lines, backlog }, watch)
}

/// The room's end. Dropping it ends the outbox when it has run dry.
#[derive(Debug)]
pub(super) struct Inlet {
    queue: Sender<Line>,
    backlog: Arc<Backlog>,
    /// When the gap began, if there is one that was not told.
    full_since: Option<Instant>,
}

impl Inlet {
    /// Puts a line in if it fits, and counts it if not. Never waits.
    pub(super) fn offer(&mut self, line: &Line, now: Instant) {
        let one_more = |missed: u64| (missed > 0).then(|| missed + 1);
        let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
        if self.backlog.missed.try_update(set, fetch, one_more).is_ok() {
            return;
        }
        if !self.fits(line) {
            self.full_since = Some(now);
            self.backlog.missed.store(1, Ordering::SeqCst);
        }
    }

    fn fits(&self, line: &Line) -> bool {
        let bytes = line.len();
        let waiting = self.backlog.bytes.fetch_add(bytes, Ordering::SeqCst);
        // Counted before it is there, so that nothing is counted out that was not counted in.
        self.backlog.lines.fetch_add(1, Ordering::Relaxed);
        let fits = waiting + bytes <= BYTES_MAX && self.queue.try_send(Line::clone(line)).is_ok();
        if !fits {
            self.backlog.lines.fetch_sub(1, Ordering::Relaxed);
            self.backlog.bytes.fetch_sub(bytes, Ordering::SeqCst);
        }
        fits
    }

    /// Whether the member takes too little to be one any longer.
    pub(super) fn is_given_up(&self, now: Instant) -> bool {
        let missed = self.backlog.missed.load(Ordering::SeqCst);
        let long = |since| now.saturating_duration_since(since) >= FULL_MAX;
        missed >= MISSED_MAX || (missed > 0 && self.full_since.is_some_and(long))
    }

    /// Gives the member up: it may take what is in the queue, and hears what it has missed.
    pub(super) fn give_up(self) {
        self.backlog.dropped.store(true, Ordering::SeqCst);
    }
}

/// What came out of an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Lines.
    Some,
    /// Nothing for now.
    Nothing,
    /// Nothing, and nothing more will come: the member has left.
    Over,
    /// The same: the room has given the member up.
    GivenUp,
}

/// The end of whoever writes to the member.
#[derive(Debug)]
pub struct Outbox {
    first: VecDeque<Line>,
    lines: Receiver<Line>,
    backlog: Arc<Backlog>,
}

impl Outbox {
    /// Waits until there is something to be written, and adds it to `lines`. `false` if there is
    /// nothing and nothing more will come.
    pub fn take(&mut self, lines: &mut Vec<u8>) -> bool {
        loop {
            match self.try_take(lines) {
                Taken::Some => return true,
                Taken::Over | Taken::GivenUp => return false,
                Taken::Nothing => {
                    let _doing = state::enter_on(State::WaitQueueEmpty, "outbox");
                    if let Ok(line) = self.lines.recv() {
                        self.add(&line, lines);
                    }
                }
            }
        }
    }

    /// Adds what is to be written now to `lines`, which is empty or holds the first of it. Never
    /// waits.
    pub fn try_take(&mut self, lines: &mut Vec<u8>) -> Taken {
        while lines.len() < TAKEN_BYTES {
            if let Some(line) = self.first.pop_front() {
                lines.extend_from_slice(&line);
                continue;
            }
            // Looked at first: if there is a gap now, whatever is queued was queued before it.
            let gap = self.backlog.missed.load(Ordering::SeqCst) > 0;
            match self.lines.try_recv() {
                Ok(line) => self.add(&line, lines),
                Err(_) if gap => self.tell_gap(lines),
                Err(_) if !lines.is_empty() => break,
                Err(TryRecvError::Disconnected) if self.is_given_up() => return Taken::GivenUp,
                Err(TryRecvError::Disconnected) => return Taken::Over,
                Err(TryRecvError::Empty) => return Taken::Nothing,
            }
        }
        Taken::Some
    }

    /// Whether [`try_take`](Self::try_take) would find lines, or that there will be none.
    pub fn is_ready(&self) -> bool {
        let queued = !self.first.is_empty() || !self.lines.is_empty();
        queued || self.backlog.missed.load(Ordering::SeqCst) > 0 || self.is_given_up()
    }

    fn is_given_up(&self) -> bool {
        self.backlog.dropped.load(Ordering::SeqCst)
    }

    fn add(&self, line: &Line, lines: &mut Vec<u8>) {
        lines.extend_from_slice(line);
        self.backlog.bytes.fetch_sub(line.len(), Ordering::SeqCst);
        self.backlog.lines.fetch_sub(1, Ordering::Relaxed);
    }

    /// It as others see it, called as the thread that empties it.
    pub fn depth(&self, name: &str) -> Arc<dyn Depth> {
        Arc::new(Shown { name: name.to_owned(), backlog: Arc::clone(&self.backlog) })
    }

    /// Nothing will be taken any more: what the session looks at when it is woken.
    pub fn close(&self) {
        self.backlog.closed.store(true, Ordering::SeqCst);
    }

    fn tell_gap(&self, lines: &mut Vec<u8>) {
        let missed = self.backlog.missed.swap(0, Ordering::SeqCst);
        lines.extend_from_slice(&super::line::of(&Event::Missed { lines: missed }));
    }
}

/// An outbox among the queues that are shown.
#[derive(Debug)]
struct Shown {
    name: String,
    backlog: Arc<Backlog>,
}

impl Depth for Shown {
    fn look(&self) -> Queue {
        let lines = self.backlog.lines.load(Ordering::Relaxed);
        Queue {
            name: self.name.clone(),
            len: lines.min(LINES_MAX) as u64,
            cap: LINES_MAX as u64,
            bytes: Some(self.backlog.bytes.load(Ordering::Relaxed) as u64),
            oldest_ms: None,
        }
    }
}

/// Knows how it goes with an outbox.
#[derive(Debug)]
pub(super) struct Watch(Arc<Backlog>);

impl Watch {
    /// Whether no line will be written any more, whatever is said.
    pub(super) fn is_over(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Whether the room has given this member up.
    pub(super) fn was_given_up(&self) -> bool {
        self.0.dropped.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        text.as_bytes().into()
    }

    fn taken(outbox: &mut Outbox) -> String {
        let mut lines = Vec::new();
        outbox.take(&mut lines);
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn what_comes_first_is_not_counted() {
        let first = VecDeque::from(vec![line(&"x".repeat(1000)); 100]);
        let (mut inlet, mut outbox, _) = outbox(first);
        inlet.offer(&line("next"), Instant::now());
        let mut all = String::new();
        while !all.ends_with("next") {
            all += &taken(&mut outbox);
        }
        assert_eq!(all.len(), 100_004);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_told_in_its_place() {
        let (mut inlet, mut outbox, _) = outbox(VecDeque::new());
        let now = Instant::now();
        for n in 0..LINES_MAX + 3 {
            inlet.offer(&line(&format!("{n}\n")), now);
        }
        // There is room for it by now, but it would overtake the gap.
        outbox.lines.try_recv().unwrap();
        inlet.offer(&line("later\n"), now);
        let told = taken(&mut outbox);
        assert!(told.starts_with("1\n2\n"), "{told}");
        assert!(told.ends_with("255\n{\"event\":\"missed\",\"lines\":4}\n"), "{told}");
        inlet.offer(&line("again\n"), now);
        assert_eq!(taken(&mut outbox), "again\n");
    }

    #[test]
    fn an_outbox_is_full_of_bytes_as_well_as_of_lines() {
        let (mut inlet, mut outbox, _) = outbox(VecDeque::new());
        let long = line(&"x".repeat(BYTES_MAX / 4));
        for _ in 0..5 {
            inlet.offer(&long, Instant::now());
        }
        assert_eq!((0..4).map(|_| taken(&mut outbox).len()).sum::<usize>(), BYTES_MAX);
        assert_eq!(taken(&mut outbox), "{\"event\":\"missed\",\"lines\":1}\n");
        assert_eq!(inlet.backlog.bytes.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn who_misses_too_many_or_for_too_long_is_given_up_and_may_take_what_was_kept() {
        let (mut inlet, mut outbox, watch) = outbox(VecDeque::new());
        let begun = Instant::now();
        for _ in 0..LINES_MAX {
            inlet.offer(&line("x"), begun);
        }
        assert!(!inlet.is_given_up(begun + 2 * FULL_MAX), "nothing was missed");
        inlet.offer(&line("x"), begun);
        assert!(!inlet.is_given_up(begun) && inlet.is_given_up(begun + FULL_MAX));
        for _ in 1..MISSED_MAX {
            inlet.offer(&line("x"), begun);
        }
        assert!(inlet.is_given_up(begun));
        inlet.give_up();
        assert!(watch.was_given_up() && !watch.is_over());
        let told = taken(&mut outbox);
        assert!(told.starts_with("xxx") && told.contains("\"lines\":256"), "{told}");
        assert!(!outbox.take(&mut Vec::new()));
        outbox.close();
        assert!(watch.is_over());
    }
}
