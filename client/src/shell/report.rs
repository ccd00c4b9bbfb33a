//! How one command went, name by name: said, counted, and written into the journal.

mod tally;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use common::protocol::Reason;
use serde::Serialize;

use self::tally::Tally;
use crate::display;
use crate::error::Error;
use crate::journal::Journal;
use crate::printer::Printer;
use crate::words::{Failure, LeftOut, Talk};

/// Says how each name fared as soon as that is known, and remembers a failure.
#[derive(Debug)]
pub(super) struct Report {
    command: &'static str,
    /// Who did it, where; for the journal.
    link: String,
    printer: Printer,
    journal: Journal,
    /// The exit status of the first failure, or of what ended everything.
    failure: Option<u8>,
    start: Instant,
    tally: Tally,
}

/// What a file that need not be moved adds to a result.
#[derive(Serialize)]
struct Unchanged {
    size: u64,
    unchanged: bool,
}

/// One result under `--json`.
#[derive(Serialize)]
struct Success<'a, T> {
    command: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    status: &'a str,
    #[serde(flatten)]
    details: T,
}

/// One failure under `--json`.
#[derive(Serialize)]
struct Failed<'a> {
    command: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    exit: u8,
    message: &'a str,
}

impl Report {
    /// Nothing done yet of `command`, which `link` asked for.
    pub(super) fn new(
        command: &'static str,
        link: String,
        printer: Printer,
        journal: Journal,
    ) -> Self {
        let start = Instant::now();
        let tally = Tally::default();
        Self { command, link, printer, journal, failure: None, start, tally }
    }

