//! The first steps of a session: calling the server and reading its greeting.

use std::collections::VecDeque;

use common::protocol::{Greeting, PROTOCOL_VERSION, Response, Role};

use super::{Client, REPLY, refused};
use crate::address::Address;
use crate::connection::{Connection, Terms};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::lull::Lull;

impl Client {
    /// Connects to `HOST:PORT`, or `HOST` at the usual port, and reads the greeting.
    pub fn connect(address: &str) -> Result<Self, Error> {
        Self::connect_until(&address.parse()?, Interrupt::default())
    }

    /// As [`connect`](Self::connect); every wait of this client ends once `interrupt` is set.
    pub fn connect_until(address: &Address, interrupt: Interrupt) -> Result<Self, Error> {
        Self::connect_on(address, Terms::until(interrupt), Lull::default())
    }

    /// As [`connect`](Self::connect), on these terms. From now on `lull` is told while the server keeps
    /// one waiting and nothing moves, the greeting being the first that may take its time.
    pub(crate) fn connect_on(address: &Address, terms: Terms, lull: Lull) -> Result<Self, Error> {
        let dialled = address.resolve().and_then(|found| Connection::dial(&found, terms));
        let mut connection = dialled.map_err(|source| match Error::from_wire(&source) {
            Error::Interrupted => Error::Interrupted,
            _ => Error::NoServer { address: address.clone(), source },
        })?;
        *connection.lull() = lull;
        let greeting = match connection.read(REPLY)? {
            Response::Ok(greeting) => greeting,
            Response::Fail(refusal) => return Err(refused(&address.to_string(), refusal)),
            other => return Err(Error::Protocol(format!("{} as a greeting", other.outcome()))),
        };
        check_version(&greeting)?;
        Ok(Self {
            connection,
            greeting,
            out_of_step: false,
            ahead: VecDeque::new(),
            small_due: 0,
            notice: Box::new(|_, _| {}),
            role: Role::Guest,
            block: Vec::new(),
        })
    }
}

fn check_version(greeting: &Greeting) -> Result<(), Error> {
    if greeting.protocol == PROTOCOL_VERSION {
        return Ok(());
    }
    let (theirs, ours) = (greeting.protocol, PROTOCOL_VERSION);
    Err(Error::Protocol(format!("it speaks protocol {theirs}, and this client {ours}")))
}
