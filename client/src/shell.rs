//! Does commands, one after the other, over a connection made when the first needs it and made
//! again when it was lost.

mod put;
mod report;

use std::slice;

use common::escape::Safe;
use common::path::{PathError, VirtualPath};
use common::protocol::{Done, Download, Sum};
use serde::Serialize;

use self::put::Uploads;
use self::report::Report;
use crate::address::Address;
use crate::client::Client;
use crate::command::{Command, Get};
use crate::display;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::transfer;

/// A server to work with, and where to say how that went.
#[derive(Debug)]
pub(crate) struct Shell {
    server: Address,
    client: Option<Client>,
    interrupt: Interrupt,
    printer: Printer,
}

/// Right-aligns the sizes of several `stat`s, which come one by one: as wide as `999.9 kB`.
const STAT_WIDTH: usize = 8;

/// What `get` adds to a result.
#[derive(Serialize)]
struct Fetched<'a> {
    #[serde(flatten)]
    download: Download,
    /// Where it is now.
    file: &'a str,
}

/// What `mv` adds to a result.
#[derive(Serialize)]
struct Renamed<'a> {
    to: &'a str,
}

impl Shell {
    pub(crate) fn new(server: Address, printer: Printer, interrupt: Interrupt) -> Self {
        Self { server, client: None, interrupt, printer }
    }

    pub(crate) fn server(&self) -> &Address {
        &self.server
    }

    pub(crate) fn printer(&self) -> &Printer {
        &self.printer
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The session: the one there is, or another if that one is of no more use.
    pub(crate) fn client(&mut self) -> Result<&mut Client, Error> {
        let usable = match self.client.take() {
            Some(client) if client.is_usable() => client,
            Some(_) => {
                let client = self.connect()?;
                self.printer.talk(format_args!("connected to {} again", self.server));
                client
            }
            None => self.connect()?,
        };
        Ok(self.client.insert(usable))
    }

    fn connect(&self) -> Result<Client, Error> {
        let mut client = Client::connect_until(&self.server, self.interrupt.clone())?;
        let printer = self.printer.clone();
        client.on_wait(move |path, wait| printer.waiting(path, wait));
        Ok(client)
    }

    /// Takes leave of the server, if it is there to take leave of.
    pub(crate) fn leave(&mut self) {
        if let Some(client) = self.client.take_if(|client| client.is_usable()) {
            // It has given every answer that was wanted; how it hangs up changes none of them.
            let _ = client.quit();
        }
    }

    /// Does a command, says how it went, and returns the exit status.
    pub(crate) fn run(&mut self, command: &Command) -> u8 {
        let mut report = Report::new(command.verb(), self.printer.clone());
        match command {
            Command::List { path } => {
                let shown = path.as_deref().unwrap_or("/library").to_owned();
                report.each(&[shown], |_, report| self.list(path.as_deref(), report));
            }
            Command::Get(get) => report.each(&get.paths, |path, r| self.get(path, get, r)),
            Command::Put(put) => Uploads::new(self, &mut report, put).run(&put.files),
            Command::Stat { paths } => report.each(paths, |path, r| self.stat(path, r)),
            Command::Sum { paths } => report.each(paths, |path, r| self.sum(path, r)),
            Command::Mkdir { paths } => report.each(paths, |path, r| self.mkdir(path, r)),
            Command::Rm { paths } => report.each(paths, |path, r| self.rm(path, r)),
            Command::Mv { from, to } => {
                report.each(slice::from_ref(from), |from, report| self.mv(from, to, report));
            }
            Command::Quit => {}
        }
        report.finish()
    }

    fn list(&mut self, path: Option<&str>, report: &mut Report) -> Result<(), Error> {
        let entries = self.client()?.list(path)?;
        let printer = report.printer();
        if entries.is_empty() {
            printer.talk("(empty)");
        }
        if printer.is_json() {
            return entries.iter().try_for_each(|entry| printer.json(entry));
        }
        printer.stdout(|out| display::listing(out, &entries))
    }

    fn stat(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let stat = self.client()?.stat(path)?;
        report.answer(path, &display::entry(path, &stat, STAT_WIDTH), stat)
    }

    fn sum(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        let crc32 = self.client()?.sum(path)?;
        report.answer(path, &format!("{crc32}  {}", Safe(path)), Sum { crc32 })
    }

    fn mkdir(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        self.client()?.mkdir(path)?;
        report.done(path, &format!("mkdir {}", Safe(path)), Done {})
    }

    fn rm(&mut self, path: &str, report: &mut Report) -> Result<(), Error> {
        self.client()?.delete(path)?;
        report.done(path, &format!("rm {}", Safe(path)), Done {})
    }

    fn mv(&mut self, from: &str, to: &str, report: &mut Report) -> Result<(), Error> {
        self.client()?.rename(from, to)?;
        report.done(from, &format!("mv {} {}", Safe(from), Safe(to)), Renamed { to })
    }

    fn get(&mut self, path: &str, get: &Get, report: &mut Report) -> Result<(), Error> {
        let parsed = VirtualPath::parse(path, &VirtualPath::root())?;
        let (_, name) = parsed.split_last().ok_or_else(|| PathError::NoName(path.to_owned()))?;
        let file = get.to.clone().unwrap_or_default().join(name.as_str());
        // Before the server is even called: what cannot be kept need not be sent.
        transfer::check_free(&file, get.force)?;
        let printer = report.printer().clone();
        let bar = |total| printer.bar(path, total);
        let download = transfer::download(self.client()?, path, &file, get.force, bar)?;
        let shown = format!("get {}  {}", Safe(path), display::size(download.size));
        report.moved(download.size);
        report.done(path, &shown, Fetched { download, file: &file.to_string_lossy() })
    }
}
