//! The room: the one place where a server speaks unasked.
//!
//! A session that has asked for events is no [`Client`] any more but a [`Listener`], which tells
//! them from answers. Whoever only waits for answers asks it and later takes what came before
//! them; whoever hears and talks at the same time does so in two threads, the other with a
//! [`Speaker`].

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use common::protocol::{Done, Joined, Request, Response, Told};
use common::room::{Event, Tally};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Client, REPLY, refused};
use crate::connection::{self, Connection, Voice};
use crate::error::{Error, Loss};

/// How long nothing may happen in a room. That the server is gone is found out by the system.
const SILENCE: Duration = Duration::from_hours(24);

/// How many events may come before an answer. A room keeps fewer for who does not read.
const EARLY_EVENTS_MAX: usize = 1000;

/// A session that hears events.
pub struct Listener {
    connection: Connection,
    /// Events that came while an answer was waited for.
    early: VecDeque<Event>,
}

/// What a [`Listener`] hears.
#[derive(Debug)]
pub enum Heard {
    /// Something has happened.
    Event(Event),
    /// What was asked is answered, or the server says why it is about to hang up.
    Answer(Answer),
}

/// An answer that only who asked can understand.
#[derive(Debug)]
pub struct Answer(Vec<u8>);

/// Asks over a connection that a [`Listener`] in another thread hears. Who drops it hangs up.
#[derive(Debug)]
pub struct Speaker(Voice);

/// All that tells an event from an answer.
#[derive(Deserialize)]
struct Lead {
    event: Option<IgnoredAny>,
}

impl Client {
    /// Goes into the room; a guest must choose a `name`, and a user has one.
    pub fn join(self, name: Option<&str>) -> Result<(Joined, Listener), Error> {
        let request = Request::Join { name: name.map(str::to_owned) };
        let mut listener = self.listener()?;
        let joined = listener.ask(name.unwrap_or_default(), &request);
        let joined = joined.map_err(|error| match error {
            Error::Exists { path, .. } => Error::NameTaken(path),
            error => error,
        })?;
        Ok((joined, listener))
    }

    /// Hears the administrator and the votes, and which files come if `notices` are wanted.
    pub fn listen(self, notices: bool) -> Result<Listener, Error> {
        let mut listener = self.listener()?;
        let Done {} = listener.ask("", &Request::Listen { notices })?;
        Ok(listener)
    }

    /// Votes, or only asks how the vote stands.
    pub fn vote(&mut self, choice: Option<&str>) -> Result<Tally, Error> {
        self.ask("", &Request::Vote { choice: choice.map(str::to_owned) }, REPLY)
    }

    /// Does what the server's own console would do with this line, and returns what that says.
    pub fn admin(&mut self, line: &str) -> Result<Told, Error> {
        self.ask("", &Request::Admin { line: line.to_owned() }, REPLY)
    }

    fn listener(self) -> Result<Listener, Error> {
        if self.out_of_step || !self.ahead.is_empty() {
            return Err(Error::Lost(Loss::OutOfStep));
        }
        Ok(Listener { connection: self.connection, early: VecDeque::new() })
    }
}

impl Listener {
    /// The next that is said, waited for as long as the server is there.
    pub fn hear(&mut self) -> Result<Heard, Error> {
        match self.early.pop_front() {
            Some(event) => Ok(Heard::Event(event)),
            None => self.read(SILENCE),
        }
    }

    /// Asks, and waits for the answer. The events before it can be heard afterwards.
    pub fn ask<T: DeserializeOwned>(
        &mut self,
        subject: &str,
        request: &Request,
    ) -> Result<T, Error> {
        let sent = self.connection.queue(request).and_then(|()| self.connection.flush());
        sent.map_err(|error| Error::from_wire(&error))?;
        let until = Instant::now() + REPLY;
        while self.early.len() < EARLY_EVENTS_MAX {
            match self.read(until.saturating_duration_since(Instant::now()))? {
                Heard::Event(event) => self.early.push_back(event),
                Heard::Answer(answer) => return answer.to(subject),
            }
        }
        Err(Error::Protocol("events, and no answer".into()))
    }

