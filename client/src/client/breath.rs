//! Several requests in one breath: all are sent, then all answers are read. One round trip for many
//! questions, each of which may be refused without harm to the others.

use common::protocol::Request;

use super::Client;
use crate::error::{Error, Loss};

/// How many names may be asked about at once. What is asked, and all that comes of it, must fit
/// sockets' buffers, or both sides would wait for the other to read.
pub(crate) const BATCH: usize = 32;

impl Client {
    /// Sends all `requests`, then has each answered by `answer`.
    pub(super) fn breath<T>(
        &mut self,
        requests: impl Iterator<Item = Request>,
        mut answer: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let asked = self.ask_all(requests)?;
        let answers = (0..asked).map(|_| answer(self)).collect::<Result<Vec<T>, Error>>()?;
        self.out_of_step = false;
        Ok(answers)
    }

    /// Sends all `requests`, and says how many they are. The exchange is open until each is
    /// answered.
    pub(super) fn ask_all(
        &mut self,
        requests: impl Iterator<Item = Request>,
    ) -> Result<usize, Error> {
        if self.out_of_step || !self.ahead.is_empty() {
            return Err(Error::Lost(Loss::OutOfStep));
        }
        self.out_of_step = true;
        let queued = requests.map(|request| self.connection.queue(&request));
        let asked = queued.collect::<Result<Vec<()>, _>>().and_then(|asked| {
            self.connection.flush()?;
            Ok(asked.len())
        });
        asked.map_err(|error| Error::from_wire(&error))
    }
}

/// A refusal is an answer, too, and the next one follows it.
pub(super) fn settled<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_answer() => Ok(None),
        Err(error) => Err(error),
    }
}
