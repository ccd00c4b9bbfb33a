//! The console at the terminal that the server was started on: a prompt, and the log above it.
//!
//! ```text
//! keyboard  waits for a line ──Typed──► console  obeys it ──text──► keyboard  shows it
//! journal   ── lines ──► screen   puts them above the line that is being edited
//! ```
//!
//! There is a console only if somebody can use it: stdin, stdout and stderr are terminals, of which
//! the server has the use (`ferryd &` has not: asking for a line would stop it), and which can do
//! more than paper. Else nothing here is begun.
//!
//! # Threads that are not joined
//! `keyboard` waits for a person, who may never press a key again. `screen` waits for the line
//! editor, which in the middle of a search shows nothing of others'. Neither can be woken, and
//! neither holds anything that another waits for: the log goes on without `screen`, the server
//! ends without `keyboard`. All they could leave behind is the mode of the terminal, and that is
//! given back by [`Terminal::give_back`] on every way out.
//!
//! # The moment in which the editor takes the terminal
//! Two must not come between `keyboard`'s last look whether it may ask, and that moment. Who gives
//! the terminal back would have its mode changed behind their back. And `screen`, to which there is no
//! prompt yet, would write behind the one that comes up under its hands. So `keyboard` says that the
//! editor is about to, and the editor itself says when it has: it then asks for the text of the prompt.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use common::terminal::Found;
use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use rustyline::ExternalPrinter;

use super::keyboard::{self, Keyboard};
use crate::journal::{self, Echo};
use crate::state::{State, Table};

/// Lines of the log that may wait to be shown. They are all in its file.
const LINES_MAX: usize = 256;

/// How long to wait for the line editor to take the terminal. Nothing but a terminal that somebody
/// has stopped with Ctrl-S keeps it from that.
const TAKING_TIME: Duration = Duration::from_secs(1);

/// How it stands with the line that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Editing {
    /// There is none.
    No,
    /// The line editor is about to take the terminal.
    Begins,
    /// It has it.
    Yes,
}

/// The terminal, for those who write on it beside the prompt or have to give it back.
#[derive(Debug, Clone)]
pub struct Terminal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    found: Found,
    /// Lines are being asked for. Who ends that, ends it for all.
    asking: AtomicBool,
    editing: Mutex<Editing>,
    /// Signalled when the line editor has the terminal, or will not have it.
    taken: Condvar,
    lines: (Sender<String>, Receiver<String>),
    /// Lines of the log that were not shown for want of room.
    unshown: AtomicU64,
}

impl Terminal {
    /// The terminal and its keyboard, if there is somebody at it who can use a console. Their threads
    /// have rows in `table`.
    pub fn open(table: &Arc<Table>) -> io::Result<Option<(Self, Keyboard)>> {
        let Some(found) = Found::now().filter(|_| is_ours()) else { return Ok(None) };
        // A terminal that cannot go back in its line has no editor.
        let Ok((editor, screen)) = keyboard::editor() else { return Ok(None) };
        let terminal = Self(Arc::new(Shared {
            found,
            asking: AtomicBool::new(false),
            editing: Mutex::new(Editing::No),
            taken: Condvar::new(),
            lines: bounded(LINES_MAX),
            unshown: AtomicU64::new(0),
        }));
        let (shared, rows) = (Arc::clone(&terminal.0), Arc::clone(table));
        Builder::new().name("screen".into()).spawn(move || {
            let _seat = rows.seat("screen", State::WaitQueueEmpty);
            shared.put_above(screen);
        })?;
        Ok(Some((terminal.clone(), Keyboard::new(editor, terminal, Arc::clone(table)))))
    }

    /// Shows lines of the log: above the prompt while there is one, else on stderr.
    pub fn echo(&self) -> Echo {
        let shared = Arc::clone(&self.0);
        Box::new(move |line| {
            if !shared.asking.load(Ordering::SeqCst) {
                journal::to_stderr(line);
            } else if shared.lines.0.try_send(String::from_utf8_lossy(line).into()).is_err() {
                shared.unshown.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Takes the terminal from whoever is asked for a line, if anybody is, and leaves it as it was
    /// found. Nothing is asked any more.
    pub fn give_back(&self) {
        if self.0.asking.swap(false, Ordering::SeqCst) {
            let begins = |editing: &mut Editing| *editing == Editing::Begins;
            drop(self.0.taken.wait_timeout_while(self.0.lock(), TAKING_TIME, begins));
            self.0.found.give_back();
            self.0.show_rest();
        }
    }

    /// From now on lines are asked for, and the log is shown above them.
    pub(super) fn open_console(&self) {
        self.0.asking.store(true, Ordering::SeqCst);
    }

    /// Nothing is asked any more, and the log goes to stderr. The terminal itself is as it was found
    /// whenever no line is being edited.
    pub(super) fn close_console(&self) {
        if self.0.asking.swap(false, Ordering::SeqCst) {
            self.0.show_rest();
        }
    }

    /// Whether a line may be asked for. If so, the editor is about to take the terminal.
    pub(super) fn may_take(&self) -> bool {
        let mut editing = self.0.lock();
        // With the lock: who takes the terminal back asks for it after it has said so.
        let may = self.0.asking.load(Ordering::SeqCst);
        *editing = if may { Editing::Begins } else { Editing::No };
        may
    }

    /// The editor has the terminal.
    pub(super) fn has_taken(&self) {
        self.0.is_edited(Editing::Yes);
    }

    /// It has left it.
    pub(super) fn has_left(&self) {
        self.0.is_edited(Editing::No);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Editing> {
        self.editing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_edited(&self, editing: Editing) {
        *self.lock() = editing;
        self.taken.notify_all();
    }

    /// Shows a line of the log where it belongs now. One that cannot be shown is in the log.
    fn put(&self, screen: &mut impl ExternalPrinter, line: String) {
        let begins = |editing: &mut Editing| *editing == Editing::Begins;
        let editing = self.taken.wait_while(self.lock(), begins);
        let editing = editing.unwrap_or_else(PoisonError::into_inner);
        if *editing == Editing::No {
            // With the lock: no prompt comes up meanwhile. It does not wait.
            journal::to_stderr(line.as_bytes());
        } else {
            drop(editing);
            // May wait until a search has ended.
            let _ = screen.print(line);
        }
    }

    fn put_above(&self, mut screen: impl ExternalPrinter) {
        for line in &self.lines.1 {
            self.put(&mut screen, line);
            if !self.lines.1.is_empty() {
                continue;
            }
            let unshown = self.unshown.swap(0, Ordering::Relaxed);
            if unshown > 0 {
                let unshown = format!("… {unshown} lines not shown; the log has them\n");
                self.put(&mut screen, unshown);
            }
        }
    }

    /// What did not get above the prompt comes behind it.
    fn show_rest(&self) {
        for line in self.lines.1.try_iter() {
            journal::to_stderr(line.as_bytes());
        }
    }
}

/// Whether somebody sits at this terminal, and this process may ask them.
fn is_ours() -> bool {
    io::stdout().is_terminal()
        && io::stderr().is_terminal()
        && tcgetpgrp(io::stdin()).is_ok_and(|foreground| foreground == getpgrp())
}