    pub(super) fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Tries all names, whatever becomes of some, unless going on is pointless: `Break`.
    pub(super) fn each(
        &mut self,
        names: &[String],
        mut act: impl FnMut(&str, &mut Self) -> Result<(), Error>,
    ) -> ControlFlow<()> {
        names.iter().try_for_each(|name| match act(name, self) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.failed(name, &error),
        })
    }

    /// As [`each`](Self::each), and nothing comes after.
    pub(super) fn all(
        &mut self,
        names: &[String],
        act: impl FnMut(&str, &mut Self) -> Result<(), Error>,
    ) {
        let _ = self.each(names, act);
    }

    /// As [`each`](Self::each), of one name, which is empty for what is about none.
    pub(super) fn one(&mut self, name: &str, act: impl FnOnce(&mut Self) -> Result<(), Error>) {
        if let Err(error) = act(self) {
            // There is nothing to go on with.
            let _ = self.failed(name, &error);
        }
    }

    /// Done, which the exit status alone would say too.
    pub(super) fn done(
        &self,
        path: &str,
        line: &str,
        details: impl Serialize,
    ) -> Result<(), Error> {
        self.note(path, Ok(None));
        self.say(path, line, details)
    }

    /// A file was moved whole.
    pub(super) fn moved(
        &mut self,
        path: &str,
        line: &str,
        size: u64,
        details: impl Serialize,
    ) -> Result<(), Error> {
        self.tally.moved += 1;
        self.tally.bytes += size;
        self.note(path, Ok(Some(size)));
        self.say(path, line, details)
    }

    /// A file is on the other side already, byte for byte. People read that in the sum.
    pub(super) fn unchanged(&mut self, path: &str, size: u64) -> Result<(), Error> {
        self.tally.unchanged += 1;
        self.note(path, Ok(None));
        let details = Unchanged { size, unchanged: true };
        if self.printer.is_json() { self.json(path, details) } else { Ok(()) }
    }

    /// A folder is gone through. What is in it is said file by file, if there is any.
    pub(super) fn folder(&mut self) {
        self.tally.folders += 1;
    }

    /// Something in a folder is not a file that could be moved.
    pub(super) fn left_out(&mut self, path: &Path, what: LeftOut) {
        self.tally.left_out += 1;
        self.printer.talk(&Talk::LeftOut { path, what });
    }

    /// Something in a folder is hidden; there may be many of those.
    pub(super) fn hidden(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.tally.name_hidden(&name);
    }

    /// Done, and here is what was asked.
    pub(super) fn answer(
        &self,
        path: &str,
        line: &str,
        details: impl Serialize,
    ) -> Result<(), Error> {
        self.note(path, Ok(None));
        self.show(path, line, details)
    }

    /// Here is what was asked, and there may be more.
    pub(super) fn show(
        &self,
        path: &str,
        line: &str,
        details: impl Serialize,
    ) -> Result<(), Error> {
        if self.printer.is_json() { self.json(path, details) } else { self.printer.line(line) }
    }

    /// Done, and shown already.
    pub(super) fn shown(&self, path: &str) {
        self.note(path, Ok(None));
    }

    fn note(&self, path: &str, outcome: Result<Option<u64>, &Error>) {
        self.journal.add(&self.link, self.command, path, outcome);
    }

    fn say(&self, path: &str, line: &str, details: impl Serialize) -> Result<(), Error> {
        if self.printer.is_json() { self.json(path, details) } else { self.printer.result(line) }
    }

    fn json(&self, path: &str, details: impl Serialize) -> Result<(), Error> {
        self.printer.json(&Success { command: self.command, path, status: "OK", details })
    }

    /// Not done. `Break` means: nor can anything after it be.
    pub(super) fn failed(&mut self, path: &str, error: &Error) -> ControlFlow<()> {
        let status = error.exit_status();
        self.failure.get_or_insert(status);
        self.tally.failed += 1;
        // Who reads no results any more knows it.
        if matches!(error, Error::Closed) {
            return ControlFlow::Break(());
        }
        if error.ends_everything() {
            self.failure = Some(status);
        }
        self.note(path, Err(error));
        let failure = Failure { command: self.command, path, error };
        self.printer.complain(&failure);
        let told = if self.printer.is_json() { self.json_failure(failure) } else { Ok(()) };
        if error.ends_everything() || told.is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn json_failure(&self, failure: Failure<'_>) -> Result<(), Error> {
        let (Failure { command, path, error }, message) = (failure, self.printer.words(&failure));
        let exit = error.exit_status();
        let (status, reason, message) = (display::status(error), error.reason(), &message);
        self.printer.json(&Failed { command, path, status, reason, exit, message })
    }

    /// Sums up, where there was more than one file, and returns the exit status.
    pub(super) fn finish(self) -> u8 {
        if let Some(sum) = self.tally.sum(self.start.elapsed()) {
            self.printer.talk(&sum);
        }
        self.failure.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Output;
    use crate::error::{Loss, Misuse};
    use crate::words::Lang;

    fn report(command: &'static str) -> Report {
        let printer = Printer::new(Output::default(), Lang::En);
        Report::new(command, String::new(), printer, Journal::default())
    }

    #[test]
    fn all_names_are_tried_and_the_first_failure_counts() {
        let mut report = report("get");
        let names = ["a", "b", "c"].map(str::to_owned);
        let mut tried = Vec::new();
        report.all(&names, |name, _| {
            tried.push(name.to_owned());
            match name {
                "b" => Err(Error::ExistsHere("b".into())),
                "c" => Err(Error::Usage(Misuse::SeveralNames)),
                _ => Ok(()),
            }
        });
        assert_eq!(tried, names);
        assert_eq!(report.finish(), 5);
    }

    #[test]
    fn what_ends_everything_counts_more_than_a_failure_before_it() {
        let mut report = report("get");
        let mut errors = [Error::ExistsHere("a".into()), Error::Lost(Loss::Closed)].into_iter();
        let _ = report.each(&["a", "b"].map(str::to_owned), |_, _| Err(errors.next().unwrap()));
        assert_eq!(report.finish(), 3);
    }

    #[test]
    fn nothing_is_tried_on_a_lost_connection() {
        let mut report = report("rm");
        let mut tried = 0;
        report.all(&["a", "b"].map(str::to_owned), |_, _| {
            tried += 1;
            Err(Error::Lost(Loss::Closed))
        });
        assert_eq!((tried, report.finish()), (1, 3));
    }
}
