//! The room: where people talk, hear each other come and go, and vote.
//!
//! The lesson's exercise, without its two faults: there, one thread writes to the sockets of all, so
//! who does not read stops everybody; and who vanishes stays in the list as a ghost.
//!
//! ```text
//! c01 SAY ──┐                      ┌─► outbox of c02 ──► c02:room ──► socket
//! c02 SAY ──┼─► Mutex<State>  ─────┼─► outbox of c03 ──► c03:room ──► socket
//! c03 SAY ──┘   who, what was said └─► outbox of c04 ──► c04:room ──► socket
//! ```
//!
//! # The rules
//! - The room knows no sockets. Whoever speaks puts the line into everybody's [`Outbox`] and goes on.
//! - All of that happens under the one lock, so the order of the lines is the same for everybody.
//!   Nothing is written under it: putting a line into an outbox never waits.
//! - A line is turned into bytes once, and all outboxes hold the same bytes.
//! - An outbox that is full loses lines, and counts them; a member who loses too many is no member
//!   any more (`outbox`).
//! - A [`Presence`] is in the room for as long as it lives, and leaves when it is dropped: there are
//!   no ghosts.
//! - How a vote stands is told once a second at most. The room has no thread, so what is left untold
//!   is told by one that waits for its time (`console`'s countdown).
//!
//! # What it costs
//! A line to 200 members is 200 entries in queues and up to 200 wake-ups, in the thread of whoever
//! speaks. The room is this process's memory: several servers on one folder have a room each.

mod line;
mod outbox;
mod pace;
mod presence;
mod state;
mod vote;

use std::sync::MutexGuard;
use std::time::Instant;

use common::protocol::{Reason, Refusal};
use common::room::{Event, RoomName, Saying, Tally};
use common::watch::Lock;

pub use self::outbox::{Outbox, Taken};
pub use self::pace::Pace;
pub use self::presence::{Presence, not_here};
use self::state::{Audience, State};
use self::vote::Round;
pub use self::vote::Voter;
use crate::bell::Bell;
use crate::clock;
use crate::named::Named;
use crate::store::Store;

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// What they are called.
    name: String,
    /// They are no user, and chose the name.
    guest: bool,
}

impl Person {
    /// The user of that account.
    pub fn user(account: &str) -> Self {
        Self { name: account.to_owned(), guest: false }
    }

    /// A guest who wants to be called that.
    pub fn guest(name: &RoomName) -> Self {
        Self { name: name.to_string(), guest: true }
    }

    /// The name in small letters: capitals do not make another person.
    pub fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

/// A session in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// What its person is called.
    pub name: String,
    /// They are no user, and chose the name.
    pub guest: bool,
    /// The session's number.
    pub session: u64,
}

/// What has come of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How the round ended that was open until then.
    pub ended: Option<Tally>,
    /// The round that has begun.
    pub begun: Tally,
}

/// The room of one server.
#[derive(Debug)]
pub struct Room<'s> {
    state: Named<State>,
    /// Where votes are kept.
    store: &'s Store,
}

impl<'s> Room<'s> {
    /// Nobody yet. Votes will be kept in `store`.
    pub fn new(store: &'s Store) -> Self {
        Self { state: Named::new("room", State::default()), store }
    }

    /// Rung when something has become of the outboxes, under the room's lock.
    pub fn bell(&self) -> Bell {
        self.lock().bell.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// How often its lock was taken.
    pub fn lock_counts(&self) -> Lock {
        self.state.lock_counts()
    }

    /// The administrator speaks, to the room and to all who listen.
    pub fn announce(&self, text: &Saying) {
        let event = Event::Admin { text: text.as_str().to_owned(), at: clock::seconds() };
        self.lock().tell_and_remember(&event, Audience::Everybody);
    }

    /// Tells of a file that has come into the library by `session`, and how many `more` have since
    /// its last notice.
    pub fn notice(&self, session: u64, user: String, path: String, size: u64, more: u64) {
        let event = Event::Notice { user, path, size, more, at: clock::seconds() };
        self.lock().tell(&event, Audience::NoticesBut(session));
    }

    /// Whether nobody is there, and nobody listens.
    pub fn is_deserted(&self) -> bool {
        self.lock().members.is_empty()
    }

    /// Every session in the room. Listeners are not.
    pub fn members(&self) -> Vec<Present> {
        let state = self.lock();
        let here = state.members.iter().filter_map(|(session, member)| {
            let Person { name, guest } = member.person.clone()?;
            Some(Present { name, guest, session: *session })
        });
        here.collect()
    }

    /// Asks everybody a question. A round that is open ends, and is kept.
    pub fn ask(&self, question: &str, choices: &[String]) -> Result<Asked, Refusal> {
        let round = Round::first(question, choices)?;
        self.begin(|_| Ok(round))
    }

    /// Asks the last question again. Its last round ends, if it has not, and is kept.
    pub fn ask_again(&self) -> Result<Asked, Refusal> {
        self.begin(|last| last.map(Round::next).ok_or_else(no_question))
    }

    /// Ends the round that is open, and keeps it.
    pub fn close_vote(&self) -> Result<Tally, Refusal> {
        let closed = self.lock().close_vote().ok_or_else(no_question)?;
        self.keep(&closed)?;
        Ok(closed)
    }

    /// How the last round stands or ended.
    pub fn tally(&self) -> Option<Tally> {
        self.lock().round.as_ref().map(|round| round.tally().clone())
    }

    /// How the open round stands.
    pub fn open_vote(&self) -> Result<Tally, Refusal> {
        self.tally().filter(|tally| tally.open).ok_or_else(no_question)
    }

    /// Counts a vote. How it stands now, and when everybody is to be told, if they have not been: then
    /// somebody must call [`tell_standing`](Self::tell_standing).
    pub fn vote(&self, voter: Voter, choice: &str) -> Result<(Tally, Option<Instant>), Refusal> {
        let mut state = self.lock();
        let open = state.round.as_mut().filter(|round| round.tally().open);
        let round = open.ok_or_else(no_question)?;
        round.vote(voter, choice)?;
        let tally = round.tally().clone();
        Ok((tally, state.tell_standing(Instant::now())))
    }

    /// Tells everybody how the vote stands, if it is time. When it will be; `None` if they know.
    pub fn tell_standing(&self) -> Option<Instant> {
        self.lock().tell_standing(Instant::now())
    }

    fn begin(
        &self,
        next: impl FnOnce(Option<&Round>) -> Result<Round, Refusal>,
    ) -> Result<Asked, Refusal> {
        let mut state = self.lock();
        let round = next(state.round.as_ref())?;
        let ended = state.close_vote();
        let begun = round.tally().clone();
        state.round = Some(round);
        state.tell(&Event::Vote(begun.clone()), Audience::Everybody);
        drop(state);
        ended.iter().try_for_each(|ended| self.keep(ended))?;
        Ok(Asked { ended, begun })
    }

    /// Writes a round down. Never under the lock.
    fn keep(&self, round: &Tally) -> Result<(), Refusal> {
        self.store.append_votes(round).map_err(|error| {
            log::error!("cannot write the votes: {error}");
            let counts =
                round.choices.iter().map(|choice| format!("{} {}", choice.choice, choice.votes));
            let counts = counts.collect::<Vec<_>>().join(", ");
            let message = format!(
                "round {} of `{}` is over ({counts}), but it could not be written to votes.csv: \
                 {error}",
                round.round, round.question
            );
            Refusal::new(Reason::Internal, message)
        })
    }
}

fn no_question() -> Refusal {
    Refusal::new(Reason::NotFound, "nothing is asked just now")
}

#[cfg(test)]
mod tests;
