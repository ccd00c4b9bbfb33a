//! A server process, and its end.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;

use super::clients::{last_words, not_started};
use super::ground::Ground;
use crate::actor::Ferryd;
use crate::tree::Tree;

/// How long a server may take until it lets somebody in.
const START: Duration = Duration::from_secs(10);
/// How long between two tries to get in, or two looks whether a process has gone.
const LOOK: Duration = Duration::from_millis(5);
/// How long a process that was killed may take to be gone.
const END: Duration = Duration::from_secs(5);

/// A running server. It ends when dropped, with every process it has started.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    process: Process,
}

#[derive(Debug)]
enum Process {
    /// Ours, and the data folder it has for itself.
    Ferryd(Ferryd, #[expect(dead_code, reason = "it goes when the server has gone")] TempDir),
    /// Somebody else's.
    Daemon(Child),
}

impl Server {
    pub(super) fn ferryd(ferryd: Ferryd, data: TempDir) -> Self {
        Self { address: ferryd.address, process: Process::Ferryd(ferryd, data) }
    }

    /// Starts a program that listens at a port it is told, and waits until it lets somebody in.
    pub(super) fn start(
        ground: &Ground,
        command: impl FnOnce(u16) -> io::Result<Command>,
    ) -> io::Result<Self> {
        let address = free_address()?;
        let path = ground.path("scratch/server.log");
        let log = File::create(&path)?;
        let mut command = command(address.port())?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().map_err(|error| not_started(&command, &error))?;
        let mut server = Self { address, process: Process::Daemon(child) };
        let log = || last_words(&path);
        server.let_in().map_err(|error| io::Error::other(format!("{error}: {}", log())))?;
        Ok(server)
    }

    fn let_in(&mut self) -> io::Result<()> {
        let give_up = Instant::now() + START;
        while let Err(error) = TcpStream::connect(self.address) {
            if let Process::Daemon(child) = &mut self.process
                && let Some(status) = child.try_wait()?
            {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            if Instant::now() > give_up {
                return Err(io::Error::other(format!("the server lets nobody in ({error})")));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// All its processes.
    pub(super) fn tree(&self) -> Tree {
        Tree::of(match &self.process {
            Process::Ferryd(ferryd, _) => ferryd.id(),
            Process::Daemon(child) => child.id(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let members = self.tree().members();
        // A `Ferryd` ends itself.
        let Process::Daemon(child) = &mut self.process else { return };
        // Stopped first, so that it starts nobody else meanwhile.
        let _ = kill_process(Pid::from_child(child), Signal::STOP);
        let late = Tree::of(child.id()).members();
        let _ = child.kill();
        let _ = child.wait();
        for id in members.into_iter().chain(late).filter(|id| *id != child.id()) {
            end(id);
        }
    }
}

/// Ends a process whose parent has gone. If this process takes in orphans, as the program `bench`
/// does, it has to wait for them; else init does.
fn end(id: u32) {
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
    let give_up = Instant::now() + END;
    while kill_process(pid, Signal::KILL).is_ok() && Instant::now() < give_up {
        if !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None)) {
            return;
        }
        thread::sleep(LOOK);
    }
}

/// Where nobody listens now. Between this and the server's own `bind` somebody else could take it;
/// then the server says so.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
