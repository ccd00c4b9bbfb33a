//! A person at a terminal: what they type, and what they see.
//!
//! The program runs on a pty of its own. A thread reads what it writes and keeps both: every byte,
//! and the screen that a terminal would show. The program leads the terminal's session, and Linux may
//! throw away what the leader wrote last before it ended: no test should wait for its last words.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pty_process::Size;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::termios::{LocalModes, tcgetattr};

use crate::{PATIENCE, eventually};

/// A usual terminal: so many rows and columns.
const SIZE: (u16, u16) = (24, 80);

/// A program on a terminal. Killed when dropped.
#[derive(Debug)]
pub struct Screen {
    child: Child,
    keyboard: File,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
}

struct Seen {
    bytes: Vec<u8>,
    terminal: vt100::Parser,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

impl Screen {
    /// Starts `command` on a terminal of 24 rows and 80 columns.
    pub fn of(command: Command) -> io::Result<Self> {
        Self::sized(command, SIZE)
    }

    /// Starts `command` on a terminal of so many rows and columns.
    pub fn sized(mut command: Command, (rows, columns): (u16, u16)) -> io::Result<Self> {
        let (pty, pts) = pty_process::blocking::open().map_err(io::Error::other)?;
        pty.resize(Size::new(rows, columns)).map_err(io::Error::other)?;
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let child = pty_process::blocking::Command::from(command);
        let child = child.spawn(pts).map_err(io::Error::other)?;
        let keyboard = File::from(OwnedFd::from(pty));
        let lines = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        let terminal = vt100::Parser::new(lines(rows), lines(columns), 1000);
        let seen = Arc::new(Mutex::new(Seen { bytes: Vec::new(), terminal }));
        let (output, shared) = (keyboard.try_clone()?, Arc::clone(&seen));
        let reader = Some(thread::spawn(move || watch(output, &shared)));
        Ok(Self { child, keyboard, seen, reader })
    }

    /// Presses these keys.
    #[track_caller]
    pub fn types(&mut self, keys: &str) {
        assert!(self.keyboard.write_all(keys.as_bytes()).is_ok(), "nobody reads {keys:?}");
    }

    /// Waits until the screen shows `text`. A line that the terminal folds counts as one.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.waits_for(&format!("{text:?}"), |shown| shown.contains(text));
    }

    /// Waits until the line the cursor is in says exactly this, but for spaces at its end.
    #[track_caller]
    pub fn line_is(&self, text: &str) {
        self.waits_for(&format!("as its last line, {text:?}"), |shown| {
            shown.lines().last().is_some_and(|line| line.trim_end() == text.trim_end())
        });
    }

    /// Presses Ctrl-L, which leaves nothing on the screen but the line that is edited.
    #[track_caller]
    pub fn wipes(&mut self) {
        self.types("\x0c");
        self.waits_for("single line", |shown| shown.trim().lines().count() <= 1);
    }

    #[track_caller]
    fn waits_for(&self, what: &str, condition: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&self.text()) {
            // A screen says more of what went wrong than that it is still not so.
            assert!(Instant::now() < deadline, "{what} is not on the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.seen().terminal.screen().contents().trim_end_matches('\n').to_owned()
    }

    /// Whether a program has taken the terminal's other screen, and its cursor with it.
    pub fn is_taken(&self) -> bool {
        let seen = self.seen();
        let screen = seen.terminal.screen();
        screen.alternate_screen() || screen.hide_cursor()
    }

    /// Every byte that was written to it, as text.
    pub fn transcript(&self) -> String {
        String::from_utf8_lossy(&self.seen().bytes).into_owned()
    }

    /// Whether the terminal shows what is typed, and hands it on by lines, as a shell expects it.
    pub fn is_as_a_shell_expects(&self) -> io::Result<bool> {
        let usual = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        Ok(tcgetattr(&self.keyboard)?.local_modes.contains(usual))
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Sends the program, and those it has started, a signal.
    pub fn signal_all(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process_group(Pid::from_child(&self.child), signal)?)
    }

    /// Waits until the program has ended by itself.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the program has ended", || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        });
        status.unwrap_or_default()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Reads until nobody has the terminal open any more.
fn watch(mut output: File, seen: &Mutex<Seen>) {
    let mut piece = [0; 4096];
    loop {
        match output.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => {
                let mut seen = lock(seen);
                let bytes = piece.get(..count).unwrap_or_default();
                seen.bytes.extend_from_slice(bytes);
                seen.terminal.process(bytes);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // EIO: the last has closed it.
            Err(_) => return,
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
