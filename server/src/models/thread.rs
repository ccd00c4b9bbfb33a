//! Model *thread*: one operating system thread for each client, as in the lesson.
//!
//! ```text
//! accept ── c01 ── c02 ── c03 …        each runs straight-line, blocking code
//!             └──────┴──────┴── command queue, data queue ──► writer
//! ```
//!
//! The threads live in a [`thread::scope`]: it ends only when every thread in it has ended, so
//! none can be forgotten, and they may borrow what outlives it instead of counting references.

use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, Builder};
use std::time::Duration;

use crate::listener::{Admitted, Listener, turn_away};
use crate::roster::Roster;
use crate::seldom::Seldom;
use crate::service::Service;
use crate::session;
use crate::state::{State, Table};
use crate::stop::Stop;

/// What this model is called.
pub const NAME: &str = "thread";

/// A session needs little stack: buffers live on the heap. The deepest thing on it is the JSON
/// parser, which follows a peer's brackets 128 levels down and then refuses; unoptimised that
/// takes a third of a mebibyte. Stack that is not touched costs no memory.
const STACK_BYTES: usize = 1024 * 1024;

/// Serves until a stop is asked for, then lets transfers under way finish for `grace`.
pub fn serve(
    listener: &mut Listener,
    roster: &Roster,
    table: &Table,
    service: &Service<'_>,
    grace: Duration,
) {
    let stop = &listener.stop();
    let mut troubles = Seldom::default();
    thread::scope(|scope| {
        // LESSON: the whole of thread-per-connection is these lines: wait for a client, give it a
        // thread, wait for the next.
        while let Some(client) = listener.next(roster) {
            let stream = client.stream.clone();
            let named = Builder::new().name(format!("c{:02}", client.session));
            let spawned = named.stack_size(STACK_BYTES).spawn_scoped(scope, move || {
                run(&client, stop, table, service);
            });
            if let Err(error) = spawned {
                if let Some(unsaid) = troubles.say() {
                    log::error!("cannot start a thread: {error}{unsaid}");
                }
                turn_away(&stream, "the server cannot start another thread");
            }
        }
        roster.dismiss(grace);
    });
}

/// A session's thread from its first line to its last. A panic in it ends this session only.
fn run(client: &Admitted<'_>, stop: &Stop, table: &Table, service: &Service<'_>) {
    let seat = table.seat(&format!("c{:02}", client.session), State::Run);
    seat.serves(client.peer);
    client.slot.seated(seat.row());
    let session = AssertUnwindSafe(|| session::hold(client, service, stop, table));
    if panic::catch_unwind(session).is_err() {
        log::error!("the session of {} panicked and was ended", client.peer);
    }
}
