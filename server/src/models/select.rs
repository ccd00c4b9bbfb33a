//! Model *select*: one thread for all clients, which waits for all of them at once and for none of
//! them alone. Where there were no threads, this was how a server served two.
//!
//! ```text
//!            ┌────────────── poll: whose socket is ready? whose time is up? ◄─── wake ──┐
//!            ▼                                                                           │
//!   accept, c01, c02, c03 …  each goes on until it would wait ──┬─ passwords ──► hashing ┤
//!            └───────────────────────────────────────────────── command, data ──► writer ┘
//! ```
//!
//! # The story
//! Sockets are non-blocking: a call that would wait says so (`WouldBlock`) and returns. What the
//! thread model keeps on a thread's stack, where in the conversation it is and with which upload,
//! stands here in a value, the `connection`'s state. It is taken up when the kernel says that its
//! socket is ready, or when its time is up, and laid down where it would wait. Handlers, upload,
//! queues and writer are the same ones; each has a question that does not wait beside the call that
//! does (`has_room`, `is_ready`, `is_written`, `try_take`).
//!
//! # What would wait, and how it does not
//! ```text
//! a socket                       WouldBlock; the kernel says when to try again (mio, epoll)
//! a buffer, a full queue         asked; the writer wakes the loop after each piece
//! a line of the room             taken out of the outbox; the room wakes the loop for the next
//! a name somebody else writes    stands in line; asked again in each turn, and 20 times a second
//! a password's hash, a SUM,      computed by the thread `hashing`, one after the other (`beside`)
//! the check of a kept beginning
//! a deadline                     a sorted set of all of them; poll returns for the first
//! ```
//!
//! # What blocks it still: the disk
//! A file descriptor of a disk is always "ready": there is no `WouldBlock` for a disk, and this loop
//! waits for every `open`, every page of a listing, every `fsync` and every page that `sendfile`
//! must read first; and with it all its clients wait. A disk that takes a second to sync stops
//! everybody for a second, where the thread model stops one. That time is not held against the
//! clients (`Clock`). Nor does it use a second core: sums and copies take turns.
//!
//! mio and not `polling`: to register a socket is `unsafe` there.

mod beside;
mod connection;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use self::beside::{Beside, Outcome};
use self::connection::{Awaits, Connection};
use crate::listener::{ACCEPT_PAUSE, Admitted, Knock, Listener, turn_away};
use crate::roster::Roster;
use crate::service::Service;
use crate::state::{self, State, Table};

/// Tokens that are no session's number.
const LISTENER: Token = Token(usize::MAX);
const WAKE: Token = Token(usize::MAX - 1);

/// What the kernel tells of in one call.
const EVENTS: usize = 256;

/// Serves until a stop is asked for, then lets transfers under way finish for `grace`.
pub fn serve<'s>(
    listener: &mut Listener,
    roster: &'s Roster,
    table: &'s Table,
    service: &'s Service<'s>,
    grace: Duration,
) -> io::Result<()> {
    let poll = Poll::new()?;
    listener.never_wait()?;
    poll.registry().register(&mut SourceFd(&listener.as_raw_fd()), LISTENER, Interest::READABLE)?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let wake = move || drop(waker.wake());
    service.writer.bell().answers(wake.clone());
    service.room.bell().answers(wake.clone());
    thread::scope(|scope| {
        let beside = Beside::spawn(scope, table, service, roster.places(), wake)?;
        let clients = Clients {
            all: BTreeMap::new(),
            ready: BTreeSet::new(),
            for_the_writer: BTreeSet::new(),
            for_a_name: BTreeSet::new(),
            hearing: BTreeSet::new(),
            due: BTreeSet::new(),
        };
        let clock = Clock { lost: Duration::ZERO };
        Loop { poll, listener, roster, table, service, beside, clients, clock }.run(grace)
    })
}

/// The time that clients are measured by. It does not count for how long a turn of the loop kept
/// them from being heard, but for a moment of each: a loop that is busy for ever must not stop it.
struct Clock {
    lost: Duration,
}

