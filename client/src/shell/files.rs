//! What is asked of the server about a path.

use common::escape::Safe;
use common::protocol::{Done, Kind, Sum};
use serde::Serialize;

use super::Shell;
use super::report::Report;
use super::walk::{Walk, join};
use crate::display;
use crate::error::Error;

/// Right-aligns the sizes of several `stat`s, which come one by one: as wide as `999.9 kB`.
const STAT_WIDTH: usize = 8;

/// What `mv` adds to a result.
#[derive(Serialize)]
struct Renamed<'a> {
    to: &'a str,
}

impl Shell<'_> {
    /// The whole path that a person's words mean.
    pub(super) fn path(&self, text: &str) -> Result<String, Error> {
        Ok(self.link.place.resolve(text)?.to_string())
    }

    pub(super) fn stat(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let whole = self.path(path)?;
        let details = self.link.client()?.stat(&whole)?;
        report.answer(path, &display::details(path, &details, STAT_WIDTH), details)
    }

    pub(super) fn sum(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let whole = self.path(path)?;
        let crc32 = self.link.client()?.sum(&whole)?;
        report.answer(path, &format!("{crc32}  {}", Safe(path)), Sum { crc32 })
    }

    pub(super) fn mkdir(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let whole = self.path(path)?;
        self.link.client()?.mkdir(&whole)?;
        report.done(path, &format!("mkdir {}", Safe(path)), Done {})
    }

    pub(super) fn rm(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let whole = self.path(path)?;
        self.link.client()?.delete(&whole)?;
        report.done(path, &format!("rm {}", Safe(path)), Done {})
    }

    /// Removes a file, or a folder from its leaves up. What somebody else puts there meanwhile, or
    /// what cannot be seen, keeps its folder there.
    pub(super) fn rm_tree(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let whole = self.link.place.resolve(path)?;
        if self.link.client()?.stat(&whole.to_string())?.stat.kind == Kind::File {
            return self.rm(path, report);
        }
        let (mut walk, mut folders) = (Walk::of(whole), Vec::new());
        while let Some((folder, entries)) = walk.next(self.link) {
            let shown = under(path, &folder);
            match entries {
                Ok(entries) => {
                    walk.go_into(&folder, &entries);
                    let files = entries.iter().filter(|entry| entry.stat.kind == Kind::File);
                    let files: Vec<_> = files.map(|entry| join(&shown, &entry.name)).collect();
                    if report.each(&files, |file, report| self.rm(file, report)).is_break() {
                        return Ok(());
                    }
                }
                Err(error) if report.failed(&shown, &error).is_break() => return Ok(()),
                Err(_) => {}
            }
            folders.push(shown);
        }
        folders.reverse();
        // What came of it is said folder by folder.
        let _ = report.each(&folders, |folder, report| self.rm(folder, report));
        Ok(())
    }

    pub(super) fn mv(&mut self, from: &str, to: &str, report: &mut Report) -> Result<(), Error> {
        let (whole_from, mut whole_to) = (self.path(from)?, self.path(to)?);
        let into = matches!(to.rsplit('/').next(), Some("" | "." | ".."));
        if let (true, Some((_, name))) = (into, whole_from.rsplit_once('/')) {
            whole_to = join(&whole_to, name);
        }
        self.link.client()?.rename(&whole_from, &whole_to)?;
        report.done(from, &format!("mv {} {}", Safe(from), Safe(to)), Renamed { to })
    }
}

/// What lies in `folder`, as a person would say it who named the folder so.
fn under(folder: &str, below: &str) -> String {
    if below.is_empty() { folder.to_owned() } else { join(folder, below) }
}
