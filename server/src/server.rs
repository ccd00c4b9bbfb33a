//! The server as a whole: what it takes before it serves, and the order in which it lets go.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::Receiver;
use rustix::system::uname;

use crate::accounts::Accounts;
use crate::claims::Claims;
use crate::config::{Config, Log, Model};
use crate::console::{Console, Countdown, Typed};
use crate::counters::Counters;
use crate::journal;
use crate::listener::{HandedOver, Listener};
use crate::models;
use crate::models::process::Screen;
use crate::places::{EXPIRY_EVERY, Places};
use crate::quota::Ledger;
use crate::room::Room;
use crate::roster::Roster;
use crate::service::Service;
use crate::state::{State, Table};
use crate::stop::Stop;
use crate::store::{Store, StoreError, Tenancy};
use crate::stripes::Stripes;
use crate::trace::{Columns, Trace, TraceError};
use crate::writer::Writer;

/// Why the server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {0}: {1}; is another server there? Choose another port with --listen"
    )]
    Listen(SocketAddr, io::Error),
    /// The writer thread panicked.
    #[error(
        "the writer thread died, so no more files could be taken; its log says why. What was told \
         OK is on disk. Start the server again"
    )]
    Writer,
    /// What was to be recorded cannot be.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The process could not get what it needs from the system.
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
}

impl ServerError {
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System(doing, error)
    }
}

/// A server that is bound and ready to run.
#[derive(Debug)]
pub struct Server {
    pub(crate) config: Config,
    pub(crate) store: Store,
    /// What every thread is doing, also those that began before the server runs.
    pub(crate) table: Arc<Table>,
    /// What is typed at its own terminal; none if it has no console there.
    pub(crate) typed: Option<Receiver<Typed>>,
    /// Who shows what happens in columns; none if nobody does.
    pub(crate) columns: Option<Columns>,
    trace: Option<Trace>,
    claims: Claims,
    door: Door,
    stop: Stop,
}

/// Where clients come from.
#[derive(Debug)]
enum Door {
    /// They connect.
    Open(Listener),
    /// There is one, and another process of this server has let it in (model *process*).
    Passed(HandedOver),
}

impl Door {
    fn open(config: &Config) -> Result<Self, ServerError> {
        if let Some(session) = config.session {
            let taken = HandedOver::take(session).map_err(ServerError::system("take the client"));
            return taken.map(Self::Passed);
        }
        let listener = Listener::bind(config.listen, config.deadlines(), config.class.class);
        listener.map(Self::Open).map_err(|e| ServerError::Listen(config.listen, e))
    }

    fn address(&self) -> Result<SocketAddr, ServerError> {
        let address = match self {
            Self::Open(listener) => listener.address(),
            Self::Passed(client) => client.address(),
        };
        address.map_err(ServerError::system("read the address"))
    }

    fn stop(&self) -> Stop {
        match self {
            Self::Open(listener) => listener.stop(),
            Self::Passed(_) => Stop::of_one_session(),
        }
    }
}

