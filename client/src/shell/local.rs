//! `!`: a command of one's own shell.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use common::escape::Safe;

use super::Shell;
use crate::error::{Deed, Error};
use crate::words::Talk;

impl Shell<'_> {
    /// Runs `line` with the person's shell, or that shell itself if there is no line, says how that
    /// ended if it did not end well, and returns its exit status.
    pub(crate) fn local(&mut self, line: &str) -> u8 {
        let ended = match self.run_local(line) {
            Ok(ended) => ended,
            Err(error) => {
                self.printer.complain(&error);
                return error.exit_status();
            }
        };
        if !ended.success() {
            // `exit status: 1`, or `signal: 2 (SIGINT)`.
            let line = Safe(line.trim_end());
            self.printer.complain(&Talk::LocalEnded { line, status: ended });
        }
        status(ended)
    }

    fn run_local(&self, line: &str) -> Result<ExitStatus, Error> {
        let shell = env::var_os("SHELL").unwrap_or_else(|| OsString::from("/bin/sh"));
        let mut command = Command::new(&shell);
        if !line.trim().is_empty() {
            command.arg("-c").arg(line);
        }
        if !io::stdin().is_terminal() {
            // The rest of the script is for us.
            command.stdin(Stdio::null());
        }
        let ended = self.printer.lend(|| self.interrupt().deaf(|| command.status()));
        ended.and_then(|ended| ended).map_err(Error::local(Deed::Run(shell.into())))
    }
}

/// As a shell reports it: of who was ended by a signal, 128 and its number.
fn status(ended: ExitStatus) -> u8 {
    let code = ended.code().or_else(|| Some(128 + ended.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
