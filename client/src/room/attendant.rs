//! The thread that is there for the room: it connects, hears, and connects again.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use common::path::VirtualPath;
use common::protocol::{Done, Joined, Reason, Request};
use common::room::Event;

use super::line::{Entry, Presence, Shared, Wish, lock};
use crate::client::{Answer, Heard, Listener};
use crate::connection::Terms;
use crate::display;
use crate::error::{Error, Loss};
use crate::interrupt::Interrupt;
use crate::notices::Notices;
use crate::printer::Printer;
use crate::words::{Happening, Talk};

/// How long it waits before it connects again, at first and at most. A whole class does so when the
/// server was restarted.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// The thread's part.
pub(super) struct Attendant {
    pub(super) wish: Wish,
    pub(super) shared: Arc<Shared>,
    pub(super) answers: SyncSender<Answer>,
    pub(super) stop: Interrupt,
    pub(super) printer: Printer,
    pub(super) told: Notices,
}

impl Attendant {
    /// Connects, again and again, until nobody wants that any more. The first time `entry` is told
    /// how it went; if it went wrong, that was all.
    pub(super) fn attend(self, mut entry: Option<Entry>) {
        let (mut pause, longest) = PAUSES;
        let mut is_again = false;
        loop {
            let error = match self.open() {
                Ok((joined, listener)) => {
                    pause = PAUSES.0;
                    let past = self.begin(joined, is_again);
                    is_again = true;
                    entry.take().map(|entry| entry.send(Ok(())));
                    let error = self.hear(listener, past);
                    self.shared.hang_up();
                    // Said by the server itself: who is in the room wants to know.
                    self.complain_if(error.reason().is_some(), &error);
                    error
                }
                Err(error) => {
                    self.complain_if(is_final(&error), &error);
                    error
                }
            };
            if let Some(entry) = entry.take() {
                let _ = entry.send(Err(error));
                return;
            }
            if self.is_out(&error) || !self.shared.pause(pause) {
                return;
            }
            pause = (pause * 2).min(longest);
        }
    }

    fn open(&self) -> Result<(Option<Joined>, Listener), Error> {
        let (lookout, mut notices) = {
            let state = self.shared.state();
            (state.lookout.clone(), state.notices)
        };
        let onlooker = self.printer.onlooker_on_room();
        let terms = Terms { onlooker, ..Terms::until(self.stop.clone()) };
        let client = lookout.connect(terms)?;
        let (joined, mut listener) = match &self.wish {
            Wish::Listen => (None, client.listen(notices)?),
            Wish::Join { name } => {
                let (joined, listener) = client.join(name.as_deref())?;
                (Some(joined), listener)
            }
        };
        let speaker = listener.speaker()?;
        loop {
            // Whoever asks for something else finds this connection from here on. Who did so before
            // found none.
            let mut place = lock(&self.shared.speaker);
            let wanted = self.shared.state().notices;
            if wanted == notices || joined.is_some() {
                *place = Some(speaker);
                return Ok((joined, listener));
            }
            drop(place);
            let Done {} = listener.ask("", &Request::Listen { notices: wanted })?;
            notices = wanted;
        }
    }

    /// Says that one is in the room, ahead of what is heard there. Returns how much of that is of
    /// before.
    fn begin(&self, joined: Option<Joined>, is_again: bool) -> u64 {
        let Some(Joined { name, members, past }) = joined else { return 0 };
        let words = self.printer.words(&Talk::entered(&name, members, is_again));
        self.shared.state().presence = Presence::There(name);
        self.tell(&words);
        // What was said while the line was down is in there, too.
        past
    }

    /// Hears until the connection ends; why it did.
    fn hear(&self, mut listener: Listener, mut past: u64) -> Error {
        loop {
            match listener.hear() {
                Ok(Heard::Event(event)) => {
                    self.show(&event, past > 0);
                    past = past.saturating_sub(1);
                }
                Ok(Heard::Answer(answer)) => {
                    let mut state = self.shared.state();
                    if !state.is_asked {
                        let said = answer.to::<Done>("");
                        return said.err().unwrap_or(Error::Lost(Loss::Closed));
                    }
                    // There is room: nobody asks twice at a time.
                    let _ = self.answers.try_send(answer);
                    state.is_asked = false;
                }
                Err(error) => return error,
            }
        }
    }

    fn show(&self, event: &Event, is_past: bool) {
        let number = match event {
            Event::Notice { .. } if !self.shared.state().notices => return,
            Event::Notice { path, .. } => {
                let path = VirtualPath::parse(path, &VirtualPath::root());
                path.ok().map(|path| self.told.add(path))
            }
            _ => None,
        };
        if self.printer.is_json() {
            let line = serde_json::to_string(event).unwrap_or_default();
            self.printer.arrived(&display::json(&line));
        } else {
            self.tell(&self.printer.words(&Happening { event, is_past, number }));
        }
    }

    /// Whether to try no more: who was in the room is out of it for good.
    fn is_out(&self, error: &Error) -> bool {
        let mut state = self.shared.state();
        if state.presence == Presence::Absent {
            // A password that is wrong is not tried again and again; the rest may change.
            return matches!(error, Error::LoginRefused(_));
        }
        let is_out = is_final(error);
        if is_out {
            state.presence = Presence::PutOut;
        }
        is_out
    }

    fn complain_if(&self, is_due: bool, error: &Error) {
        if is_due && self.shared.state().presence != Presence::Absent {
            self.tell(&format!("ferry: {}", self.printer.words(error)));
        }
    }

    fn tell(&self, line: &str) {
        if !self.printer.is_json() {
            self.printer.arrived(line);
        }
    }
}

/// Whether there is no coming back into the room from this, as after one was sent out. That a name
/// is taken may be by one's own lost connection, which the server will miss in a while.
fn is_final(error: &Error) -> bool {
    use Reason::{BadName, BadRequest, Denied, LoginRequired};
    error.reason().is_some_and(|r| [BadName, BadRequest, Denied, LoginRequired].contains(&r))
}
