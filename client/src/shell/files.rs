//! What is asked of the server about a path.

use common::escape::Safe;
use common::protocol::{Done, Sum};
use serde::Serialize;

use super::Shell;
use super::report::Report;
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

    pub(super) fn mv(&mut self, from: &str, to: &str, report: &mut Report) -> Result<(), Error> {
        let (whole_from, whole_to) = (self.path(from)?, self.path(to)?);
        self.link.client()?.rename(&whole_from, &whole_to)?;
        report.done(from, &format!("mv {} {}", Safe(from), Safe(to)), Renamed { to })
    }
}
