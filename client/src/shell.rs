//! Does commands, one after the other, and says how each went.
//!
//! - `files`: what is asked of the server about a path.
//! - `named`: what a person names: paths, patterns, numbers of the last list.
//! - `walk`: the folders below one on the server.
//! - `list`: what folders hold, theirs and ours.
//! - `put`: uploads, small files ahead of their answers.
//! - `get`: downloads, small files many at a time.
//! - `folders`: where one stands, there and here.
//! - `account`: who one is.
//! - `watch`: what the server is doing.
//! - `room`: what is said to others; `piped`: a chat without a person.
//! - `local`: `!`, a command of one's own shell.
//! - `report`: how a command went, name by name.

mod account;
mod files;
mod folders;
mod get;
mod list;
mod local;
mod named;
mod piped;
mod put;
mod report;
mod room;
mod walk;
mod watch;

use std::env;
use std::path::Path;

use self::folders::{lcd, lpwd};
use self::get::Downloads;
use self::named::Numbers;
use self::put::Uploads;
use self::report::Report;
use crate::command::Command;
use crate::interrupt::Interrupt;
use crate::journal::Journal;
use crate::link::Link;
use crate::password::Passwords;
use crate::printer::Printer;
use crate::room::Room;

/// A server to work with, and where to say how that went.
#[derive(Debug)]
pub(crate) struct Shell<'a> {
    pub(crate) link: &'a mut Link,
    printer: Printer,
    journal: Journal,
    numbers: Numbers,
    /// Where there is a person to hear of it.
    pub(crate) room: Option<Room>,
}

impl<'a> Shell<'a> {
    pub(crate) fn new(link: &'a mut Link, printer: Printer, journal: Journal) -> Self {
        Self { link, printer, journal, numbers: Numbers::default(), room: None }
    }

    pub(crate) fn printer(&self) -> &Printer {
        &self.printer
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        self.link.interrupt()
    }

    /// From now on lists are numbered, and the numbers can be named: who reads them is there.
    pub(crate) fn number_lists(&mut self) {
        self.numbers.turn_on();
    }

    /// A report on a command of which nothing is done yet.
    fn report(&self, command: &Command) -> Report {
        let link = self.link.to_string();
        let (printer, journal) = (self.printer.clone(), self.journal.clone());
        Report::new(command.verb(), link, printer, journal)
    }

    /// Does a command, says how it went, and returns the exit status.
    pub(crate) fn run(&mut self, command: &Command) -> u8 {
        let mut report = self.report(command);
        match command {
            Command::List(list) => {
                let path = list.path.clone().unwrap_or_else(|| self.link.place.here().to_string());
                report.one(&path, |r| self.list(&path, list, r));
            }
            Command::Get(get) => Downloads::new(self.link, &mut report, get).run(&self.numbers),
            Command::Put(put) => Uploads::new(self.link, &mut report, put).run(&self.numbers),
            Command::Stat { paths } => report.all(paths, |path, r| self.stat(path, r)),
            Command::Sum { paths } => report.all(paths, |path, r| self.sum(path, r)),
            Command::Mkdir { paths } => report.all(paths, |path, r| self.mkdir(path, r)),
            Command::Rm { paths, recursive: false } => {
                report.all(paths, |path, r| self.rm(path, r));
            }
            Command::Rm { paths, .. } => report.all(paths, |path, r| self.rm_tree(path, r)),
            Command::Mv { from, to } => report.one(from, |r| self.mv(from, to, r)),
            Command::Cd { folder } => {
                let folder = folder.as_deref().unwrap_or(self.link.place.start());
                report.one(folder, |r| self.cd(folder, r));
            }
            Command::Pwd => report.one("", |r| self.pwd(r)),
            Command::Lcd { dir } => {
                let dir = dir.clone().or_else(env::home_dir).unwrap_or_default();
                report.one(&dir.to_string_lossy(), |r| lcd(&dir, r));
            }
            Command::Lpwd => report.one("", lpwd),
            Command::Lls { dir } => {
                let dir = dir.as_deref().unwrap_or(Path::new("."));
                report.one(&dir.to_string_lossy(), |r| self.list_here(dir, r));
            }
            Command::Register { name } => report.one(name.as_str(), |r| self.register(name, r)),
            Command::Login { name } => report.one(name.as_str(), |r| self.login(name, r)),
            Command::Passwd { new_password_file } => {
                let new = Passwords::new(new_password_file.clone(), self.interrupt().clone());
                report.one("", |r| self.passwd(&new, r));
            }
            Command::Who => report.one("", |r| self.who(r)),
            Command::Watch(watch) => report.one("", |r| self.watch(watch, r)),
            Command::Chat { name, freeze: true } => {
                report.one("", |r| self.freeze(name.as_ref(), r));
            }
            Command::Chat { name, .. } => report.one("", |r| self.chat(name.as_ref(), r)),
            Command::Say { text, name } => report.one("", |r| self.say(text, name.as_ref(), r)),
            Command::Vote { choice } => report.one("", |r| self.vote(choice.as_ref(), r)),
            Command::Notices { state } => report.one("", |r| self.notices(*state, r)),
            Command::Admin { line } => report.one("", |r| self.admin(line, r)),
            Command::Quit => {}
        }
        report.finish()
    }
}
