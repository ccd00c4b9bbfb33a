//! The requests about accounts.

use serde_json::{Value, json};

use super::{Account, Ask, Model, Node, Refused, done, fail, with};

/// Wrong passwords for one name that cost nothing yet.
const FREE_FAILURES: u32 = 3;

/// Capitals do not count; a few names are none.
fn user_name(text: &str) -> Result<String, Refused> {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric());
    let name = text.to_lowercase();
    if plain && name != "guest" { Ok(name) } else { Err(fail("bad-name")) }
}

fn new_password(text: &str) -> Result<(), Refused> {
    if text.len() < 6 { Err(fail("bad-request")) } else { Ok(()) }
}

impl Model {
    /// Whether the answer depends on the clock: how long a guesser has to wait.
    pub(crate) fn is_timed(&self, session: usize, ask: &Ask) -> bool {
        let user = match ask {
            Ask::Login(user, _) => user_name(user).ok(),
            Ask::Passwd(..) => self.sessions[session].user.clone(),
            _ => None,
        };
        let failures = user.and_then(|user| self.failures.get(&user).copied());
        failures.is_some_and(|failures| failures > FREE_FAILURES)
    }

    pub(super) fn register(
        &mut self,
        session: usize,
        user: &str,
        password: &'static str,
    ) -> Result<Value, Refused> {
        let name = user_name(user)?;
        new_password(password)?;
        if self.accounts.contains_key(&name) {
            return Err(json!({"status": "EXISTS"}));
        }
        self.accounts.insert(name.clone(), Account { password, admin: false });
        Ok(self.welcome(session, name))
    }

    pub(super) fn login(
        &mut self,
        session: usize,
        user: &str,
        password: &str,
    ) -> Result<Value, Refused> {
        let name = user_name(user)?;
        self.verify(&name, password)?;
        Ok(self.welcome(session, name))
    }

    pub(super) fn passwd(
        &mut self,
        session: usize,
        old: &str,
        new: &'static str,
    ) -> Result<Value, Refused> {
        let user = self.sessions[session].user.clone().ok_or_else(|| fail("login-required"))?;
        new_password(new)?;
        self.verify(&user, old)?.password = new;
        Ok(done())
    }

    fn verify(&mut self, user: &str, password: &str) -> Result<&mut Account, Refused> {
        let account = self.accounts.get_mut(user).filter(|account| account.password == password);
        if account.is_some() {
            self.failures.remove(user);
        } else {
            *self.failures.entry(user.to_owned()).or_default() += 1;
        }
        account.ok_or_else(|| fail("denied"))
    }

    fn welcome(&mut self, session: usize, user: String) -> Value {
        self.nodes.entry(format!("/homes/{user}")).or_insert(Node::Folder);
        self.sessions[session].user = Some(user);
        self.identity(session)
    }

    pub(super) fn identity(&self, session: usize) -> Value {
        let Some(user) = &self.sessions[session].user else {
            return json!({"status": "OK", "user": "guest", "role": "guest"});
        };
        let role = if self.accounts[user].admin { "admin" } else { "user" };
        with(json!({"status": "OK", "user": user, "role": role}), &self.usage(user))
    }
}
