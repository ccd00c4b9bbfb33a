//! A terminal's mode, to be given back as it was found.
//!
//! A line editor takes the terminal for itself: no echo, key by key. It gives it back when the line
//! is done. A program that ends while a line is being edited has to do that in the editor's place,
//! or the person's shell finds a terminal that shows nothing of what they type.

use std::io::{self, IsTerminal as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Ends the bracketing of pastes, which the line editor begins, and its line.
const PLAIN_PASTES: &[u8] = b"\x1b[?2004l\n";

/// How the terminal on stdin was found.
#[derive(Debug, Clone)]
pub struct Found(Termios);

impl Found {
    /// Looks at it; `None` if stdin is no terminal. To be called before the line editor starts.
    pub fn now() -> Option<Self> {
        tcgetattr(io::stdin()).ok().map(Self)
    }

    /// Shows nothing of what is typed, until [`forget_typing`](Self::forget_typing).
    pub fn hide_typing(&self) {
        let mut quiet = self.0.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &quiet);
    }

    /// Leaves the mode as it was found, and what was typed meanwhile to nobody.
    pub fn forget_typing(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }

    /// Leaves the terminal as it was found. There is nobody to tell if that cannot be done.
    pub fn give_back(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        let stdout = io::stdout();
        // One that was stopped with Ctrl-S takes nothing, perhaps never again.
        let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        if stdout.is_terminal() && poll(&mut ready, Some(&at_once)).is_ok_and(|n| n > 0) {
            // Past `std`, whose lock on stdout somebody may hold who is stuck.
            let _ = rustix::io::write(&stdout, PLAIN_PASTES);
        }
    }
}
