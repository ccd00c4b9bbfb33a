//! Ctrl-C, and the other wishes to stop, as a flag that every wait looks at.
//!
//! A signal handler may do almost nothing, so it only sets the flag. Whoever waits looks at it
//! (`Interrupt::check`) and returns an error; cleaning up is then ordinary code, done by the
//! same `Drop` that cleans up after any other error.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// What a shell reports for a program that Ctrl-C ended: 128 and the signal's number.
pub const STATUS: u8 = 130;

/// Whether the person wants what is being done to stop. Clones share one flag; the default one is
/// never set by a signal.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that Ctrl-C sets, and so do SIGTERM and a closed terminal. To be called before the
    /// line editor starts, which puts its own handler in front of the one it finds.
    pub fn on_signals() -> io::Result<Self> {
        let set = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Registered first, so run first: a second Ctrl-C finds the flag still set, which
            // means that something is stuck, and ends the program there and then.
            flag::register_conditional_shutdown(signal, STATUS.into(), Arc::clone(&set))?;
            flag::register(signal, Arc::clone(&set))?;
        }
        Ok(Self(set))
    }

    /// Waits for the next command. Nothing is under way meanwhile that would need cleaning up, so
    /// a signal may end the program at once, as a second one would.
    pub(crate) fn idle<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.set();
        let command = wait();
        self.clear();
        command
    }

    /// Whether Ctrl-C was pressed since the last [`clear`](Self::clear).
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the flag, as Ctrl-C would.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Forgets it: the next command is a new wish.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// An error once the flag is set. Its kind is not [`io::ErrorKind::Interrupted`], which all
    /// of `std`'s readers take for "try again".
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_set() { Err(io::Error::other(Stopped)) } else { Ok(()) }
    }
}

/// What [`Interrupt::check`] wraps in its error.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Stopped;

/// Whether this error came from [`Interrupt::check`].
pub(crate) fn is_interrupt(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Stopped>())
}
