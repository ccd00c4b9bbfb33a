//! Where a password comes from: a file, the environment, or a person who types it unseen. Never
//! from the command line, which everybody on the machine can read.

use std::env;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use common::limits::PASSWORD_BYTES_MAX;
use common::protocol::Password;

use crate::error::{Deed, Error, Misuse, Unasked};
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::words::Talk;

/// The places to look, in this order: a file, a variable of the environment, the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    file: Option<PathBuf>,
    variable: &'static str,
    /// What names the file on the command line, for a message.
    option: &'static str,
    interrupt: Interrupt,
}

impl Passwords {
    /// The password in force.
    pub(crate) fn current(file: Option<PathBuf>, interrupt: Interrupt) -> Self {
        Self { file, variable: "FERRY_PASSWORD", option: "--password-file", interrupt }
    }

    /// The one it is to be changed to.
    pub(crate) fn new(file: Option<PathBuf>, interrupt: Interrupt) -> Self {
        Self { file, variable: "FERRY_NEW_PASSWORD", option: "--new-password-file", interrupt }
    }

    /// Says so where others on this machine can read the file.
    pub(crate) fn warn(&self, printer: &Printer) {
        let Some(file) = &self.file else { return };
        // A file that is not there is complained of when it is read. A pipe is nobody else's.
        let is_open = |seen: Metadata| seen.is_file() && seen.mode() & 0o077 != 0;
        if fs::metadata(file).is_ok_and(is_open) {
            printer.talk(&Talk::OpenPasswordFile { file });
        }
    }

    /// What the file or the environment says.
    pub(crate) fn given(&self) -> Result<Option<Password>, Error> {
        if let Some(file) = &self.file {
            return first_line(file).map(|line| Some(Password(line)));
        }
        match env::var(self.variable) {
            Ok(text) if !text.is_empty() => Ok(Some(Password(text))),
            Err(env::VarError::NotUnicode(_)) => Err(Misuse::NotText(self.variable).into()),
            _ => Ok(None),
        }
    }

    /// What was given, or what is typed.
    pub(crate) fn get(&self, prompt: &str) -> Result<Password, Error> {
        self.given()?.map_or_else(|| self.ask(prompt), Ok)
    }

    /// What was given, or what is typed twice: nobody sees what they type.
    pub(crate) fn choose(&self, prompt: &str, again: &str) -> Result<Password, Error> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        let chosen = self.ask(prompt)?;
        if chosen == self.ask(again)? { Ok(chosen) } else { Err(Error::PasswordsDiffer) }
    }

    /// Asks on the terminal, wherever stdin comes from. The terminal's echo is off meanwhile, so
    /// Ctrl-C must not end the program here and then: it only sets the flag, the read ends with an
    /// error, and the echo comes back on the way out.
    fn ask(&self, prompt: &str) -> Result<Password, Error> {
        let typed = self.interrupt.asking(|| rpassword::prompt_password(prompt));
        let typed = typed.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Error::Interrupted,
            io::ErrorKind::UnexpectedEof => {
                // Ctrl-D, which leaves the cursor behind the question.
                let _ = writeln!(io::stderr());
                Error::NoPassword(Unasked::NotGiven)
            }
            _ => {
                let (option, variable) = (self.option, self.variable);
                Error::NoPassword(Unasked::NoTerminal { option, variable })
            }
        })?;
        Ok(Password(typed))
    }
}

/// A file's first line, without what ends it.
fn first_line(file: &Path) -> Result<String, Error> {
    let cannot = || Error::local(Deed::ReadPasswordFile(file.to_owned()));
    let opened = File::open(file).map_err(cannot())?;
    // One byte more than can be right is enough for the server to say that it is too long.
    let mut line = String::new();
    let mut start = BufReader::new(opened.take(PASSWORD_BYTES_MAX as u64 + 3));
    start.read_line(&mut line).map_err(cannot())?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_gives_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        for (text, password) in
            [("123456\n", "123456"), ("a b \r\nsecond\n", "a b "), ("bare", "bare"), ("", "")]
        {
            fs::write(&file, text).unwrap();
            let given =
                Passwords::current(Some(file.clone()), Interrupt::default()).given().unwrap();
            assert_eq!(given, Some(Password(password.into())));
        }
        fs::remove_file(&file).unwrap();
        let missing = Passwords::current(Some(file), Interrupt::default()).given().unwrap_err();
        assert_eq!(missing.exit_status(), 6);
    }
}
