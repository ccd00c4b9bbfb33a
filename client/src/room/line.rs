//! The room's thread, seen from the prompt, and what both know.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use common::protocol::Request;
use serde::de::DeserializeOwned;

use super::attendant::Attendant;
use crate::client::{Answer, Speaker};
use crate::error::{Error, Loss};
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
pub(super) enum Wish {
    /// To hear what concerns everybody.
    Listen,
    /// To be in the room, under this name if one is a guest.
    Join { name: Option<String> },
}

/// Whether one is in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presence {
    Absent,
    /// Under this name; also while a lost connection is made again.
    There(String),
    /// One was there, and the thread will not come back.
    PutOut,
}

/// Where the thread tells whether it came in, the first time.
pub(super) type Entry = SyncSender<Result<(), Error>>;

/// The room's thread. Dropped, it hangs up and ends.
#[derive(Debug)]
pub(super) struct Line {
    shared: Arc<Shared>,
    answers: Receiver<Answer>,
    /// Set, every wait for the network ends.
    stop: Interrupt,
}

/// What both threads know.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Nobody wants to be connected any more.
    is_over: Condvar,
    /// How to ask, while there is a connection. Locked while something is sent: only the thread that
    /// has just made or lost the connection could wait for that.
    pub(super) speaker: Mutex<Option<Speaker>>,
}

#[derive(Debug)]
pub(super) struct State {
    /// Whence to connect again.
    pub(super) lookout: Lookout,
    pub(super) presence: Presence,
    /// Files are told of.
    pub(super) notices: bool,
    /// An answer is awaited. One that is not is a farewell.
    pub(super) is_asked: bool,
    is_over: bool,
}

impl State {
    /// Absent, as one is before it is told otherwise.
    pub(super) fn new(lookout: Lookout, notices: bool) -> Self {
        Self { lookout, presence: Presence::Absent, notices, is_asked: false, is_over: false }
    }
}

impl Line {
    /// Starts the thread. `None` if the system has none left: then there is no room for now.
    pub(super) fn start(
        wish: Wish,
        state: State,
        printer: Printer,
        told: Notices,
        entry: Option<Entry>,
    ) -> Option<Self> {
        let (is_over, speaker) = (Condvar::new(), Mutex::default());
        let shared = Arc::new(Shared { state: Mutex::new(state), is_over, speaker });
        let (sender, answers) = sync_channel(1);
        let line = Self { shared: Arc::clone(&shared), answers, stop: Interrupt::default() };
        let stop = line.stop.clone();
        let attendant = Attendant { wish, shared, answers: sender, stop, printer, told };
        // Not joined: a resolver that hangs would hold up who leaves.
        let named = thread::Builder::new().name("room".into());
        named.spawn(move || attendant.attend(entry)).ok().map(|_| line)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// Asks, and waits for the answer, if there is a connection.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        subject: &str,
        request: &Request,
        interrupt: &Interrupt,
    ) -> Result<T, Error> {
        self.shared.send(request)?;
        let answer = patiently(&self.answers, interrupt, || self.state().is_asked);
        if answer.is_err() {
            // What is answered later would be taken for the answer to something else.
            self.shared.hang_up();
            while self.answers.try_recv().is_ok() {}
        }
        answer?.to(subject)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.set();
        self.state().is_over = true;
        self.shared.is_over.notify_all();
        self.shared.hang_up();
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn send(&self, request: &Request) -> Result<(), Error> {
        let mut speaker = lock(&self.speaker);
        let speaker = speaker.as_mut().ok_or(Error::Lost(Loss::Remaking))?;
        self.state().is_asked = true;
        speaker.ask(request)
    }

    /// Waits so long, and says whether there is still somebody who wants to be connected.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let goes_on = |state: &mut State| !state.is_over;
        let waited = self.is_over.wait_timeout_while(self.state(), pause, goes_on);
        waited.is_ok_and(|(state, _)| !state.is_over)
    }

    /// Ends the connection, if there is one.
    pub(super) fn hang_up(&self) {
        *lock(&self.speaker) = None;
        self.state().is_asked = false;
    }
}

/// Waits for a message: not for ever, not deaf to Ctrl-C, and no longer than there is `hope`.
pub(super) fn patiently<T>(
    messages: &Receiver<T>,
    interrupt: &Interrupt,
    hope: impl Fn() -> bool,
) -> Result<T, Error> {
    let until = Instant::now() + REPLY;
    loop {
        match messages.recv_timeout(SLICE) {
            Ok(message) => return Ok(message),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::Lost(Loss::Closed)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        interrupt.check().map_err(|error| Error::from_wire(&error))?;
        if !hope() {
            // It may have come with the last of it.
            return messages.try_recv().map_err(|_| Error::Lost(Loss::Closed));
        }
        if Instant::now() > until {
            return Err(Error::Lost(Loss::Silence));
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
