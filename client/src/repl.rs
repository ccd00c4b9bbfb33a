//! Commands one a line: from a person at the prompt, or from a script on stdin.
//!
//! A person is told what went wrong and goes on; a script stops at its first failure.

use std::io::{self, BufRead, IsTerminal};

use clap::Parser as _;

use crate::command::{Command, Line};
use crate::complete::Adviser;
use crate::error::Error;
use crate::shell::Shell;
use crate::state_dir;
use crate::terminal::{Answer, Terminal};

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// With this status; the next line may follow.
    Next(u8),
    /// It asked to leave.
    Leave,
}

/// Reads commands until they end, and returns the exit status.
pub(crate) fn run(shell: &mut Shell) -> Result<u8, Error> {
    if io::stdin().is_terminal() { prompt(shell) } else { script(shell, io::stdin().lock()) }
}

fn prompt(shell: &mut Shell) -> Result<u8, Error> {
    let greeting = shell.link.client()?.greeting();
    let welcome = format!(
        "connected to {}, session {}. `help` lists the commands, `quit` or Ctrl-D leaves.",
        common::escape::Safe(&greeting.server),
        greeting.session
    );
    shell.printer().talk(welcome);
    let mut terminal = Terminal::new(shell.interrupt().clone())?;
    terminal.advise(Adviser::new(), state_dir::file("history"));
    loop {
        terminal.look_from(shell.link.lookout());
        match terminal.ask(&format!("{}> ", shell.link))? {
            Answer::Line(line) if obey(shell, &line) == Flow::Leave => return Ok(0),
            Answer::Line(_) | Answer::Never => {}
            Answer::End => return Ok(0),
        }
    }
}

fn script(shell: &mut Shell, lines: impl BufRead) -> Result<u8, Error> {
    let mut lines = (1..).zip(lines.lines());
    while let Some((number, line)) = shell.interrupt().idle(|| lines.next()) {
        let line = line.map_err(Error::local("cannot read the commands"))?;
        match obey(shell, &line) {
            Flow::Next(0) => {}
            Flow::Next(status) => {
                shell.printer().talk(format_args!("stopped at line {number} of the script"));
                return Ok(status);
            }
            Flow::Leave => break,
        }
    }
    Ok(0)
}

/// Does what one line says. An empty line and a comment say nothing, and a line that begins with
/// `!` is another shell's, which splits it by its own rules.
fn obey(shell: &mut Shell, line: &str) -> Flow {
    if let Some(local) = line.trim_start().strip_prefix('!') {
        return Flow::Next(shell.local(local));
    }
    let words = match words(line) {
        Ok(words) if words.is_empty() => return Flow::Next(0),
        Ok(words) => words,
        Err(error) => {
            shell.printer().complain(&error);
            return Flow::Next(error.exit_status());
        }
    };
    match Line::try_parse_from(words) {
        Ok(Line { command: Command::Quit }) => Flow::Leave,
        Ok(Line { command }) => Flow::Next(shell.run(&command)),
        Err(answer) => Flow::Next(shell.printer().parser_answer(&answer)),
    }
}

/// A line's words, split as a POSIX shell would: quotes, backslashes, `#` comments.
fn words(line: &str) -> Result<Vec<String>, Error> {
    shell_words::split(line)
        .map_err(|_| Error::Usage(format!("a quote is not closed in: {}", line.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_words_as_in_a_shell() {
        assert_eq!(words(r#"put "a b" c\ d 'e"f'"#).unwrap(), ["put", "a b", "c d", "e\"f"]);
        assert!(words("  # nothing to do").unwrap().is_empty());
        assert_eq!(words("list # all").unwrap(), ["list"]);
        assert!(words("put \"a").is_err());
    }
}
