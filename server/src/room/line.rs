//! An event as a line, made once for everybody who hears it.

use std::sync::Arc;

use common::room::Event;

/// A line with its `\n`. Everybody's outbox holds the same bytes.
pub(super) type Line = Arc<[u8]>;

/// The line of an event.
pub(super) fn of(event: &Event) -> Line {
    // Plain fields of our own always turn into JSON.
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
