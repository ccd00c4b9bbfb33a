//! Model *process*: one process for each client, as inetd and sshd do it.
//!
//! ```text
//! accept ── c01 ── c02 ── c03 …          threads that wait, each for one process
//!            ║      ║      ║             exec of this very program; the socket is standard input
//!          ferryd ferryd ferryd          one session each, with a writer of its own
//!            └──────┴──────┴── locks/claims, the folder: all that they share
//! ```
//!
//! # Why not fork alone
//! The lesson's server calls `fork` and lets the child serve. A child has one thread, the one that
//! called; of all others it has only what they held. Had one of them just locked the allocator or
//! the log, that lock is shut in the child for ever, and so a child of a program with threads may
//! do hardly anything before it calls `exec` (POSIX, `fork`; signal-safety(7)). So the child starts
//! anew: this executable, the same arguments, and the hidden `--session N`. (A settings file is
//! therefore read again for each client.)
//!
//! # What is shared
//! The folder, as between servers that say `--shared-data`: claims hold through the lock files of
//! [`stripes`](crate::stripes). No memory: each process counts its own wrong passwords, none can
//! end another's session, there is no room to talk in, and no table of states but of one process. The
//! console is this process's, and knows of a child only what is known here: its place, and how to cut
//! its connection. The connection is open here, too, until the child has ended; what is shut here is
//! shut there, so a stop reaches a child that does not hear.
//!
//! # Who reaps
//! A thread for each child, which does nothing but wait for it, and keeps its place on the roster
//! meanwhile; so the limits hold, and no child stays a zombie. `SIGCHLD` would come to the process
//! as a whole, one signal for two deaths at times, and somebody would have to find out whose. Beside
//! a process a thread costs next to nothing.

use std::collections::HashMap;
use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

use rustix::process::{
    Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, set_parent_process_death_signal,
};

use super::{STACK_BYTES, hold, name};
use crate::listener::{Admitted, HandedOver, Listener, turn_away};
use crate::roster::{Capacity, Roster};
use crate::seldom::Seldom;
use crate::service::Service;
use crate::state::{self, State, Table};
use crate::stop::Stop;

/// What starts this program anew, also where its file was replaced meanwhile.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// How long a child may take to end whose connection was cut, before it is killed.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// What is on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// Whatever it is, the processes may write to it as well.
    Common,
    /// The console, and a line being typed there. What a process logs is in the log file.
    Console,
}

/// Serves until a stop is asked for, then passes it on, and lets transfers under way finish for
/// `grace`.
pub fn serve(
    listener: &mut Listener,
    roster: &Roster,
    table: &Table,
    grace: Duration,
    screen: Screen,
) {
    let (children, mut troubles) = (&Children::of(listener.stop(), screen), Seldom::default());
    thread::scope(|scope| {
        // LESSON: thread-per-connection once more; but the thread's whole work is to wait for a
        // process.
        while let Some(client) = listener.next(roster) {
            let stream = client.stream.clone();
            let named = Builder::new().name(name(&client)).stack_size(STACK_BYTES);
            let spawned = named.spawn_scoped(scope, move || attend(&client, table, children));
            if let Err(error) = spawned {
                if let Some(unsaid) = troubles.say() {
                    log::error!("cannot start a thread: {error}{unsaid}");
                }
                turn_away(&stream, "the server cannot start another process");
            }
        }
        children.signal(Signal::TERM);
        // Each child lets its session finish for as long; what is left is cut off here.
        roster.dismiss(grace);
        roster.dismiss(LAST_MOMENT);
        children.signal(Signal::KILL);
    });
}

/// Starts the process for a client and waits until it has ended.
fn attend(client: &Admitted<'_>, table: &Table, children: &Children) {
    let seat = table.seat(&name(client), State::Run);
    seat.serves(client.peer);
    client.slot.seated(seat.row());
    // No word of ours may come between those of the process, so who is sent away is cut off: as in
    // the middle of a file.
    let _not_ours = client.slot.in_file();
    let ended = children.start(client).and_then(|mut child| {
        state::works_on("process", &child.id().to_string());
        let ended = child.wait();
        children.lock().remove(&client.session);
        ended
    });
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => log::error!("the process for {} failed: {status}", client.peer),
        Err(error) => {
            log::error!("cannot start a process for {}: {error}", client.peer);
            turn_away(&client.stream, "the server cannot start another process");
        }
    }
}

/// The processes there are.
///
/// LESSON: a process id may be somebody else's a moment after its process was reaped. A pidfd is
/// this process for ever, so a signal through it never meets a stranger.
struct Children {
    by_session: Mutex<HashMap<u64, OwnedFd>>,
    stop: Stop,
    screen: Screen,
}

impl Children {
    fn of(stop: Stop, screen: Screen) -> Self {
        Self { by_session: Mutex::default(), stop, screen }
    }

    fn start(&self, client: &Admitted<'_>) -> io::Result<Child> {
        let socket = OwnedFd::from(client.stream.try_clone()?);
        let mut child = Command::new(OWN_PROGRAM)
            .args(env::args_os().skip(1))
            .args(["--session", &client.session.to_string()])
            .stdin(socket)
            .stderr(match self.screen {
                Screen::Common => Stdio::inherit(),
                Screen::Console => Stdio::null(),
            })
            // A group of its own: Ctrl-C is for the server, which passes it on, once.
            .process_group(0)
            .spawn()?;
        match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(pidfd) => {
                // One that the stop has passed by, because it was not on the list, is told now.
                let mut children = self.lock();
                if self.stop.is_asked() {
                    let _ = pidfd_send_signal(&pidfd, Signal::TERM);
                }
                children.insert(client.session, pidfd);
                drop(children);
                Ok(child)
            }
            Err(error) => {
                let _ = child.kill();
                child.wait()?;
                Err(error.into())
            }
        }
    }

    fn signal(&self, signal: Signal) {
        for pidfd in self.lock().values() {
            // One that has ended is past hearing it.
            let _ = pidfd_send_signal(pidfd, signal);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, OwnedFd>> {
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the child: holds the one session, and ends it when a stop is asked for.
pub fn serve_one(
    client: &HandedOver,
    stop: &Stop,
    table: &Table,
    service: &Service<'_>,
    grace: Duration,
) -> io::Result<()> {
    // If the server dies without a word, so does this, as if it had been told to stop.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let roster = Roster::new(Capacity { places: 1, per_address: None });
    let admitted = client.admit(&roster)?;
    thread::scope(|scope| {
        let named = Builder::new().name(name(&admitted)).stack_size(STACK_BYTES);
        named.spawn_scoped(scope, || {
            hold(&admitted, stop, table, service);
            // The session was all there was to do.
            drop(admitted);
            stop.ask();
        })?;
        stop.wait();
        roster.dismiss(grace);
        Ok(())
    })
}
