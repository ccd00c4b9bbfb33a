//! Accounts: who may be whom.
//!
//! An account is one file, `users/<name>.json`, written by the same steps as an upload: a name is
//! taken by whoever publishes it first, even if two servers or a server and `ferryd user` try at
//! the same moment. There is no list of users in memory; a folder of ten thousand opens as fast as
//! one of ten, and can be read in class.
//!
//! What a stranger learns from a login is one bit. An unknown user costs the same hash as a known
//! one, gives the same line, and is delayed the same way.

mod hashing;
mod recent;
#[cfg(test)]
mod tests;
mod throttle;

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use common::limits::PASSWORD_BYTES_MAX;
use common::path::Name;
use common::protocol::{Password, Reason, Refusal, Role};
use common::user::UserName;
use common::watch::Lock;
use serde::{Deserialize, Serialize};

use self::hashing::{Hashing, Verified};
use self::recent::Recent;
use self::throttle::Throttle;
use crate::clock;
use crate::point;
use crate::refusal;
use crate::store::{Listing, Tree, Version};

/// An account as it stands in its file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Whose it is.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// The password's hash, as a PHC string: algorithm, parameters, salt and hash in one.
    password: String,
    /// When it was opened, in nanoseconds since 1970: what tells it from an earlier account of the
    /// same name.
    pub created: u64,
}

/// What a session remembers of the account it logged in to, to find out whether it still is.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    created: u64,
    seen: Version,
}

impl Standing {
    /// When the account was opened, which tells it from another of the same name.
    pub fn created(&self) -> u64 {
        self.created
    }
}

/// Why an account could not be had.
#[derive(Debug)]
pub enum AccountError {
    /// The name is taken.
    Exists,
    /// Refused, with the reason.
    Refused(Refusal),
}

impl From<Refusal> for AccountError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// All accounts of a data folder.
#[derive(Debug)]
pub struct Accounts<'s> {
    users: &'s Tree,
    hashing: Hashing,
    throttle: Throttle,
    /// `None` if every login is to be hashed.
    recent: Option<Recent>,
    password_bytes_min: usize,
}

impl<'s> Accounts<'s> {
    /// The accounts in `users`. New passwords have at least `password_bytes_min` bytes; at most
    /// `places` passwords are hashed at once.
    pub fn new(users: &'s Tree, password_bytes_min: usize, places: usize) -> Self {
        let (hashing, throttle) = (Hashing::new(places), Throttle::new());
        Self { users, hashing, throttle, recent: None, password_bytes_min }
    }

    /// Remembers for `lifetime` that a password was right, and does not hash it again; hashes all
    /// of them if that is zero. Fails if the system gives no random key.
    pub fn remembering(self, lifetime: Duration) -> io::Result<Self> {
        let recent = if lifetime.is_zero() { None } else { Some(Recent::new(lifetime)?) };
        Ok(Self { recent, ..self })
    }

    /// How often its locks were taken: one counts wrong passwords, the other, if there is one, knows
    /// right ones.
    pub fn lock_counts(&self) -> impl Iterator<Item = Lock> {
        std::iter::once(self.throttle.lock_counts())
            .chain(self.recent.as_ref().map(Recent::lock_counts))
    }

    /// Opens an account.
    pub fn register(
        &self,
        user: &UserName,
        password: &Password,
        role: Role,
    ) -> Result<(Account, Standing), AccountError> {
        self.check_new(password)?;
        // Only the sooner answer: publishing decides. It saves hashing for a name that is taken.
        if self.users.stat(&[file_of(user)?]).is_ok() {
            return Err(AccountError::Exists);
        }
        let account = Account {
            user: user.to_string(),
            role,
            password: self.hashing.hash(password)?,
            created: clock::nanoseconds(),
        };
        match self.users.add_record(&file_of(user)?, &json(&account)?) {
            Ok(()) => self.read(user)?.ok_or_else(closed).map_err(Into::into),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(AccountError::Exists),
            Err(e) => Err(failed("write", user, &e).into()),
        }
    }

    /// The account of `user`, if `password` is theirs.
    pub fn login(
        &self,
        from: IpAddr,
        user: &UserName,
        password: &Password,
    ) -> Result<(Account, Standing), Refusal> {
        self.throttle.check(from, user)?;
        let found = self.read(user)?;
        let hash = found.as_ref().map(|(account, _)| account.password.as_str());
        let verified = self.verify(from, user, password, hash)?;
        let (Some((account, standing)), Verified::Right { outdated }) = (found, verified) else {
            self.throttle.failed(from, user);
            return Err(Refusal::new(Reason::Denied, "the user name or the password is wrong"));
        };
        self.throttle.succeeded(from, user);
        point::pass("login.verified");
        if outdated {
            self.renew(user, &account, password);
        }
        Ok((account, standing))
    }

    /// Whether `password` is the one with this hash: known from a short while ago, or else found
    /// by hashing, and then known for a while.
    fn verify(
        &self,
        from: IpAddr,
        user: &UserName,
        password: &Password,
        hash: Option<&str>,
    ) -> Result<Verified, Refusal> {
        if let (Some(recent), Some(hash)) = (&self.recent, hash)
            && recent.knows((from, user), hash, password, Instant::now())
        {
            return Ok(Verified::Right { outdated: false });
        }
        // Asked again behind the wait for a place: of many guesses sent at once, all but the
        // first few find the door closed.
        let verified = self.hashing.verify(password, hash, || self.throttle.check(from, user))?;
        // A hash that is outdated is about to be replaced, so there is nothing to know of it.
        if let (Some(recent), Some(hash)) = (&self.recent, hash)
            && verified == (Verified::Right { outdated: false })
        {
            recent.remember((from, user), hash, password, Instant::now());
        }
        Ok(verified)
    }

