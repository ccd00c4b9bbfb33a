//! Under which model the servers of a test run.
//!
//! A check that starts a server says nothing about models. Whoever calls it may say, for the time
//! of one call, how the servers that the calling thread starts are to run their sessions; so one
//! check serves all models.

use std::cell::Cell;

thread_local! {
    static MODEL: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Runs `check` with servers of this model, by its name on the command line.
pub fn under(model: &'static str, check: impl FnOnce()) {
    MODEL.set(Some(model));
    check();
    MODEL.set(None);
}

/// What is to be added to a server's command line.
pub(crate) fn words() -> Vec<&'static str> {
    MODEL.get().map_or_else(Vec::new, |model| vec!["--model", model])
}

/// Whether a server must be a process of its own: it starts its own program anew.
pub(crate) fn needs_its_own_program() -> bool {
    MODEL.get() == Some("process")
}

/// How many threads of its own each session has in a server of this model.
pub fn threads_a_session() -> usize {
    usize::from(!matches!(MODEL.get(), Some("iterative" | "select")))
}
