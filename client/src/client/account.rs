//! Accounts: who the session belongs to.

use common::protocol::{Credentials, Done, Identity, Password, Reason, Request};

use super::{Client, DISK, REPLY};
use crate::error::Error;

impl Client {
    /// Opens an account with a home of its own; the session goes on as its user.
    pub fn register(&mut self, user: &str, password: &str) -> Result<Identity, Error> {
        let answer = self.ask(user, &Request::Register(credentials(user, password)), DISK);
        self.now_of(answer)
    }

    /// The session goes on as this user. Refused, it goes on as whose it was.
    pub fn login(&mut self, user: &str, password: &str) -> Result<Identity, Error> {
        let answer = self.ask(user, &Request::Login(credentials(user, password)), REPLY);
        self.now_of(answer).map_err(login_refused)
    }

    fn now_of(&mut self, answer: Result<Identity, Error>) -> Result<Identity, Error> {
        answer.inspect(|identity| self.role = identity.role)
    }

    /// Changes one's own password.
    pub fn passwd(&mut self, old: &str, new: &str) -> Result<(), Error> {
        let request = Request::Passwd { old: Password(old.into()), new: Password(new.into()) };
        self.ask("", &request, DISK).map(|Done {}| ()).map_err(login_refused)
    }

    /// Who the session belongs to.
    pub fn who(&mut self) -> Result<Identity, Error> {
        self.ask("", &Request::Who {}, REPLY)
    }
}

fn credentials(user: &str, password: &str) -> Credentials {
    Credentials { user: user.to_owned(), password: Password(password.to_owned()) }
}

/// `denied` says elsewhere that this user may not; here, that this is not the user.
fn login_refused(error: Error) -> Error {
    match error {
        Error::Refused { reason: Reason::Denied, message, .. } => Error::LoginRefused(message),
        error => error,
    }
}
