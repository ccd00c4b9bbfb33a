//! `get`: small files many at a time, large ones one by one, results in order.
//!
//! With `-r` a folder is made here before its files are fetched. What is here already, from an
//! earlier attempt, is compared first: what is the same byte for byte is not fetched again.

use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::io;
use std::mem;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::escape::Safe;
use common::path::{Name, PathError, VirtualPath};
use common::protocol::{Download, Entry, Kind, Reason};
use serde::Serialize;

use super::named::{Named, Numbers};
use super::report::Report;
use super::walk::{Walk, join};
use crate::client::{BATCH, Small};
use crate::command::Get;
use crate::display;
use crate::error::{Deed, Error, Loss, Misuse, Unwalkable};
use crate::link::Link;
use crate::progress::Progress;
use crate::transfer::{self, Fetch};

/// The work of one `get`.
pub(super) struct Downloads<'a> {
    link: &'a mut Link,
    report: &'a mut Report,
    get: &'a Get,
    progress: Progress,
    /// To be fetched together.
    wanted: Vec<Wanted>,
}

/// A file to be fetched.
struct Wanted {
    /// Its path as the person would say it.
    shown: String,
    /// Its whole path.
    path: String,
    /// The local file it is to be.
    target: PathBuf,
    known: Known,
}

/// What was found out about a file together with others.
enum Known {
    Nothing,
    /// It is here already, and has so many bytes.
    Same(u64),
    /// It is small, and on its way, behind those before it.
    Due,
    Small(Small),
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
    pub(super) fn new(link: &'a mut Link, report: &'a mut Report, get: &'a Get) -> Self {
        let progress = report.printer().progress();
        Self { link, report, get, progress, wanted: Vec::new() }
    }

    pub(super) fn run(mut self, numbers: &Numbers) {
        let asked = self.get.paths.iter().try_for_each(|word| self.word(word, numbers));
        if asked.is_continue() {
            // Whatever comes of it is reported already.
            let _ = self.fetch();
        }
    }

    fn word(&mut self, word: &str, numbers: &Numbers) -> ControlFlow<()> {
        let named = match numbers.there(self.link, word) {
            Ok(named) => named,
            Err(error) => return self.failed(word, error),
        };
        if self.get.name.is_some() && (named.len() > 1 || self.get.paths.len() > 1) {
            // Nor with the next one.
            let _ = self.failed("", Misuse::SeveralNames.into());
            return ControlFlow::Break(());
        }
        named.into_iter().try_for_each(|named| match self.top(&named) {
            Ok(flow) => flow,
            Err(error) => self.failed(&named.shown, error),
        })
    }

    /// Something that was named itself.
    fn top(&mut self, named: &Named) -> Result<ControlFlow<()>, Error> {
        let name = self.get.name.as_ref().or(own_name(named));
        if self.get.recursive && is_folder(self.link, &named.path)? {
            let to = self.get.to.as_deref().unwrap_or(Path::new("."));
            let target = name.map_or(to.to_owned(), |name| self.target(name));
            return Ok(self.folder(named, &target));
        }
        let name = name.ok_or_else(|| PathError::NoName(named.shown.clone()))?;
        self.progress.expect(1, 0);
        let (shown, path) = (named.shown.clone(), named.path.to_string());
        Ok(self.want(Wanted { shown, path, target: self.target(name), known: Known::Nothing }))
    }

    fn target(&self, name: &Name) -> PathBuf {
        self.get.to.clone().unwrap_or_default().join(name.as_str())
    }

