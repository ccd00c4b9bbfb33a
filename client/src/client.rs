//! Typed calls: a method per request. It knows no terminal, no local file and no retry, so the
//! prompt, the tests and a load generator all stand on it.
//!
//! One rule runs through it: **the stream must stay in step.** Requests are answered in order,
//! and a body is bytes without a mark at its end. Whoever stops in the middle of an exchange can
//! not know where the next reply begins, so the connection is then of no more use
//! ([`Client::is_usable`]) and every further call says so.
//!
//! In the room the server speaks unasked, too: who goes in gives the client away for a [`Listener`],
//! which tells events from answers.

mod account;
mod breath;
mod connect;
mod get;
mod head;
mod put;
mod room;
#[cfg(test)]
pub(crate) mod scripted;
mod small;
mod sums;
#[cfg(test)]
mod tests;
mod watch;

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use common::protocol::{
    Crc32, Details, Done, Entry, Greeting, Page, Refusal, Request, Response, Role, Summed, Wait,
};
use serde::de::DeserializeOwned;

pub(crate) use self::breath::BATCH;
pub use self::get::Incoming;
pub use self::head::Head;
pub use self::put::{EAGER_BYTES, Outgoing, PutOptions, WINDOW};
pub use self::room::{Answer, Heard, Listener, Speaker};
pub(crate) use self::small::Small;
use crate::connection::Connection;
use crate::error::{Error, Loss};

/// How long a reply may take after the line before it.
const REPLY: Duration = Duration::from_mins(1);
/// How long one may take that is about what is on disk: a file of unknown size is read through, or
/// the disk has first to take what it was given before, by whomever.
const DISK: Duration = Duration::from_mins(10);
/// How long a goodbye may take; nobody needs the answer.
const GOODBYE: Duration = Duration::from_secs(5);
/// The slowest disk worth waiting for, in bytes a second, once it has nothing else to do.
const SLOWEST_DISK: u64 = 10_000_000;
/// File bytes move in blocks of this size, filled before they are passed on. Full blocks were
/// measured to be worth twice as much as whatever one `recv` happens to bring; larger ones no more.
const BLOCK: usize = 512 * 1024;

/// What is called for each `WAIT`: the path, and who is in the way; nobody once the wait is over.
type Notice = Box<dyn FnMut(&str, Option<&Wait>) + Send>;

/// A session with a server.
pub struct Client {
    connection: Connection,
    greeting: Greeting,
    /// An exchange has begun and not come to its end.
    out_of_step: bool,
    /// Paths of the uploads sent ahead of their answers, oldest first.
    ahead: VecDeque<String>,
    /// How many small files were asked for and are still to be taken.
    small_due: usize,
    notice: Notice,
    /// What the session's user may do, as the server said when they came to be its user.
    role: Role,
    /// Of size [`BLOCK`] once a body was moved; kept for the next.
    block: Vec<u8>,
}

impl Client {
    /// What the server said first.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// From now on calls `notice` whenever the server says that somebody else is writing the
    /// path wanted, and without anybody once that wait is over.
    pub fn on_wait(&mut self, notice: impl FnMut(&str, Option<&Wait>) + Send + 'static) {
        self.notice = Box::new(notice);
    }

    /// Whether another request can be sent. `false` after an exchange was cut short, and once
    /// the server has closed the connection or spoken unasked, which it does before it closes.
    pub fn is_usable(&self) -> bool {
        !self.out_of_step && (!self.ahead.is_empty() || self.connection.is_silent())
    }

