//! The room, as it is seen from the prompt.
//!
//! ```text
//!  prompt ── requests ───────────► connection of the room ═══ TCP ═══► ferryd
//!    ▲                                   │
//!    ├── answers ── the room's thread ◄──┘
//!    │                   └─ events, as words ──► printer (arrivals) ──► terminal
//! ```
//!
//! The connection is the room's own: that of the commands stays one of questions and answers. The
//! thread makes it, hears what comes, and makes it again when it was lost. Where nobody went into
//! the room it only listens for what concerns everybody, and says nothing of its troubles.
//!
//! - `line`: the thread as the prompt has it, and what both know. `attendant`: its own part.

mod attendant;
mod line;

use std::sync::mpsc::sync_channel;

use common::protocol::{Done, Request};
use common::room::{RoomName, Tally};
use serde::de::DeserializeOwned;

use self::line::{Entry, Line, Presence, State, Wish, patiently};
use crate::error::{Error, Loss, Misuse};
use crate::interrupt::Interrupt;
use crate::link::Lookout;
use crate::notices::Notices;
use crate::printer::Printer;

/// The room.
#[derive(Debug)]
pub(crate) struct Room {
    printer: Printer,
    interrupt: Interrupt,
    told: Notices,
    lookout: Option<Lookout>,
    /// What a guest was called the last time.
    name: Option<String>,
    /// Whether to tell of files: in the room that is usual, and elsewhere not.
    notices: Option<bool>,
    /// What is typed is said.
    chatting: bool,
    line: Option<Line>,
}

impl Room {
    /// The room, and nobody in it or listening yet.
    pub(crate) fn new(printer: Printer, interrupt: Interrupt, told: Notices) -> Self {
        let (lookout, name, notices) = (None, None, None);
        Self { printer, interrupt, told, lookout, name, notices, chatting: false, line: None }
    }

    /// From now on the room is looked at from here. Who has become another user is that user in the
    /// room, too.
    pub(crate) fn look_from(&mut self, lookout: Option<Lookout>) {
        let Some(lookout) = lookout else { return };
        let is_other = self.lookout.as_ref().is_none_or(|old| old.user() != lookout.user());
        self.lookout = Some(lookout.clone());
        if let Some(line) = &self.line {
            let mut state = line.state();
            state.lookout = lookout;
            if !is_other && state.presence != Presence::PutOut {
                return;
            }
        }
        if self.member().is_some() {
            self.connect(Wish::Join { name: None }, None);
        } else {
            self.listen();
        }
    }

    /// What one is called in the room, if one is in it.
    pub(crate) fn member(&self) -> Option<String> {
        match &self.line.as_ref()?.state().presence {
            Presence::There(name) => Some(name.clone()),
            Presence::Absent | Presence::PutOut => None,
        }
    }

    /// What one is called in the room, if what is typed is said there.
    pub(crate) fn chatting(&self) -> Option<String> {
        self.member().filter(|_| self.chatting)
    }

    /// What is typed is not said any more. One stays where one is.
    pub(crate) fn stop_chatting(&mut self) {
        self.chatting = false;
    }

    /// Goes into the room from here, and from now on what is typed is said.
    pub(crate) fn enter(
        &mut self,
        lookout: Option<Lookout>,
        name: Option<&RoomName>,
    ) -> Result<(), Error> {
        self.lookout = lookout.or(self.lookout.take());
        let name = name.map(RoomName::as_str);
        if self.member().is_none_or(|member| name.is_some_and(|name| name != member)) {
            // Under one name at a time. Who was not there need not leave.
            let _ = self.leave();
            self.join(name.map(str::to_owned))?;
        }
        self.chatting = true;
        Ok(())
    }

    fn join(&mut self, name: Option<String>) -> Result<(), Error> {
        let is_guest = self.lookout.as_ref().is_some_and(|lookout| lookout.user().is_none());
        let name = name.or_else(|| self.name.clone().filter(|_| is_guest));
        if is_guest && name.is_none() {
            return Err(Misuse::NoRoomName.into());
        }
        let (entry, entered) = sync_channel(1);
        self.connect(Wish::Join { name: name.clone() }, Some(entry));
        match patiently(&entered, &self.interrupt, || true) {
            Ok(Ok(())) => {
                self.name = name;
                Ok(())
            }
            Ok(Err(error)) | Err(error) => {
                self.listen();
                Err(error)
            }
        }
    }

    /// Leaves the room, and from now on only listens.
    pub(crate) fn leave(&mut self) -> Result<(), Error> {
        self.member().ok_or(Misuse::NotInRoom)?;
        // To hang up is to leave as well, only that nobody knows when that is done.
        let _ = self.ask::<Done>("", &Request::Leave {});
        self.listen();
        Ok(())
    }

    /// Tells of files that come into the library, or does not.
    pub(crate) fn tell_of_files(&mut self, notices: bool) {
        self.notices = Some(notices);
        if let Some(line) = &self.line {
            line.state().notices = notices;
        }
        if self.member().is_none() {
            // Where there is no connection the next one will ask for them.
            let _ = self.ask::<Done>("", &Request::Listen { notices });
        }
    }

    /// Whether files are told of.
    pub(crate) fn tells_of_files(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.state().notices)
    }

    /// Says something to everybody, or to one person.
    pub(crate) fn say(&mut self, text: &str, to: Option<&str>) -> Result<(), Error> {
        self.member().ok_or(Misuse::NotInRoom)?;
        let request = Request::Say { text: text.to_owned(), to: to.map(str::to_owned) };
        self.ask(to.unwrap_or_default(), &request).map(|Done {}| ())
    }

    /// Votes as who one is in the room, or only asks how the vote stands.
    pub(crate) fn vote(&mut self, choice: Option<&str>) -> Result<Tally, Error> {
        self.ask("", &Request::Vote { choice: choice.map(str::to_owned) })
    }

    fn listen(&mut self) {
        self.chatting = false;
        self.connect(Wish::Listen, None);
    }

    /// Starts the room's thread; the one before it ends.
    fn connect(&mut self, wish: Wish, entry: Option<Entry>) {
        self.line = None;
        let Some(lookout) = self.lookout.clone() else { return };
        let state = State::new(lookout, self.notices.unwrap_or(wish != Wish::Listen));
        let (printer, told) = (self.printer.clone(), self.told.clone());
        self.line = Line::start(wish, state, printer, told, entry);
    }

    fn ask<T: DeserializeOwned>(&self, subject: &str, request: &Request) -> Result<T, Error> {
        let line = self.line.as_ref().ok_or(Error::Lost(Loss::Remaking))?;
        line.ask(subject, request, &self.interrupt)
    }
}
