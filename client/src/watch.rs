//! The live screen: the server's state table, drawn anew as often as it comes.
//!
//! It is drawn on the terminal's other screen, so what stood on the terminal stands there again when
//! the watching ends, whichever way it ends: [`Canvas`] gives the terminal back when it is dropped.
//! Nothing is drawn but whole pictures, each over the one before, line by line: nothing flickers.
//!
//! `picture` turns a table into lines and knows no terminal.

mod picture;

use std::env;
use std::io;

use common::terminal::Found;
use common::watch::Table;

pub(crate) use self::picture::Look;
use crate::columns::size;
use crate::error::Error;
use crate::glyphs::Glyphs;
use crate::printer::Printer;
use crate::words::Lang;

/// The other screen, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// What is drawn on where there is no terminal: the size of a lesson's projector.
const COLUMNS: usize = 100;

/// A table as text, for a pipe or a terminal that scrolls.
pub(crate) fn text(table: &Table, server: &str, lang: Lang) -> String {
    let width = size(io::stdout()).map_or(COLUMNS, |(columns, _)| columns);
    let look = Look { width, height: None, colour: false, glyphs: Glyphs::here(), lang };
    picture::lines(table, server, look).join("\n")
}

/// The terminal's other screen, until it is dropped.
pub(crate) struct Canvas<'p> {
    printer: &'p Printer,
    server: String,
    lang: Lang,
    colour: bool,
    glyphs: Glyphs,
    /// How the keyboard was found: what is typed would otherwise be seen in the picture.
    keyboard: Option<Found>,
}

impl<'p> Canvas<'p> {
    /// Goes there.
    pub(crate) fn enter(printer: &'p Printer, server: String, lang: Lang) -> Result<Self, Error> {
        let keyboard = Found::now();
        // no-color.org: set, and to something.
        let colour = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let canvas = Self { printer, server, lang, colour, glyphs: Glyphs::here(), keyboard };
        if let Some(keyboard) = &canvas.keyboard {
            keyboard.hide_typing();
        }
        printer.stdout(|out| out.write_all(ENTER.as_bytes()))?;
        Ok(canvas)
    }

    /// Draws a table over what was drawn before.
    pub(crate) fn draw(&self, table: &Table) -> Result<(), Error> {
        let (width, rows) = size(io::stdout()).unwrap_or((COLUMNS, usize::MAX));
        let Self { colour, glyphs, lang, .. } = *self;
        let look = Look { width, height: Some(rows), colour, glyphs, lang };
        let lines = picture::lines(table, &self.server, look);
        // Each line wipes what is left of the one below it; the last wipes all below.
        let picture = lines.join("\x1b[K\r\n");
        self.printer.stdout(|out| write!(out, "\x1b[H{picture}\x1b[K\x1b[J"))
    }
}

impl Drop for Canvas<'_> {
    fn drop(&mut self) {
        // There is nobody to tell that the terminal is gone.
        let _ = self.printer.stdout(|out| out.write_all(LEAVE.as_bytes()));
        if let Some(keyboard) = &self.keyboard {
            keyboard.forget_typing();
        }
    }
}
