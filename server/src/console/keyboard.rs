//! Lines from whoever sits at the terminal, and what came of each, shown to them.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread::Builder;

use common::protocol::Refusal;
use crossbeam_channel::{Receiver, Sender, bounded};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor, ExternalPrinter, Prompt};
use signal_hook::consts::SIGINT;
use signal_hook::low_level::raise;

use super::terminal::Terminal;
use crate::state::{State, Table};

const PROMPT: &str = "ferryd> ";

/// Remembers what was typed for as long as the server runs.
type LineEditor = Editor<(), MemHistory>;

/// An editor, and what shows lines above the one that is edited.
pub(super) fn editor() -> rustyline::Result<(LineEditor, impl ExternalPrinter + Send + 'static)> {
    let config = Config::default();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history)?;
    let screen = editor.create_external_printer()?;
    Ok((editor, screen))
}

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

/// Whoever sits at the terminal, before they are asked.
pub struct Keyboard {
    editor: LineEditor,
    terminal: Terminal,
    table: Arc<Table>,
}

/// The prompt. Its text is asked for when the mode of the terminal has been changed.
struct Taking<'t>(&'t Terminal);

impl Prompt for Taking<'_> {
    fn raw(&self) -> &str {
        self.0.has_taken();
        PROMPT
    }
}

impl Keyboard {
    pub(super) fn new(editor: LineEditor, terminal: Terminal, table: Arc<Table>) -> Self {
        Self { editor, terminal, table }
    }

    /// Begins to ask for lines, until nobody wants to type any more or the terminal is given back.
    /// Not a stop ends that: while it waits for somebody, they can be looked for, and sent away.
    pub fn listen(self) -> io::Result<Receiver<Typed>> {
        let (typed, lines) = bounded(0);
        self.terminal.open_console();
        Builder::new().name("keyboard".into()).spawn(move || self.run(&typed))?;
        Ok(lines)
    }

    fn run(mut self, typed: &Sender<Typed>) {
        let table = Arc::clone(&self.table);
        let _seat = table.seat("keyboard", State::Idle);
        while self.terminal.may_take() {
            let line = self.editor.readline(&Taking(&self.terminal));
            self.terminal.has_left();
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
                    self.terminal.close_console();
                    show("the console is closed; the server goes on, and Ctrl-C stops it");
                    return;
                }
                // Bytes that are no text; the next line may be some.
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {}
                // The terminal is gone.
                Err(_) => break,
            }
        }
        self.terminal.close_console();
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
