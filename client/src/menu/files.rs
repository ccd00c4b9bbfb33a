//! Sending, fetching and listing by number: between the home there and the current folder here.

use std::env;
use std::path::{Path, PathBuf};

use common::escape::Safe;
use common::path::{PathError, VirtualPath};
use common::protocol::{Entry, Kind};
use common::user::UserName;

use super::{Menu, Stop, choice};
use crate::client::PutOptions;
use crate::display::{self, Look};
use crate::error::Error;
use crate::transfer::{self, Deliver, Fetch, Source};
use crate::words::{Brackets, Message};

impl Menu<'_> {
    pub(super) fn upload(&mut self) -> Result<(), Stop> {
        self.say(Message::Uploading { here: &here() })?;
        let files = transfer::entries(Path::new("."));
        for name in self.pick("lls", files)? {
            let mut sent = self.send(&name, false);
            if let Err(Error::Exists { existing, .. }) = &sent {
                let (name, what) = (Safe(&name), Brackets(existing.stat));
                if self.may_replace(Message::ReplaceThere { name, what })? {
                    sent = self.send(name.0, true);
                }
            }
            let sent = sent.map(|bytes| (Message::uploaded(&name, bytes), Some(bytes)));
            if !self.tell("put", &name, sent)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn download(&mut self) -> Result<(), Stop> {
        self.say(Message::Downloading { here: &here() })?;
        let files = self.home();
        for name in self.pick("list", files)? {
            let mut fetched = self.fetch(&name, false);
            let taken = matches!(fetched, Err(Error::ExistsHere(_)));
            if taken && self.may_replace(Message::ReplaceHere { name: Safe(&name) })? {
                fetched = self.fetch(&name, true);
            }
            let fetched = fetched.map(|bytes| (Message::downloaded(&name, bytes), Some(bytes)));
            if !self.tell("get", &name, fetched)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn list(&mut self, user: &UserName) -> Result<(), Stop> {
        self.say(Message::Listing { user })?;
        let entries = match self.home() {
            Ok(entries) => entries,
            Err(error) => return self.tell("list", "/home", Err(error)).map(drop),
        };
        self.note("list", "/home", Ok(None));
        if entries.is_empty() {
            self.say(Message::NoFiles)?;
        }
        Ok(self.printer.stdout(|out| display::listing(out, &entries, Look::default()))?)
    }

    fn home(&mut self) -> Result<Vec<Entry>, Error> {
        let home = self.link.place.here().to_string();
        self.link.client()?.list(Some(&home))
    }

    /// Shows the files among `entries`, and returns the names of those that were picked.
    fn pick(
        &mut self,
        command: &str,
        entries: Result<Vec<Entry>, Error>,
    ) -> Result<Vec<String>, Stop> {
        let mut files = match entries {
            Ok(entries) => entries,
            Err(error) => {
                self.tell(command, ".", Err(error))?;
                return Ok(Vec::new());
            }
        };
        files.retain(|entry| entry.stat.kind == Kind::File);
        if files.is_empty() {
            self.say(Message::NoFiles)?;
            return Ok(Vec::new());
        }
        for (number, Entry { name, stat }) in (1..).zip(&files) {
            let line = format!("{number}: {}  ({})", Safe(name), display::size(stat.size));
            self.printer.line(&line)?;
        }
        loop {
            let Some(line) = self.ask(Message::Which)? else { return Ok(Vec::new()) };
            match choice::numbers(&line, files.len()) {
                Ok(numbers) => {
                    return Ok(numbers.iter().map(|n| files[n - 1].name.clone()).collect());
                }
                Err(word) => self.say(Message::NoSuchNumber { word: Safe(word) })?,
            }
        }
    }

    /// Only a person can say so; what comes out of a pipe was written before the question.
    fn may_replace(&mut self, question: Message<'_>) -> Result<bool, Stop> {
        if !self.is_person {
            return Ok(false);
        }
        let answer = self.ask(question)?.unwrap_or_default();
        Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "是"))
    }

    fn send(&mut self, name: &str, overwrite: bool) -> Result<u64, Error> {
        let file = Path::new(name);
        let remote = transfer::remote_name(file)?;
        let mut source = Source::open(file)?;
        let (size, mtime) = (source.size(), source.mtime());
        let path = self.link.place.resolve(remote.as_str())?.to_string();
        let printer = self.printer.clone();
        let options = PutOptions { mtime, overwrite, resume: true, wait: None };
        let delivery = Deliver {
            path: &path,
            shown: name,
            options,
            progress: &printer.progress(),
            printer: &printer,
        };
        delivery.run(self.link.client()?, &mut source)?;
        Ok(size)
    }

    fn fetch(&mut self, name: &str, force: bool) -> Result<u64, Error> {
        // The name came from the server: as a path it must be one that leads nowhere else.
        let path = VirtualPath::parse(name, self.link.place.here())?;
        let (_, local) = path.split_last().ok_or_else(|| PathError::NoName(name.to_owned()))?;
        let file = Path::new(local.as_str());
        transfer::check_free(file, force)?;
        let (path, printer) = (path.to_string(), self.printer.clone());
        let fetch = Fetch {
            path: &path,
            shown: name,
            target: file,
            force,
            resume: true,
            progress: &printer.progress(),
            printer: &printer,
        };
        Ok(fetch.run(self.link.client()?)?.size)
    }
}

/// The current folder here, to be shown.
fn here() -> PathBuf {
    env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}
