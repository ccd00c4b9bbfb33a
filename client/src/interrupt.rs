//! Ctrl-C, and the other wishes to stop, as a flag that every wait looks at.
//!
//! A signal handler may do almost nothing, so it only sets the flag. Whoever waits looks at it
//! (`Interrupt::check`) and returns an error; cleaning up is then ordinary code, done by the
//! same `Drop` that cleans up after any other error.
//!
//! Ctrl-C stops a command. SIGTERM and a closed terminal stop the program as well, wherever it
//! waits, also for a key that may never come: so a thread of their own waits for these two, and
//! gives the terminal back as it was.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use common::terminal::Found;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{SigId, flag, low_level};

/// What a shell reports for a program that Ctrl-C ended: 128 and the signal's number.
pub const STATUS: u8 = 130;

/// Whether the person wants what is being done to stop. Clones share one flag; the default one is
/// never set by a signal.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    stop: Arc<AtomicBool>,
    /// The program is to end, too.
    end: AtomicBool,
    /// A person is being asked. Held while the program ends for it: nobody gets to change the
    /// terminal's mode again behind the one who gives it back.
    asking: Mutex<bool>,
    /// What listens for Ctrl-C.
    ears: Mutex<Vec<SigId>>,
}

impl Interrupt {
    /// A flag that Ctrl-C sets, and so do SIGTERM and a closed terminal. To be called before the
    /// line editor starts, which puts its own handler in front of the one it finds, and changes
    /// the mode of the terminal.
    pub fn on_signals() -> io::Result<Self> {
        let interrupt = Self::default();
        interrupt.listen()?;
        let mut signals = Signals::new([SIGTERM, SIGHUP])?;
        let (told, terminal) = (interrupt.clone(), Found::now());
        // Not joined: it waits until the program ends.
        thread::Builder::new().name("signals".into()).spawn(move || {
            for _ in signals.forever() {
                told.finish(terminal.as_ref());
            }
        })?;
        Ok(interrupt)
    }

    fn listen(&self) -> io::Result<()> {
        let stop = &self.0.stop;
        // Registered first, so run first: a second Ctrl-C finds the flag still set, which means
        // that something is stuck, and ends the program there and then.
        let stuck = flag::register_conditional_shutdown(SIGINT, STATUS.into(), Arc::clone(stop))?;
        let heard = flag::register(SIGINT, Arc::clone(stop))?;
        lock(&self.0.ears).extend([stuck, heard]);
        Ok(())
    }

    /// The program is to end: at once if it only waits for a person, or was told before; else as
    /// soon as what is being done has come to its end.
    fn finish(&self, terminal: Option<&Found>) {
        let asking = lock(&self.0.asking);
        let told_before = self.0.end.swap(true, Ordering::SeqCst);
        if *asking || told_before {
            if let Some(terminal) = terminal {
                terminal.give_back();
            }
            low_level::exit(STATUS.into());
        }
        self.set();
    }

    /// Waits for the next command. Nothing is under way meanwhile that would need cleaning up, so
    /// a signal may end the program at once, as a second one would.
    pub(crate) fn idle<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.set();
        let command = self.asking(wait);
        self.clear();
        command
    }

    /// Waits for a person who is asked something while the terminal is not in its usual mode.
    /// Ctrl-C is for whoever asks; the other signals end the program, and the mode comes back.
    pub(crate) fn asking<T>(&self, wait: impl FnOnce() -> T) -> T {
        *lock(&self.0.asking) = true;
        let answer = wait();
        *lock(&self.0.asking) = false;
        answer
    }

    /// Waits for another program, which the terminal's Ctrl-C is meant for: a shell would not end
    /// with it either.
    pub(crate) fn deaf<T>(&self, wait: impl FnOnce() -> T) -> io::Result<T> {
        // The handler itself stays, and does nothing. The other program does not inherit it.
        for ear in lock(&self.0.ears).drain(..) {
            low_level::unregister(ear);
        }
        let answer = wait();
        self.listen()?;
        Ok(answer)
    }

    /// Whether the program is to end, and not only what it is doing.
    pub(crate) fn is_over(&self) -> bool {
        self.0.end.load(Ordering::SeqCst)
    }

    /// Whether Ctrl-C was pressed since the last [`clear`](Self::clear), or the program is to end.
    pub fn is_set(&self) -> bool {
        self.0.stop.load(Ordering::Relaxed) || self.is_over()
    }

    /// Sets the flag, as Ctrl-C would.
    pub fn set(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    /// Forgets it: the next command is a new wish.
    pub fn clear(&self) {
        self.0.stop.store(false, Ordering::Relaxed);
    }

    /// An error once the flag is set. Its kind is not [`io::ErrorKind::Interrupted`], which all
    /// of `std`'s readers take for "try again".
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_set() { Err(io::Error::other(Stopped)) } else { Ok(()) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What [`Interrupt::check`] wraps in its error.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Stopped;

/// Whether this error came from [`Interrupt::check`].
pub(crate) fn is_interrupt(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Stopped>())
}
