//! The prompt: commands one a line from a person, who is told what went wrong and goes on.
//!
//! In the room it is the other way round: what is typed is said, and a `/` in front makes it a
//! command. One may be there and still give commands; what happens is shown above the line. A `/` in
//! front is taken at the prompt as well, so `/vote yes` is right wherever it is read.

use common::escape::Safe;

use crate::command::{Command, marked};
use crate::complete::Adviser;
use crate::error::Error;
use crate::room::Room;
use crate::script::{self, Flow};
use crate::shell::Shell;
use crate::terminal::{Answer, Terminal};
use crate::words::Talk;
use crate::xdg;

/// Does the command `first`, if there is one, and those that are typed until they end; returns the
/// exit status.
pub(crate) fn run(shell: &mut Shell, first: Option<&Command>) -> Result<u8, Error> {
    let greeting = shell.link.client()?.greeting();
    let (server, session) = (greeting.server.clone(), greeting.session);
    shell.printer().talk(&Talk::Welcome { server: Safe(&server), session });
    shell.number_lists();
    let mut terminal = Terminal::new(shell.interrupt().clone())?;
    terminal.advise(Adviser::new(), xdg::state_file("history"));
    terminal.show_arrivals(shell.printer())?;
    shell.open_room();
    if let Some(first) = first {
        // What went wrong is said, and there is the prompt to try again.
        shell.run(first);
    }
    loop {
        shell.look_at_room();
        let chatting = shell.room.as_ref().and_then(Room::chatting);
        terminal.look_from(shell.link.lookout(), chatting.is_some());
        let flow = match chatting {
            Some(name) => chat(shell, terminal.ask(&format!("{}> ", Safe(&name)))?),
            None => match terminal.ask(&format!("{}> ", shell.link))? {
                Answer::Line(line) => script::obey(shell, marked(&line).unwrap_or(&line)),
                Answer::Never => Flow::Next(0),
                Answer::End => Flow::Leave,
            },
        };
        if flow == Flow::Leave {
            return Ok(0);
        }
    }
}

/// A line typed in the room.
fn chat(shell: &mut Shell, answer: Answer) -> Flow {
    match answer {
        Answer::Line(line) => match marked(&line) {
            Some(command) if !command.trim().is_empty() => return script::obey(shell, command),
            Some(_) => stop_chatting(shell),
            None => shell.talk(&line),
        },
        Answer::Never => {}
        Answer::End => stop_chatting(shell),
    }
    Flow::Next(0)
}

/// Back to commands, and still in the room.
fn stop_chatting(shell: &mut Shell) {
    if let Some(room) = &mut shell.room {
        room.stop_chatting();
    }
}
