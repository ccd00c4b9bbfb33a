//! The room: what is said there, the vote, and the server's console from elsewhere.
//!
//! At a prompt one may be in the room for a while ([`Room`]). Elsewhere one comes in for what is to
//! be said, and leaves.

use std::thread;
use std::time::Duration;

use common::escape::Safe;
use common::protocol::{Done, Joined};
use common::room::{RoomName, Saying, Tally};
use serde::Serialize;

use super::Shell;
use super::report::Report;
use crate::client::Listener;
use crate::command::OnOff;
use crate::connection::Terms;
use crate::display;
use crate::error::{Error, Misuse};
use crate::room::Room;
use crate::words::{Failure, Talk};

/// The word that leaves the room. No guest is called so.
const OFF: &str = "off";

/// How often who is frozen looks whether that is to end.
const SLICE: Duration = Duration::from_millis(100);

/// What `notices` adds to a result.
#[derive(Serialize)]
struct State {
    notices: bool,
}

impl Shell<'_> {
    /// From now on there is a room: a person is at the prompt and hears of it.
    pub(crate) fn open_room(&mut self) {
        let (printer, interrupt) = (self.printer.clone(), self.interrupt().clone());
        self.room = Some(Room::new(printer, interrupt, self.numbers.told().clone()));
    }

    /// Looks at the room as who one is now. To be called before each line: the one before may have
    /// changed that.
    pub(crate) fn look_at_room(&mut self) {
        let lookout = self.link.lookout();
        if let Some(room) = &mut self.room {
            room.look_from(lookout);
        }
    }

    pub(super) fn chat(
        &mut self,
        name: Option<&RoomName>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let lookout = self.link.lookout();
        let room = self.room.as_mut().ok_or(Misuse::NoPrompt)?;
        if name.is_none_or(|name| name.as_str() != OFF) {
            room.enter(lookout, name)?;
        } else {
            room.leave()?;
            self.printer.talk(&Talk::LeftRoom);
        }
        report.shown("");
        Ok(())
    }

    /// Goes into the room on a connection of its own, and reads nothing there until Ctrl-C: to show
    /// what such a member does to the others, and what becomes of them.
    pub(super) fn freeze(
        &mut self,
        name: Option<&RoomName>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let terms = Terms { freezes: true, ..self.link.terms().clone() };
        let (joined, deaf) = self.come_in(name, terms)?;
        self.printer.talk(&Talk::Frozen { name: Safe(&joined.name), members: joined.members });
        while !self.interrupt().is_set() {
            thread::sleep(SLICE);
        }
        if self.interrupt().is_over() {
            return Err(Error::Interrupted);
        }
        // Ctrl-C is the way to end it.
        self.interrupt().clear();
        drop(deaf);
        self.printer.talk(&Talk::Thawed);
        report.shown("");
        Ok(())
    }

    /// Says what was typed in the room, and complains if that cannot be.
    pub(crate) fn talk(&mut self, line: &str) {
        let line = line.trim();
        let Some(room) = self.room.as_mut().filter(|_| !line.is_empty()) else { return };
        let (to, text) = addressed(line);
        if let Err(error) = room.say(text, to) {
            let failure = Failure { command: "say", path: "", error: &error };
            self.printer.complain(&failure);
        }
    }

    pub(super) fn say(
        &mut self,
        words: &[Saying],
        name: Option<&RoomName>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let line = joined(words, " ");
        let (to, text) = addressed(&line);
        match &mut self.room {
            Some(room) if room.member().is_some() => room.say(text, to)?,
            _ => {
                let (_, mut listener) = self.come_in(name, self.link.terms().clone())?;
                listener.say(text, to)?;
                listener.leave()?;
            }
        }
        report.done("", "say", Done {})
    }

    /// Goes into the room on a connection of its own; a guest needs a name for that.
    pub(super) fn come_in(
        &mut self,
        name: Option<&RoomName>,
        terms: Terms,
    ) -> Result<(Joined, Listener), Error> {
        match name {
            None if self.link.user().is_none() => return Err(Misuse::NoRoomName.into()),
            Some(name) if name.as_str() == OFF => return Err(Misuse::NotInRoom.into()),
            _ => {}
        }
        let client = self.link.beside(terms)?;
        client.join(name.map(RoomName::as_str))
    }

    pub(super) fn vote(
        &mut self,
        choice: Option<&Saying>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let choice = choice.map(Saying::as_str);
        // A guest is somebody only there.
        let tally: Tally = match &mut self.room {
            Some(room) if room.member().is_some() => room.vote(choice)?,
            _ => self.link.client()?.vote(choice)?,
        };
        report.answer("", &display::tally(&tally), tally)
    }

    pub(super) fn notices(
        &mut self,
        state: Option<OnOff>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let room = self.room.as_mut().ok_or(Misuse::NoPrompt)?;
        if let Some(state) = state {
            room.tell_of_files(state == OnOff::On);
        }
        let notices = room.tells_of_files();
        let line = if notices { "notices on" } else { "notices off" };
        report.answer("", line, State { notices })
    }

    pub(super) fn admin(&mut self, words: &[Saying], report: &mut Report) -> Result<(), Error> {
        // Words that were kept together by quotes still are.
        let line = shell_words::join(words.iter().map(Saying::as_str));
        let told = self.link.client()?.admin(&line)?;
        let lines: Vec<String> = told.text.lines().map(|line| Safe(line).to_string()).collect();
        report.answer("", &lines.join("\n"), told)
    }
}

fn joined(words: &[Saying], between: &str) -> String {
    words.iter().map(Saying::as_str).collect::<Vec<_>>().join(between)
}

/// Who something is said to, and what: `@NAME text` is for one. A name with blanks in it stands in
/// quotes: `@"Anna B" text`.
pub(super) fn addressed(line: &str) -> (Option<&str>, &str) {
    let split = line.strip_prefix('@').and_then(|rest| match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"'),
        None => rest.split_once(char::is_whitespace),
    });
    match split {
        Some((name, text)) if !name.is_empty() => (Some(name), text.trim_start()),
        _ => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_for_one_person() {
        for (line, expected) in [
            ("hello", (None, "hello")),
            ("@张三 你好 吗", (Some("张三"), "你好 吗")),
            ("@\"Anna B\" hello", (Some("Anna B"), "hello")),
            ("@ hello", (None, "@ hello")),
            ("@张三", (None, "@张三")),
            ("a @b c", (None, "a @b c")),
            ("", (None, "")),
        ] {
            assert_eq!(addressed(line), expected, "{line}");
        }
    }
}
