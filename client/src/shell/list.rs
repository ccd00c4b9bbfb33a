//! What folders hold: on the server, and here. At the prompt the lines are numbered.

use std::path::Path;

use common::protocol::Entry;

use super::Shell;
use super::report::Report;
use super::walk::{Walk, join};
use crate::command::List;
use crate::display::{self, Look};
use crate::error::Error;
use crate::printer::Printer;
use crate::transfer;
use crate::words::Talk;

impl Shell<'_> {
    /// Lists a folder, and with `--recursive` those below it, each whole before what it holds.
    /// Names are shown as seen from the first.
    pub(super) fn list(
        &mut self,
        path: &str,
        list: &List,
        report: &mut Report,
    ) -> Result<(), Error> {
        let top = self.link.place.resolve(path)?;
        self.numbers.begin_there(&top);
        let mut walk = Walk::of(top);
        while let Some((folder, entries)) = walk.next(self.link) {
            let mut entries = match entries {
                Ok(entries) => entries,
                Err(error) if folder.is_empty() => return Err(error),
                // Somebody else may have removed it meanwhile; the others are still there.
                Err(error) if report.failed(&folder, &error).is_break() => return Ok(()),
                Err(_) => continue,
            };
            if folder.is_empty() && entries.is_empty() {
                report.printer().talk(&Talk::Empty);
            }
            if list.recursive {
                walk.go_into(&folder, &entries);
            }
            for entry in &mut entries {
                entry.name = join(&folder, &entry.name);
            }
            let first = self.numbers.add_there(&entries);
            show(&entries, Look { first, exact: list.long }, report.printer())?;
        }
        report.shown(path);
        Ok(())
    }

    /// What `lls` shows.
    pub(super) fn list_here(&mut self, dir: &Path, report: &mut Report) -> Result<(), Error> {
        let entries = transfer::entries(dir)?;
        let first = self.numbers.take_here(dir, &entries);
        show(&entries, Look { first, exact: false }, report.printer())?;
        report.shown(&dir.to_string_lossy());
        Ok(())
    }
}

fn show(entries: &[Entry], look: Look, printer: &Printer) -> Result<(), Error> {
    if printer.is_json() {
        return entries.iter().try_for_each(|entry| printer.json(entry));
    }
    printer.stdout(|out| display::listing(out, entries, look))
}
