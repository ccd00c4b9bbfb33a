//! What folders hold: on the server, and here.

use std::path::Path;

use common::escape::Safe;
use common::path::VirtualPath;
use common::protocol::{Entry, Kind};

use super::Shell;
use super::report::Report;
use crate::display;
use crate::error::Error;
use crate::transfer;

/// How far below the listed folder `list --recursive` goes.
const DEPTH: usize = 64;

impl Shell<'_> {
    /// Lists a folder, and with `recursive` those below it, each whole before what it holds. Names
    /// are shown as seen from the first.
    pub(super) fn list(
        &mut self,
        path: &str,
        recursive: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        let top = self.link.place.resolve(path)?;
        let mut entries = self.link.client()?.list(Some(&top.to_string()))?;
        if entries.is_empty() {
            report.printer().talk("(empty)");
        }
        let mut ahead = Vec::new();
        loop {
            show(&entries, report)?;
            if recursive {
                ahead.extend(folders(entries));
            }
            let Some(folder) = ahead.pop() else { break };
            entries = match self.list_below(&top, &folder) {
                Ok(entries) => entries,
                // Somebody else may have removed it meanwhile; the others are still there.
                Err(error) if report.failed(&folder, &error).is_break() => return Ok(()),
                Err(_) => Vec::new(),
            };
        }
        report.shown(path);
        Ok(())
    }

    fn list_below(&mut self, top: &VirtualPath, folder: &str) -> Result<Vec<Entry>, Error> {
        if folder.matches('/').count() >= DEPTH {
            let folder = Safe(folder);
            let why = format!("`{folder}` lies more than {DEPTH} folders deep; list it by itself");
            return Err(Error::Unwalkable(why));
        }
        let path = VirtualPath::parse(folder, top)?.to_string();
        let mut entries = self.link.client()?.list(Some(&path))?;
        for entry in &mut entries {
            entry.name = format!("{folder}/{}", entry.name);
        }
        Ok(entries)
    }
}

/// The folders among these, the last first: the next to be listed is taken from the end.
fn folders(entries: Vec<Entry>) -> impl Iterator<Item = String> {
    entries.into_iter().rev().filter(|e| e.stat.kind == Kind::Folder).map(|e| e.name)
}

fn show(entries: &[Entry], report: &Report) -> Result<(), Error> {
    let printer = report.printer();
    if printer.is_json() {
        return entries.iter().try_for_each(|entry| printer.json(entry));
    }
    printer.stdout(|out| display::listing(out, entries))
}

/// What `lls` shows.
pub(super) fn local(dir: &Path, report: &mut Report) -> Result<(), Error> {
    show(&transfer::entries(dir)?, report)?;
    report.shown(&dir.to_string_lossy());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Output;
    use crate::interrupt::Interrupt;
    use crate::journal::Journal;
    use crate::link::Link;
    use crate::password::Passwords;
    use crate::printer::Printer;
    use crate::words::Lang;

    #[test]
    fn what_is_too_deep_or_no_path_is_not_even_asked_for() {
        let printer = Printer::new(Output::default(), Lang::En);
        let nobody = "127.0.0.1:1".parse().unwrap();
        let passwords = Passwords::current(None, Interrupt::default());
        let mut link = Link::new(nobody, None, passwords, printer.clone(), Interrupt::default());
        let mut shell = Shell::new(&mut link, printer, Journal::default());
        let top = VirtualPath::root();
        let deep = ["a"; DEPTH].join("/");
        let asked = shell.list_below(&top, &deep);
        assert!(matches!(asked, Err(Error::NoServer { .. })), "{asked:?}");
        let deeper = shell.list_below(&top, &format!("{deep}/a"));
        assert!(matches!(deeper, Err(Error::Unwalkable(_))), "{deeper:?}");
        // A server may call a folder anything.
        let above = shell.list_below(&top, "../x");
        assert!(matches!(above, Err(Error::BadName(_))), "{above:?}");
    }
}
