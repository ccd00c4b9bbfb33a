//! The first steps of a session: calling the server and reading its greeting.

use std::collections::VecDeque;
use std::io;

use common::protocol::{Greeting, PROTOCOL_VERSION, Response};

use super::{Client, REPLY, refused};
use crate::address::Address;
use crate::connection::Connection;
use crate::error::Error;
use crate::interrupt::Interrupt;

impl Client {
    /// Connects to `HOST:PORT`, or `HOST` at the usual port, and reads the greeting.
    pub fn connect(address: &str) -> Result<Self, Error> {
        Self::connect_until(&address.parse()?, Interrupt::default())
    }

    /// As [`connect`](Self::connect); every wait of this client ends once `interrupt` is set.
    pub fn connect_until(address: &Address, interrupt: Interrupt) -> Result<Self, Error> {
        let dialled = address.resolve().and_then(|found| Connection::dial(&found, interrupt));
        let mut connection = dialled.map_err(|error| match Error::from_wire(&error) {
            Error::Interrupted => Error::Interrupted,
            _ => Error::NoServer { address: address.clone(), why: unanswered(&error) },
        })?;
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

/// Why nobody answered: `connection refused`, or what the resolver says, which has no kind.
fn unanswered(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => error.kind().to_string(),
        None => error.to_string(),
    }
}
