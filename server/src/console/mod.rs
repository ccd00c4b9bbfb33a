//! The console: what whoever runs the server can see and do while it runs, a line at a time.
//!
//! A line goes in and text comes out; where it was typed is not known here. At the server's own
//! terminal `keyboard` asks for it, and an administrator elsewhere sends it as an `ADMIN` request.
//! So there is one table of commands (`command`) and one place that obeys it, for both.
//! (`overview` shows, `orders` acts, `class` holds up.)
//!
//! What comes out is escaped as a whole. It shows what others have chosen: names, paths.

mod class;
mod command;
mod countdown;
mod keyboard;
mod orders;
mod overview;
mod table;
mod terminal;

use std::convert::Infallible;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, Builder};

use common::escape::Safe;
use common::protocol::{Reason, Refusal};
use crossbeam_channel::{Receiver, Sender, bounded, select};

use self::command::{Command, When};
pub use self::countdown::Countdown;
pub use self::keyboard::{Keyboard, Typed};
pub use self::terminal::Terminal;
use crate::accounts::Accounts;
use crate::claims::Claims;
use crate::counters::Counters;
use crate::room::Room;
use crate::roster::Roster;
use crate::state::{self, State, Table};
use crate::stop::Stop;

/// What the console looks at and acts on.
#[derive(Debug, Clone, Copy)]
pub struct Console<'c> {
    /// Who is connected.
    pub roster: &'c Roster,
    /// Who has an account.
    pub accounts: &'c Accounts<'c>,
    /// What the sessions have in common; nothing if each has a process of its own.
    pub shared: Option<Shared<'c>>,
    /// What was done so far.
    pub counters: &'c Counters,
    /// What every thread is doing.
    pub table: &'c Table,
    /// The stop to come.
    pub countdown: &'c Countdown,
    /// The stop itself.
    pub stop: &'c Stop,
    /// Whether this is class mode.
    pub class: bool,
}

/// What sessions have in common that share their memory.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'c> {
    /// Who writes what.
    pub claims: &'c Claims,
    /// Who talks.
    pub room: &'c Room<'c>,
}

impl<'c> Console<'c> {
    /// What the sessions have in common, for what cannot be done without.
    fn shared(&self) -> Result<Shared<'c>, Refusal> {
        self.shared.ok_or_else(|| {
            let message = "this server runs each session in a process of its own, and processes \
                           share no memory: there is no room to speak or ask in, and what they \
                           write is not known here";
            Refusal::new(Reason::Denied, message)
        })
    }

    /// Does what a line says, and says what came of it, in as many lines as it takes.
    pub fn obey(&self, line: &str) -> Result<String, Refusal> {
        let done = match command::read(line) {
            Ok(None) => Ok(String::new()),
            Ok(Some(command)) => self.carry_out(command),
            Err(answer) => answer_of(&answer),
        };
        done.map(|text| printable(&text))
            .map_err(|Refusal { reason, message }| Refusal::new(reason, printable(&message)))
    }

    /// Lets `serve` run, and beside it the threads that the console needs: one that obeys what is
    /// `typed`, and one that counts down to a planned stop. They end when `serve` does.
    pub fn attend(&self, typed: Option<Receiver<Typed>>, serve: impl FnOnce()) -> io::Result<()> {
        thread::scope(|scope| {
            let (over, ended) = bounded(0);
            // On every way out, or the scope would wait for threads that nobody ends.
            let _closing = Closing { countdown: self.countdown, _over: over };
            let thread = |name: &str| Builder::new().name(name.into());
            thread("countdown").spawn_scoped(scope, || {
                let _seat = self.table.seat("countdown", State::Idle);
                self.count_down();
            })?;
            if let Some(typed) = typed {
                thread("console").spawn_scoped(scope, move || self.obey_all(&typed, &ended))?;
            }
            serve();
            Ok(())
        })
    }

    fn obey_all(&self, typed: &Receiver<Typed>, ended: &Receiver<Infallible>) {
        let _seat = self.table.seat("console", State::Run);
        loop {
            let waiting = state::enter(State::Idle);
            select! {
                recv(typed) -> typed => {
                    // Nobody has the keyboard any more.
                    let Ok(typed) = typed else { return };
                    drop(waiting);
                    state::works_on(&typed.line, "");
                    // A panic, as of a session, ends what was being done and nothing else.
                    let obeyed = AssertUnwindSafe(|| self.obey(&typed.line));
                    let failed = Refusal::new(Reason::Internal, "that failed; the log says why");
                    let told = panic::catch_unwind(obeyed).unwrap_or(Err(failed));
                    typed.answer(told);
                }
                recv(ended) -> _ => return,
            }
        }
    }

    fn carry_out(&self, command: Command) -> Result<String, Refusal> {
        match command {
            Command::Say { text } => self.say(&text),
            Command::Who => Ok(self.who()),
            Command::Kick { whom } => self.kick(&whom),
            Command::Files => self.files(),
            Command::Stats => Ok(self.stats()),
            Command::Users => self.users(),
            Command::Ask(ask) => self.ask(ask),
            Command::Tally => self.tally(),
            Command::SleepAt { at } => self.sleep_at(at),
            Command::DiskRate { rate } => self.disk_rate(rate),
            Command::Shutdown { when } => Ok(self.shutdown(when.unwrap_or(When::Now))),
        }
    }
}

/// Ends the console's threads when it is dropped.
struct Closing<'c> {
    countdown: &'c Countdown,
    /// Nothing is ever sent: its end is the message.
    _over: Sender<Infallible>,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.countdown.close();
    }
}

/// Help that was asked for, or what is wrong with the line.
fn answer_of(answer: &clap::Error) -> Result<String, Refusal> {
    let text = answer.render().to_string();
    if !answer.use_stderr() {
        return Ok(text.trim_end().to_owned());
    }
    // A refusal is a sentence; the parser says it in paragraphs.
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraphs = text.split("\n\n").map(|words| words.split_whitespace().collect::<Vec<_>>());
    let sentence: Vec<String> = paragraphs.map(|words| words.join(" ")).collect();
    Err(Refusal::new(Reason::BadRequest, sentence.join("; ")))
}

/// Nothing in a text acts on a terminal, but that its lines end.
fn printable(text: &str) -> String {
    text.lines().map(|line| Safe(line).to_string()).collect::<Vec<_>>().join("\n")
}
