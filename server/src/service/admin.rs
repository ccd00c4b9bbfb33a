//! The handler of what an administrator asks of the console, from wherever they are.

use common::protocol::{Reason, Refusal, Response, Role, Told};

use super::{Handled, Reply, Service, Who};
use crate::answer::Answer;
use crate::console::{Console, Shared};

/// How much of a text goes out. Written as JSON, a byte of it takes two at most, and the whole must
/// fit a line.
const TEXT_BYTES_MAX: usize = 30 * 1024;

impl Service<'_> {
    /// The console of this server, for whoever may have it.
    pub fn console(&self) -> Console<'_> {
        Console {
            roster: self.roster,
            accounts: &self.accounts,
            shared: Some(Shared { claims: self.claims, room: self.room }),
            counters: self.counters,
            table: self.table,
            countdown: self.countdown,
            stop: self.stop,
            class: self.class,
        }
    }

    pub(super) fn admin<'s>(&self, who: &Who<'_>, line: &str) -> Handled<'s> {
        if who.user.as_ref().is_none_or(|user| user.role != Role::Admin) {
            let message = "only an administrator has the console";
            return Err(Refusal::new(Reason::Denied, message).into());
        }
        if self.alone {
            let message = "type this at the server's own terminal: this session has a process of \
                           its own, and processes share no memory, so it knows nothing of the \
                           others";
            return Err(Refusal::new(Reason::Denied, message).into());
        }
        let text = shortened(self.console().obey(line)?);
        Ok(Reply::Answer(Answer::of(&Response::Ok(Told { text }))))
    }
}

/// As many lines as there is room for.
fn shortened(text: String) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    let (shown, rest) = text.split_at(text[..end].rfind('\n').unwrap_or(end));
    format!(
        "{shown}\n… {} lines more; the server's own console shows all",
        rest.lines().count() - 1
    )
}
