//! Lines from a person, or from whatever stands in for one on stdin.

use std::io;
use std::path::PathBuf;

use rustyline::config::Config;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Editor, Prompt};

use crate::command::marked;
use crate::complete::Adviser;
use crate::error::{Deed, Error};
use crate::interrupt::Interrupt;
use crate::link::Lookout;
use crate::printer::{self, Arrivals, Printer};

/// How many lines are remembered.
const HISTORY_LINES: usize = 1000;

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Line(String),
    /// Ctrl-C: forget the question.
    Never,
    /// Ctrl-D: there is no more to come.
    End,
}

/// Asks, and lets the answer be edited while it is typed.
#[derive(Debug)]
pub(crate) struct Terminal {
    editor: Editor<Adviser, FileHistory>,
    interrupt: Interrupt,
    /// Where answers are kept for the next time.
    history: Option<PathBuf>,
    arrivals: Arrivals,
}

/// A question that tells when it is drawn: with the terminal ready, and with each drawing anew of
/// the line that is edited behind it.
struct Question<'a> {
    text: &'a str,
    arrivals: &'a Arrivals,
}

impl Prompt for Question<'_> {
    fn raw(&self) -> &str {
        self.arrivals.line_drawn();
        self.text
    }
}

impl Terminal {
    /// Nothing is remembered and nothing completed, as suits answers to different questions.
    pub(crate) fn new(interrupt: Interrupt) -> Result<Self, Error> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY_LINES)
            .map_err(terminal_error)?
            .build();
        let editor = Editor::with_config(config).map_err(terminal_error)?;
        Ok(Self { editor, interrupt, history: None, arrivals: Arrivals::default() })
    }

    /// From now on what arrives is shown above the answer while that is typed.
    pub(crate) fn show_arrivals(&mut self, printer: &Printer) -> Result<(), Error> {
        let editor = self.editor.create_external_printer().ok();
        let editor = editor.map(|editor| Box::new(editor) as printer::Editor);
        self.arrivals = printer.arrivals().clone();
        printer.show_arrivals(editor).map_err(Error::local(Deed::ReadTerminal))
    }

    /// From now on the answers are commands: completed by `adviser`, and remembered, in the file
    /// `history` if there is one.
    pub(crate) fn advise(&mut self, adviser: Adviser, history: Option<PathBuf>) {
        self.editor.set_helper(Some(adviser));
        if let Some(file) = &history {
            // The first time there is none yet.
            let _ = self.editor.load_history(file);
        }
        self.history = history;
    }

    /// Tells the adviser where the next command will be given, and whether the next line is said in
    /// the room unless it is marked as a command.
    pub(crate) fn look_from(&mut self, lookout: Option<Lookout>, chatting: bool) {
        if let Some(adviser) = self.editor.helper_mut() {
            adviser.look_from(lookout, chatting);
        }
    }

    pub(crate) fn ask(&mut self, question: &str) -> Result<Answer, Error> {
        if self.interrupt.is_over() {
            return Err(Error::Interrupted);
        }
        let (editor, arrivals) = (&mut self.editor, &self.arrivals);
        let question = Question { text: question, arrivals };
        arrivals.line_begins();
        let answer = self.interrupt.idle(|| editor.readline(&question));
        arrivals.line_ends();
        match answer {
            Ok(line) => {
                self.remember(&line);
                Ok(Answer::Line(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Answer::Never),
            Err(ReadlineError::Eof) => Ok(Answer::End),
            // Bytes that are no text answer nothing; the next line may.
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Answer::Never)
            }
            Err(error) => Err(terminal_error(error)),
        }
    }

    /// Keeps a command for the next time too. A history that cannot be kept is not worth a word.
    fn remember(&mut self, line: &str) {
        // What is said in the room is nobody's business the next day.
        let is_command = self.editor.helper().is_some_and(|adviser| !adviser.is_chatting());
        if !is_command || line.trim().is_empty() || may_hold_a_password(line) {
            return;
        }
        let _ = self.editor.add_history_entry(line);
        if let Some(file) = &self.history {
            // Appended under a lock after each line: several prompts may be open at once.
            let _ = self.editor.append_history(file);
        }
    }
}

/// Nobody is asked to type a password behind these commands, but some will.
fn may_hold_a_password(line: &str) -> bool {
    let mut words = marked(line).unwrap_or(line).split_whitespace();
    match words.next() {
        Some("register" | "login") => words.count() > 1,
        Some("passwd") => words.count() > 0,
        _ => false,
    }
}

fn terminal_error(error: ReadlineError) -> Error {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => io::Error::other(other),
    };
    Error::local(Deed::ReadTerminal)(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_typed_where_none_belongs_is_not_remembered() {
        for line in ["register xiaoyu 123456", " login xiaoyu 123456", "passwd 123456 654321"] {
            for line in [line, &format!("/{line}"), &format!(" /{line}")] {
                assert!(may_hold_a_password(line), "{line}");
            }
        }
        for line in ["register xiaoyu", "login xiaoyu", "/login xiaoyu", "passwd", "put a b", ""] {
            assert!(!may_hold_a_password(line), "{line}");
        }
    }
}
