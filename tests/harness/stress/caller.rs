//! One client of a load: a thread, a connection, and one operation after the other until it is
//! over.

use std::sync::atomic::Ordering;
use std::time::Instant;

use client::client::{Client, EAGER_BYTES, PutOptions};
use client::error::{Deed, Error};
use common::protocol::Kind;

use super::mix::Verb;
use super::run::Run;
use super::shelf::Name;
use super::version::{Inspection, Version};
use crate::dice::Dice;

/// How many names a client has of its own where it may replace what they hold.
const OWN_NAMES: u64 = 4;

/// How many puts, about, go to one contested name before the next one is contested.
const RIVALS: u64 = 8;

/// One of them.
pub(super) struct Caller<'r> {
    run: &'r Run<'r>,
    number: u32,
    client: Client,
    dice: Dice,
    puts: u64,
    /// The contested name that was won last.
    prize: Option<Name>,
    /// The one before that. It is of no more use.
    old_prize: Option<Name>,
}

impl<'r> Caller<'r> {
    /// Comes in.
    pub(super) fn enter(run: &'r Run<'r>, number: u32) -> Result<Self, Error> {
        let dice = Dice::new(run.plan.seed ^ (u64::from(number) << 32));
        let client = enter(run)?;
        Ok(Self { run, number, client, dice, puts: 0, prize: None, old_prize: None })
    }

    /// Puts the file that is there for everybody before anything is fetched.
    pub(super) fn put_first(&mut self) -> Result<(), Error> {
        self.put().map(drop)
    }

    /// Works until it is over, or until the server cannot be reached any more.
    pub(super) fn work(mut self) {
        while let Some(due) = self.run.turn() {
            let verb = self.run.plan.mix.pick(&mut self.dice);
            let outcome = match verb {
                Verb::Put => self.put(),
                Verb::Get => self.get(),
                Verb::List => self.list(),
            };
            let failed = outcome.is_err();
            self.note(verb, due, outcome);
            self.tidy();
            if failed && !self.client.is_usable() {
                match enter(self.run) {
                    Ok(client) => self.client = client,
                    Err(error) => return self.run.failed(&error, "coming in again"),
                }
            }
        }
    }

    /// A refusal is an answer; what is no answer is a failure.
    fn note(&self, verb: Verb, due: Instant, outcome: Result<u64, Error>) {
        match outcome {
            Ok(bytes) => self.run.ledger().done(verb, due, bytes),
            Err(Error::Exists { .. }) => self.run.ledger().refused(verb, "EXISTS"),
            Err(Error::Refused { reason, .. }) => self.run.ledger().refused(verb, reason),
            Err(error) => self.run.failed(&error, verb.name()),
        }
    }

    fn put(&mut self) -> Result<u64, Error> {
        if self.run.plan.same_name.hits(&mut self.dice) {
            return self.contest();
        }
        let own = if self.run.site.is_home() { self.puts % OWN_NAMES } else { self.puts };
        self.puts += 1;
        let name = Name::Own(format!("c{}-{own}", self.number));
        let overwrite = self.run.site.is_home();
        let (serial, size) = self.send(&name, PutOptions { overwrite, ..PutOptions::default() })?;
        self.told_ok(&name, serial);
        Ok(size)
    }

    /// Puts a name that others want, too. Some wait for their turn, some do not.
    fn contest(&mut self) -> Result<u64, Error> {
        let round = self.run.contests.fetch_add(1, Ordering::Relaxed) / RIVALS;
        let name = Name::Contested(format!("same{round}"));
        let wait = (self.dice.below(2) == 0).then_some(0);
        let (serial, size) = self.send(&name, PutOptions { wait, ..PutOptions::default() })?;
        self.told_ok(&name, serial);
        self.old_prize = self.prize.replace(name);
        Ok(size)
    }

    /// Removes what would else be one file more for each name that was ever contested. A late
    /// rival may still want the name; then the file stays.
    fn tidy(&mut self) {
        let Some(old) = self.old_prize.take() else { return };
        if self.run.site.is_home() {
            self.run.shelf().forget(&old);
            match self.client.delete(&self.path(&old)) {
                Ok(()) | Err(Error::Refused { .. }) => {}
                Err(error) => self.run.failed(&error, "removing"),
            }
        }
    }

    /// Sends a new version, as `ferry` would: a small one at once, a large one when it is told to.
    /// Its number and its size.
    fn send(&mut self, name: &Name, options: PutOptions) -> Result<(u64, u64), Error> {
        let serial = self.run.serial.fetch_add(1, Ordering::Relaxed);
        let size = u64::from(self.run.plan.sizes.pick(&mut self.dice));
        let version = Version { name: name.text().to_owned(), serial, size };
        let (path, mut body) = (self.path(name), version.body());
        if size > EAGER_BYTES {
            self.client.put(&path, size, &mut body, options)?;
            return Ok((serial, size));
        }
        let mut bytes = Vec::new();
        std::io::copy(&mut body, &mut bytes).map_err(|source| Error::Local {
            what: Deed::ReadFile(version.name.clone().into()),
            source,
        })?;
        self.client.put_ahead(&path, &bytes, options)?;
        while let Some(answer) = self.client.answer_ahead() {
            answer?;
        }
        Ok((serial, size))
    }

    fn told_ok(&self, name: &Name, serial: u64) {
        if !self.run.shelf().told_ok(name, serial) {
            self.run.wrong(format_args!("{}: two were told OK, and none may replace", name.text()));
        }
    }

    fn get(&mut self) -> Result<u64, Error> {
        let Some(known) = self.run.shelf().pick(&mut self.dice) else { return Ok(0) };
        let (path, mut inspection) = (self.path(&known.name), Inspection::default());
        let incoming = self.client.open(&path)?;
        let announced = incoming.announced();
        match incoming.receive(&mut inspection) {
            Err(error @ Error::Integrity { .. }) if announced.crc32.is_some() => {
                self.run.wrong(format_args!("{path}: {error}"));
            }
            // The server did not know the sum, and took it of what has that name by now. These
            // bytes say themselves what they should be.
            Ok(_) | Err(Error::Integrity { .. }) => {}
            Err(error) => return Err(error),
        }
        match inspection.verdict(known.name.text()) {
            Err(what) => self.run.wrong(format_args!("{path}: fetched {what}")),
            Ok(Version { serial, .. }) if self.run.shelf().contradicts(&known, serial) => {
                let told = known.serial;
                self.run.wrong(format_args!("{path}: fetched version {serial} after OK to {told}"));
            }
            Ok(_) => {}
        }
        Ok(announced.size)
    }

    /// A file that is listed is whole, so its size is one that is put.
    fn list(&mut self) -> Result<u64, Error> {
        let sizes = &self.run.plan.sizes;
        let whole = u64::from(sizes.min)..=u64::from(sizes.max);
        for entry in self.client.list(Some(self.run.site.folder()))? {
            if entry.stat.kind != Kind::File || !whole.contains(&entry.stat.size) {
                self.run.wrong(format_args!("listed as {entry:?}, which nobody put"));
            }
        }
        Ok(0)
    }

    fn path(&self, name: &Name) -> String {
        format!("{}/{}", self.run.site.folder(), name.text())
    }
}

fn enter(run: &Run<'_>) -> Result<Client, Error> {
    let mut client = run.site.enter(run.interrupt)?;
    let waits = run.waits.clone();
    client.on_wait(move |_, wait| {
        waits.fetch_add(wait.map_or(0, |_| 1), Ordering::Relaxed);
    });
    Ok(client)
}
