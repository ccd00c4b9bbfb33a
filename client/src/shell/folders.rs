//! Where one stands: on the server, which keeps no such thing, and here.

use std::env;
use std::path::Path;

use common::escape::Safe;
use common::protocol::Kind;
use serde::Serialize;

use super::Shell;
use super::report::Report;
use crate::error::{Deed, Error, Unwalkable};

/// What `cd` and `pwd`, `lcd` and `lpwd` add to a result.
#[derive(Serialize)]
struct Standing<'a> {
    folder: &'a str,
}

impl Shell<'_> {
    pub(super) fn cd(&mut self, folder: &str, report: &mut Report) -> Result<(), Error> {
        let there = self.link.place.resolve(folder)?;
        let whole = there.to_string();
        if self.link.client()?.stat(&whole)?.stat.kind != Kind::Folder {
            return Err(Error::Unwalkable(Unwalkable::File(whole)));
        }
        self.link.place.go(there);
        report.done(folder, &format!("cd {whole}"), Standing { folder: &whole })
    }

    pub(super) fn pwd(&mut self, report: &mut Report) -> Result<(), Error> {
        let here = self.link.place.here().to_string();
        report.answer("", &here, Standing { folder: &here })
    }
}

/// The folder all of this process stands in, so that every local name starts from there.
pub(super) fn lcd(dir: &Path, report: &mut Report) -> Result<(), Error> {
    env::set_current_dir(dir).map_err(Error::local(Deed::GoTo(dir.to_owned())))?;
    let here = here()?;
    report.done(&dir.to_string_lossy(), &format!("lcd {}", Safe(&here)), Standing { folder: &here })
}

pub(super) fn lpwd(report: &mut Report) -> Result<(), Error> {
    let here = here()?;
    report.answer("", &Safe(&here).to_string(), Standing { folder: &here })
}

fn here() -> Result<String, Error> {
    let here = env::current_dir().map_err(Error::local(Deed::FindCurrentFolder))?;
    Ok(here.to_string_lossy().into_owned())
}
