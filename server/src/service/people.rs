//! The handlers about accounts.

use std::io::ErrorKind;

use common::path::{Name, VirtualPath};
use common::protocol::{Credentials, Identity, Password, Reason, Refusal, Response, Role};
use common::user::{GUEST, UserName};

use super::{Handled, Registration, Reply, Service, User, Who};
use crate::accounts::{Account, AccountError, Standing};
use crate::answer::Answer;
use crate::refusal;

impl<'s> Service<'s> {
    pub(super) fn register(&self, who: &Who<'_>, asked: &Credentials) -> Handled<'s> {
        may_become_another(who)?;
        if self.registration == Registration::Closed {
            let message = "registration is closed here; ask who runs the server for an account";
            return Err(Refusal::new(Reason::Denied, message).into());
        }
        let name = user_name(&asked.user)?;
        match self.accounts.register(&name, &asked.password, Role::User) {
            Ok((account, standing)) => self.welcome(name, &account, standing),
            Err(AccountError::Exists) => Err(Answer::taken(&name).into()),
            Err(AccountError::Refused(refusal)) => Err(refusal.into()),
        }
    }

    pub(super) fn login(&self, who: &Who<'_>, asked: &Credentials) -> Handled<'s> {
        may_become_another(who)?;
        let name = user_name(&asked.user)?;
        let (account, standing) = self.accounts.login(who.peer.ip(), &name, &asked.password)?;
        self.welcome(name, &account, standing)
    }

    pub(super) fn passwd(&self, who: &Who<'_>, old: &Password, new: &Password) -> Handled<'s> {
        let Some(user) = &who.user else {
            let message = "a guest has no password; log in first";
            return Err(Refusal::new(Reason::LoginRequired, message).into());
        };
        self.accounts.change_password(who.peer.ip(), &user.name, old, new)?;
        Ok(Reply::Answer(Answer::done()))
    }

    pub(super) fn who(who: &Who<'_>) -> Answer {
        Answer::of(&Response::Ok(match &who.user {
            Some(user) => identity(user),
            None => Identity { user: GUEST.into(), role: Role::Guest, quota: None, used: None },
        }))
    }

    /// The home is there before the user hears that they are in. Made here and not only when
    /// registering: the server may have died between the account and its home.
    fn welcome(&self, name: UserName, account: &Account, standing: Standing) -> Handled<'s> {
        let home = Name::parse(name.as_str()).map_err(|e| refusal::bad_name(&e))?;
        let homes = self.places.store.homes();
        let made = homes.open_folder(&[]).and_then(|top| {
            top.make_folder(&home)?;
            top.sync()
        });
        match made {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                return Err(refusal::of_io("make the home of", &VirtualPath::root(), &e).into());
            }
            _ => {}
        }
        let usage = self.places.usage_for(&name, Some(account.created));
        let user = User { name, role: account.role, usage, standing };
        let answer = Answer::of(&Response::Ok(identity(&user)));
        Ok(Reply::Welcome(user, answer))
    }
}

/// What is said in the room is said under the name one came in with.
fn may_become_another(who: &Who<'_>) -> Result<(), Refusal> {
    if who.presence.person().is_none() {
        return Ok(());
    }
    let message = "you are in the room under the name you have now; LEAVE it first";
    Err(Refusal::new(Reason::BadRequest, message))
}

fn identity(user: &User) -> Identity {
    Identity {
        user: user.name.to_string(),
        role: user.role,
        quota: user.usage.limit(),
        used: Some(user.usage.used()),
    }
}

fn user_name(text: &str) -> Result<UserName, Refusal> {
    UserName::parse(text).map_err(|e| Refusal::new(Reason::BadName, e.to_string()))
}
