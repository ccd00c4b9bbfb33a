//! `ferryd`: many people, one shared folder, one operating system thread for each.
//!
//! # The threads
//! ```text
//! main     binds, accepts; joins everything
//! c07      one for each client: reads requests, answers, receives uploads, syncs, publishes
//! writer   writes the parts of all uploads
//! journal  writes the log
//! signals  turns SIGINT and SIGTERM into a stop
//! ```
//!
//! # The queues, and how much they hold
//! `commands` and `data` lead to the writer, 256 places each, and at most three chunks of 512 KiB
//! for each upload; one way back for each upload, five places; `journal`, 4096 lines.
//!
//! # The locks, and their order
//! Each guards one table, is held for a few instructions, and no two are ever held at once: the
//! registry's (claims), the roster's (sessions), the state table's (rows), a row's (its text).
//! A poisoned lock is taken all the same: nothing that can panic runs while one is held.
//!
//! # Reading order
//! [`models::thread`] → [`session`] → [`listener`], [`roster`], [`socket`] → [`service`] →
//! [`batch`] → [`upload`] → [`registry`], [`writer`] → [`answer`], [`refusal`] → [`store`] →
//! [`state`]. Uses point only that way (a test keeps it so). Apart stand [`config`], what the
//! command line may say, and [`journal`], where the log goes.

pub mod answer;
pub mod batch;
pub mod config;
pub mod journal;
pub mod listener;
pub mod models;
pub mod refusal;
pub mod registry;
pub mod roster;
pub mod service;
pub mod session;
pub mod socket;
pub mod state;
pub mod stop;
pub mod store;
mod sync;
pub mod upload;
pub mod writer;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use clap::Parser as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::config::Config;
use crate::journal::Journal;
use crate::listener::Listener;
use crate::registry::Registry;
use crate::roster::Roster;
use crate::service::Service;
use crate::state::{State, Table};
use crate::stop::Stop;
use crate::store::{Store, StoreError};
use crate::writer::Writer;

/// The program, from its arguments to its exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let config = match Config::try_parse_from(args) {
        Ok(config) => config,
        Err(usage) => {
            // Help goes to stdout and is a success; anything else is wrong usage.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ferryd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why the server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}; is another server there? Choose one with --listen")]
    Listen(SocketAddr, io::Error),
    /// The process could not get what it needs from the system.
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
}

impl ServerError {
    fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System(doing, error)
    }
}

fn run(config: Config) -> Result<(), ServerError> {
    raise_descriptor_limit();
    let server = Server::bind(config)?;
    let log_file = server.store.log_file().map_err(ServerError::system("open the log file"))?;
    let _journal = Journal::start(log_file).map_err(ServerError::system("start the journal"))?;
    let (signals, watching) =
        stop_on_signals(server.stop()).map_err(ServerError::system("watch signals"))?;
    let address = server.address()?;
    // The line scripts wait for. If nobody reads stdout, that is no reason not to serve.
    let _ = writeln!(io::stdout(), "ferryd listening on {address}");
    let _ = io::stdout().flush();
    log::info!("listening on {address}, {}", server.config.summary());
    let result = server.run();
    signals.close();
    let _ = watching.join();
    log::info!("stopped");
    result
}

/// A server that is bound and ready to run.
#[derive(Debug)]
pub struct Server {
    config: Config,
    store: Store,
    listener: Listener,
}

impl Server {
    /// Takes the data folder and the address. From here on clients can connect; they are served
    /// once [`run`](Self::run) is called.
    pub fn bind(config: Config) -> Result<Self, ServerError> {
        let store = Store::open(&config.data, config.library.as_deref(), config.durability)?;
        let listener =
            Listener::bind(config.listen).map_err(|e| ServerError::Listen(config.listen, e))?;
        Ok(Self { config, store, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, ServerError> {
        self.listener.address().map_err(ServerError::system("read the address"))
    }

    /// A handle that ends [`run`](Self::run).
    pub fn stop(&self) -> Stop {
        self.listener.stop()
    }

    /// Serves until a stop is asked for. When this returns, every thread has been joined.
    pub fn run(mut self) -> Result<(), ServerError> {
        let table = Table::default();
        let registry = Registry::new();
        let roster = Roster::new(usize::try_from(self.config.max_clients).unwrap_or(usize::MAX));
        let _seat = table.seat("main", State::Run);
        let stop = self.stop();
        thread::scope(|scope| {
            let writer = Writer::spawn(scope, &table)
                .map_err(ServerError::system("start the writer thread"))?;
            let service = Service {
                store: &self.store,
                registry: &registry,
                writer: &writer,
                stop: &stop,
                claim_wait: self.config.claim_wait,
                idle_timeout: self.config.idle_timeout,
            };
            models::thread::serve(&mut self.listener, &roster, &table, &service, self.config.grace);
            // LESSON: the writer is stopped by letting go of its queues, not by telling it. All
            // sessions have ended, so this is the last sender; the scope then joins the thread.
            drop(writer);
            Ok(())
        })
    }
}

/// The first SIGINT, SIGTERM or SIGHUP asks for a stop; the second ends the process at once.
fn stop_on_signals(stop: Stop) -> io::Result<(signal_hook::iterator::Handle, JoinHandle<()>)> {
    // A write over a file size limit must fail, not kill: the default action of this signal is to
    // end the process (setrlimit(2)).
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let watching = thread::Builder::new().name("signals".into()).spawn(move || {
        for _ in signals.forever() {
            if !stop.ask() {
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
