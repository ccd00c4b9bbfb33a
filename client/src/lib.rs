//! `ferry`, the client of `ferryd`: a program, and a library of typed calls for other programs.
//!
//! ```text
//!   arguments     a script      a prompt                 a numbered menu
//!       │             │             │                           │
//!    command ◄───── script ◄────── repl     one table           │
//!       │             │                     of commands         │
//!       └─────────► shell ───► room                           menu
//!                     │         │                               │
//!                     └──► link · transfer · printer · journal ◄┘
//!                           │        │
//!                           └► client◄┘        typed calls
//!                                │
//!                           connection ──► wire ═══ TCP ═══► ferryd
//! ```
//!
//! - `config`: the servers that have names.
//! - `link`: who one is and where one stands, the same on every connection it makes
//!   (`password`, `place`).
//! - `tap`: what goes over a connection, for whoever wants to see it. `pace`: how fast files go. `lull`:
//!   that nothing moves.
//! - `transfer`: local files. `printer`: results on stdout (`display`), talk on stderr (`words`:
//!   all of it, in two languages).
//! - `watch`: what the server is doing, as a live screen (`columns`, `glyphs`: what fits there).
//! - `room`: what the server says unasked, and what is said to others there; `notices` numbers the
//!   files it tells of.
//! - `journal`: what was done, in a file.
//! - `complete`: what Tab offers at the prompt (`terminal`), from the table of commands.
//!
//! One thread does everything, and it blocks: on the socket (always with a deadline), on a local
//! file, or on the person at the prompt. Ctrl-C sets a flag that every wait looks at
//! ([`interrupt`]). Others do what cannot wait for it: one hears that the program is to end
//! ([`interrupt`]), one asks the server for names while a line is typed (`complete`), a bar has one
//! that draws it while no byte goes by (`progress`), one hears the room (`room`), and one puts what
//! it hears on the terminal when that is free (`printer`).
//!
//! Read in this order: [`client`] is what the rest is about and knows no terminal; then `wire`
//! and `connection` beneath it, [`error`] beside it, and `transfer`, `link`, `shell`, `script`,
//! `repl` and `menu` above it.

use std::ffi::OsString;
use std::io::{self, BufReader, IsTerminal as _};
use std::process::ExitCode;

use clap::CommandFactory as _;
use common::reference::Reference;

use crate::command::{Command, Invocation, Output, Task};
use crate::connection::Terms;
use crate::error::{Deed, Error};
use crate::interrupt::Interrupt;
use crate::journal::Journal;
use crate::link::Link;
use crate::password::Passwords;
use crate::printer::Printer;
use crate::shell::Shell;
use crate::words::Lang;

pub mod address;
pub mod client;
mod columns;
mod command;
mod complete;
mod config;
mod connection;
mod display;
pub mod error;
mod glyphs;
pub mod interrupt;
mod journal;
mod link;
mod lull;
mod menu;
mod notices;
mod pace;
mod password;
mod place;
mod printer;
mod progress;
mod repl;
mod room;
mod script;
mod shell;
mod tap;
mod terminal;
mod tilde;
mod transfer;
mod watch;
mod wire;
mod words;
mod xdg;

/// Runs `ferry` with these arguments, the first of them the program's own name.
///
/// They are a parameter so that another program may act as `ferry`.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    start_log();
    let status = match Invocation::read(args) {
        Ok(invocation) => run(invocation),
        Err(answer) => Printer::new(Output::default(), Lang::En).parser_answer(&answer),
    };
    ExitCode::from(status)
}

fn run(invocation: Invocation) -> u8 {
    let printer = Printer::new(invocation.output, invocation.lang());
    match obey(invocation, &printer) {
        Ok(status) => status,
        // Who reads no results any more knows it.
        Err(error @ Error::Closed) => error.exit_status(),
        Err(error) => {
            printer.complain(&error);
            error.exit_status()
        }
    }
}

fn obey(mut invocation: Invocation, printer: &Printer) -> Result<u8, Error> {
    invocation.look_up()?;
    let Invocation { server, user, password_file, rate, menu, script, task, .. } = invocation;
    let command = match task {
        Some(Task::Reference(reference)) => return refer(&reference, printer),
        Some(Task::Command(command)) => Some(command),
        None => None,
    };
    let interrupt = Interrupt::on_signals().map_err(Error::local(Deed::CatchSignals))?;
    let passwords = Passwords::current(password_file, interrupt.clone());
    passwords.warn(printer);
    let terms = Terms { rate, onlooker: printer.onlooker(), ..Terms::until(interrupt) };
    let mut link = Link::new(server, user, passwords, printer.clone(), terms);
    let journal = Journal::open();
    let status = if menu {
        menu::run(&mut link, printer.clone(), journal).map(|()| 0)
    } else {
        let mut shell = Shell::new(&mut link, printer.clone(), journal);
        let is_person = io::stdin().is_terminal();
        match (command, script) {
            (Some(chat @ Command::Chat { freeze: false, .. }), _) if is_person => {
                repl::run(&mut shell, Some(&chat))
            }
            (Some(Command::Chat { name, freeze: false }), _) => {
                Ok(shell.chat_piped(name.as_ref(), BufReader::new(io::stdin())))
            }
            (Some(command), _) => Ok(shell.run(&command)),
            (None, Some(text)) => script::text(&mut shell, &text),
            (None, None) if is_person => repl::run(&mut shell, None),
            (None, None) => script::lines(&mut shell, io::stdin().lock()),
        }
    };
    link.leave();
    status
}

/// Needs no server.
fn refer(reference: &Reference, printer: &Printer) -> Result<u8, Error> {
    printer.stdout(|out| reference.write(Invocation::command(), out)).map(|()| 0)
}

/// Silent unless `RUST_LOG` asks. The editor's own debug lines stay off: they would be written
/// into the line being edited.
fn start_log() {
    let asked = env_logger::Env::default().default_filter_or("off");
    let mut log = env_logger::Builder::from_env(asked);
    // A second call in one process finds a log already there, and that one is as good.
    let _ = log.filter_module("rustyline", log::LevelFilter::Off).try_init();
}
