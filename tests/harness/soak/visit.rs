//! An honest visit: somebody comes, does a few things that everybody else does at the same time,
//! and holds every answer against the ledger.

mod changing;
mod looking;

use common::protocol::Reason;

pub(super) use self::changing::Parcel;
use super::speaker::{Answer, Speaker, Trouble, Upload};
use super::world::{PASSWORD, Role, World};
use crate::dice::Dice;

type Done = Result<(), Trouble>;

/// Somebody who visits.
pub(super) struct Visit<'w> {
    pub(super) world: &'w World,
    pub(super) dice: &'w mut Dice,
    pub(super) role: Role,
    /// Nothing is wrong with the network: no answer may be missing, none may be late.
    pub(super) clean: bool,
}

fn wrong(text: String) -> Trouble {
    Trouble::Wrong(text)
}

impl Visit<'_> {
    /// Comes, does `errands` things, and goes without a word.
    pub(super) fn pay(&mut self, speaker: &mut dyn Speaker, errands: usize) -> Done {
        self.log_in(speaker)?;
        for _ in 0..errands {
            if self.world.is_over() {
                break;
            }
            self.errand(speaker)?;
        }
        Ok(())
    }

    fn log_in(&mut self, speaker: &mut dyn Speaker) -> Done {
        let Some(account) = self.role.account() else { return Ok(()) };
        let answer = speaker.login(&account, PASSWORD)?;
        self.expect_ok(&format!("LOGIN {account}"), answer).map(drop)
    }

    fn errand(&mut self, speaker: &mut dyn Speaker) -> Done {
        match self.dice.below(100) {
            0..28 => self.put(speaker),
            28..34 => self.put_many(speaker),
            34..58 => self.get(speaker),
            58..68 => self.sum(speaker),
            68..78 => self.stat(speaker),
            78..86 => self.list(speaker),
            86..94 => self.delete(speaker),
            94..97 => self.who(speaker),
            _ => self.furnish(speaker),
        }
    }

    /// The value of an `OK`; on a good network there may be nothing else.
    fn expect_ok<T>(&self, what: &str, answer: Answer<T>) -> Result<T, Trouble> {
        match answer {
            Answer::Ok(value) => {
                self.world.did(0);
                Ok(value)
            }
            Answer::Exists => Err(wrong(format!("{what}: EXISTS"))),
            Answer::Refused(reason, message) => Err(self.refused(what, reason, &message)),
        }
    }

    /// A refusal that may not be, unless the network is bad and we were late.
    fn refused(&self, what: &str, reason: Reason, message: &str) -> Trouble {
        match reason {
            Reason::Timeout if !self.clean => Trouble::Lost(message.to_owned()),
            _ => wrong(format!("{what}: FAIL {reason}: {message}")),
        }
    }

    fn who(&mut self, speaker: &mut dyn Speaker) -> Done {
        let answer = speaker.who()?;
        let identity = self.expect_ok("WHO", answer)?;
        let expected = self.role.account().unwrap_or_else(|| "guest".into());
        if identity.user == expected {
            return Ok(());
        }
        Err(wrong(format!("WHO says {}, and this is {expected}", identity.user)))
    }

    /// A folder of one's own, from its making to its end. Nobody else knows it, so every answer is
    /// known beforehand. Over a bad network it would be left behind.
    fn furnish(&mut self, speaker: &mut dyn Speaker) -> Done {
        if !self.clean || !matches!(self.role, Role::User(_)) {
            return Ok(());
        }
        let (version, bytes) = self.world.ledger.new_version(self.dice.between(1, 20_000));
        let [old, new] = ["old", "new"].map(|name| format!("/home/d{}-{name}", version.number));
        let [f, g] = ["f", "g"].map(|name| format!("{new}/{name}"));
        let first = format!("{old}/f");
        let upload = Upload {
            path: &first,
            bytes: &bytes,
            eager: true,
            overwrite: false,
            mtime: None,
            wait: 0,
        };
        let ok = |what: &str, answer: Answer<()>| self.expect_ok(what, answer);
        ok("MKDIR", speaker.mkdir(&old)?)?;
        ok("PUT into a new folder", speaker.put(upload)?)?;
        ok("RENAME a folder", speaker.rename(&old, &new)?)?;
        ok("RENAME a file", speaker.rename(&f, &g)?)?;
        match speaker.delete(&new)? {
            Answer::Refused(Reason::Denied, _) => {}
            other => return Err(wrong(format!("DELETE of a full folder: {other:?}"))),
        }
        let (_, got) = self.expect_ok("GET of a renamed file", speaker.get(&g, 0)?)?;
        if got != bytes {
            return Err(wrong(format!("{g} is not what was put: {} bytes", got.len())));
        }
        ok("DELETE of a file", speaker.delete(&g)?)?;
        ok("DELETE of a folder", speaker.delete(&new)?)
    }
}
