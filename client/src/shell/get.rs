//! `get`: small files many at a time, large ones one by one, results in order.

use std::collections::HashMap;

use common::escape::Safe;
use common::path::PathError;
use common::protocol::Download;
use serde::Serialize;

use super::report::Report;
use crate::client::{BATCH, Small};
use crate::command::Get;
use crate::display;
use crate::error::Error;
use crate::link::Link;
use crate::transfer::{self, Fetch};

/// The work of one `get`.
pub(super) struct Downloads<'a> {
    link: &'a mut Link,
    get: &'a Get,
    /// How many names were asked about already.
    asked: usize,
    /// What came of those that are small, by whole path.
    small: HashMap<String, Small>,
}

/// What `get` adds to a result.
#[derive(Serialize)]
struct Fetched<'a> {
    #[serde(flatten)]
    download: Download,
    /// Where it is now.
    file: &'a str,
}

impl<'a> Downloads<'a> {
    pub(super) fn new(link: &'a mut Link, get: &'a Get) -> Self {
        Self { link, get, asked: 0, small: HashMap::new() }
    }

    pub(super) fn run(mut self, report: &mut Report) {
        let mut nth = 0;
        report.each(&self.get.paths, |path, report| {
            nth += 1;
            self.ask_ahead(nth)?;
            self.file(path, report)
        });
    }

    /// Fetches the small ones among the next names, if there are several and the `nth` is the first
    /// that was not asked about. What that finds out about the others they find out again.
    fn ask_ahead(&mut self, nth: usize) -> Result<(), Error> {
        if nth <= self.asked || self.get.paths.len() == 1 {
            return Ok(());
        }
        let next = self.get.paths.iter().skip(self.asked).take(BATCH);
        let paths = next.filter_map(|path| Some(self.link.place.resolve(path).ok()?.to_string()));
        let paths: Vec<String> = paths.collect();
        self.asked += BATCH;
        let found = self.link.client()?.get_small(&paths)?;
        let small = paths.into_iter().zip(found).filter_map(|(path, small)| Some((path, small?)));
        self.small = small.collect();
        Ok(())
    }

    fn file(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let whole = self.link.place.resolve(path)?;
        let (_, name) = whole.split_last().ok_or_else(|| PathError::NoName(path.to_owned()))?;
        let file = self.get.to.clone().unwrap_or_default().join(name.as_str());
        // Before the server is even called: what cannot be kept need not be sent.
        transfer::check_free(&file, self.get.force)?;
        let fetch = Fetch {
            path: &whole.to_string(),
            shown: path,
            target: &file,
            force: self.get.force,
            resume: !self.get.no_resume,
            printer: report.printer(),
        };
        let download = match self.small.remove(fetch.path) {
            Some(small) => fetch.keep(small)?,
            None => fetch.run(self.link.client()?)?,
        };
        let shown = format!("get {}  {}", Safe(path), display::size(download.size));
        let fetched = Fetched { download, file: &file.to_string_lossy() };
        report.moved(path, &shown, download.size, fetched)
    }
}
