//! A terminal's mode, to be given back as it was found.
//!
//! A line editor takes the terminal for itself: no echo, key by key. It gives it back when the line
//! is done. A program that ends while a line is being edited has to do that in the editor's place,
//! or the person's shell finds a terminal that shows nothing of what they type.

use std::io::{self, IsTerminal as _};

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
        if io::stdout().is_terminal() {
            // Past `std`, whose lock on stdout somebody may hold who is stuck.
            let _ = rustix::io::write(io::stdout(), PLAIN_PASTES);
        }
    }
}
