//! Those who open accounts, change passwords, and guess those of others.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;

use common::protocol::Reason;

use super::raw::Raw;
use super::speaker::{Answer, Speaker, Trouble};
use super::world::{CONTENDED_USERS, USERS, World, user};
use crate::PATIENCE;
use crate::dice::Dice;

type Done = Result<(), Trouble>;

/// An account that one client has for itself, so that it always knows the password.
#[derive(Debug)]
pub(super) struct Account {
    user: String,
    /// How many passwords it has had; 0 is not registered yet.
    passwords: u64,
}

fn wrong(text: String) -> Trouble {
    Trouble::Wrong(text)
}

impl Account {
    pub(super) fn new(client: usize) -> Self {
        Self { user: format!("own{client}"), passwords: 0 }
    }

    fn password(&self) -> String {
        format!("word number {}", self.passwords)
    }

    /// One thing that can be done about accounts.
    pub(super) fn attend(&mut self, world: &World, dice: &mut Dice) -> Done {
        match dice.below(4) {
            0 => guess(world, dice),
            1 => contend(world, dice),
            _ => self.come(world),
        }
    }

    /// Registers, or logs in and changes the password. The old one must not open the door again.
    fn come(&mut self, world: &World) -> Done {
        let mut raw = Raw::connect(world.server, PATIENCE)?;
        let answer = if self.passwords == 0 {
            self.passwords = 1;
            raw.register(&self.user, &self.password())?
        } else {
            raw.login(&self.user, &self.password())?
        };
        let Answer::Ok(identity) = answer else {
            return Err(wrong(format!("{} is not let in: {answer:?}", self.user)));
        };
        if identity.user != self.user {
            return Err(wrong(format!("{} came in as {}", self.user, identity.user)));
        }
        let old = self.password();
        self.passwords += 1;
        let answer = raw.passwd(&old, &self.password())?;
        let Answer::Ok(()) = answer else {
            return Err(wrong(format!("PASSWD of {}: {answer:?}", self.user)));
        };
        world.did(0);
        Ok(())
    }
}

/// A wrong password, for a user who is there or one who is not. Each guesser comes from an address
/// of its own: the delays must fall on guessers and not on the others here.
fn guess(world: &World, dice: &mut Dice) -> Done {
    let byte = |dice: &mut Dice| u8::try_from(dice.below(250)).unwrap_or(0) + 1;
    let source: IpAddr = Ipv4Addr::new(127, 1, byte(dice), byte(dice)).into();
    let mut raw = Raw::connect_from(source, world.server, PATIENCE)?;
    let user = if dice.one_in(4) { "nobody".into() } else { user(dice.below(USERS)) };
    match raw.login(&user, "not the password")? {
        Answer::Refused(Reason::Denied | Reason::Busy, _) => {}
        other => return Err(wrong(format!("a wrong password for {user}: {other:?}"))),
    }
    world.did(0);
    match raw.who()? {
        Answer::Ok(identity) if identity.user == "guest" => Ok(()),
        other => Err(wrong(format!("after a wrong password WHO says {other:?}"))),
    }
}

/// A name that others want as well: at most one may ever have it.
fn contend(world: &World, dice: &mut Dice) -> Done {
    let n = dice.below(CONTENDED_USERS);
    let mut raw = Raw::connect(world.server, PATIENCE)?;
    match raw.register(&format!("race{n}"), &format!("of {}", dice.throw()))? {
        Answer::Ok(_) => {
            if world.registered[n].fetch_add(1, Ordering::SeqCst) > 0 {
                return Err(wrong(format!("race{n} was registered twice")));
            }
        }
        Answer::Exists => {}
        Answer::Refused(reason, message) => {
            return Err(wrong(format!("REGISTER race{n}: FAIL {reason}: {message}")));
        }
    }
    world.did(0);
    Ok(())
}
