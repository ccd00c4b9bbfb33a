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
//!   any more ([`mod@outbox`]).
//! - A [`Presence`] is in the room for as long as it lives, and leaves when it is dropped: there are
//!   no ghosts.
//!
//! # What it costs
//! A line to 200 members is 200 entries in queues and up to 200 wake-ups, in the thread of whoever
//! speaks. The room is this process's memory: several servers on one folder have a room each.

mod line;
mod outbox;
mod pace;
mod vote;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::MutexGuard;
use std::time::Instant;

use common::escape::Safe;
use common::limits::NAME_CHARS_MAX;
use common::protocol::{Joined, Reason, Refusal};
use common::room::{Event, RoomName, Saying, Tally};
use common::watch::Lock;

use self::line::Line;
pub use self::outbox::Outbox;
use self::outbox::{Inlet, Watch};
pub use self::pace::Pace;
use self::vote::Round;
pub use self::vote::Voter;
use crate::clock;
use crate::named::Named;
use crate::store::Store;

/// Lines that a newcomer hears of what was said before.
const HISTORY_LINES: usize = 50;

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

/// A session that hears something.
#[derive(Debug)]
struct Member {
    /// Who it is, in the room; a listener is nobody.
    person: Option<Person>,
    /// It hears which files come into the library.
    notices: bool,
    inlet: Inlet,
}

/// Who hears an event.
#[derive(Debug, Clone, Copy)]
enum Audience<'a> {
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
    fn has(self, session: u64, member: &Member) -> bool {
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
struct State {
    /// By session.
    members: BTreeMap<u64, Member>,
    /// The last lines that everybody in the room heard.
    history: VecDeque<Line>,
    /// The last round, open or not.
    round: Option<Round>,
}

impl State {
    /// Puts an event into the outboxes of its audience, and lets go of those who have lost too much.
    fn tell(&mut self, event: &Event, audience: Audience<'_>) {
        self.tell_line(&line::of(event), audience);
        self.let_the_deaf_go();
    }

    /// The same for what newcomers will hear, too.
    fn tell_and_remember(&mut self, event: &Event, audience: Audience<'_>) {
        let line = line::of(event);
        self.remember(Line::clone(&line));
        self.tell_line(&line, audience);
        self.let_the_deaf_go();
    }

    fn tell_line(&mut self, line: &Line, audience: Audience<'_>) {
        let now = Instant::now();
        let hearing = self.members.iter_mut().filter(|(id, member)| audience.has(**id, member));
        hearing.for_each(|(_, member)| member.inlet.offer(line, now));
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
            self.announce_leaving(session, member.person);
        }
    }

    /// Ends what a session hears. Whether it heard anything.
    fn leave(&mut self, session: u64) -> bool {
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

    fn people(&self) -> impl Iterator<Item = &Person> {
        self.members.values().filter_map(|member| member.person.as_ref())
    }

    fn is_here(&self, person: &Person) -> bool {
        self.people().any(|other| other == person)
    }

    fn person(&self, session: u64) -> Option<&Person> {
        self.members.get(&session)?.person.as_ref()
    }

    /// Who is called that: a user before a guest.
    fn called(&self, name: &str) -> Option<Person> {
        let key = name.to_lowercase();
        let named = self.people().filter(|person| person.key() == key);
        named.min_by_key(|person| person.guest).cloned()
    }

    /// Ends the open round, if there is one.
    fn close_vote(&mut self) -> Option<Tally> {
        let closed = self.round.as_mut()?.close()?;
        self.tell(&Event::Vote(closed.clone()), Audience::Everybody);
        Some(closed)
    }

    /// How the open vote stands, for whoever comes when it has begun.
    fn open_vote(&self) -> Option<Line> {
        let round = self.round.as_ref().filter(|round| round.tally().open)?;
        Some(line::of(&Event::Vote(round.tally().clone())))
    }
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
    pub fn ask(&self, question: &str, choices: &[String]) -> Result<Tally, Refusal> {
        let round = Round::first(question, choices)?;
        self.begin(|_| Ok(round))
    }

    /// Asks the last question again. Its last round ends, if it has not, and is kept.
    pub fn ask_again(&self) -> Result<Tally, Refusal> {
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

    /// Counts a vote, and tells everybody how it stands now.
    pub fn vote(&self, voter: Voter, choice: &str) -> Result<Tally, Refusal> {
        let mut state = self.lock();
        let open = state.round.as_mut().filter(|round| round.tally().open);
        let round = open.ok_or_else(no_question)?;
        let changed = round.vote(voter, choice)?;
        let tally = round.tally().clone();
        if changed {
            state.tell(&Event::Vote(tally.clone()), Audience::Everybody);
        }
        Ok(tally)
    }

    fn begin(
        &self,
        next: impl FnOnce(Option<&Round>) -> Result<Round, Refusal>,
    ) -> Result<Tally, Refusal> {
        let mut state = self.lock();
        let round = next(state.round.as_ref())?;
        let ended = state.close_vote();
        let tally = round.tally().clone();
        state.round = Some(round);
        state.tell(&Event::Vote(tally.clone()), Audience::Everybody);
        drop(state);
        ended.map_or(Ok(()), |ended| self.keep(&ended))?;
        Ok(tally)
    }

    /// Writes a round down. Never under the lock.
    fn keep(&self, round: &Tally) -> Result<(), Refusal> {
        self.store.append_votes(round).map_err(|error| {
            log::error!("cannot write the votes: {error}");
            let message = format!(
                "round {} of `{}` is over, but it could not be written to votes.csv: {error}",
                round.round, round.question
            );
            Refusal::new(Reason::Internal, message)
        })
    }
}

fn no_question() -> Refusal {
    Refusal::new(Reason::NotFound, "nothing is asked just now")
}

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

    /// Goes in. From now on the outbox fills. `None` if a guest of that name is there already.
    pub fn join(&mut self, person: Person) -> Option<(Joined, Outbox)> {
        let mut state = self.room.lock();
        let key = person.key();
        if person.guest && state.people().any(|other| other.guest && other.key() == key) {
            return None;
        }
        let first = state.history.iter().cloned().chain(state.open_vote());
        let (inlet, outbox, watch) = outbox::outbox(first.collect());
        let known = state.is_here(&person);
        let name = person.name.clone();
        let member = Member { person: Some(person.clone()), notices: true, inlet };
        state.members.insert(self.session, member);
        if !known {
            let Person { name, guest } = person;
            let event = Event::Enter { name, guest, at: clock::seconds() };
            state.tell_and_remember(&event, Audience::RoomBut(self.session));
        }
        let people: BTreeSet<&Person> = state.people().collect();
        let joined = Joined { name, members: people.len() as u64 };
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