    /// The entries of a folder, folders first, by name; without a path, of the library for a guest
    /// and of one's home for a user.
    pub fn list(&mut self, path: Option<&str>) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        self.list_pages(path, |page| {
            entries.extend(page);
            ControlFlow::Continue(())
        })?;
        entries.sort_unstable_by(by_kind_and_name);
        Ok(entries)
    }

    /// As [`list`](Self::list), page by page as they come, in no order, until `take` has enough.
    /// Then the rest stays unread, and the connection is of no more use.
    pub(crate) fn list_pages(
        &mut self,
        path: Option<&str>,
        mut take: impl FnMut(Vec<Entry>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let subject = path.unwrap_or("/library");
        self.begin(&Request::List { path: path.map(str::to_owned) })?;
        let answer = loop {
            match self.reply::<Page>(subject, REPLY) {
                Ok(Some(page)) => {
                    let enough = take(page.entries).is_break();
                    if !page.more {
                        break Ok(());
                    }
                    if enough {
                        return Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.end(answer)
    }

    /// What is known of a file or folder; of a home also how full it is.
    pub fn stat(&mut self, path: &str) -> Result<Details, Error> {
        self.ask(path, &Request::Stat { path: path.to_owned() }, REPLY)
    }

    /// A file's checksum, computed by the server from what is on its disk now.
    pub fn sum(&mut self, path: &str) -> Result<Crc32, Error> {
        let sum: Summed = self.ask(path, &Request::Sum { path: path.to_owned() }, DISK)?;
        Ok(sum.crc32)
    }

    /// Makes a folder.
    pub fn mkdir(&mut self, path: &str) -> Result<(), Error> {
        self.ask(path, &Request::Mkdir { path: path.to_owned() }, DISK).map(|Done {}| ())
    }

    /// Removes a file or an empty folder.
    pub fn delete(&mut self, path: &str) -> Result<(), Error> {
        self.ask(path, &Request::Delete { path: path.to_owned() }, DISK).map(|Done {}| ())
    }

    /// Gives `from` the name `to`, which must be free.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let request = Request::Rename { from: from.to_owned(), to: to.to_owned() };
        let answer = self.ask(from, &request, DISK).map(|Done {}| ());
        // What exists is not what was asked to move.
        answer.map_err(|error| match error {
            Error::Exists { existing, replaceable, .. } => {
                Error::Exists { path: to.to_owned(), existing, replaceable }
            }
            error => error,
        })
    }

    /// Takes leave, and waits until the server has closed the connection too.
    pub fn quit(mut self) -> Result<(), Error> {
        self.begin(&Request::Quit {})?;
        match self.reply::<Done>("", GOODBYE) {
            // Some say goodbye first, some just hang up.
            Ok(_) | Err(Error::Lost(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A request whose answer is one line.
    fn ask<T: DeserializeOwned>(
        &mut self,
        path: &str,
        request: &Request,
        within: Duration,
    ) -> Result<T, Error> {
        self.begin(request)?;
        let answer = self.reply_with(path, within);
        self.end(answer)
    }

    /// Sends a request. The exchange is open until [`end`](Self::end).
    fn begin(&mut self, request: &Request) -> Result<(), Error> {
        if self.out_of_step || !self.ahead.is_empty() {
            return Err(Error::Lost(Loss::OutOfStep));
        }
        self.out_of_step = true;
        let sent = self.connection.queue(request).and_then(|()| self.connection.flush());
        // Not an error yet: a server that closed may have said why, and `reply` finds that.
        sent.or_else(|error| match Error::from_wire(&error) {
            Error::Lost(_) => Ok(()),
            other => Err(other),
        })
    }

    /// Closes an exchange, if it came to its end, be it a good one or not.
    fn end<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        self.out_of_step = answer.as_ref().is_err_and(|error| !error.is_answer());
        answer
    }

    /// Reads the next reply that is not a `WAIT`. `None` is `EMPTY`.
    fn reply<T: DeserializeOwned>(
        &mut self,
        path: &str,
        within: Duration,
    ) -> Result<Option<T>, Error> {
        match self.last_reply(path, within)? {
            Response::Ok(value) => Ok(Some(value)),
            Response::Empty | Response::Wait(_) => Ok(None),
            Response::Exists(existing) => {
                let (path, replaceable) = (path.to_owned(), self.may_replace(path));
                Err(Error::Exists { path, existing, replaceable })
            }
            Response::Fail(refusal) => Err(refused(path, refusal)),
        }
    }

    /// The next reply that is not a `WAIT`; of those before it the notice is given.
    fn last_reply<T: DeserializeOwned>(
        &mut self,
        path: &str,
        within: Duration,
    ) -> Result<Response<T>, Error> {
        let mut waited = false;
        let last = loop {
            match self.connection.read(within) {
                Ok(Response::Wait(wait)) => (self.notice)(path, Some(&wait)),
                last => break last,
            }
            waited = true;
        };
        if waited {
            (self.notice)(path, None);
        }
        last
    }

    /// Whether this session's user may replace what stands there: everybody in their own home, and
    /// an administrator everywhere.
    fn may_replace(&self, path: &str) -> bool {
        match self.role {
            Role::Guest => false,
            // What is no whole path starts in the home.
            Role::User => !path.starts_with('/') || path.starts_with("/home/"),
            Role::Admin => true,
        }
    }

    /// As [`reply`](Self::reply), where `EMPTY` would mean nothing.
    fn reply_with<T: DeserializeOwned>(
        &mut self,
        path: &str,
        within: Duration,
    ) -> Result<T, Error> {
        let value = self.reply(path, within)?;
        value.ok_or_else(|| Error::Protocol("EMPTY is no answer to this request".into()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("greeting", &self.greeting).finish_non_exhaustive()
    }
}

/// Folders first, then by name.
pub(crate) fn by_kind_and_name(a: &Entry, b: &Entry) -> Ordering {
    (a.stat.kind, &a.name).cmp(&(b.stat.kind, &b.name))
}

/// How long a server may take to read or sync this many bytes.
fn disk_time(size: u64) -> Duration {
    DISK + Duration::from_secs(size / SLOWEST_DISK)
}

fn refused(path: &str, Refusal { reason, message }: Refusal) -> Error {
    Error::Refused { path: path.to_owned(), reason, message }
}
