//! Where a load does its work: a server, and a folder in it that is the load's own.

use std::io;
use std::path::Path;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use client::address::Address;
use client::client::Client;
use client::error::Error;
use client::interrupt::Interrupt;
use tempfile::TempDir;

use super::plan::{Account, Plan, Target};
use crate::actor::{self, Ferryd};

/// Places beside those of the clients: for who looks after the folder, and for who just left.
const SPARE_PLACES: u32 = 16;

/// The user of a server that was started for the load, and its password.
const USER: (&str, &str) = ("stress", "stress stress");

/// A server with a folder for one load.
#[derive(Debug)]
pub struct Site {
    own: Option<Own>,
    target: Target,
    folder: String,
}

/// A server that was started for the load. The server ends before its data goes.
#[derive(Debug)]
struct Own {
    ferryd: Ferryd,
    _data: TempDir,
}

impl Site {
    /// Starts a server if the plan names none, and makes the folder. `stage` is the program whose
    /// `main` calls [`actor::play`].
    pub fn open(stage: &Path, plan: &Plan, interrupt: &Interrupt) -> io::Result<Self> {
        let (own, target) = match &plan.target {
            Some(target) => (None, target.clone()),
            None => start(stage, plan.clients)?,
        };
        let place = if target.account.is_some() { "/home" } else { "/library" };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let folder = format!("{place}/stress-{seconds}-{}", process::id());
        let site = Self { own, target, folder };
        let made = site.enter(interrupt).and_then(|mut client| client.mkdir(&site.folder));
        made.map_err(io::Error::other)?;
        Ok(site)
    }

    /// A connection of whoever works here.
    pub fn enter(&self, interrupt: &Interrupt) -> Result<Client, Error> {
        let mut client = Client::connect_until(&self.target.server, interrupt.clone())?;
        if let Some(Account { user, password }) = &self.target.account {
            client.login(user, password)?;
        }
        Ok(client)
    }

    /// The folder.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether files may be replaced and removed here.
    pub fn is_home(&self) -> bool {
        self.target.account.is_some()
    }

    /// What of the load stays behind, in words.
    pub fn remains(&self) -> Option<String> {
        let stays = || format!("{} stays on the server: a guest may not remove it", self.folder);
        (!self.is_home()).then(stays)
    }

    /// Removes the folder, where that is allowed, and stops the server, if it is ours.
    pub fn close(self, interrupt: &Interrupt) -> io::Result<()> {
        let Some(own) = self.own else {
            // Ctrl-C ends the load, not the tidying up; the second one ends that, too.
            return if self.is_home() { self.clear().map_err(io::Error::other) } else { Ok(()) };
        };
        if interrupt.is_set() {
            // Typed at a terminal, Ctrl-C went to the server as well. It may be gone already, and
            // another signal would end it at once.
            return own.ferryd.kill();
        }
        let status = own.ferryd.stop()?;
        let failed = || io::Error::other(format!("the server ended with {status}"));
        if status.success() { Ok(()) } else { Err(failed()) }
    }

    fn clear(&self) -> Result<(), Error> {
        let mut client = self.enter(&Interrupt::default())?;
        for entry in client.list(Some(&self.folder))? {
            client.delete(&format!("{}/{}", self.folder, entry.name))?;
        }
        client.delete(&self.folder)
    }
}

/// A server for so many clients, with a user who may do in a home what guests may not in the
/// library: replace and remove. So the space a load needs does not grow with its length.
fn start(stage: &Path, clients: u32) -> io::Result<(Option<Own>, Target)> {
    let data = tempfile::tempdir()?;
    let (user, password) = USER;
    let added = actor::user_task(stage, data.path(), &["add", user], password)?;
    if !added.status.success() {
        let why = String::from_utf8_lossy(&added.stderr).into_owned();
        return Err(io::Error::other(format!("cannot open an account: {}", why.trim())));
    }
    let places = (clients + SPARE_PLACES).to_string();
    let ferryd = Ferryd::start(stage, data.path(), &["--max-clients", &places])?;
    let server: Address = ferryd.address.to_string().parse().map_err(io::Error::other)?;
    let account = Account { user: user.to_owned(), password: password.to_owned() };
    let target = Target { server, account: Some(account) };
    Ok((Some(Own { ferryd, _data: data }), target))
}
