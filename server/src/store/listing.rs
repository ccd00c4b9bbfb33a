//! The entries of a folder, one page at a time: a million of them need the memory of a hundred.

use std::io;

use common::limits::PAGE_ENTRIES_MAX;
use common::path::Name;
use common::protocol::{Entry, Page};
use rustix::fs::{AtFlags, Dir, statat};
use rustix::io::Errno;

use super::folder::{Folder, served};
use crate::state::{self, State};

/// Walks an open folder, giving [`Page`]s until one says that no more follow. An empty folder
/// gives no page at all.
#[derive(Debug)]
pub struct Listing {
    folder: Folder,
    entries: Dir,
    /// The entry that did not fit the last page: its being there is what `more` means.
    held_back: Option<Entry>,
}

impl Listing {
    /// The entries of `folder` that people may see.
    pub fn of(folder: Folder) -> io::Result<Self> {
        let entries = Dir::read_from(&folder)?;
        Ok(Self { folder, entries, held_back: None })
    }

    /// The folder it lists.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        while let Some(found) = self.entries.read() {
            if let Some(entry) = self.visible(found?.file_name().to_bytes())? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The entry of that name if people may ask for it: a file or folder with a servable name.
    fn visible(&self, name: &[u8]) -> io::Result<Option<Entry>> {
        let Some(name) = str::from_utf8(name).ok().and_then(|text| Name::parse(text).ok()) else {
            return Ok(None);
        };
        match statat(&self.folder, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            // A link, a device, a FIFO: there, but never served.
            Ok(stat) => {
                Ok(served(&stat).ok().map(|stat| Entry { name: name.as_str().to_owned(), stat }))
            }
            // Gone between being found and being looked at.
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

impl Iterator for Listing {
    type Item = io::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        let _doing = state::enter(State::Disk);
        let mut entries: Vec<Entry> = self.held_back.take().into_iter().collect();
        loop {
            match self.next_entry() {
                Ok(Some(entry)) if entries.len() == PAGE_ENTRIES_MAX => {
                    self.held_back = Some(entry);
                    break;
                }
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let page = Page { entries, more: self.held_back.is_some() };
        (!page.entries.is_empty()).then_some(Ok(page))
    }
}