    fn folder(&mut self, top: &Named, target: &Path) -> ControlFlow<()> {
        self.report.folder();
        let mut walk = Walk::of(top.path.clone());
        while let Some((below, entries)) = walk.next(self.link) {
            let here = if below.is_empty() { target.to_owned() } else { target.join(&below) };
            match entries.and_then(|entries| make(&here).map(|()| entries)) {
                Ok(entries) => {
                    walk.go_into(&below, &entries);
                    let files = entries.iter().filter(|entry| entry.stat.kind == Kind::File);
                    let files = files.map(|entry| (entry, join(&below, &entry.name)));
                    for (entry, below) in files {
                        self.found(entry, top, &below, &here)?;
                    }
                }
                Err(error) if below.is_empty() => self.failed(&top.shown, error)?,
                Err(error) => self.failed(&join(&top.shown, &below), error)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn found(&mut self, entry: &Entry, top: &Named, below: &str, here: &Path) -> ControlFlow<()> {
        let shown = join(&top.shown, below);
        // A server may call a file anything, also `../x`.
        let name = Name::parse(&entry.name);
        match name.and_then(|name| Ok((name, VirtualPath::parse(below, &top.path)?.to_string()))) {
            Ok((name, path)) => {
                self.progress.expect(1, entry.stat.size);
                self.want(Wanted {
                    shown,
                    path,
                    target: here.join(name.as_str()),
                    known: Known::Nothing,
                })
            }
            Err(error) => self.failed(&shown, error.into()),
        }
    }

    fn want(&mut self, wanted: Wanted) -> ControlFlow<()> {
        self.wanted.push(wanted);
        if self.wanted.len() == BATCH { self.fetch() } else { ControlFlow::Continue(()) }
    }

    /// Fetches what is wanted by now.
    fn fetch(&mut self) -> ControlFlow<()> {
        let mut wanted = mem::take(&mut self.wanted);
        let asked = self.compare(&mut wanted).and_then(|()| self.ask_ahead(&mut wanted));
        // What speaks against one of them only, that one will say in its turn.
        let asked = asked.err().filter(Error::ends_everything);
        if let (Some(error), Some(first)) = (asked, wanted.first()) {
            return self.told(&first.shown, error);
        }
        let mut wanted = VecDeque::from(wanted);
        while let Some(first) = wanted.pop_front() {
            let shown = first.shown.clone();
            let done = self.finish(first, &mut wanted);
            self.progress.file_done();
            done.map_or_else(|error| self.told(&shown, error), ControlFlow::Continue)?;
        }
        ControlFlow::Continue(())
    }

    /// Finds out what is here already.
    fn compare(&mut self, wanted: &mut [Wanted]) -> Result<(), Error> {
        let mut here: Vec<(&mut Wanted, u64)> = Vec::new();
        for wanted in wanted.iter_mut().filter(|_| self.get.recursive) {
            let metadata = wanted.target.symlink_metadata().ok().filter(Metadata::is_file);
            here.extend(metadata.map(|metadata| (wanted, metadata.len())));
        }
        if here.is_empty() {
            return Ok(());
        }
        let files: Vec<_> =
            here.iter().map(|(wanted, size)| (wanted.path.clone(), *size)).collect();
        let client = self.link.client()?;
        let sums = client.sums_of_size(&files)?;
        for ((wanted, size), there) in here.into_iter().zip(sums) {
            let Some(there) = there else { continue };
            match transfer::is_same(client, &wanted.path, &wanted.target, there) {
                Ok(true) => wanted.known = Known::Same(size),
                Err(error) if error.ends_everything() => return Err(error),
                Ok(false) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Asks for the small ones, if there are several to fetch. What that finds out about the others
    /// they find out again.
    fn ask_ahead(&mut self, wanted: &mut [Wanted]) -> Result<(), Error> {
        let force = self.get.force;
        let mut free: Vec<&mut Wanted> = wanted
            .iter_mut()
            .filter(|wanted| matches!(wanted.known, Known::Nothing))
            // What cannot be kept need not be sent.
            .filter(|wanted| transfer::check_free(&wanted.target, force).is_ok())
            .collect();
        if free.len() < 2 {
            return Ok(());
        }
        let paths: Vec<String> = free.iter().map(|wanted| wanted.path.clone()).collect();
        let are_small = self.link.client()?.ask_small(&paths)?;
        for (wanted, _) in free.iter_mut().zip(are_small).filter(|(_, is_small)| *is_small) {
            wanted.known = Known::Due;
        }
        Ok(())
    }

    /// Takes what is on its way, so that something else can be asked for.
    fn take_due(&mut self, wanted: &mut VecDeque<Wanted>) -> Result<(), Error> {
        for wanted in wanted.iter_mut().filter(|wanted| matches!(wanted.known, Known::Due)) {
            wanted.known = self.next_small()?.map_or(Known::Nothing, Known::Small);
        }
        Ok(())
    }

    fn next_small(&mut self) -> Result<Option<Small>, Error> {
        let client = self.link.current().ok_or(Error::Lost(Loss::NeverAsked))?;
        client.next_small()
    }

    /// Does what is left to do for one file, before the `others`.
    fn finish(&mut self, wanted: Wanted, others: &mut VecDeque<Wanted>) -> Result<(), Error> {
        let Wanted { ref shown, ref path, ref target, known } = wanted;
        let small = match known {
            Known::Same(size) => {
                self.progress.skip(size);
                return self.report.unchanged(shown, size);
            }
            Known::Nothing => None,
            Known::Due => self.next_small()?,
            Known::Small(small) => Some(small),
        };
        if small.is_none() {
            self.take_due(others)?;
            transfer::check_free(target, self.get.force)?;
        }
        let fetch = Fetch {
            path,
            shown,
            target,
            force: self.get.force,
            resume: !self.get.no_resume,
            progress: &self.progress,
            printer: self.report.printer(),
        };
        let download = match small {
            Some(small) => {
                self.progress.advance(small.download.size);
                fetch.keep(small)?
            }
            None => fetch.run(self.link.client()?)?,
        };
        let line = format!("get {}  {}", Safe(shown), display::size(download.size));
        let fetched = Fetched { download, file: &target.to_string_lossy() };
        self.report.moved(shown, &line, download.size, fetched)
    }

    /// What was not even asked for. What came before it is reported first.
    fn failed(&mut self, shown: &str, error: Error) -> ControlFlow<()> {
        self.fetch()?;
        self.told(shown, error)
    }

    fn told(&mut self, shown: &str, error: Error) -> ControlFlow<()> {
        // With `-r` the same command goes on with whatever was cut off.
        let error = if self.get.recursive { error.unfinished() } else { error };
        self.report.failed(shown, &error)
    }
}

/// The name something has by itself: `.` has none, nor has the root.
fn own_name(named: &Named) -> Option<&Name> {
    let last = named.shown.trim_end_matches('/').rsplit('/').next();
    let has_one = !matches!(last, None | Some("" | "." | ".."));
    named.path.names().last().filter(|_| has_one)
}

fn is_folder(link: &mut Link, path: &VirtualPath) -> Result<bool, Error> {
    match link.client()?.stat(&path.to_string()) {
        Ok(details) => Ok(details.stat.kind == Kind::Folder),
        // It is said in its turn.
        Err(Error::Refused { reason: Reason::NotFound, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a folder here, if it is not there yet.
fn make(folder: &Path) -> Result<(), Error> {
    match fs::create_dir(folder) {
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Error::Unwalkable(Unwalkable::FileHere(folder.to_owned())))
        }
        made => made.map_err(Error::local(Deed::MakeFolder(folder.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::client::scripted::{GREETING, Peer, serve};
    use crate::command::{Command, Line, Output};
    use crate::connection::Terms;
    use crate::interrupt::Interrupt;
    use crate::journal::Journal;
    use crate::password::Passwords;
    use crate::printer::Printer;
    use crate::words::Lang;

    fn entry(name: &str, kind: &str) -> String {
        let name = serde_json::to_string(name).unwrap();
        format!(r#"{{"name":{name},"kind":"{kind}","size":1,"mtime":9}}"#)
    }

    /// A server whose folder `top` holds names that would lead elsewhere, and one that does not.
    fn lie(peer: &mut Peer) {
        peer.say(GREETING);
        assert!(peer.hear().contains("STAT"));
        peer.say(r#"{"status":"OK","kind":"folder","size":0,"mtime":9}"#);
        assert!(peer.hear().contains("LIST"));
        let bad = ["../f", "/f", "a/b", "..", ".", "", ".bashrc", "f\u{1b}[2J", "f\u{202e}"];
        let kinds = ["file", "folder"];
        let bad = bad.iter().flat_map(|name| kinds.map(|kind| entry(name, kind)));
        let entries: Vec<String> = bad.chain([entry("good", "file")]).collect();
        peer.say(&format!(r#"{{"status":"OK","entries":[{}],"more":false}}"#, entries.join(",")));
        let asked = peer.hear();
        assert!(asked.contains("GET") && asked.contains("/library/top/good"), "{asked}");
        peer.say(r#"{"status":"OK","size":1,"mtime":9,"crc32":"e8b7be43"}"#);
        peer.send(b"a");
    }

    #[test]
    fn no_name_that_a_server_gives_leads_out_of_the_folder() {
        let here = tempfile::tempdir().unwrap();
        let inner = here.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let words = ["get", "-r", "top", "--to", inner.to_str().unwrap()];
        let Ok(Line { command: Command::Get(get) }) = Line::try_parse_from(words) else {
            panic!("it is no get");
        };
        let printer = Printer::new(Output { quiet: true, ..Output::default() }, Lang::En);
        let passwords = Passwords::current(None, Interrupt::default());
        let server = serve(lie).parse().unwrap();
        let mut link = Link::new(server, None, passwords, printer.clone(), Terms::default());
        let mut report = Report::new("get", String::new(), printer, Journal::default());
        Downloads::new(&mut link, &mut report, &get).run(&Numbers::default());
        assert_eq!(report.finish(), 1);
        let found = walkdir::WalkDir::new(here.path()).into_iter().map(Result::unwrap);
        let found: Vec<_> = found.map(walkdir::DirEntry::into_path).collect();
        let expected = ["", "inner", "inner/top", "inner/top/good"];
        assert_eq!(found, expected.map(|path| here.path().join(path)));
    }
}
