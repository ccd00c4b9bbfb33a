//! Model *thread*: one operating system thread for each client, as in the lesson.
//!
//! ```text
//! accept ── c01 ── c02 ── c03 …        each runs straight-line, blocking code
//!             └──────┴──────┴── command queue, data queue ──► writer
//! ```
//!
//! The threads live in a [`thread::scope`]: it ends only when every thread in it has ended, so
//! none can be forgotten, and they may borrow what outlives it instead of counting references.

use std::thread::{self, Builder};
use std::time::Duration;

use super::{STACK_BYTES, hold, name};
use crate::listener::{Listener, turn_away};
use crate::roster::Roster;
use crate::seldom::Seldom;
use crate::service::Service;
use crate::state::Table;

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
            let named = Builder::new().name(name(&client));
            let spawned = named.stack_size(STACK_BYTES).spawn_scoped(scope, move || {
                hold(&client, stop, table, service);
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
