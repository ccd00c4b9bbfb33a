//! A session's own place in the room, and all that it does there.

use std::collections::BTreeSet;

use common::escape::Safe;
use common::limits::NAME_CHARS_MAX;
use common::protocol::{Joined, Reason, Refusal};
use common::room::{Event, Saying};

use super::outbox::{self, Outbox, Watch};
use super::state::{Audience, Member};
use super::{Person, Room};
use crate::clock;
use crate::state;

/// A session's place in the room: in it, listening, or neither. It leaves when it is dropped.
#[derive(Debug)]
pub struct Presence<'s> {
    room: &'s Room<'s>,
    session: u64,
    /// Of the outbox that the room fills for it, if it does.
    watch: Option<Watch>,
}

impl<'s> Presence<'s> {
    /// Neither in the room nor listening.
    pub fn new(room: &'s Room<'s>, session: u64) -> Self {
        Self { room, session, watch: None }
    }

    /// Whether it is in the room or listening, or was until it was given up.
    pub fn hears(&self) -> bool {
        self.watch.is_some()
    }

    /// Whether what it hears cannot be written any more.
    pub fn is_over(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_over)
    }

    /// Whether the room has given it up, because it took too little of what was said.
    pub fn was_given_up(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::was_given_up)
    }

    /// Who it is in the room.
    pub fn person(&self) -> Option<Person> {
        self.room.lock().person(self.session).cloned()
    }

    /// Goes in. From now on the outbox fills, and the calling thread's row says who a guest is. `None`
    /// if a guest of that name is there already.
    pub fn join(&mut self, person: Person) -> Option<(Joined, Outbox)> {
        let mut state = self.room.lock();
        let key = person.key();
        if person.guest && state.people().any(|other| other.guest && other.key() == key) {
            return None;
        }
        let past = state.history.len() as u64;
        let first = state.history.iter().cloned().chain(state.open_vote());
        let (inlet, outbox, watch) = outbox::outbox(first.collect());
        let known = state.is_here(&person);
        let (name, guest) = (person.name.clone(), person.guest);
        let member = Member { person: Some(person.clone()), notices: true, inlet };
        state.members.insert(self.session, member);
        if !known {
            let Person { name, guest } = person;
            let event = Event::Enter { name, guest, at: clock::seconds() };
            state.tell_and_remember(&event, Audience::RoomBut(self.session));
        }
        let people: BTreeSet<&Person> = state.people().collect();
        let joined = Joined { name, members: people.len() as u64, past };
        drop(state);
        state::is_guest_called(guest.then_some(&joined.name));
        self.watch = Some(watch);
        Some((joined, outbox))
    }

    /// Listens, unseen. The outbox to be written from now on; `None` if there is one already, and
    /// only what it holds has changed.
    pub fn listen(&mut self, notices: bool) -> Option<Outbox> {
        let mut state = self.room.lock();
        if let Some(member) = state.members.get_mut(&self.session) {
            member.notices = notices;
            return None;
        }
        let (inlet, outbox, watch) = outbox::outbox(state.open_vote().into_iter().collect());
        state.members.insert(self.session, Member { person: None, notices, inlet });
        self.watch = Some(watch);
        Some(outbox)
    }

    /// Says something to all others in the room, or to one person there.
    pub fn say(&self, text: &Saying, to: Option<&str>) -> Result<(), Refusal> {
        let mut state = self.room.lock();
        let speaker = state.person(self.session).ok_or_else(not_here)?;
        let (from, guest) = (speaker.name.clone(), speaker.guest);
        let said = |to| Event::Say {
            from,
            guest,
            text: text.as_str().to_owned(),
            to,
            at: clock::seconds(),
        };
        let Some(name) = to else {
            state.tell_and_remember(&said(None), Audience::RoomBut(self.session));
            return Ok(());
        };
        let hearer = state.called(name).ok_or_else(|| nobody_called(name))?;
        let to_one = Audience::Person(&hearer, self.session);
        if !state.members.iter().any(|(session, member)| to_one.has(*session, member)) {
            return Err(nobody_called(name));
        }
        state.tell(&said(Some(hearer.name.clone())), to_one);
        Ok(())
    }

    /// Leaves, or stops listening. Whether it did either.
    pub fn leave(&mut self) -> bool {
        let heard = self.watch.take().is_some();
        if heard {
            state::is_guest_called(None);
        }
        heard && self.room.lock().leave(self.session)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The refusal for who is not in the room.
pub fn not_here() -> Refusal {
    Refusal::new(Reason::Denied, "you are not in the room; JOIN first")
}

fn nobody_called(name: &str) -> Refusal {
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let message = format!("nobody else in the room is called `{}`", Safe(&name));
    Refusal::new(Reason::NotFound, message)
}
