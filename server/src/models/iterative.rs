//! Model *iterative*: one client at a time, as a server is when nothing else is known yet.
//!
//! ```text
//! accept ── c01, to its end ── accept ── c02, to its end …
//!             └── command queue, data queue ──► writer
//! ```
//!
//! Whoever else connects is in the kernel's backlog: its connection stands, and nobody speaks to
//! it. Connected is not served. So one client that does nothing holds up all others, until the
//! deadline for its next request (`--idle-timeout`). The code is the thread model's without its
//! thread, and that is the lesson: what it costs to wait for one client is paid by all.

use std::io;
use std::thread::{self, Builder};
use std::time::Duration;

use super::hold;
use crate::listener::Listener;
use crate::roster::Roster;
use crate::service::Service;
use crate::state::{State, Table};

/// Serves one client after the other until a stop is asked for, then lets a transfer under way
/// finish for `grace`.
pub fn serve(
    listener: &mut Listener,
    roster: &Roster,
    table: &Table,
    service: &Service<'_>,
    grace: Duration,
) -> io::Result<()> {
    let stop = &listener.stop();
    thread::scope(|scope| {
        // The one thread there is may be waiting for its client when a stop is asked for. Somebody
        // else must wake it.
        Builder::new().name("stopper".into()).spawn_scoped(scope, || {
            let _seat = table.seat("stopper", State::Idle);
            stop.wait();
            roster.dismiss(grace);
        })?;
        // LESSON: wait for a client, serve it to its end, wait for the next.
        while let Some(client) = listener.next(roster) {
            // Who got on the roster behind the stopper's look at it was let in too late.
            if !stop.is_asked() {
                hold(&client, stop, table, service);
            }
        }
        Ok(())
    })
}