impl Clock {
    /// What of a turn counts.
    const MOMENT: Duration = Duration::from_millis(100);

    fn now(&self) -> Instant {
        Instant::now().checked_sub(self.lost).unwrap_or_else(Instant::now)
    }

    fn turned(&mut self, begun: Instant) {
        self.lost += begun.elapsed().saturating_sub(Self::MOMENT);
    }
}

/// All connections, and which of them wait for what.
struct Clients<'s> {
    all: BTreeMap<u64, Connection<'s>>,
    ready: BTreeSet<u64>,
    for_the_writer: BTreeSet<u64>,
    for_a_name: BTreeSet<u64>,
    /// Who is in the room, or listens to it.
    hearing: BTreeSet<u64>,
    /// When whose time is up, the first in front.
    due: BTreeSet<(Instant, u64)>,
}

struct Loop<'l, 's> {
    poll: Poll,
    listener: &'l mut Listener,
    roster: &'s Roster,
    table: &'s Table,
    service: &'s Service<'s>,
    beside: Beside<'s>,
    clients: Clients<'s>,
    clock: Clock,
}

impl<'s> Loop<'_, 's> {
    fn run(mut self, grace: Duration) -> io::Result<()> {
        let (mut events, stop) = (Events::with_capacity(EVENTS), self.listener.stop());
        let (mut knock_again, mut cut_at, mut was_cut) = (None, None, false);
        // LESSON: the whole of select is this loop: who is ready? let each go on until it would wait.
        while !(stop.is_asked() && self.clients.all.is_empty()) {
            let alarms = [knock_again, cut_at.filter(|_| !was_cut)];
            self.wait(&mut events, alarms.into_iter().flatten().min())?;
            let begun = Instant::now();
            for event in &events {
                match event.token() {
                    LISTENER => knock_again = self.let_in(),
                    WAKE => self.clients.look_around(),
                    Token(session) => drop(self.clients.ready.insert(session as u64)),
                }
            }
            if knock_again.is_some_and(|at| at <= begun) {
                knock_again = self.let_in();
            }
            while let Some((session, outcome)) = self.beside.outcome() {
                self.clients.answered(session, outcome);
            }
            if stop.is_asked() && cut_at.is_none() {
                cut_at = Some(begun + grace);
                // Who is idle finds out, now or when it comes to be.
                self.clients.ready.extend(self.clients.all.keys());
            }
            if cut_at.is_some_and(|at| at <= begun) && !was_cut {
                was_cut = true;
                self.clients.cut_off(grace);
            }
            self.clients.go_on(self.clock.now());
            self.clock.turned(begun);
        }
        Ok(())
    }

    /// Waits until a socket is ready, somebody's time is up, or another thread wakes us.
    fn wait(&mut self, events: &mut Events, alarm: Option<Instant>) -> io::Result<()> {
        let _doing = state::enter(State::Idle);
        let alarm = alarm.map(|at| at.saturating_duration_since(Instant::now()));
        let due = self.clients.due.first();
        let due = due.map(|(at, _)| at.saturating_duration_since(self.clock.now()));
        let now = (!self.clients.ready.is_empty()).then_some(Duration::ZERO);
        match self.poll.poll(events, [alarm, due, now].into_iter().flatten().min()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled,
        }
    }

    /// Lets in everybody who is at the door; says when to look again if there was trouble.
    fn let_in(&mut self) -> Option<Instant> {
        loop {
            match self.listener.knock(self.roster) {
                Knock::Admitted(client) => self.welcome(client),
                Knock::Refused => {}
                Knock::Nobody => return None,
                Knock::Trouble => return Some(Instant::now() + ACCEPT_PAUSE),
            }
        }
    }

    fn welcome(&mut self, client: Admitted<'s>) {
        // mio asks epoll for edges: it tells of what has changed, once. That fits, as whoever is
        // told goes on until it would wait.
        let socket = client.stream.as_raw_fd();
        let ready = Interest::READABLE | Interest::WRITABLE;
        let registered = usize::try_from(client.session).map_err(io::Error::other);
        let registered = registered.and_then(|session| {
            client.stream.set_nonblocking(true)?;
            self.poll.registry().register(&mut SourceFd(&socket), Token(session), ready)
        });
        if let Err(error) = registered {
            log::error!("cannot watch the connection of {}: {error}", client.peer);
            return turn_away(&client.stream, "the server cannot watch another connection");
        }
        let session = client.session;
        let connection = Connection::new(client, self.table, self.service, self.beside.desk());
        self.clients.all.insert(session, connection);
        self.clients.ready.insert(session);
    }
}

