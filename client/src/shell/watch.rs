//! What the server is doing: once, again and again, or as a live screen.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use common::watch::{Every, Table};

use super::Shell;
use super::report::Report;
use crate::client::Client;
use crate::command::Watch;
use crate::error::Error;
use crate::watch::{self, Canvas};

/// How often a screen is drawn, in seconds.
const LIVE: f64 = 0.25;

impl Shell<'_> {
    /// Live on a terminal, until Ctrl-C; elsewhere once, unless a time between two was given.
    pub(super) fn watch(&mut self, watch: &Watch, report: &mut Report) -> Result<(), Error> {
        let for_people = !self.printer.is_json() && !self.printer.is_quiet();
        // Who wants to see the lines has no use for a screen that is drawn over them.
        let drawn = for_people && !self.printer.shows_wire();
        let live = drawn && io::stdout().is_terminal();
        let live_every = || Every::try_from(LIVE).ok().filter(|_| live);
        if let Some(every) = watch.every.or_else(live_every).filter(|_| !watch.once) {
            self.keep_watching(every, live, report)?;
        } else {
            let table = self.link.client()?.table()?;
            self.show_table(&table, report)?;
        }
        report.shown("");
        Ok(())
    }

    fn keep_watching(&mut self, every: Every, live: bool, report: &Report) -> Result<(), Error> {
        self.link.client()?.begin_watch(every)?;
        let printer = self.printer.clone();
        let mut watch_on = || self.watch_on(every.time(), live, report);
        // What arrives from the room waits until the screen is given back.
        let ended = if live { printer.lend(watch_on) } else { watch_on() };
        match ended {
            // Ctrl-C is the way to end it, and the session goes on.
            Err(Error::Interrupted) if !self.interrupt().is_over() => {
                self.interrupt().clear();
                let client = self.link.current();
                client.map_or(Ok(()), Client::end_watch)
            }
            ended => ended,
        }
    }

    fn watch_on(&mut self, pause: Duration, live: bool, report: &Report) -> Result<(), Error> {
        // The first answer may be a refusal, which belongs on the screen there is.
        let mut table = self.next_table(pause)?;
        let printer = self.printer.clone();
        let canvas = if live {
            let server = self.link.server().to_string();
            Some(Canvas::enter(&printer, server, printer.lang())?)
        } else {
            None
        };
        loop {
            match &canvas {
                Some(canvas) => canvas.draw(&table)?,
                None => self.show_table(&table, report)?,
            }
            table = self.next_table(pause)?;
        }
    }

    fn next_table(&mut self, pause: Duration) -> Result<Table, Error> {
        let client = self.link.current().ok_or(Error::Interrupted)?;
        client.next_table(pause)
    }

    fn show_table(&self, table: &Table, report: &Report) -> Result<(), Error> {
        let server = self.link.server().to_string();
        report.show("", &watch::text(table, &server, self.printer.lang()), table)
    }
}
