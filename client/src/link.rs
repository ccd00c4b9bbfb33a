//! The way to the server: a connection made when it is first needed and made again when it was
//! lost, and what must be the same on the new one: who one is, and where one stands.

use std::fmt;

use common::protocol::{Identity, Password};
use common::user::{GUEST, UserName};

use crate::address::Address;
use crate::client::Client;
use crate::connection::Terms;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::lull::Lull;
use crate::password::Passwords;
use crate::place::Place;
use crate::printer::Printer;
use crate::words::Talk;

/// A server to work with.
#[derive(Debug)]
pub(crate) struct Link {
    server: Address,
    terms: Terms,
    printer: Printer,
    passwords: Passwords,
    client: Option<Client>,
    /// Who every new connection logs in as; nobody if there is none.
    account: Option<Account>,
    pub(crate) place: Place,
}

#[derive(Debug)]
struct Account {
    user: UserName,
    /// Kept in memory, once it is known, for the next connection.
    password: Option<Password>,
}

/// Where a link leads, as whom, and where one stands there: all it takes to look around over a
/// connection of one's own, while the link's is at rest.
#[derive(Debug, Clone)]
pub(crate) struct Lookout {
    server: Address,
    account: Option<(UserName, Password)>,
    pub(crate) place: Place,
}

impl Lookout {
    /// Who one is there; a guest is nobody.
    pub(crate) fn user(&self) -> Option<&UserName> {
        self.account.as_ref().map(|(user, _)| user)
    }

    /// A connection of the same user's, on these terms.
    pub(crate) fn connect(&self, terms: Terms) -> Result<Client, Error> {
        let mut client = Client::connect_on(&self.server, terms, Lull::default())?;
        if let Some((user, password)) = &self.account {
            client.login(user.as_str(), &password.0)?;
        }
        Ok(client)
    }
}

impl Link {
    /// A link that is not made yet; for `user` it will log in. Every connection it makes is on these
    /// terms.
    pub(crate) fn new(
        server: Address,
        user: Option<UserName>,
        passwords: Passwords,
        printer: Printer,
        terms: Terms,
    ) -> Self {
        let place = if user.is_some() { Place::home() } else { Place::library() };
        let account = user.map(|user| Account { user, password: None });
        Self { server, terms, printer, passwords, client: None, account, place }
    }

    /// Where it leads.
    pub(crate) fn server(&self) -> &Address {
        &self.server
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.terms.interrupt
    }

    /// How its connections are used.
    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Who one is here.
    pub(crate) fn user(&self) -> Option<&UserName> {
        self.account.as_ref().map(|account| &account.user)
    }

    /// The session: the one there is, or another for the same user if that one is of no more use.
    pub(crate) fn client(&mut self) -> Result<&mut Client, Error> {
        let client = match self.client.take() {
            Some(client) if client.is_usable() => client,
            Some(_) => {
                let client = self.connect_as_user()?;
                let session = client.greeting().session;
                self.printer.talk(&Talk::ConnectedAgain { server: &self.server, session });
                client
            }
            None => self.connect_as_user()?,
        };
        Ok(self.client.insert(client))
    }

    /// The session if there is one, usable or not: for the answers it may still hold.
    pub(crate) fn current(&mut self) -> Option<&mut Client> {
        self.client.as_mut()
    }

    /// Whence another connection may look around as this one would. Not for whom a password is yet
    /// to be asked for.
    pub(crate) fn lookout(&self) -> Option<Lookout> {
        let account = match &self.account {
            Some(Account { user, password }) => Some((user.clone(), password.clone()?)),
            None => None,
        };
        let (server, place) = (self.server.clone(), self.place.clone());
        Some(Lookout { server, account, place })
    }

    fn connect(&self) -> Result<Client, Error> {
        let lull = Lull::told(self.printer.lull_notice());
        let mut client = Client::connect_on(&self.server, self.terms.clone(), lull)?;
        client.on_wait(self.printer.wait_notice());
        Ok(client)
    }

    fn connect_as_user(&mut self) -> Result<Client, Error> {
        let mut client = self.connect()?;
        if let Some((user, password)) = self.credentials()? {
            client.login(user.as_str(), &password.0)?;
            self.account = Some(Account { user, password: Some(password) });
        }
        Ok(client)
    }

    /// A session of the same user's beside that of the commands, which may not even be there.
    pub(crate) fn beside(&mut self, terms: Terms) -> Result<Client, Error> {
        let (server, place) = (self.server.clone(), self.place.clone());
        let account = self.credentials()?;
        let client = Lookout { server, account: account.clone(), place }.connect(terms)?;
        if let Some((user, password)) = account {
            self.account = Some(Account { user, password: Some(password) });
        }
        Ok(client)
    }

    /// Who to log in as; the password is asked for if it is not known.
    fn credentials(&self) -> Result<Option<(UserName, Password)>, Error> {
        let Some(Account { user, password }) = &self.account else { return Ok(None) };
        let ask = || self.passwords.get(&self.printer.words(&Talk::PasswordOf { user }));
        let known = password.clone().map(Ok);
        let password = known.unwrap_or_else(|| self.printer.lend(ask))?;
        Ok(Some((user.clone(), password)))
    }

    /// Opens an account and is its user from now on.
    pub(crate) fn register(&mut self, user: &UserName, new: Password) -> Result<Identity, Error> {
        self.become_user(user, new, Client::register)
    }