    /// Whether the account that was logged in to is still there, and with which role. Costs a look
    /// at its file, and a read only if that has changed since the last time.
    pub fn confirm(
        &self,
        user: &UserName,
        role: Role,
        standing: &mut Standing,
    ) -> Result<Role, Refusal> {
        if self.users.version(&[file_of(user)?]).is_ok_and(|now| now == standing.seen) {
            return Ok(role);
        }
        match self.read(user)? {
            Some((account, now)) if account.created == standing.created => {
                *standing = now;
                Ok(account.role)
            }
            _ => Err(closed()),
        }
    }

    /// Changes a password, if `old` is the one in force.
    pub fn change_password(
        &self,
        from: IpAddr,
        user: &UserName,
        old: &Password,
        new: &Password,
    ) -> Result<(), Refusal> {
        self.check_new(new)?;
        let (account, _) = self.login(from, user, old).map_err(|refusal| match refusal.reason {
            Reason::Denied => Refusal::new(Reason::Denied, "the old password is wrong"),
            _ => refusal,
        })?;
        self.set_password(user, &account, new)
    }

    /// Gives an account another password.
    pub fn set_password(
        &self,
        user: &UserName,
        account: &Account,
        new: &Password,
    ) -> Result<(), Refusal> {
        self.check_new(new)?;
        let account = Account { password: self.hashing.hash(new)?, ..account.clone() };
        self.update(user, &account)
    }

    /// The account of `user`, if there is one.
    pub fn find(&self, user: &UserName) -> Result<Option<Account>, Refusal> {
        Ok(self.read(user)?.map(|(account, _)| account))
    }

    /// Every account there is, by name.
    pub fn all(&self) -> Result<Vec<(UserName, Role)>, Refusal> {
        let failed = |e: io::Error| refusal::of_io("list", &"the accounts", &e);
        let mut names = Vec::new();
        for page in self.users.open_folder(&[]).and_then(Listing::of).map_err(failed)? {
            let entries = page.map_err(failed)?.entries.into_iter();
            names.extend(entries.filter_map(|e| user_of(&e.name)));
        }
        names.sort_unstable();
        let mut all = Vec::with_capacity(names.len());
        for user in names {
            // One that was closed meanwhile is none.
            if let Some(account) = self.find(&user)? {
                all.push((user, account.role));
            }
        }
        Ok(all)
    }

    fn read(&self, user: &UserName) -> Result<Option<(Account, Standing)>, Refusal> {
        let read = self.users.read_record(&file_of(user)?).and_then(|(bytes, seen)| {
            let account: Account = serde_json::from_slice(&bytes)
                .map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
            let standing = Standing { created: account.created, seen };
            Ok((account, standing))
        });
        match read {
            Ok(found) => Ok(Some(found)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("read", user, &e)),
        }
    }

    /// The hash was made with weaker parameters than today's. A failure is not the user's worry:
    /// the next login tries again.
    fn renew(&self, user: &UserName, account: &Account, password: &Password) {
        let renewed = self
            .hashing
            .hash(password)
            .and_then(|hash| self.update(user, &Account { password: hash, ..account.clone() }));
        if renewed.is_err() {
            log::warn!("the password hash of {user} is old and could not be renewed");
        }
    }

    fn check_new(&self, password: &Password) -> Result<(), Refusal> {
        let (bytes, least) = (password.0.len(), self.password_bytes_min);
        if (least..=PASSWORD_BYTES_MAX).contains(&bytes) {
            return Ok(());
        }
        let message =
            format!("a password has {least} to {PASSWORD_BYTES_MAX} bytes, and this one {bytes}");
        Err(Refusal::new(Reason::BadRequest, message))
    }

    /// An account that was removed meanwhile stays removed.
    fn update(&self, user: &UserName, account: &Account) -> Result<(), Refusal> {
        match self.users.update_record(&file_of(user)?, &json(account)?) {
            Err(e) if e.kind() == ErrorKind::NotFound => Err(closed()),
            done => done.map_err(|e| failed("write", user, &e)),
        }
    }
}

fn json(account: &Account) -> Result<Vec<u8>, Refusal> {
    let mut json = serde_json::to_vec_pretty(account).map_err(|e| {
        log::error!("cannot spell an account: {e}");
        Refusal::new(Reason::Internal, "the server cannot write accounts; its log says why")
    })?;
    json.push(b'\n');
    Ok(json)
}

fn closed() -> Refusal {
    Refusal::new(Reason::LoginRequired, "this account was closed; log in with another")
}

/// The name of a user's file.
pub fn file_of(user: &UserName) -> Result<Name, Refusal> {
    Name::parse(&format!("{user}.json")).map_err(|e| refusal::bad_name(&e))
}

/// Whose file has this name.
fn user_of(file: &str) -> Option<UserName> {
    UserName::parse(file.strip_suffix(".json")?).ok()
}

fn failed(doing: &str, user: &UserName, error: &io::Error) -> Refusal {
    refusal::of_io(&format!("{doing} the account of"), user, error)
}
