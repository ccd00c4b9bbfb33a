//! The prompt: commands one a line from a person, who is told what went wrong and goes on.

use common::escape::Safe;

use crate::complete::Adviser;
use crate::error::Error;
use crate::script::{self, Flow};
use crate::shell::Shell;
use crate::terminal::{Answer, Terminal};
use crate::words::Talk;
use crate::xdg;

/// Reads commands until they end, and returns the exit status.
pub(crate) fn run(shell: &mut Shell) -> Result<u8, Error> {
    let greeting = shell.link.client()?.greeting();
    let (server, session) = (greeting.server.clone(), greeting.session);
    shell.printer().talk(&Talk::Welcome { server: Safe(&server), session });
    shell.number_lists();
    let mut terminal = Terminal::new(shell.interrupt().clone())?;
    terminal.advise(Adviser::new(), xdg::state_file("history"));
    loop {
        terminal.look_from(shell.link.lookout());
        match terminal.ask(&format!("{}> ", shell.link))? {
            Answer::Line(line) if script::obey(shell, &line) == Flow::Leave => return Ok(0),
            Answer::Line(_) | Answer::Never => {}
            Answer::End => return Ok(0),
        }
    }
}
