//! `ferry`, the client of `ferryd`: a program, and a library of typed calls for other programs.
//!
//! ```text
//!   arguments        a prompt, or a script on stdin
//!       │                       │
//!    command ◄──────────────── repl          one table of commands for all three
//!       │                       │
//!       └────────► shell ◄──────┘            does commands; keeps the connection between them
//!                  │   │
//!     transfer ◄───┘   └───► printer         local files · results on stdout, talk on stderr
//!         │                     │
//!       client               display         typed calls · sizes, times, listings as text
//!         │
//!     connection ──► wire ═══ TCP ═══► ferryd
//! ```
//!
//! There is one thread, and it blocks: on the socket (always with a deadline), on a local file,
//! or on the person at the prompt. Ctrl-C sets a flag that every wait looks at ([`interrupt`]).
//!
//! Read in this order: [`client`] is what the rest is about and knows no terminal; then `wire`
//! and `connection` beneath it, [`error`] beside it, and `transfer`, `shell`, `repl` above it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::address::Address;
use crate::command::{Command, Invocation, Output};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::shell::Shell;

pub mod address;
pub mod client;
mod command;
mod connection;
mod display;
pub mod error;
pub mod interrupt;
mod printer;
mod progress;
mod repl;
mod shell;
mod transfer;
mod wire;

/// Runs `ferry` with these arguments, the first of them the program's own name.
///
/// They are a parameter so that another program may act as `ferry`.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    start_log();
    let status = match Invocation::try_parse_from(args) {
        Ok(invocation) => run(invocation),
        Err(answer) => Printer::new(Output::default()).parser_answer(&answer),
    };
    ExitCode::from(status)
}

fn run(Invocation { server, output, command }: Invocation) -> u8 {
    let printer = Printer::new(output);
    match obey(server, &printer, command.as_ref()) {
        Ok(status) => status,
        Err(error) => {
            printer.complain(&error);
            error.exit_status()
        }
    }
}

fn obey(server: Address, printer: &Printer, command: Option<&Command>) -> Result<u8, Error> {
    let interrupt = Interrupt::on_signals().map_err(Error::local("cannot catch signals"))?;
    let mut shell = Shell::new(server, printer.clone(), interrupt);
    let status = match command {
        Some(command) => shell.run(command),
        None => repl::run(&mut shell)?,
    };
    shell.leave();
    Ok(status)
}

/// Silent unless `RUST_LOG` asks. The editor's own debug lines stay off: they would be written
/// into the line being edited.
fn start_log() {
    let asked = env_logger::Env::default().default_filter_or("off");
    let mut log = env_logger::Builder::from_env(asked);
    // A second call in one process finds a log already there, and that one is as good.
    let _ = log.filter_module("rustyline", log::LevelFilter::Off).try_init();
}
