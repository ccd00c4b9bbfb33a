//! The doorway: from arguments to an exit status. Everything that concerns the process as a whole
//! is here: signals, the terminal, the journal, the first line on stdout, limits.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use clap::CommandFactory as _;
use common::escape::Safe;
use common::reference::Reference;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::admin;
use crate::class;
use crate::config::{Config, Task};
use crate::console::Terminal;
use crate::journal::{self, Echo, Journal};
use crate::server::{Server, ServerError};
use crate::state::{State, Table};
use crate::stop::Stop;
use crate::trace::Columns;

/// The program, from its arguments to its exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let config = match Config::read(args) {
        Ok(config) => config,
        Err(usage) => {
            // Help goes to stdout and is a success; anything else is wrong usage.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let done = match &config.task {
        Some(Task::User(task)) => admin::run(task, &config.data, config.password_min),
        Some(Task::Reference(reference)) => refer(reference).map_err(Into::into),
        None => serve(config).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ferryd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes what shells and `man` are told.
fn refer(reference: &Reference) -> Result<(), String> {
    match reference.write(Config::command(), &mut io::stdout()) {
        // Whoever reads it has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("cannot write it: {error}")),
    }
}

fn serve(config: Config) -> Result<(), ServerError> {
    raise_descriptor_limit();
    let mut server = Server::bind(config)?;
    let log_file = server.store.log_file().map_err(ServerError::system("open the log file"))?;
    // A process that was started for one client has no console: the terminal is its parent's.
    let listens = server.config.session.is_none();
    let console = if listens { Terminal::open(&server.table) } else { Ok(None) };
    let (terminal, keyboard) = console.map_err(ServerError::system("start the console"))?.unzip();
    let screen =
        || terminal.as_ref().map_or_else(|| Box::new(journal::to_stderr) as Echo, Terminal::echo);
    let (columns, all) = (server.columns.take(), screen());
    // Two logs at once are none. What went wrong is worth a line all the same.
    let lines = if columns.is_some() { journal::only_trouble(all) } else { all };
    let start = |columns: Columns| columns.start(screen(), Arc::clone(&server.table));
    let _columns =
        columns.map(start).transpose().map_err(ServerError::system("start the log in columns"))?;
    let _journal = Journal::start(log_file, lines, Arc::clone(&server.table))
        .map_err(ServerError::system("start the journal"))?;
    // A panic of one thread is everybody's news. The usual hook writes to stderr, where a stopped
    // terminal could hold the thread for ever.
    panic::set_hook(Box::new(|panicked| log::error!("{}", Safe(&panicked.to_string()))));
    let (signals, watching) =
        stop_on_signals(server.stop(), terminal.clone(), Arc::clone(&server.table))
            .map_err(ServerError::system("watch signals"))?;
    if listens {
        announce(&server)?;
    }
    if let Some(keyboard) = keyboard {
        let typed = keyboard.listen();
        server.typed = Some(typed.map_err(ServerError::system("start the console"))?);
    }
    let result = server.run();
    if let Some(terminal) = &terminal {
        terminal.give_back();
    }
    signals.close();
    let _ = watching.join();
    match &result {
        Ok(()) if listens => log::info!("stopped"),
        Ok(()) => {}
        Err(error) => log::error!("stopped: {error}"),
    }
    result
}

/// Says that clients may come, and what they will find.
fn announce(server: &Server) -> Result<(), ServerError> {
    let address = server.address()?;
    // The line scripts wait for. If nobody reads stdout, that is no reason not to serve.
    let _ = writeln!(io::stdout(), "ferryd listening on {address}");
    let _ = io::stdout().flush();
    log::info!("listening on {address}; {}", server.config);
    if server.config.class.class {
        log::warn!("{}", class::BANNER);
    }
    if server.config.is_exposed() {
        log::warn!(
            "everybody who can reach {address} may put files here without a name; \
             `--guests read` or `--library-writers users` would ask for a login"
        );
    }
    Ok(())
}

/// The first SIGINT, SIGTERM or SIGHUP asks for a stop; the second ends the process at once.
fn stop_on_signals(
    stop: Stop,
    terminal: Option<Terminal>,
    table: Arc<Table>,
) -> io::Result<(signal_hook::iterator::Handle, JoinHandle<()>)> {
    // A write over a file size limit must fail, not kill: the default action of this signal is to
    // end the process (setrlimit(2)).
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let watching = thread::Builder::new().name("signals".into()).spawn(move || {
        let _seat = table.seat("signals", State::Idle);
        for _ in signals.forever() {
            if !stop.ask() {
                if let Some(terminal) = &terminal {
                    terminal.give_back();
                }
                process::exit(1);
            }
            log::info!("stopping; once more to stop at once");
        }
    })?;
    Ok((handle, watching))
}

/// Each client costs a descriptor, each upload two more. What the system allows is taken.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
