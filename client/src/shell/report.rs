//! How one command went, name by name.

use std::ops::ControlFlow;
use std::time::Instant;

use common::escape::Safe;
use common::protocol::{Kind, Reason};
use serde::Serialize;

use crate::display;
use crate::error::Error;
use crate::printer::Printer;

/// Says how each name fared as soon as that is known, and remembers the first failure.
#[derive(Debug)]
pub(super) struct Report {
    command: &'static str,
    printer: Printer,
    first_failure: Option<u8>,
    start: Instant,
    files: u64,
    bytes: u64,
}

/// One result under `--json`.
#[derive(Serialize)]
struct Success<'a, T> {
    command: &'a str,
    path: &'a str,
    status: &'a str,
    #[serde(flatten)]
    details: T,
}

/// One failure under `--json`.
#[derive(Serialize)]
struct Failure<'a> {
    command: &'a str,
    path: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    exit: u8,
    message: &'a str,
}

impl Report {
    pub(super) fn new(command: &'static str, printer: Printer) -> Self {
        let start = Instant::now();
        Self { command, printer, first_failure: None, start, files: 0, bytes: 0 }
    }

    pub(super) fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Tries all names, whatever becomes of some, unless going on is pointless.
    pub(super) fn each(
        &mut self,
        names: &[String],
        mut act: impl FnMut(&str, &mut Self) -> Result<(), Error>,
    ) {
        for name in names {
            let done = act(name, self);
            if done.is_err_and(|error| self.failed(name, &error).is_break()) {
                break;
            }
        }
    }

    /// Done, which the exit status alone would say too.
    pub(super) fn done(
        &self,
        path: &str,
        line: &str,
        details: impl Serialize,
    ) -> Result<(), Error> {
        if self.printer.is_json() { self.json(path, details) } else { self.printer.result(line) }
    }

    /// Done, and here is what was asked.
    pub(super) fn answer(
        &self,
        path: &str,
        line: &str,
        details: impl Serialize,
    ) -> Result<(), Error> {
        if self.printer.is_json() { self.json(path, details) } else { self.printer.line(line) }
    }

    fn json(&self, path: &str, details: impl Serialize) -> Result<(), Error> {
        self.printer.json(&Success { command: self.command, path, status: "OK", details })
    }

    /// Counts a file that was moved whole.
    pub(super) fn moved(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    /// Not done. `Break` means: nor can anything after it be.
    pub(super) fn failed(&mut self, path: &str, error: &Error) -> ControlFlow<()> {
        self.first_failure.get_or_insert(error.exit_status());
        // Who reads no results any more knows it.
        if matches!(error, Error::Closed) {
            return ControlFlow::Break(());
        }
        let message = self.describe(path, error);
        self.printer.complain(&message);
        let told =
            if self.printer.is_json() { self.json_failure(path, error, &message) } else { Ok(()) };
        if error.ends_everything() || told.is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// The error with what it happened to, where it does not say that itself, and what to do.
    fn describe(&self, path: &str, error: &Error) -> String {
        let Self { command, .. } = self;
        match error {
            Error::Lost { .. } | Error::Interrupted => {
                format!("{command} {}: {error}{}", Safe(path), doubt(command))
            }
            _ => format!("{error}{}", remedy(command, error)),
        }
    }

    fn json_failure(&self, path: &str, error: &Error, message: &str) -> Result<(), Error> {
        let exit = error.exit_status();
        let status = if exit == 5 { "EXISTS" } else { "FAIL" };
        let (command, reason) = (self.command, error.reason());
        self.printer.json(&Failure { command, path, status, reason, exit, message })
    }

    /// Sums up, where there was more than one file, and returns the exit status.
    pub(super) fn finish(self) -> u8 {
        if self.files > 1 {
            let Self { files, bytes, .. } = self;
            let seconds = self.start.elapsed().as_secs_f64();
            let size = display::size(bytes);
            self.printer.talk(format_args!("{files} files, {size} in {seconds:.1} s"));
        }
        self.first_failure.unwrap_or(0)
    }
}

/// What to do about it, where that depends on the command.
fn remedy(command: &str, error: &Error) -> &'static str {
    let Error::Exists { existing, .. } = error else { return "" };
    let is_folder = existing.stat.is_some_and(|stat| stat.kind == Kind::Folder);
    match command {
        "put" if is_folder => " Put the file elsewhere with --to.",
        "put" => " Use --force to replace it, or put it elsewhere with --to.",
        "mkdir" if is_folder => "",
        _ => " Choose another name.",
    }
}

/// What was sent and not answered may have been done.
fn doubt(command: &str) -> &'static str {
    match command {
        "put" | "mkdir" | "rm" | "mv" => "; `ferry list` shows whether it was done",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Output;

    #[test]
    fn all_names_are_tried_and_the_first_failure_counts() {
        let mut report = Report::new("get", Printer::new(Output::default()));
        let names = ["a", "b", "c"].map(str::to_owned);
        let mut tried = Vec::new();
        report.each(&names, |name, _| {
            tried.push(name.to_owned());
            match name {
                "b" => Err(Error::ExistsHere("b".into())),
                "c" => Err(Error::Usage("c".into())),
                _ => Ok(()),
            }
        });
        assert_eq!(tried, names);
        assert_eq!(report.finish(), 5);
    }

    #[test]
    fn nothing_is_tried_on_a_lost_connection() {
        let mut report = Report::new("rm", Printer::new(Output::default()));
        let mut tried = 0;
        report.each(&["a", "b"].map(str::to_owned), |_, _| {
            tried += 1;
            Err(Error::lost("reset"))
        });
        assert_eq!((tried, report.finish()), (1, 3));
    }
}
