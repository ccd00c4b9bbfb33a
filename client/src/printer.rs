//! What the program says: results on stdout, talk on stderr, neither through a progress bar.
//!
//! `println!` would panic on a full or closed stdout. A reader who has read enough
//! (`ferry list | head`) is no failure; it ends what is being done, quietly.
//!
//! **Who writes on the terminal, and when.** Lines from the room arrive whenever they like. Whose
//! turn it is decides what becomes of them; a thread of their own puts them there (`arrivals`):
//!
//! | turn                                | who writes        | what arrives                        |
//! |-------------------------------------|-------------------|-------------------------------------|
//! | a line is edited                    | the editor        | the editor puts it above that line  |
//! | a command runs                      | it, past its bars | whole lines, past the same bars     |
//! | a password is asked for, `!` runs   | nobody from here  | waits                               |

mod arrivals;
mod wire;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use common::protocol::Wait;
use indicatif::{MultiProgress, ProgressDrawTarget};
use rustyline::ExternalPrinter;
use serde::Serialize;

pub(crate) use self::arrivals::Arrivals;
use self::arrivals::Delivery;
use crate::columns::size;
use crate::command::Output;
use crate::display;
use crate::error::{Deed, Error};
use crate::progress::{Line, Progress};
use crate::words::{Lang, Talk, Words};

/// Prints. Clones share one terminal.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    output: Output,
    lang: Lang,
    bars: MultiProgress,
    arrivals: Arrivals,
}

/// What puts a text above the line that is edited.
pub(crate) type Editor = Box<dyn ExternalPrinter + Send>;

impl Printer {
    /// For people who read `lang`.
    pub(crate) fn new(output: Output, lang: Lang) -> Self {
        // Bars are for who reads along: not for programs, and not between lines that go elsewhere.
        let for_people = !output.quiet && !output.json;
        let target = if for_people && io::stderr().is_terminal() && io::stdout().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { output, lang, bars, arrivals: Arrivals::default() }
    }

    /// What this is in the language that is read here.
    pub(crate) fn words(&self, words: &impl Words) -> String {
        words.words(self.lang)
    }

    /// Whether results are for a program.
    pub(crate) fn is_json(&self) -> bool {
        self.output.json
    }

    /// Whether only what was asked for is wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.output.quiet
    }

    /// The language that is read here.
    pub(crate) fn lang(&self) -> Lang {
        self.lang
    }

    /// The bars of a command that moves files.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(&self.bars, self.lang)
    }

    /// A result nobody needs who trusts the exit status.
    pub(crate) fn result(&self, line: &str) -> Result<(), Error> {
        if self.output.quiet { Ok(()) } else { self.line(line) }
    }

    /// A line that was asked for.
    pub(crate) fn line(&self, line: &str) -> Result<(), Error> {
        self.stdout(|out| writeln!(out, "{line}"))
    }

    /// An object in a line of its own.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::local(Deed::WriteJson)(error.into()))?;
        self.line(&display::json(&text))
    }

    /// Lets `write` write to stdout, buffered.
    pub(crate) fn stdout(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let written = self.bars.suspend(|| {
            let mut out = BufWriter::new(io::stdout().lock());
            write(&mut out).and_then(|()| out.flush())
        });
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::Closed,
            _ => Error::local(Deed::WriteResults)(error),
        })
    }

    /// Something by the way, for people.
    pub(crate) fn talk(&self, words: &impl Words) {
        if !self.output.quiet {
            self.stderr(self.words(words));
        }
    }

    /// Why something was not done.
    pub(crate) fn complain(&self, words: &impl Words) {
        self.stderr(format_args!("ferry: {}", self.words(words)));
    }

    /// Says who is in the way of an upload, as often as that is heard: on a terminal in one line,
    /// which goes away when the wait is over.
    pub(crate) fn wait_notice(&self) -> impl FnMut(&str, Option<&Wait>) + Send + 'static {
        let (printer, mut row) = (self.clone(), None::<Line>);
        move |path, wait| match wait {
            Some(wait) if printer.bars.is_hidden() => printer.talk(&Talk::busy(path, wait)),
            Some(wait) => {
                let row = row.get_or_insert_with(|| Line::add(&printer.bars));
                row.shows(printer.words(&Talk::busy(path, wait)));
            }
            None => drop(row.take()),
        }
    }

    /// Says that the server keeps one waiting, where a bar would show how far it is, in a line that
    /// goes away when it is over.
    pub(crate) fn lull_notice(&self) -> impl FnMut(Option<Duration>) + Send + 'static {
        let (printer, mut row) = (self.clone(), None::<Line>);
        move |lasts| match lasts {
            Some(time) => {
                let row = row.get_or_insert_with(|| Line::add(&printer.bars));
                row.shows(printer.words(&Talk::Lull { since: time.as_secs() }));
            }
            None => drop(row.take()),
        }
    }

    /// Help that was asked for, or what is wrong with what was typed. Returns the exit status.
    pub(crate) fn parser_answer(&self, answer: &clap::Error) -> u8 {
        if answer.use_stderr() {
            let text = answer.render().to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            self.stderr(format_args!("ferry: {text}"));
            return 2;
        }
        // To stdout, with colour where there is a terminal. A closed one has been read enough.
        let _ = answer.print();
        0
    }

    /// Whose turn it is on the terminal.
    pub(crate) fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Something that nobody asked for just now, in one line that is safe to print. It is not
    /// waited for until it stands there.
    pub(crate) fn arrived(&self, line: &str) {
        self.arrivals.add(line);
    }

    /// Lets `act` have the terminal for itself.
    pub(crate) fn lend<T>(&self, act: impl FnOnce() -> T) -> T {
        self.arrivals.lend(act)
    }

    /// From now on what arrives is put on the terminal: by the editor while a line is edited, if it
    /// can do that here.
    pub(crate) fn show_arrivals(&self, editor: Option<Editor>) -> io::Result<()> {
        let printer = self.clone();
        // Not joined: it may be waiting for an editor that edits no more.
        let named = thread::Builder::new().name("printer".into());
        named.spawn(move || printer.deliver(editor)).map(drop)
    }

    fn deliver(&self, mut editor: Option<Editor>) {
        loop {
            let Delivery { mut text, missed, by_editor } = self.arrivals.next();
            if missed > 0 {
                text.push_str(&self.words(&Talk::TooFast { count: missed }));
                text.push('\n');
            }
            match &mut editor {
                Some(editor) if by_editor => {
                    if editor.print(text).is_err() {
                        return;
                    }
                }
                _ => {
                    // Who reads no results any more reads none of this.
                    let _ = self.stdout(|out| out.write_all(text.as_bytes()));
                    self.arrivals.written();
                }
            }
        }
    }

    /// How many columns there are for what is said, if that goes to a terminal.
    fn columns() -> Option<usize> {
        size(io::stderr()).map(|(columns, _)| columns)
    }

    /// There is nobody to tell that stderr is closed.
    fn stderr(&self, text: impl Display) {
        let _ = self.bars.suspend(|| writeln!(io::stderr().lock(), "{text}"));
    }
}