impl<'s> Clients<'s> {
    /// Has everybody go on who can, and notes what they wait for then.
    fn go_on(&mut self, now: Instant) {
        while let Some(&(at, session)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, session));
            self.ready.insert(session);
        }
        for session in std::mem::take(&mut self.ready) {
            self.drive(session, now);
        }
        // What was given back in this turn may be theirs now; nobody else can tell them.
        for session in std::mem::take(&mut self.for_a_name) {
            self.drive(session, now);
        }
    }

    /// Something has become of the writer's queue, or of the room.
    fn look_around(&mut self) {
        self.ready.append(&mut self.for_the_writer);
        let hears = |session: &&u64| self.all.get(session).is_some_and(Connection::may_hear);
        self.ready.extend(self.hearing.iter().filter(hears));
    }

    /// Has one go on until it would wait. A panic in it ends this one only.
    fn drive(&mut self, session: u64, now: Instant) {
        let Some(connection) = self.all.get_mut(&session) else { return };
        if let Some(at) = connection.alarm.take() {
            self.due.remove(&(at, session));
        }
        self.for_the_writer.remove(&session);
        self.for_a_name.remove(&session);
        self.hearing.remove(&session);
        let Ok(awaits) = catch_unwind(AssertUnwindSafe(|| connection.drive(now))) else {
            return self.end_by_panic(session);
        };
        match awaits {
            Awaits::Turn => drop(self.ready.insert(session)),
            Awaits::Writer => drop(self.for_the_writer.insert(session)),
            Awaits::Name => drop(self.for_a_name.insert(session)),
            Awaits::Client | Awaits::Beside => {}
            Awaits::Nothing => return drop(self.all.remove(&session)),
        }
        if connection.hears() {
            self.hearing.insert(session);
        }
        connection.alarm = connection.due();
        self.due.extend(connection.alarm.map(|at| (at, session)));
    }

    /// What was computed beside the loop, if anything came of it.
    fn answered(&mut self, session: u64, outcome: Option<Outcome<'s>>) {
        match (self.all.get_mut(&session), outcome) {
            // It was cut off meanwhile.
            (None, _) => {}
            (Some(_), None) => self.end_by_panic(session),
            (Some(connection), Some(outcome)) => {
                connection.answered(outcome);
                self.ready.insert(session);
            }
        }
    }

    /// A mistake of ours ends the one session in which it shows.
    fn end_by_panic(&mut self, session: u64) {
        let Some(connection) = self.all.remove(&session) else { return };
        self.hearing.remove(&session);
        if let Some(at) = connection.alarm {
            self.due.remove(&(at, session));
        }
        log::error!("the session of {} panicked and was ended", connection.peer());
    }

    fn cut_off(&mut self, grace: Duration) {
        for (session, connection) in &mut self.all {
            log::warn!("cut off after a grace of {} s: {}", grace.as_secs(), connection.row());
            connection.cut_off();
            self.ready.insert(*session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_turn_takes_counts_for_a_moment_and_what_is_waited_for_counts_in_full() {
        let mut clock = Clock { lost: Duration::ZERO };
        let before = clock.now();
        clock.turned(Instant::now().checked_sub(Duration::from_secs(10)).unwrap());
        let behind = before.saturating_duration_since(clock.now());
        assert!(behind > Duration::from_secs(9), "{behind:?}");
        let lost = clock.lost;
        clock.turned(Instant::now());
        assert_eq!(clock.lost, lost);
    }
}
