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
//! Who gives it back must not come between `keyboard`'s last look whether it may ask, and the moment
//! in which the line editor takes the terminal: the mode would be changed behind their back. So
//! `keyboard` says that it is about to, and the editor itself says when it has: it then asks for the
//! text of the prompt.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use common::protocol::Refusal;
use common::terminal::Found;
use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor, ExternalPrinter, Prompt};
use signal_hook::consts::SIGINT;
use signal_hook::low_level::raise;

use crate::journal::{self, Echo};

const PROMPT: &str = "ferryd> ";

/// Lines of the log that may wait to be shown. They are all in its file.
const LINES_MAX: usize = 256;

/// How long to wait for the line editor to take the terminal. Nothing but a terminal that somebody
/// has stopped with Ctrl-S keeps it from that.
const TAKING_TIME: Duration = Duration::from_secs(1);

/// A line that was typed at the console.
#[derive(Debug)]
pub struct Typed {
    /// The line.
    pub line: String,
    answer: Sender<String>,
}

impl Typed {
    /// Has it shown what came of the line.
    pub fn answer(self, told: Result<String, Refusal>) {
        let text = told.unwrap_or_else(|refusal| refusal.message);
        // Who typed it may have left.
        let _ = self.answer.send(text);
    }
}

/// The terminal, for those who write on it beside the prompt or have to give it back.
#[derive(Debug, Clone)]
pub struct Terminal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    found: Found,
    /// Lines are being asked for. Who ends that, ends it for all.
    asking: AtomicBool,
    /// The line editor is about to take the terminal.
    taking: Mutex<bool>,
    /// Signalled when it has.
    taken: Condvar,
    lines: (Sender<String>, Receiver<String>),
    /// Lines of the log that were not shown for want of room.
    unshown: AtomicU64,
}

/// The line editor, before it begins to ask.
pub struct Keyboard {
    editor: Editor<(), MemHistory>,
    terminal: Terminal,
}

impl Terminal {
    /// The terminal and its keyboard, if there is somebody at it who can use a console.
    pub fn open() -> io::Result<Option<(Self, Keyboard)>> {
        let Some(found) = Found::now().filter(|_| is_ours()) else { return Ok(None) };
        let config = Config::default();
        let history = MemHistory::with_config(&config);
        let opened = Editor::with_history(config, history)
            .and_then(|mut editor| editor.create_external_printer().map(|screen| (editor, screen)));
        // A terminal that cannot go back in its line.
        let Ok((editor, screen)) = opened else { return Ok(None) };
        let terminal = Self(Arc::new(Shared {
            found,
            asking: AtomicBool::new(false),
            taking: Mutex::new(false),
            taken: Condvar::new(),
            lines: bounded(LINES_MAX),
            unshown: AtomicU64::new(0),
        }));
        let shared = Arc::clone(&terminal.0);
        Builder::new().name("screen".into()).spawn(move || shared.put_above(screen))?;
        Ok(Some((terminal.clone(), Keyboard { editor, terminal })))
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
            self.0.wait_until_taken();
            self.0.found.give_back();
            self.0.show_rest();
        }
    }
}

impl Shared {
    /// Whether a line may be asked for. If so, the editor is about to take the terminal.
    fn may_take(&self) -> bool {
        let mut taking = self.lock();
        *taking = self.asking.load(Ordering::SeqCst);
        *taking
    }

    /// The editor has the terminal, or had it.
    fn has_taken(&self) {
        *self.lock() = false;
        self.taken.notify_one();
    }

    fn wait_until_taken(&self) {
        let waited = self.taken.wait_timeout_while(self.lock(), TAKING_TIME, |taking| *taking);
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_above(&self, mut screen: impl ExternalPrinter) {
        for line in &self.lines.1 {
            // May wait until a search has ended. A line that cannot be shown is in the log.
            let _ = screen.print(line);
            if !self.lines.1.is_empty() {
                continue;
            }
            let unshown = self.unshown.swap(0, Ordering::Relaxed);
            if unshown > 0 {
                let _ = screen.print(format!("… {unshown} lines not shown; the log has them\n"));
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

/// The prompt. Its text is asked for when the mode of the terminal has been changed.
struct Taking<'t>(&'t Shared);

impl Prompt for Taking<'_> {
    fn raw(&self) -> &str {
        self.0.has_taken();
        PROMPT
    }
}

impl Keyboard {
    /// Begins to ask for lines, until nobody wants to type any more or the terminal is given back.
    /// Not a stop ends that: while it waits for somebody, they can be looked for, and sent away.
    pub fn listen(self) -> io::Result<Receiver<Typed>> {
        let (typed, lines) = bounded(0);
        self.terminal.0.asking.store(true, Ordering::SeqCst);
        Builder::new().name("keyboard".into()).spawn(move || self.run(&typed))?;
        Ok(lines)
    }

    fn run(mut self, typed: &Sender<Typed>) {
        let shared = Arc::clone(&self.terminal.0);
        while shared.may_take() {
            let line = self.editor.readline(&Taking(&shared));
            // Also if it did not get so far.
            shared.has_taken();
            match line {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => {
                    let _ = self.editor.add_history_entry(&line);
                    let Some(text) = ask(typed, line) else { break };
                    show(&text);
                }
                Err(ReadlineError::Interrupted) => {
                    // The editor has kept it from those who wait for it.
                    let _ = raise(SIGINT);
                }
                Err(ReadlineError::Eof) => {
                    self.close();
                    show("the console is closed; the server goes on, and Ctrl-C stops it");
                    return;
                }
                // Bytes that are no text; the next line may be some.
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {}
                // The terminal is gone.
                Err(_) => break,
            }
        }
        self.close();
    }

    /// The log goes back to stderr. The terminal itself is as it was found whenever no line is
    /// being edited.
    fn close(&self) {
        if self.terminal.0.asking.swap(false, Ordering::SeqCst) {
            self.terminal.0.show_rest();
        }
    }
}

/// What came of a line; `None` when nobody obeys any more.
fn ask(typed: &Sender<Typed>, line: String) -> Option<String> {
    let (answer, answered) = bounded(1);
    typed.send(Typed { line, answer }).ok()?;
    answered.recv().ok()
}

/// There is nobody to tell that the terminal is gone.
fn show(text: &str) {
    if !text.is_empty() {
        let _ = writeln!(io::stdout(), "{text}");
    }
}
