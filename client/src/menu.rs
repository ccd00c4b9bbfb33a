//! The numbered menu: log in or register, then send, fetch and list by number. For who knows no
//! command; each choice does what a command does.
//!
//! Ctrl-C takes a question back or abandons a transfer, Ctrl-D leaves.

mod choice;
mod files;

use std::io::{self, IsTerminal as _};

use common::escape::Safe;
use common::protocol::{Password, Reason};
use common::user::UserName;

use crate::error::Error;
use crate::journal::Journal;
use crate::link::Link;
use crate::printer::Printer;
use crate::terminal::{Answer, Terminal};
use crate::words::Message;

/// Why the menu comes to its end.
enum Stop {
    /// It was asked to.
    Leave,
    /// It cannot ask, or not tell.
    Broken(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

struct Menu<'a> {
    link: &'a mut Link,
    printer: Printer,
    journal: Journal,
    terminal: Terminal,
    /// A person answers, and no file or pipe.
    is_person: bool,
}

/// Shows the menu until it is left.
pub(crate) fn run(link: &mut Link, printer: Printer, journal: Journal) -> Result<(), Error> {
    // Better told at once than after the questions.
    link.client()?;
    let terminal = Terminal::new(link.interrupt().clone())?;
    let is_person = io::stdin().is_terminal();
    let mut menu = Menu { link, printer, journal, terminal, is_person };
    match menu.entrance() {
        Ok(()) | Err(Stop::Leave) => menu.say(Message::Goodbye),
        Err(Stop::Broken(error)) => Err(error),
    }
}

impl Menu<'_> {
    fn entrance(&mut self) -> Result<(), Stop> {
        loop {
            // Who named themselves with --user is inside already.
            if let Some(user) = self.link.user().cloned() {
                self.desk(&user)?;
            }
            let items = [Message::LogIn, Message::Register, Message::Exit];
            match self.choose(Message::Entrance, &items)? {
                1 => self.log_in()?,
                2 => self.register()?,
                _ => return Ok(()),
            }
        }
    }

    fn desk(&mut self, user: &UserName) -> Result<(), Stop> {
        let items = [Message::Upload, Message::Download, Message::List, Message::Exit];
        loop {
            match self.choose(Message::Desk { user }, &items)? {
                1 => self.upload()?,
                2 => self.download()?,
                3 => self.list(user)?,
                _ => break,
            }
        }
        self.link.log_out();
        Ok(self.say(Message::Left { user })?)
    }

    fn log_in(&mut self) -> Result<(), Stop> {
        let Some(user) = self.user_name()? else { return Ok(()) };
        let Some(password) = self.password(false)? else { return Ok(()) };
        let answer = self.link.log_in(&user, password);
        let answer = answer.map(|_| (Message::LoggedIn { user: &user }, None));
        self.tell("login", user.as_str(), answer).map(drop)
    }

    fn register(&mut self) -> Result<(), Stop> {
        let Some(user) = self.user_name()? else { return Ok(()) };
        let Some(password) = self.password(true)? else { return Ok(()) };
        let answer = self.link.register(&user, password);
        let answer = answer.map(|_| (Message::Registered { user: &user }, None));
        self.tell("register", user.as_str(), answer).map(drop)
    }

    fn user_name(&mut self) -> Result<Option<UserName>, Stop> {
        let Some(line) = self.ask(Message::UserName)? else { return Ok(None) };
        let user = UserName::parse(line.trim()).ok();
        if user.is_none() {
            self.say(Message::NoName)?;
        }
        Ok(user)
    }

    /// What was given, or is typed unseen; from a pipe it is the next line.
    fn password(&mut self, is_new: bool) -> Result<Option<Password>, Stop> {
        let passwords = self.link.passwords().clone();
        if !self.is_person {
            let given = passwords.given()?;
            return given.map_or_else(
                || Ok(self.ask(Message::Password)?.map(Password)),
                |given| Ok(Some(given)),
            );
        }
        let [prompt, again] =
            [Message::Password, Message::Again].map(|question| self.printer.words(&question));
        let typed = if is_new { passwords.choose(&prompt, &again) } else { passwords.get(&prompt) };
        match typed {
            Ok(password) => Ok(Some(password)),
            Err(Error::Interrupted) => Ok(None),
            Err(Error::PasswordsDiffer) => {
                self.say(Message::PasswordsDiffer)?;
                Ok(None)
            }
            Err(Error::NoPassword(_)) => Err(Stop::Leave),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows a title and numbered items until one of them is chosen.
    fn choose(&mut self, title: Message<'_>, items: &[Message<'_>]) -> Result<usize, Stop> {
        loop {
            self.printer.line("")?;
            self.say(title)?;
            for (number, item) in (1..).zip(items) {
                self.printer.line(&format!("    {number}: {}", self.printer.words(item)))?;
            }
            let Some(line) = self.ask(Message::Choice)? else { continue };
            match choice::numbers(&line, items.len()).as_deref() {
                Ok(&[number]) => return Ok(number),
                Ok([]) => {}
                Ok(_) | Err(_) => self.say(Message::NoSuchNumber { word: Safe(line.trim()) })?,
            }
        }
    }

    /// `None` takes the question back.
    fn ask(&mut self, question: Message<'_>) -> Result<Option<String>, Stop> {
        let question = self.printer.words(&question);
        if !self.is_person {
            // The editor asks people only; what it asked makes a transcript readable.
            self.printer.line(&question)?;
        }
        match self.terminal.ask(&question)? {
            Answer::Line(line) => Ok(Some(line)),
            Answer::Never => Ok(None),
            Answer::End => Err(Stop::Leave),
        }
    }

    fn say(&self, message: Message<'_>) -> Result<(), Error> {
        self.printer.line(&self.printer.words(&message))
    }

    fn note(&self, command: &str, name: &str, outcome: Result<Option<u64>, &Error>) {
        self.journal.add(&self.link.to_string(), command, name, outcome);
    }

    /// Says how something went, and notes it. `false` means: nor will what was to follow.
    fn tell(
        &mut self,
        command: &str,
        name: &str,
        outcome: Result<(Message<'_>, Option<u64>), Error>,
    ) -> Result<bool, Stop> {
        self.note(command, name, outcome.as_ref().map(|(_, bytes)| *bytes));
        match outcome {
            Ok((message, _)) => {
                self.say(message)?;
                Ok(true)
            }
            Err(Error::Closed) => Err(Error::Closed.into()),
            Err(error) => {
                self.say(failure(command, Safe(name), &error))?;
                Ok(!error.ends_everything())
            }
        }
    }
}

/// What to call a failure in this menu, which has no options that could help.
fn failure<'a>(command: &str, name: Safe<'a>, cause: &'a Error) -> Message<'a> {
    match cause {
        Error::LoginRefused(_) => Message::NotThatUser,
        Error::Exists { .. } if command == "register" => Message::NameTaken { name },
        Error::Exists { .. } => Message::ExistsThere { name },
        Error::ExistsHere(_) => Message::ExistsHere { name },
        Error::Interrupted => Message::Abandoned { name },
        Error::Unfinished(cause) => Message::CutOff { name, cause },
        _ => match cause.reason() {
            Some(Reason::NotFound) => Message::Missing { name },
            Some(Reason::NoSpace | Reason::Quota) => Message::NoRoom { name, cause },
            _ => Message::NotDone { name, cause },
        },
    }
}
