//! Watching: what the server does, once or again and again.

use std::time::Duration;

use common::protocol::{Request, Response};
use common::watch::{Every, Table};
use serde::Deserialize;

use super::{Client, GOODBYE, REPLY};
use crate::error::{Error, Loss};

/// Tables that may be on their way when they are asked to end. A connection holds few of them.
const LATE_MAX: usize = 64;

/// What comes after the watching was ended: a table that was on its way, or the answer. Only that
/// names a user.
#[derive(Deserialize)]
struct Late {
    user: Option<String>,
}

impl Client {
    /// What every thread, queue and lock of the server is doing now.
    pub fn table(&mut self) -> Result<Table, Error> {
        self.ask("", &Request::Watch { every: None }, REPLY)
    }

    /// From now on tables come, and nothing else can be asked until
    /// [`end_watch`](Self::end_watch).
    pub fn begin_watch(&mut self, every: Every) -> Result<(), Error> {
        self.begin(&Request::Watch { every: Some(every) })
    }

    /// The next table, which comes when `pause` has passed since the one before.
    pub fn next_table(&mut self, pause: Duration) -> Result<Table, Error> {
        // Until it comes there is nothing to be heard, and on the screen no place to say so.
        self.connection.lull().is_expected = true;
        let table = self.reply_with("", REPLY + pause);
        self.connection.lull().is_expected = false;
        if table.as_ref().is_err_and(Error::is_answer) {
            // Refused, so nothing comes any more.
            self.out_of_step = false;
        }
        table
    }

    /// Ends the watching; the session goes on.
    pub fn end_watch(&mut self) -> Result<(), Error> {
        // Whatever is said ends it, and the answer to this one cannot be taken for a table.
        let request = Request::Who {};
        let sent = self.connection.queue(&request).and_then(|()| self.connection.flush());
        sent.map_err(|error| Error::from_wire(&error))?;
        for _ in 0..LATE_MAX {
            match self.connection.read::<Response<Late>>(GOODBYE)? {
                Response::Ok(Late { user: None }) => {}
                Response::Ok(Late { user: Some(_) }) => {
                    self.out_of_step = false;
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(Error::Lost(Loss::OutOfStep))
    }
}
