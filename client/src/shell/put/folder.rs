//! Folders: each is made on the server before its files are sent.

use std::ops::ControlFlow;
use std::path::Path;

use common::protocol::Kind;

use super::super::walk::join;
use super::Uploads;
use crate::error::{Error, Unwalkable};
use crate::transfer::{self, Found, Tree, What};
use crate::words::LeftOut;

impl Uploads<'_> {
    pub(super) fn folder(&mut self, top: &Path) -> ControlFlow<()> {
        // `.` has no name of its own: what is in it goes to where a folder would have gone.
        let is_nameless = self.put.name.is_none() && top.file_name().is_none();
        let name = if is_nameless { Ok(None) } else { self.name(top).map(Some) };
        let there = match name {
            Ok(Some(name)) => join(self.to(), name.as_str()),
            Ok(None) => self.to().to_owned(),
            Err(error) => return self.failed(top, error),
        };
        self.report.folder();
        let mut tree = Tree::of(top);
        while let Some(found) = tree.next() {
            match found {
                Ok(found) if is_nameless && found.below.is_empty() => self.folder_is_new = false,
                Ok(found) => self.found(&found, &there, &mut tree)?,
                Err((path, error)) => self.failed(&path, error)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn found(&mut self, found: &Found, top: &str, tree: &mut Tree) -> ControlFlow<()> {
        let path = &found.path;
        match (found.what, there(found, top)) {
            (What::Hidden, _) => self.report.hidden(path),
            (What::Link, _) => self.report.left_out(path, LeftOut::Link),
            (What::Special, _) => self.report.left_out(path, LeftOut::Special),
            (What::File, Ok(shown)) => return self.file(path, shown),
            (What::File, Err(error)) => return self.failed(path, error),
            (What::Folder, shown) => {
                // No other request may come between an upload sent ahead and its answer.
                self.settle(0)?;
                if let Err(error) = shown.and_then(|shown| self.make(&shown)) {
                    tree.pass_over();
                    return self.failed(path, error);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn make(&mut self, folder: &str) -> Result<(), Error> {
        let path = self.link.place.resolve(folder)?.to_string();
        let made = self.link.client()?.mkdir(&path);
        self.folder_is_new = made.is_ok();
        match made {
            Err(Error::Exists { existing, .. }) => match existing.stat {
                Some(stat) if stat.kind == Kind::Folder => Ok(()),
                _ => Err(Error::Unwalkable(Unwalkable::FileThere(path))),
            },
            made => made,
        }
    }
}

/// Where something goes that was found in a folder, if the folder itself goes to `top`.
fn there(found: &Found, top: &str) -> Result<String, Error> {
    if found.below.is_empty() {
        return Ok(top.to_owned());
    }
    transfer::remote_name(&found.path)?;
    Ok(join(top, &found.below))
}