impl Server {
    /// Takes the data folder and the address. From here on clients can connect; they are served
    /// once [`run`](Self::run) is called.
    pub fn bind(config: Config) -> Result<Self, ServerError> {
        // The address first: a start that fails on it leaves no folder behind.
        let door = Door::open(&config)?;
        let tenancy = match door {
            Door::Passed(_) => Tenancy::Branch,
            Door::Open(_) if config.shares_data() => Tenancy::Several,
            Door::Open(_) => Tenancy::Sole,
        };
        let store =
            Store::open(&config.data, config.library.as_deref(), config.durability, tenancy)?;
        let stripes = match tenancy {
            Tenancy::Sole | Tenancy::Visitor => None,
            _ => Some(Stripes::new(store.stripe_files()?, name(door.address()?))),
        };
        let (stop, claims) = (door.stop(), Claims::new(stripes));
        let trace = config.trace.as_deref().map(Trace::begin).transpose()?;
        let columns = (config.log == Log::Columns).then(Columns::default);
        let ears = [trace.as_ref().map(Trace::ear), columns.as_ref().map(Columns::ear)];
        let table = Arc::new(Table::heard_by(ears.into_iter().flatten().collect()));
        Ok(Self { config, store, table, typed: None, columns, trace, claims, door, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, ServerError> {
        self.door.address()
    }

    /// A handle that ends [`run`](Self::run).
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Serves until a stop is asked for, or until the writer thread has died. When this returns,
    /// every thread has been joined, and what was to be recorded is in its file.
    pub fn run(mut self) -> Result<(), ServerError> {
        let trace = self.trace.take();
        let served = self.serve();
        let written = trace.map_or(Ok(()), Trace::write);
        served.and(written.map_err(Into::into))
    }

    fn serve(self) -> Result<(), ServerError> {
        let Self { config, store, table, typed, claims, mut door, stop, .. } = self;
        config.class.put_on_brakes();
        let _seat = table.seat("main", State::Run);
        let _shown = journal::queue().map(|queue| table.show(queue));
        let roster = Roster::new(config.capacity());
        let (counters, countdown) = (Counters::since(SystemTime::now()), Countdown::default());
        let accounts = Accounts::new(store.users(), config.password_min, cores())
            .remembering(config.password_cache)
            .map_err(ServerError::system("draw a random key"))?;
        if let (Door::Open(listener), Model::Process) = (&mut door, config.model) {
            // It serves nobody itself, so it has no writer and no handlers, and shares nothing with
            // those who do.
            let console = Console {
                roster: &roster,
                accounts: &accounts,
                shared: None,
                counters: &counters,
                countdown: &countdown,
                stop: &stop,
                table: &table,
                class: config.class.class,
            };
            return have_processes_serve(listener, &console, typed, config.grace);
        }
        let room = Room::new(&store);
        thread::scope(|scope| {
            let (writer, writing) = Writer::spawn(scope, &table, &stop, config.flow())
                .map_err(ServerError::system("start the writer thread"))?;
            let service = Service {
                places: Places {
                    store: &store,
                    policy: config.policy(),
                    ledger: Ledger::new(config.quota),
                    // Opening the store has swept.
                    next_expiry: Mutex::new(Instant::now() + EXPIRY_EVERY),
                },
                accounts,
                registration: config.registration,
                claims: &claims,
                room: &room,
                roster: &roster,
                counters: &counters,
                countdown: &countdown,
                writer: &writer,
                stop: &stop,
                table: &table,
                model: config.model.to_string(),
                class: config.class.class,
                alone: matches!(door, Door::Passed(_)),
                claim_wait: config.claim_wait,
                deadlines: config.deadlines(),
            };
            let served = serve_here(&mut door, &service, config.model, typed, config.grace);
            // What was voted until now is kept; nothing was asked is no trouble.
            let _ = room.close_vote();
            // LESSON: the writer is stopped by letting go of its queues, not by telling it. All
            // sessions have ended, so this is the last sender, and the thread ends.
            drop(writer);
            writing.join().map_err(|_| ServerError::Writer)?;
            served
        })
    }
}

/// Serves by processes, each of which serves one client, and is the console for all of them.
fn have_processes_serve(
    listener: &mut Listener,
    console: &Console<'_>,
    typed: Option<Receiver<Typed>>,
    grace: Duration,
) -> Result<(), ServerError> {
    let screen = if typed.is_some() { Screen::Console } else { Screen::Common };
    let serve = || models::process::serve(listener, console.roster, console.table, grace, screen);
    console.attend(typed, serve).map_err(ServerError::system("start the console's threads"))
}

/// Serves in this process, as the model says, until all sessions have ended.
fn serve_here(
    door: &mut Door,
    service: &Service<'_>,
    model: Model,
    typed: Option<Receiver<Typed>>,
    grace: Duration,
) -> Result<(), ServerError> {
    let (roster, table, stop) = (service.roster, service.table, service.stop);
    let mut served = Ok(());
    match door {
        Door::Passed(client) => {
            served = models::process::serve_one(client, stop, table, service, grace);
        }
        Door::Open(listener) => {
            let serve = || match model {
                Model::Iterative => {
                    served = models::iterative::serve(listener, roster, table, service, grace);
                }
                Model::Select => {
                    served = models::select::serve(listener, roster, table, service, grace);
                }
                Model::Thread | Model::Process => {
                    models::thread::serve(listener, roster, table, service, grace);
                }
            };
            let console = service.console().attend(typed, serve);
            console.map_err(ServerError::system("start the console's threads"))?;
        }
    }
    served.map_err(ServerError::system("serve"))
}

/// What the other servers on the folder call this one: where it listens. An address that stands for
/// all of a machine's says nothing about which machine.
fn name(address: SocketAddr) -> String {
    if !address.ip().is_unspecified() {
        return address.to_string();
    }
    let machine = uname().nodename().to_string_lossy().into_owned();
    format!("{machine}:{}", address.port())
}

/// How many passwords are hashed at once: more than there are cores would only take turns.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
