//! The handlers about the room.

use common::escape::Safe;
use common::limits::NAME_CHARS_MAX;
use common::protocol::{Done, Existing, Reason, Refusal, Response, Role};
use common::room::{RoomName, Saying};
use common::user::UserName;

use super::{Handled, Refused, Reply, Service, User, Who};
use crate::answer::Answer;
use crate::refusal;
use crate::rights::{Deed, Place, Verdict};
use crate::room::{Pace, Person, Voter, not_here};

impl<'s> Service<'s> {
    pub(super) fn join(&self, who: &mut Who<'s>, name: Option<&str>) -> Handled<'s> {
        self.may_hear(who)?;
        if who.presence.person().is_some() {
            let message = "you are in the room already; LEAVE first to come under another name";
            return Err(Refusal::new(Reason::BadRequest, message).into());
        }
        let person = match &who.user {
            Some(user) => user_in_room(user, name)?,
            None => self.guest_in_room(name)?,
        };
        keep_pace(&mut who.pace)?;
        match who.presence.join(person) {
            Some((joined, outbox)) => Ok(Reply::Hear(Answer::of(&Response::Ok(joined)), outbox)),
            None => Err(taken(name.unwrap_or_default())),
        }
    }

    pub(super) fn listen(&self, who: &mut Who<'s>, notices: bool) -> Handled<'s> {
        self.may_hear(who)?;
        if who.presence.person().is_some() {
            let message = "you are in the room, and hear everything; LEAVE first";
            return Err(Refusal::new(Reason::BadRequest, message).into());
        }
        Ok(match who.presence.listen(notices) {
            Some(outbox) => Reply::Hear(Answer::done(), outbox),
            None => Reply::Answer(Answer::done()),
        })
    }

    pub(super) fn say(who: &mut Who<'s>, text: &str, to: Option<&str>) -> Handled<'s> {
        if who.presence.person().is_none() {
            return Err(not_here().into());
        }
        let text = Saying::parse(text).map_err(|error| refusal::bad_saying(&error))?;
        keep_pace(&mut who.pace)?;
        who.presence.say(&text, to)?;
        Ok(Reply::Answer(Answer::done()))
    }

    pub(super) fn leave(who: &mut Who<'s>) -> Handled<'s> {
        if who.presence.leave() {
            return Ok(Reply::Answer(Answer::done()));
        }
        let message = "you are not in the room, and do not listen to it";
        Err(Refusal::new(Reason::Denied, message).into())
    }

    pub(super) fn vote(&self, who: &mut Who<'s>, choice: Option<&str>) -> Handled<'s> {
        let voter = voter(who)?;
        let tally = match choice {
            Some(choice) => {
                keep_pace(&mut who.pace)?;
                let (tally, untold_until) = self.room.vote(voter, choice)?;
                untold_until.inspect(|at| self.countdown.tell_standing_at(*at));
                tally
            }
            None => self.room.open_vote()?,
        };
        Ok(Reply::Answer(Answer::of(&Response::Ok(tally))))
    }

    /// What is told in the room tells of the library: who may not look there may not hear it.
    fn may_hear(&self, who: &Who<'_>) -> Result<(), Refusal> {
        let role = who.user.as_ref().map_or(Role::Guest, |user| user.role);
        match self.places.policy.verdict(role, Deed::Look, Place::Library) {
            Verdict::Yes => Ok(()),
            Verdict::LogIn | Verdict::No => {
                let message = "only users may go into the room here; log in or register first";
                Err(Refusal::new(Reason::LoginRequired, message))
            }
        }
    }

    /// A guest has the name they want, if it is nobody's.
    fn guest_in_room(&self, name: Option<&str>) -> Result<Person, Refused> {
        let name = name.ok_or_else(|| bad_name("say what you want to be called, as in `name`"))?;
        let name = RoomName::parse(name).map_err(|error| bad_name(error.to_string()))?;
        if let Ok(user) = UserName::parse(name.as_str())
            && self.accounts.find(&user)?.is_some()
        {
            return Err(taken(name.as_str()));
        }
        Ok(Person::guest(&name))
    }
}

/// A user has their own name, and no other. An account that is called as the server's own voice may
/// have been opened by anybody; only an administrator speaks under it.
fn user_in_room(user: &User, name: Option<&str>) -> Result<Person, Refusal> {
    let own = user.name.as_str();
    if name.is_some_and(|name| !name.eq_ignore_ascii_case(own)) {
        return Err(bad_name(format!("you are `{own}` in the room, as everywhere else")));
    }
    if user.role != Role::Admin {
        RoomName::parse(own).map_err(|error| bad_name(error.to_string()))?;
    }
    Ok(Person::user(own))
}

/// Whose vote it is: a user's from anywhere, a guest's by their name in the room.
fn voter(who: &Who<'_>) -> Result<Voter, Refusal> {
    match &who.user {
        Some(user) => Ok(Voter::User(user.name.to_string())),
        None => Ok(Voter::Guest(who.presence.person().ok_or_else(not_here)?.key())),
    }
}

fn keep_pace(pace: &mut Pace) -> Result<(), Refusal> {
    pace.take().map_err(|wait| {
        let message = format!("too fast; wait {:.1} s and say it again", wait.as_secs_f64());
        Refusal::new(Reason::Busy, message)
    })
}

/// The refusal where there is nobody to talk to.
pub(super) fn no_room() -> Refusal {
    let message = "there is no room here: this server runs each session in a process of its own, \
                   and processes share no memory; one that runs as `--model thread` has a room";
    Refusal::new(Reason::Denied, message)
}

fn bad_name(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::BadName, message)
}

fn taken(name: &str) -> Refused {
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let message = format!("somebody is called `{}` already; choose another name", Safe(&name));
    Answer::of(&Response::<Done>::Exists(Existing { message, stat: None })).into()
}
