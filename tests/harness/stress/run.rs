//! A load under way: what all its clients share, and when each has its turn.
//!
//! ```text
//!   main ── starts ──► client 1 … client N      each holds two senders
//!   main ◄── the last of them has come in and dropped its first one
//!   main ── sets the clock ──► all begin at once
//!   main ◄── the last of them has left and dropped its second one
//! ```
//! Nothing is ever sent. That a sender is dropped is the message, and it arrives however a thread
//! ends.
//!
//! Two locks, the ledger's and the shelf's, are each held for a glance, never both at once and
//! never during an operation: a stress test must not wait for itself.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvError, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use client::error::Error;
use client::interrupt::Interrupt;

use super::caller::Caller;
use super::ledger::Ledger;
use super::live::Live;
use super::plan::Plan;
use super::report::Report;
use super::shelf::Shelf;
use super::site::Site;
use crate::descriptors;

/// A client's stack: its buffers are on the heap.
const STACK_BYTES: usize = 512 * 1024;

/// Descriptors beside those of the clients: standard streams, the server's pipes, reports.
const SPARE_DESCRIPTORS: u32 = 32;

/// How long a client that is not due sleeps at most before it looks whether Ctrl-C was pressed.
const NAP: Duration = Duration::from_millis(200);

/// What all clients of a load share.
pub(super) struct Run<'r> {
    pub(super) plan: &'r Plan,
    pub(super) site: &'r Site,
    pub(super) interrupt: &'r Interrupt,
    /// When it begins; whoever is in waits for that.
    clock: OnceLock<Instant>,
    /// How many clients are in.
    inside: AtomicU64,
    /// The number of the next operation.
    turns: AtomicU64,
    /// How many were begun.
    begun: AtomicU64,
    /// The number of the next version.
    pub(super) serial: AtomicU64,
    /// How many puts went to contested names.
    pub(super) contests: AtomicU64,
    /// How many `WAIT` lines were heard.
    pub(super) waits: Arc<AtomicU64>,
    ledger: Mutex<Ledger>,
    shelf: Mutex<Shelf>,
}

/// Puts a server under load. `stage` is the program whose `main` calls
/// [`actor::play`](crate::actor::play); it plays the server if the plan names none. What is said
/// meanwhile goes to stderr. An error is that the load could not begin; all that happens from
/// then on is in the report.
pub fn run(stage: &Path, plan: &Plan, interrupt: &Interrupt) -> io::Result<Report> {
    descriptors::need(plan.clients + SPARE_DESCRIPTORS)?;
    let site = Site::open(stage, plan, interrupt)?;
    let run = Run {
        plan,
        site: &site,
        interrupt,
        clock: OnceLock::new(),
        inside: AtomicU64::new(0),
        turns: AtomicU64::new(0),
        begun: AtomicU64::new(0),
        serial: AtomicU64::new(1),
        contests: AtomicU64::new(0),
        waits: Arc::default(),
        ledger: Mutex::new(Ledger::begin(plan.time)),
        shelf: Mutex::default(),
    };
    let mut host = Caller::enter(&run, 0).map_err(io::Error::other)?;
    host.put_first().map_err(io::Error::other)?;
    drop(host);
    let time = run.drive()?;
    let mut report = run.report(time);
    if let Err(error) = site.close(interrupt) {
        // A server that ends badly, or cannot be reached any more, is part of what came out.
        report.ledger.failed.add(format_args!("tidying up: {error}"));
    }
    Ok(report)
}

impl Run<'_> {
    /// Starts the clients and sees them out. How long they were at it.
    fn drive(&self) -> io::Result<Duration> {
        thread::scope(|scope| {
            let (outside, all_in) = mpsc::channel();
            let (inside, all_gone) = mpsc::channel();
            for number in 1..=self.plan.clients {
                let doors = (outside.clone(), inside.clone());
                if let Err(error) = self.start(scope, number, doors) {
                    // Those who are in wait for the clock, and find that it is over.
                    self.interrupt.set();
                    let _ = self.clock.set(Instant::now());
                    let clients = self.plan.clients;
                    return Err(io::Error::other(format!(
                        "the system gives no thread to client {number} of {clients} ({error}); \
                         try fewer clients"
                    )));
                }
            }
            drop((outside, inside));
            Ok(self.look_on(&all_in, &all_gone))
        })
    }

    /// Starts one client.
    fn start<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        number: u32,
        (outside, inside): (Sender<Infallible>, Sender<Infallible>),
    ) -> io::Result<()> {
        let builder = thread::Builder::new().name(format!("client{number}"));
        builder.stack_size(STACK_BYTES).spawn_scoped(scope, move || {
            let caller = Caller::enter(self, number);
            self.inside.fetch_add(u64::from(caller.is_ok()), Ordering::Relaxed);
            drop(outside);
            self.clock.wait();
            match caller {
                Ok(caller) => {
                    caller.work();
                    self.inside.fetch_sub(1, Ordering::Relaxed);
                }
                Err(error) => self.failed(&error, "coming in"),
            }
            drop(inside);
        })?;
        Ok(())
    }

    /// Sets the clock when all are in, and shows how it goes until all have left.
    fn look_on(&self, all_in: &Receiver<Infallible>, all_gone: &Receiver<Infallible>) -> Duration {
        let mut live = Live::new();
        live.coming_in(self.plan.clients);
        let Err(RecvError) = all_in.recv();
        *self.ledger() = Ledger::begin(self.plan.time);
        let start = *self.clock.get_or_init(Instant::now);
        live.begin(self.inside());
        while all_gone.recv_timeout(live.pause()) == Err(RecvTimeoutError::Timeout) {
            live.show(self.plan, self.inside(), &self.ledger());
        }
        live.end();
        start.elapsed()
    }

    fn inside(&self) -> u64 {
        self.inside.load(Ordering::Relaxed)
    }

    /// When the next operation is due; it may begin at once. `None` when it is over.
    pub(super) fn turn(&self) -> Option<Instant> {
        let start = *self.clock.wait();
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let due = self.plan.rate.map_or_else(Instant::now, |rate| start + rate.due(turn));
        let end = start + self.plan.time;
        loop {
            let now = Instant::now();
            if self.interrupt.is_set() || now.max(due) >= end {
                return None;
            }
            match due.checked_duration_since(now) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(NAP)),
                _ => break,
            }
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
        Some(due)
    }

    /// Something got no answer.
    pub(super) fn failed(&self, error: &Error, doing: &str) {
        // Ctrl-C is nobody's failure, nor is what comes of it.
        if !self.interrupt.is_set() {
            self.ledger().failed.add(format_args!("{doing}: {error}"));
        }
    }

    /// The server did or gave what cannot be true.
    pub(super) fn wrong(&self, what: impl fmt::Display) {
        self.ledger().wrong.add(what);
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(self, time: Duration) -> Report {
        let ledger = self.ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        let begun = self.begun.load(Ordering::Relaxed);
        let arrived = self.plan.rate.map(|rate| rate.within(time.min(self.plan.time)));
        Report {
            plan: self.plan.clone(),
            time,
            never_begun: arrived.map(|arrived| arrived.saturating_sub(begun)),
            interrupted: self.interrupt.is_set(),
            waits: self.waits.load(Ordering::Relaxed),
            remains: self.site.remains(),
            ledger,
        }
    }
}
