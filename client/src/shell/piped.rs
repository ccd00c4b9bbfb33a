//! `ferry chat` without a person: each line of stdin is said, and what happens is written to stdout,
//! a line each.
//!
//! Two threads wait, one for lines and one for the server, and this one for both. It has the
//! terminal to itself, so nothing need arrive unasked.

use std::io::{self, BufRead};
use std::thread;
use std::time::{Duration, Instant};

use common::protocol::{Done, Joined, Reason, Request};
use common::room::{Event, RoomName};
use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use super::Shell;
use super::report::Report;
use super::room::addressed;
use crate::client::{Heard, Listener, Speaker};
use crate::command::Command;
use crate::error::{Deed, Error, Loss};
use crate::interrupt::Interrupt;
use crate::words::Happening;

/// How often it looks around, and how long it is before what was said too fast is said again.
const SLICE: Duration = Duration::from_millis(250);

/// How long a line may have to be said again and again.
const PATIENCE: Duration = Duration::from_mins(1);

/// The work of one chat.
struct Chat<'a> {
    report: &'a mut Report,
    speaker: Speaker,
    lines: Receiver<io::Result<String>>,
    heard: Receiver<Result<Heard, Error>>,
    /// How many events are still of before.
    past: u64,
    /// Said, and not answered.
    said: Option<Said>,
}

struct Said {
    line: String,
    since: Instant,
    /// It was too fast, and is to be said again then.
    again: Option<Instant>,
}

impl Shell<'_> {
    /// Chats until `input` ends, and returns the exit status.
    pub(crate) fn chat_piped(
        &mut self,
        name: Option<&RoomName>,
        input: impl BufRead + Send + 'static,
    ) -> u8 {
        let mut report = self.report(&Command::Chat { name: None, freeze: false });
        report.one("", |report| {
            let (Joined { past, .. }, listener) = self.come_in(name, self.link.terms().clone())?;
            let speaker = listener.speaker()?;
            let (lines, heard) = (read(input)?, hear(listener)?);
            Chat { report, speaker, lines, heard, past, said: None }.run(self.interrupt())
        });
        report.finish()
    }
}

impl Chat<'_> {
    fn run(mut self, interrupt: &Interrupt) -> Result<(), Error> {
        let nothing = never();
        loop {
            interrupt.check().map_err(|error| Error::from_wire(&error))?;
            // One line is said when the one before it is answered.
            let lines = if self.said.is_none() { &self.lines } else { &nothing };
            select! {
                recv(lines) -> line => match line {
                    Ok(line) => self.say(line.map_err(Error::local(Deed::ReadCommands))?)?,
                    Err(_) => return self.leave(),
                },
                recv(self.heard) -> heard => match heard.unwrap_or(Err(Error::Lost(Loss::Closed)))? {
                    Heard::Event(event) => self.show(&event)?,
                    Heard::Answer(answer) => self.answered(answer.to("")),
                },
                default(SLICE) => {}
            }
            self.say_again()?;
        }
    }

    fn say(&mut self, line: String) -> Result<(), Error> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let (to, text) = addressed(&line);
        let request = Request::Say { text: text.to_owned(), to: to.map(str::to_owned) };
        self.speaker.ask(&request)?;
        let since = self.said.take().map_or_else(Instant::now, |said| said.since);
        self.said = Some(Said { line, since, again: None });
        Ok(())
    }

    fn answered(&mut self, answer: Result<Done, Error>) {
        match (answer, &mut self.said) {
            (Err(Error::Refused { reason: Reason::Busy, .. }), Some(said))
                if said.since.elapsed() < PATIENCE =>
            {
                said.again = Some(Instant::now() + SLICE);
            }
            (answer, _) => {
                self.said = None;
                // The next may be said all the same.
                let _ = answer.map_err(|error| self.report.failed("", &error));
            }
        }
    }

    fn say_again(&mut self) -> Result<(), Error> {
        match &self.said {
            Some(Said { line, again: Some(again), .. }) if *again <= Instant::now() => {
                self.say(line.clone())
            }
            _ => Ok(()),
        }
    }

    fn show(&mut self, event: &Event) -> Result<(), Error> {
        let is_past = self.past > 0;
        self.past = self.past.saturating_sub(1);
        let printer = self.report.printer();
        if printer.is_json() {
            return printer.json(event);
        }
        printer.line(&printer.words(&Happening { event, is_past, number: None }))
    }

    /// Leaves, and hears what happens until that is done.
    fn leave(mut self) -> Result<(), Error> {
        self.speaker.ask(&Request::Leave {})?;
        loop {
            match self.heard.recv_timeout(PATIENCE) {
                Ok(heard) => match heard? {
                    Heard::Event(event) => self.show(&event)?,
                    Heard::Answer(answer) => return answer.to("").map(|Done {}| ()),
                },
                Err(_) => return Err(Error::Lost(Loss::Silence)),
            }
        }
    }
}

/// The lines, as they come.
fn read(input: impl BufRead + Send + 'static) -> Result<Receiver<io::Result<String>>, Error> {
    let (sender, lines) = bounded(1);
    // Not joined: it waits for who may never write.
    begin("stdin", move || {
        let _ = input.lines().try_for_each(|line| sender.send(line));
    })?;
    Ok(lines)
}

/// What the server says, as it comes.
fn hear(mut listener: Listener) -> Result<Receiver<Result<Heard, Error>>, Error> {
    let (sender, heard): (Sender<Result<Heard, Error>>, _) = bounded(1);
    // Not joined: it ends when the connection does, which it does with the speaker.
    begin("room", move || {
        loop {
            let next = listener.hear();
            let is_last = next.is_err();
            if sender.send(next).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(heard)
}

fn begin(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let started = thread::Builder::new().name(name.into()).spawn(work);
    started.map(drop).map_err(Error::local(Deed::ReadCommands))
}
