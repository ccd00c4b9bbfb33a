//! The models: how sessions are run. All have the same handlers and the same protocol, and a client
//! cannot tell them apart but by waiting. Each stands in a file of its own:
//!
//! ```text
//! iterative   one client at a time                 who comes second waits for who came first
//! process     a process for each, by exec          they share the folder, and no memory
//! select      one thread for all, non-blocking     nobody waits for a client, all for the disk
//! thread      a thread for each                    the product: nobody waits for a stranger
//! ```

pub mod iterative;
pub mod process;
pub mod select;
pub mod thread;

use std::panic::{self, AssertUnwindSafe};

use crate::listener::Admitted;
use crate::service::Service;
use crate::session;
use crate::state::{self, State, Table};
use crate::stop::Stop;

/// A session needs little stack: buffers live on the heap. The deepest thing on it is the JSON
/// parser, which follows a peer's brackets 128 levels down and then refuses; unoptimised that
/// takes a third of a mebibyte. Stack that is not touched costs no memory.
const STACK_BYTES: usize = 1024 * 1024;

fn name(client: &Admitted<'_>) -> String {
    state::called(client.session).to_string()
}

/// Holds a session in the calling thread, from its first line to its last. A panic in it ends this
/// session only.
fn hold(client: &Admitted<'_>, stop: &Stop, table: &Table, service: &Service<'_>) {
    let seat = table.seat(&name(client), State::Run);
    seat.serves(client.peer);
    client.slot.seated(seat.row());
    let session = AssertUnwindSafe(|| session::hold(client, service, stop, table));
    if panic::catch_unwind(session).is_err() {
        log::error!("the session of {} panicked and was ended", client.peer);
    }
}
