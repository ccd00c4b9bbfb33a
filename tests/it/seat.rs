//! Somebody at the prompt.
//!
//! Goal: a test reads as what a person types and then sees. Method: `ferry` runs on a terminal of
//! its own, and what the screen shows is waited for.

use std::net::SocketAddr;
use std::path::Path;

use harness::{Screen, actor};
use tempfile::TempDir;

use crate::people::stage;

pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_D: &str = "\x04";
pub(crate) const CTRL_R: &str = "\x12";
pub(crate) const UP: &str = "\x1b[A";
pub(crate) const RIGHT: &str = "\x1b[C";
pub(crate) const TAB: &str = "\t";
pub(crate) const ENTER: &str = "\r";

/// Somebody at the prompt: their terminal, and the folder they stand in, which is their home and
/// keeps what their `ferry` remembers.
pub(crate) struct Seat {
    pub(crate) screen: Screen,
    server: SocketAddr,
}

impl Seat {
    /// Starts `ferry` with these words, and waits for its prompt.
    pub(crate) fn take(server: SocketAddr, here: &Path, words: &[&str]) -> Self {
        let seat = Self::begin(server, here, words);
        seat.is_asked("guest", "/library");
        seat
    }

    /// Starts `ferry` with these words.
    pub(crate) fn begin(server: SocketAddr, here: &Path, words: &[&str]) -> Self {
        let mut command = actor::ferry(stage(), server, words);
        command
            .current_dir(here)
            .env("XDG_STATE_HOME", here.join(".state"))
            .env("HOME", here)
            .env("SHELL", "/bin/sh");
        Self { screen: Screen::of(command).unwrap(), server }
    }

    /// The prompt is there, and nothing is typed yet.
    #[track_caller]
    pub(crate) fn is_asked(&self, who: &str, folder: &str) {
        self.screen.line_is(&format!("{who}@{} {folder}>", self.server));
    }

    /// A guest in the library sees this behind the prompt.
    #[track_caller]
    pub(crate) fn line_is(&self, typed: &str) {
        self.screen.line_is(&format!("guest@{} /library> {typed}", self.server));
    }

    #[track_caller]
    pub(crate) fn types(&mut self, keys: &str) {
        self.screen.types(keys);
    }

    /// Leaves with Ctrl-D.
    #[track_caller]
    pub(crate) fn leaves(mut self) {
        self.types(CTRL_D);
        assert!(self.screen.ended().success());
    }
}

pub(crate) fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}