    /// Is this user from now on.
    pub(crate) fn log_in(&mut self, user: &UserName, word: Password) -> Result<Identity, Error> {
        self.become_user(user, word, Client::login)
    }

    /// The session there is changes hands: its user may be one whose password no longer holds, so
    /// a new connection must not log in as that one first.
    fn become_user(
        &mut self,
        user: &UserName,
        password: Password,
        ask: impl FnOnce(&mut Client, &str, &str) -> Result<Identity, Error>,
    ) -> Result<Identity, Error> {
        let kept = self.client.take().filter(Client::is_usable);
        // Refused, a session is whose it was: a new one a guest's, and not for who was somebody.
        let stays = kept.is_some() || self.account.is_none();
        let mut client = kept.map_or_else(|| self.connect(), Ok)?;
        let answer = ask(&mut client, user.as_str(), &password.0);
        if stays || answer.is_ok() {
            self.client = Some(client);
        }
        let identity = answer?;
        self.account = Some(Account { user: user.clone(), password: Some(password) });
        self.place = Place::home();
        Ok(identity)
    }

    /// Changes one's own password.
    pub(crate) fn passwd(&mut self, old: &Password, new: Password) -> Result<(), Error> {
        if let Some(account) = &mut self.account {
            // Who is about to log in for this has just said it, and need not say it twice.
            account.password.get_or_insert_with(|| old.clone());
        }
        self.client()?.passwd(&old.0, &new.0)?;
        if let Some(account) = &mut self.account {
            account.password = Some(new);
        }
        Ok(())
    }

    /// Takes leave of the server, if it is there to take leave of.
    pub(crate) fn leave(&mut self) {
        if let Some(client) = self.client.take().filter(Client::is_usable) {
            // It has given every answer that was wanted; how it hangs up changes none of them.
            let _ = client.quit();
        }
    }

    /// Takes leave, and is nobody from now on.
    pub(crate) fn log_out(&mut self) {
        self.leave();
        (self.account, self.place) = (None, Place::library());
    }
}

impl fmt::Display for Link {
    /// Who, at which server, in which folder: `xiaoyu@127.0.0.1:9021 /home`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user().map_or(GUEST, UserName::as_str);
        write!(f, "{user}@{} {}", self.server, self.place.here())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::scripted::{GREETING, Peer, Script, serve_each};
    use crate::command::Output;
    use crate::words::Lang;

    const XIAOYU: &str = r#"{"status":"OK","user":"xiaoyu","role":"user"}"#;
    const DENIED: &str = r#"{"status":"FAIL","reason":"denied","message":"no"}"#;

    /// A session in which each request must hold its word and gets its answer.
    fn session(turns: &'static [(&str, &str)]) -> Script {
        Box::new(move |peer: &mut Peer| {
            peer.say(GREETING);
            for (word, answer) in turns {
                let heard = peer.hear();
                assert!(heard.contains(word), "{heard:?} has no {word:?}");
                peer.say(answer);
            }
        })
    }

    fn link(sessions: Vec<Script>) -> Link {
        let server = serve_each(sessions).parse().unwrap();
        let printer = Printer::new(Output::default(), Lang::En);
        let passwords = Passwords::current(None, Interrupt::default());
        Link::new(server, None, passwords, printer, Terms::default())
    }

    fn word(text: &str) -> Password {
        Password(text.into())
    }

    #[test]
    fn a_connection_made_again_is_the_same_users() {
        let xiaoyu = UserName::parse("xiaoyu").unwrap();
        let mut link = link(vec![
            session(&[("LOGIN", XIAOYU), ("PASSWD", r#"{"status":"OK"}"#)]),
            session(&[(r#""password":"654321""#, XIAOYU), ("WHO", XIAOYU)]),
        ]);
        link.log_in(&xiaoyu, word("123456")).unwrap();
        link.place.go(link.place.resolve("notes").unwrap());
        link.passwd(&word("123456"), word("654321")).unwrap();
        // The server hangs up after the last of its turns.
        while link.current().is_some_and(|client| client.is_usable()) {
            std::thread::yield_now();
        }
        assert_eq!(link.client().unwrap().who().unwrap().user, "xiaoyu");
        assert!(link.to_string().ends_with(" /home/notes"), "{link}");
    }

    #[test]
    fn a_refused_login_changes_nobody() {
        let [xiaoyu, anna] = ["xiaoyu", "anna"].map(|name| UserName::parse(name).unwrap());
        let mut link = link(vec![
            session(&[("xiaoyu", XIAOYU), ("anna", DENIED), ("WHO", XIAOYU)]),
            session(&[("anna", DENIED)]),
            session(&[("xiaoyu", XIAOYU), ("WHO", XIAOYU)]),
        ]);
        link.log_in(&xiaoyu, word("123456")).unwrap();
        link.log_in(&anna, word("123456")).unwrap_err();
        link.client().unwrap().who().unwrap();
        while link.current().is_some_and(|client| client.is_usable()) {
            std::thread::yield_now();
        }
        // This connection is a guest's and must not serve as xiaoyu's.
        link.log_in(&anna, word("123456")).unwrap_err();
        link.client().unwrap().who().unwrap();
        assert_eq!(link.user(), Some(&xiaoyu));
    }
}
