//! What the room's lock guards: who hears what, and what was said.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use common::room::{Event, Tally};

use super::Person;
use super::line::{self, Line};
use super::outbox::Inlet;
use super::vote::Round;
use crate::bell::Bell;
use crate::clock;

/// Lines that a newcomer hears of what was said before.
const HISTORY_LINES: usize = 50;

/// A session that hears something.
#[derive(Debug)]
pub(super) struct Member {
    /// Who it is, in the room; a listener is nobody.
    pub(super) person: Option<Person>,
    /// It hears which files come into the library.
    pub(super) notices: bool,
    pub(super) inlet: Inlet,
}

/// Who hears an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Audience<'a> {
    /// The room, but for one session.
    RoomBut(u64),
    /// Of this person every session but one.
    Person(&'a Person, u64),
    /// Who asked for notices, and the room, but for one session.
    NoticesBut(u64),
    /// The room, and who listens.
    Everybody,
}

impl Audience<'_> {
    pub(super) fn has(self, session: u64, member: &Member) -> bool {
        match self {
            Self::RoomBut(one) => member.person.is_some() && session != one,
            Self::Person(person, one) => member.person.as_ref() == Some(person) && session != one,
            Self::NoticesBut(one) => (member.notices || member.person.is_some()) && session != one,
            Self::Everybody => true,
        }
    }
}

/// What the lock guards.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By session.
    pub(super) members: BTreeMap<u64, Member>,
    /// The last lines that everybody in the room heard.
    pub(super) history: VecDeque<Line>,
    /// The last round, open or not.
    pub(super) round: Option<Round>,
    /// Rung when something has become of the outboxes.
    pub(super) bell: Bell,
}

impl State {
    /// Puts an event into the outboxes of its audience, and lets go of those who have lost too much.
    pub(super) fn tell(&mut self, event: &Event, audience: Audience<'_>) {
        self.tell_line(&line::of(event), audience);
        self.let_the_deaf_go();
    }

    /// The same for what newcomers will hear, too.
    pub(super) fn tell_and_remember(&mut self, event: &Event, audience: Audience<'_>) {
        let line = line::of(event);
        self.remember(Line::clone(&line));
        self.tell_line(&line, audience);
        self.let_the_deaf_go();
    }

    fn tell_line(&mut self, line: &Line, audience: Audience<'_>) {
        let now = Instant::now();
        let hearing = self.members.iter_mut().filter(|(id, member)| audience.has(**id, member));
        hearing.for_each(|(_, member)| member.inlet.offer(line, now));
        self.bell.ring();
    }

    fn remember(&mut self, line: Line) {
        self.history.push_back(line);
        if self.history.len() > HISTORY_LINES {
            self.history.pop_front();
        }
    }

    /// Each that goes is announced to the others, which may be the line too much for another.
    fn let_the_deaf_go(&mut self) {
        let now = Instant::now();
        let deaf = |state: &Self| {
            let mut members = state.members.iter();
            members.find(|(_, member)| member.inlet.is_given_up(now)).map(|(id, _)| *id)
        };
        while let Some(session) = deaf(self) {
            let Some(member) = self.members.remove(&session) else { return };
            member.inlet.give_up();
            self.bell.ring();
            self.announce_leaving(session, member.person);
        }
    }

    /// Ends what a session hears. Whether it heard anything.
    pub(super) fn leave(&mut self, session: u64) -> bool {
        let Some(member) = self.members.remove(&session) else { return false };
        drop(member.inlet);
        self.announce_leaving(session, member.person);
        self.let_the_deaf_go();
        true
    }

    /// A person is gone when their last session is.
    fn announce_leaving(&mut self, session: u64, person: Option<Person>) {
        let Some(person) = person.filter(|person| !self.is_here(person)) else { return };
        let event = Event::Leave { name: person.name, guest: person.guest, at: clock::seconds() };
        let line = line::of(&event);
        self.remember(Line::clone(&line));
        self.tell_line(&line, Audience::RoomBut(session));
    }

    pub(super) fn people(&self) -> impl Iterator<Item = &Person> {
        self.members.values().filter_map(|member| member.person.as_ref())
    }

    pub(super) fn is_here(&self, person: &Person) -> bool {
        self.people().any(|other| other == person)
    }

    pub(super) fn person(&self, session: u64) -> Option<&Person> {
        self.members.get(&session)?.person.as_ref()
    }

    /// Who is called that: a user before a guest.
    pub(super) fn called(&self, name: &str) -> Option<Person> {
        let key = name.to_lowercase();
        let named = self.people().filter(|person| person.key() == key);
        named.min_by_key(|person| person.guest).cloned()
    }

    /// Ends the open round, if there is one.
    pub(super) fn close_vote(&mut self) -> Option<Tally> {
        let closed = self.round.as_mut()?.close()?;
        self.tell(&Event::Vote(closed.clone()), Audience::Everybody);
        Some(closed)
    }

    /// Tells everybody how the open round stands, if it is time. When it will be; `None` if they know.
    pub(super) fn tell_standing(&mut self, now: Instant) -> Option<Instant> {
        let round = self.round.as_mut()?;
        let Some(standing) = round.standing(now) else { return round.due() };
        self.tell(&Event::Vote(standing), Audience::Everybody);
        None
    }

    /// How the open vote stands, for whoever comes when it has begun.
    pub(super) fn open_vote(&self) -> Option<Line> {
        let round = self.round.as_ref().filter(|round| round.tally().open)?;
        Some(line::of(&Event::Vote(round.tally().clone())))
    }
}
