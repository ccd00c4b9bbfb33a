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
//! thread (`attendant`) makes it, hears what comes, and makes it again when it was lost. Where
//! nobody went into the room it only listens for what concerns everybody, and says nothing of its
//! troubles.

mod attendant;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use common::protocol::{Done, Request};
use common::room::{RoomName, Tally};
use serde::de::DeserializeOwned;

use self::attendant::Attendant;
use crate::client::{Answer, Speaker};
use crate::error::{Error, Loss, Misuse};
use crate::interrupt::Interrupt;
use crate::link::Lookout;
use crate::notices::Notices;
use crate::printer::Printer;

/// How long an answer may take, from a server that may have to be called first.
const REPLY: Duration = Duration::from_mins(1);

/// How often who waits for an answer looks around.
const SLICE: Duration = Duration::from_millis(250);

/// What a connection to the room is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    /// To hear what concerns everybody.
    Listen,
    /// To be in the room, under this name if one is a guest.
    Join { name: Option<String> },
}

/// Whether one is in the room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Presence {
    #[default]
    Absent,
    /// Under this name; also while a lost connection is made again.
    There(String),
    /// One was there, and the thread will not come back.
    PutOut,
}

/// What is told to the thread that waits whether it came into the room.
type Entry = SyncSender<Result<(), Error>>;

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

/// The room's thread, seen from the prompt. Dropped, it hangs up and ends.
#[derive(Debug)]
struct Line {
    shared: Arc<Shared>,
    answers: Receiver<Answer>,
    /// Set, every wait for the network ends.
    stop: Interrupt,
}

/// What both threads know.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Nobody wants to be connected any more.
    is_over: Condvar,
    /// How to ask, while there is a connection. Locked while something is sent: only the thread that
    /// has just made or lost the connection could wait for that.
    speaker: Mutex<Option<Speaker>>,
}

#[derive(Debug)]
struct State {
    /// Whence to connect again.
    lookout: Lookout,
    presence: Presence,
    /// Files are told of.
    notices: bool,
    /// An answer is awaited. One that is not is a farewell.
    is_asked: bool,
    is_over: bool,
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
            let mut state = line.shared.state();
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
        self.line.as_ref().and_then(|line| line.shared.state().member())
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
        match self.patiently(&entered, |_| true) {
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
            line.shared.state().notices = notices;
        }
        if self.member().is_none() {
            // Where there is no connection the next one will ask for them.
            let _ = self.ask::<Done>("", &Request::Listen { notices });
        }
    }

    /// Whether files are told of.
    pub(crate) fn tells_of_files(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.shared.state().notices)
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

    /// Starts the room's thread; the one before it ends. If the system has no thread left there is
    /// no room for now.
    fn connect(&mut self, wish: Wish, entry: Option<Entry>) {
        self.line = None;
        let Some(lookout) = self.lookout.clone() else { return };
        let state = State {
            lookout,
            presence: Presence::Absent,
            notices: self.notices.unwrap_or(wish != Wish::Listen),
            is_asked: false,
            is_over: false,
        };
        let shared = Arc::new(Shared::new(state));
        let (sender, answers) = sync_channel(1);
        let stop = Interrupt::default();
        let attendant = Attendant {
            wish,
            shared: Arc::clone(&shared),
            answers: sender,
            stop: stop.clone(),
            printer: self.printer.clone(),
            told: self.told.clone(),
        };
        // Not joined: a resolver that hangs would hold up who leaves.
        let started = thread::Builder::new().name("room".into());
        let started = started.spawn(move || attendant.attend(entry));
        self.line = started.ok().map(|_| Line { shared, answers, stop });
    }

    fn ask<T: DeserializeOwned>(&self, subject: &str, request: &Request) -> Result<T, Error> {
        let Some(Line { shared, answers, .. }) = &self.line else {
            return Err(Error::Lost(Loss::Remaking));
        };
        shared.send(request)?;
        let answer = self.patiently(answers, |_| shared.state().is_asked);
        if answer.is_err() {
            // What is answered later would be taken for the answer to something else.
            shared.hang_up();
            while answers.try_recv().is_ok() {}
        }
        answer?.to(subject)
    }

    /// Waits for a message, not for ever, and not deaf to Ctrl-C, and not for longer than there is
    /// `hope`.
    fn patiently<T>(
        &self,
        messages: &Receiver<T>,
        hope: impl Fn(&Self) -> bool,
    ) -> Result<T, Error> {
        let until = Instant::now() + REPLY;
        loop {
            match messages.recv_timeout(SLICE) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Lost(Loss::Closed)),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.interrupt.check().map_err(|error| Error::from_wire(&error))?;
            if !hope(self) {
                return messages.try_recv().map_err(|_| Error::Lost(Loss::Closed));
            }
            if Instant::now() > until {
                return Err(Error::Lost(Loss::Silence));
            }
        }
    }
}

impl State {
    fn member(&self) -> Option<String> {
        if let Presence::There(name) = &self.presence { Some(name.clone()) } else { None }
    }
}

impl Shared {
    fn new(state: State) -> Self {
        let (is_over, speaker) = (Condvar::new(), Mutex::default());
        Self { state: Mutex::new(state), is_over, speaker }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Sends a request, if there is a connection.
    fn send(&self, request: &Request) -> Result<(), Error> {
        let mut speaker = lock(&self.speaker);
        let speaker = speaker.as_mut().ok_or(Error::Lost(Loss::Remaking))?;
        self.state().is_asked = true;
        speaker.ask(request)
    }

    /// Waits so long, and says whether there is still somebody who wants to be connected.
    fn pause(&self, pause: Duration) -> bool {
        let goes_on = |state: &mut State| !state.is_over;
        let waited = self.is_over.wait_timeout_while(self.state(), pause, goes_on);
        waited.is_ok_and(|(state, _)| !state.is_over)
    }

    /// Ends the connection, if there is one.
    fn hang_up(&self) {
        *lock(&self.speaker) = None;
        self.state().is_asked = false;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.set();
        self.shared.state().is_over = true;
        self.shared.is_over.notify_all();
        self.shared.hang_up();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