    /// Says something to everybody, or to one person.
    pub fn say(&mut self, text: &str, to: Option<&str>) -> Result<(), Error> {
        let request = Request::Say { text: text.to_owned(), to: to.map(str::to_owned) };
        self.ask(to.unwrap_or_default(), &request).map(|Done {}| ())
    }

    /// Leaves the room, or listens no more.
    pub fn leave(mut self) -> Result<(), Error> {
        self.ask("", &Request::Leave {}).map(|Done {}| ())
    }

    /// What another thread can ask with while this one hears.
    pub fn speaker(&self) -> Result<Speaker, Error> {
        let voice = self.connection.voice();
        voice.map(Speaker).map_err(|error| Error::from_wire(&error))
    }

    fn read(&mut self, within: Duration) -> Result<Heard, Error> {
        loop {
            let line = self.connection.read_line(within)?;
            if connection::parse::<Lead>(line)?.event.is_none() {
                return Ok(Heard::Answer(Answer(line.to_vec())));
            }
            // Of a later version there may be events that mean nothing here.
            if let Ok(event) = connection::parse(line) {
                return Ok(Heard::Event(event));
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl Answer {
    /// Understands it as the answer to a request about `subject`.
    pub fn to<T: DeserializeOwned>(&self, subject: &str) -> Result<T, Error> {
        match connection::parse(&self.0)? {
            Response::Ok(value) => Ok(value),
            Response::Fail(refusal) => Err(refused(subject, refusal)),
            Response::Exists(existing) => {
                Err(Error::Exists { path: subject.to_owned(), existing, replaceable: false })
            }
            other => Err(Error::Protocol(format!("{} is no answer here", other.outcome()))),
        }
    }
}

impl Speaker {
    /// Sends a request; the [`Listener`] will hear the answer.
    pub fn ask(&mut self, request: &Request) -> Result<(), Error> {
        self.0.send(request).map_err(|error| Error::from_wire(&error))
    }
}

#[cfg(test)]
mod tests {
    use common::protocol::Reason;

    use super::super::scripted::client;
    use super::*;

    const JOINED: &str = r#"{"status":"OK","name":"a","members":1}"#;
    const ADMIN: &str = r#"{"event":"admin","text":"hi","at":9}"#;

    #[test]
    fn an_event_is_never_taken_for_the_answer_nor_lost_before_it() {
        let client = client(|peer| {
            peer.hear();
            for line in [ADMIN, r#"{"event":"of a later version"}"#, JOINED, ADMIN] {
                peer.say(line);
            }
            assert!(peer.hear().contains("SAY"));
            for line in [ADMIN, r#"{"status":"FAIL","reason":"busy","message":"wait"}"#] {
                peer.say(line);
            }
        });
        let (joined, mut listener) = client.join(Some("a")).unwrap();
        assert_eq!((joined.name.as_str(), joined.past), ("a", 0));
        let refused = listener.say("hello", None).unwrap_err();
        assert_eq!(refused.reason(), Some(Reason::Busy));
        for _ in 0..3 {
            assert!(matches!(listener.hear(), Ok(Heard::Event(Event::Admin { .. }))));
        }
        assert!(matches!(listener.hear(), Err(Error::Lost(_))));
    }

    #[test]
    fn a_server_that_only_talks_does_not_fill_the_memory() {
        let client = client(|peer| {
            peer.hear();
            for _ in 0..=EARLY_EVENTS_MAX {
                peer.say(ADMIN);
            }
            peer.hear();
        });
        assert!(matches!(client.listen(false), Err(Error::Protocol(_))));
    }

    #[test]
    fn who_speaks_in_one_thread_is_answered_in_another_and_hangs_up_for_both() {
        let client = client(|peer| {
            peer.hear();
            peer.say(JOINED);
            assert!(peer.hear().contains("LEAVE"));
            peer.say(r#"{"status":"OK"}"#);
            assert_eq!(peer.hear(), "");
        });
        let (_, mut listener) = client.join(None).unwrap();
        let mut speaker = listener.speaker().unwrap();
        speaker.ask(&Request::Leave {}).unwrap();
        let Ok(Heard::Answer(answer)) = listener.hear() else { panic!("no answer") };
        answer.to::<Done>("").unwrap();
        drop(speaker);
        assert!(matches!(listener.hear(), Err(Error::Lost(_))));
    }
}
