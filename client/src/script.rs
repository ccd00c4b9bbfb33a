//! Commands one after another: from stdin, from `-c`, and what stands between two `;` at the prompt.
//!
//! A script stops at its first failure, so that nothing is done which relied on what failed. A
//! command with a `-` in front (`-rm old.txt`) may fail: it says so, and the script goes on.

use std::io::{self, BufRead};

use crate::command::{Command, Line};
use crate::error::{Deed, Error, Misuse};
use crate::interrupt;
use crate::shell::Shell;
use crate::words::{Talk, Unit};

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// With this status; the next line may follow.
    Next(u8),
    /// It asked to leave.
    Leave,
}

/// Does what a text says, and returns the exit status.
pub(crate) fn text(shell: &mut Shell, text: &str) -> Result<u8, Error> {
    run(shell, Unit::Command, commands(text).into_iter().map(|command| Ok(command.to_owned())))
}

/// Does each line as soon as it comes, and returns the exit status.
pub(crate) fn lines(shell: &mut Shell, lines: impl BufRead) -> Result<u8, Error> {
    run(shell, Unit::Line, lines.lines())
}

/// `unit` is what is counted, for who looks for the place.
fn run(
    shell: &mut Shell,
    unit: Unit,
    script: impl Iterator<Item = io::Result<String>>,
) -> Result<u8, Error> {
    let mut script = (1..).zip(script);
    while let Some((number, line)) = shell.interrupt().idle(|| script.next()) {
        let line = line.map_err(Error::local(Deed::ReadCommands))?;
        match obey(shell, &line) {
            Flow::Next(0) => {}
            Flow::Next(status) => {
                shell.printer().talk(&Talk::Stopped { unit, number });
                return Ok(status);
            }
            Flow::Leave => break,
        }
    }
    Ok(0)
}

/// Does the commands of one line, up to the first that fails.
pub(crate) fn obey(shell: &mut Shell, line: &str) -> Flow {
    let mut flows = commands(line).into_iter().map(|command| obey_one(shell, command));
    flows.find(|flow| *flow != Flow::Next(0)).unwrap_or(Flow::Next(0))
}

/// Does one command. An empty one and a comment say nothing.
fn obey_one(shell: &mut Shell, command: &str) -> Flow {
    let (command, may_fail) = forgiving(command);
    let status = match (command.trim_start().strip_prefix('!'), words(command)) {
        (Some(local), _) => shell.local(local),
        (None, Ok(words)) if words.is_empty() => 0,
        (None, Ok(words)) => match Line::read(words) {
            Ok(Line { command: Command::Quit }) => return Flow::Leave,
            Ok(Line { command }) => shell.run(&command),
            Err(answer) => shell.printer().parser_answer(&answer),
        },
        (None, Err(error)) => {
            shell.printer().complain(&error);
            error.exit_status()
        }
    };
    // Ctrl-C that came too late for this command is meant for the ones after it.
    let status = if shell.interrupt().is_set() { interrupt::STATUS } else { status };
    Flow::Next(if may_fail && is_forgivable(status) { 0 } else { status })
}

/// The command, and whether the `-` in front of it, gone now, lets it fail.
fn forgiving(command: &str) -> (&str, bool) {
    let command = command.trim_start();
    match command.strip_prefix('-') {
        Some(rest) if !rest.starts_with('-') => (rest, true),
        _ => (command, false),
    }
}

/// What makes no sense is a mistake in the script, without a server no other command can do
/// better, and Ctrl-C means the whole of it.
fn is_forgivable(status: u8) -> bool {
    ![2, 3, interrupt::STATUS].contains(&status)
}

/// A command's words, split as a POSIX shell would: quotes, backslashes, `#` comments.
fn words(command: &str) -> Result<Vec<String>, Error> {
    shell_words::split(command).map_err(|_| Misuse::OpenQuote(command.trim().to_owned()).into())
}

/// What a character of a script stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Gap,
    Word,
    SingleQuotes,
    DoubleQuotes,
    Comment,
    /// What stands behind a `!`: another shell's, which splits it by its own rules.
    Local,
}

/// The commands of a text, in pieces for [`words`], which knows no `;`: cut at each `;` and line
/// end that is none of a name's, which is where quotes, backslashes and comments say so.
fn commands(text: &str) -> Vec<&str> {
    use Within::{Comment, DoubleQuotes, Gap, Local, SingleQuotes, Word};
    let (mut found, mut start, mut within) = (Vec::new(), 0, Gap);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        within = match (within, c) {
            (Gap | Word, ';') | (Gap | Word | Comment | Local, '\n') => {
                found.push(&text[start..at]);
                start = at + 1;
                Gap
            }
            (Gap | Word, '!') if ["", "-"].contains(&text[start..at].trim()) => Local,
            (SingleQuotes, '\'') | (DoubleQuotes, '"') => Word,
            (Gap | Word | DoubleQuotes, '\\') => match (within, chars.next()) {
                // A line that goes on in the next.
                (within, Some((_, '\n'))) => within,
                (Gap, _) => Word,
                (within, _) => within,
            },
            (SingleQuotes | DoubleQuotes | Comment | Local, _) => within,
            (Gap, '#') => Comment,
            (Gap | Word, '\'') => SingleQuotes,
            (Gap | Word, '"') => DoubleQuotes,
            (Gap | Word, ' ' | '\t') => Gap,
            (Gap | Word, _) => Word,
        };
    }
    found.push(&text[start..]);
    found
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

    #[test]
    fn a_text_falls_into_commands_but_no_name_does() {
        for (text, expected) in [
            ("put a; get b", &["put a", " get b"][..]),
            ("put a\nget b;", &["put a", "get b", ""]),
            ("", &[""]),
            ("put 'a;b' \"c;d\" e\\;f;who", &["put 'a;b' \"c;d\" e\\;f", "who"]),
            (r#"put "a\";b" 'c\'; who"#, &[r#"put "a\";b" 'c\'"#, " who"]),
            ("list # it's; all\nwho", &["list # it's; all", "who"]),
            ("put a#b;who", &["put a#b", "who"]),
            ("put a''#b;who", &["put a''#b", "who"]),
            ("put 'a\nb'; put c \\\nd", &["put 'a\nb'", " put c \\\nd"]),
            ("put \\\n# a; b", &["put \\\n# a; b"]),
            ("put 文;who", &["put 文", "who"]),
            ("put \"a; who", &["put \"a; who"]),
            ("put a\\", &["put a\\"]),
            ("who; !echo 'a; b\nput c!;who", &["who", " !echo 'a; b", "put c!", "who"]),
            (" -!false; who\nwho", &[" -!false; who", "who"]),
        ] {
            assert_eq!(commands(text), expected, "{text:?}");
        }
    }

    #[test]
    fn one_dash_lets_a_command_fail_and_two_are_an_option() {
        for (command, expected) in [
            ("-rm a", ("rm a", true)),
            ("  - rm a", (" rm a", true)),
            ("rm -a", ("rm -a", false)),
            ("--help", ("--help", false)),
        ] {
            assert_eq!(forgiving(command), expected);
        }
    }
}
