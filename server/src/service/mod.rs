//! Who may do what, and what comes of it: a request in, a [`Reply`] out.
//!
//! Nothing here knows a socket. A reply says what is to be sent or received; the model that runs
//! the session moves the bytes. So one set of handlers and one check of rights serve every model
//! and every door. Nothing here waits for another session either: a claim that is taken is a
//! refusal, or a plan to wait that the session carries out.
//!
//! `files` has the handlers about files, `people` those about accounts, `talk` those about the room,
//! `admin` the one that lends the console out, `watch` the one that shows the state table.

mod admin;
mod files;
mod people;
mod talk;
mod watch;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use common::protocol::{Refusal, Request, Role};
use common::user::UserName;
use common::watch::Every;

use crate::accounts::{Accounts, Standing};
use crate::answer::Answer;
use crate::claims::Claims;
use crate::console::Countdown;
use crate::counters::Counters;
use crate::patience::Deadlines;
use crate::places::{Asker, Places};
use crate::plan::Plan;
use crate::quota::Usage;
use crate::room::{Outbox, Pace, Presence, Room};
use crate::roster::Roster;
use crate::state::{self, Table};
use crate::stop::Stop;
use crate::store::{Listing, Opened};
use crate::writer::Writer;

/// Who may open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Whoever can connect.
    Open,
    /// Nobody; `ferryd user add` opens them.
    Closed,
}

/// Who asks.
#[derive(Debug)]
pub struct Who<'s> {
    /// The session's number.
    pub session: u64,
    /// Where they come from.
    pub peer: SocketAddr,
    /// As whom they have logged in.
    pub user: Option<User>,
    /// Where they are in the room.
    pub presence: Presence<'s>,
    /// How fast they may speak there.
    pub pace: Pace,
}

/// Somebody who has logged in.
#[derive(Debug, Clone)]
pub struct User {
    /// Their name.
    pub name: UserName,
    /// What they may do.
    pub role: Role,
    /// How full their home is.
    pub usage: Arc<Usage>,
    /// The account they logged in to.
    pub standing: Standing,
}

impl Who<'_> {
    fn asker(&self) -> Asker<'_> {
        let role = self.user.as_ref().map_or(Role::Guest, |user| user.role);
        Asker { user: self.user.as_ref().map(|user| &user.name), role }
    }

    /// Who sends an upload that may come again: the account, or the guest's address.
    fn sender(&self) -> String {
        match &self.user {
            Some(User { name, standing, .. }) => format!("user {name} {}", standing.created()),
            None => format!("guest {}", self.peer.ip()),
        }
    }
}

impl fmt::Display for Who<'_> {
    /// What others are shown: a user's name, and for a guest the name of their thread.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => user.name.fmt(f),
            None => write!(f, "guest {}", state::called(self.session)),
        }
    }
}

/// What comes of a request.
#[derive(Debug)]
pub enum Reply<'s> {
    /// A line.
    Answer(Answer),
    /// A line for each page.
    Pages(Listing),
    /// A line, then the file's bytes from `offset` on.
    Send {
        /// The open file.
        opened: Opened,
        /// The first byte wanted; not beyond the file's end.
        offset: u64,
    },
    /// An upload is welcome.
    Receive(Plan<'s>),
    /// A line, and from now on the session is this user's.
    Welcome(User, Answer),
    /// A line, and from now on what comes out of the outbox.
    Hear(Answer, Outbox),
    /// The state table, again and again.
    Watch(Every),
    /// The session ends.
    Bye,
}

/// What the handlers work with.
#[derive(Debug)]
pub struct Service<'s> {
    /// Where everything is, and who may go there.
    pub places: Places<'s>,
    /// Who may be whom.
    pub accounts: Accounts<'s>,
    /// Who may open an account.
    pub registration: Registration,
    /// The claims.
    pub claims: &'s Claims,
    /// Where people talk.
    pub room: &'s Room<'s>,
    /// Who is connected.
    pub roster: &'s Roster,
    /// What was done so far.
    pub counters: &'s Counters,
    /// The stop to come.
    pub countdown: &'s Countdown,
    /// The writer thread.
    pub writer: &'s Writer,
    /// What every thread is doing.
    pub table: &'s Table,
    /// How sessions are run, in a word.
    pub model: String,
    /// Whether this is class mode.
    pub class: bool,
    /// Asked before every step of something long.
    pub stop: &'s Stop,
    /// The one session there is has this process to itself (model *process*).
    pub alone: bool,
    /// The longest an upload may wait for a name.
    pub claim_wait: Duration,
    /// How long clients may take for what they do.
    pub deadlines: Deadlines,
}

impl<'s> Service<'s> {
    /// Turns a request into what comes of it. Whose account is gone can only log in anew: becoming
    /// a guest, they would put into the library what was meant for their home.
    pub fn handle(&self, who: &mut Who<'s>, request: Request) -> Reply<'s> {
        if let Err(refusal) = self.confirm(who)
            && !matches!(request, Request::Login(_) | Request::Register(_) | Request::Quit {})
        {
            // Nor is a closed account in the room any longer.
            who.presence.leave();
            return Reply::Answer(refusal.into());
        }
        let handled = match request {
            Request::Join { .. }
            | Request::Listen { .. }
            | Request::Say { .. }
            | Request::Leave {}
            | Request::Vote { .. }
                if self.alone =>
            {
                Err(talk::no_room().into())
            }
            Request::List { path } => self.list(who, path.as_deref().unwrap_or_default()),
            Request::Get { path, offset } => self.get(who, &path, offset.unwrap_or(0)),
            Request::Put(put) => self.put(who, &put),
            Request::Stat { path } => self.stat(who, &path),
            Request::Sum { path } => self.sum(who, &path),
            Request::Mkdir { path } => self.mkdir(who, &path),
            Request::Delete { path } => self.delete(who, &path),
            Request::Rename { from, to } => self.rename(who, &from, &to),
            Request::Register(credentials) => self.register(who, &credentials),
            Request::Login(credentials) => self.login(who, &credentials),
            Request::Passwd { old, new } => self.passwd(who, &old, &new),
            Request::Who {} => Ok(Reply::Answer(Self::who(who))),
            Request::Join { name } => self.join(who, name.as_deref()),
            Request::Listen { notices } => self.listen(who, notices),
            Request::Say { text, to } => Self::say(who, &text, to.as_deref()),
            Request::Leave {} => Self::leave(who),
            Request::Vote { choice } => self.vote(who, choice.as_deref()),
            Request::Admin { line } => self.admin(who, &line),
            Request::Watch { every } => Ok(self.watch(who, every)),
            Request::Quit {} => Ok(Reply::Bye),
        };
        handled.unwrap_or_else(|Refused(answer)| Reply::Answer(answer))
    }

    fn confirm(&self, who: &mut Who<'_>) -> Result<(), Refusal> {
        let Some(user) = &mut who.user else { return Ok(()) };
        user.role = self.accounts.confirm(&user.name, user.role, &mut user.standing)?;
        Ok(())
    }
}

/// What a handler gives up with: a refusal, or `EXISTS`.
struct Refused(Answer);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}

impl From<Answer> for Refused {
    fn from(answer: Answer) -> Self {
        Self(answer)
    }
}

type Handled<'s> = Result<Reply<'s>, Refused>;
