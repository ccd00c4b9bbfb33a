//! The lines of `--wire`, on their way to stderr.
//!
//! What the connection of the commands brings and takes is written at once, by the thread that reads
//! or sends: so it stands in order with what the command itself says. What the room's does, whenever
//! it likes, arrives as all that is heard there does; it has a mark in front, for the two are two
//! conversations.

use std::io::{self, IsTerminal as _};

use super::Printer;
use crate::columns::cut;
use crate::glyphs::Glyphs;
use crate::tap::{Onlooker, Passed, Way};
use crate::words::{OnWire, Words as _};

impl Printer {
    /// Whether what goes over the wire is shown.
    pub(crate) fn shows_wire(&self) -> bool {
        self.output.wire
    }

    /// Who is shown what goes over the connection of the commands.
    pub(crate) fn onlooker(&self) -> Onlooker {
        self.onlooker_who(|printer, line| printer.stderr(fitting(line)))
    }

    /// Who is shown what goes over the connection of the room.
    pub(crate) fn onlooker_on_room(&self) -> Onlooker {
        let mark = OnWire::Room.words(self.lang);
        self.onlooker_who(move |printer, line| {
            let line = fitting(&format!("{mark} {line}"));
            // Only on a terminal is there a line being typed.
            if io::stderr().is_terminal() {
                printer.arrived(&line);
            } else {
                printer.stderr(line);
            }
        })
    }

    fn onlooker_who(&self, tell: impl Fn(&Self, &str) + Send + Sync + 'static) -> Onlooker {
        if !self.output.wire {
            return Onlooker::default();
        }
        let printer = self.clone();
        Onlooker::new(move |way, passed| tell(&printer, &printer.on_wire(way, passed)))
    }

    fn on_wire(&self, way: Way, passed: Passed<'_>) -> String {
        let Glyphs { from, to, .. } = Glyphs::here();
        let arrow = if way == Way::Out { to } else { from };
        match passed {
            Passed::Line(line) => format!("{arrow} {line}"),
            Passed::Body(bytes) => format!("{arrow} {}", OnWire::Bytes(bytes).words(self.lang)),
        }
    }
}

/// As much of a line as the terminal shows in one; all of it elsewhere.
fn fitting(line: &str) -> String {
    match Printer::columns() {
        Some(columns) => cut(line, columns, Glyphs::here().cut),
        None => line.to_owned(),
    }
}
