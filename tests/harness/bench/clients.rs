//! Client processes: started, waited for, and never for ever.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use client::interrupt::Interrupt;
use common::escape::Safe;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::ground::Ground;

/// What is said of a measurement that somebody ended.
const ENDED: &str = "ended by Ctrl-C";
/// How often somebody who waits looks whether they still should.
const LOOK: Duration = Duration::from_millis(100);
/// How much is told of what a program complained about, in bytes.
const COMPLAINT_BYTES: usize = 400;

/// Starts clients, and knows how long they may take.
#[derive(Debug)]
pub(super) struct Clients<'c> {
    /// How long each of them may take.
    patience: Duration,
    interrupt: &'c Interrupt,
    /// Where all of them complain.
    log: PathBuf,
}

impl<'c> Clients<'c> {
    pub(super) fn on(ground: &Ground, interrupt: &'c Interrupt) -> Self {
        let log = ground.path("scratch").join("clients.log");
        Self { patience: ground.scale().patience, interrupt, log }
    }

    /// Fails once somebody has pressed Ctrl-C.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.interrupt.is_set() { Err(io::Error::other(ENDED)) } else { Ok(()) }
    }

    /// Runs all of them, so many at a time. How long that takes, from before the first one is
    /// started until after the last one has ended; an error if one fails.
    pub(super) fn run(&self, mut commands: Vec<Command>, at_once: usize) -> io::Result<Duration> {
        let log = File::create(&self.log)?;
        for command in &mut commands {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.try_clone()?);
        }
        let commands = Mutex::new(commands.into_iter());
        let next = || commands.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some(mut command) = next() {
                self.end_well(&mut command.spawn().map_err(|e| not_started(&command, &e))?)?;
            }
            Ok::<_, io::Error>(())
        };
        let begun = Instant::now();
        thread::scope(|scope| {
            // All of them are started before any is waited for; of those that are, each is joined.
            let start = |_| thread::Builder::new().spawn_scoped(scope, work);
            let workers: Vec<_> = (0..at_once.max(1)).map(start).collect();
            workers.into_iter().try_for_each(|worker| {
                worker?.join().unwrap_or_else(|_| Err(io::Error::other("who waits has panicked")))
            })
        })?;
        Ok(begun.elapsed())
    }

    /// Starts one that says `READY` and then stays until it is told to go, and waits for the word.
    pub(super) fn hold(&self, mut command: Command) -> io::Result<Held<'_>> {
        let log = File::create(&self.log)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(|e| not_started(&command, &e))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let mut held = Held { clients: self, child, stdin: None, time: Duration::ZERO };
        let Some((stdin, stdout)) = pipes else { return Err(io::ErrorKind::BrokenPipe.into()) };
        held.stdin = Some(stdin);
        self.hear(&stdout, begun + self.patience)?;
        let mut word = String::new();
        BufReader::new(stdout).read_line(&mut word)?;
        held.time = begun.elapsed();
        if word.trim() == "READY" { Ok(held) } else { Err(self.complaint("not all came in")) }
    }

    fn hear(&self, stdout: &ChildStdout, until: Instant) -> io::Result<()> {
        while !is_ready_within(stdout, LOOK)? {
            self.check()?;
            if Instant::now() > until {
                return Err(self.too_long());
            }
        }
        Ok(())
    }

    fn end_well(&self, child: &mut Child) -> io::Result<()> {
        match self.end(child) {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                // At a terminal Ctrl-C reaches the clients, too.
                self.check()?;
                Err(self.complaint(&format!("a client ended with {status}")))
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Waits for it: not a moment longer than it runs, and not for ever.
    fn end(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let until = Instant::now() + self.patience;
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        while !is_ready_within(&process, LOOK)? {
            self.check()?;
            if Instant::now() > until {
                return Err(self.too_long());
            }
        }
        child.wait()
    }

    fn too_long(&self) -> io::Error {
        self.complaint(&format!("a client was not done in {:?}", self.patience))
    }

    /// What was wrong, and the last of what the clients said themselves.
    fn complaint(&self, what: &str) -> io::Error {
        io::Error::other(format!("{what}: {}", last_words(&self.log)))
    }
}

/// A client that holds sessions. Killed when dropped.
#[derive(Debug)]
pub(super) struct Held<'c> {
    clients: &'c Clients<'c>,
    child: Child,
    stdin: Option<ChildStdin>,
    /// How long it took until all were there.
    pub(super) time: Duration,
}

impl Held<'_> {
    /// Tells it to go. An error if the server has not kept all of its sessions.
    pub(super) fn leave(mut self) -> io::Result<()> {
        self.stdin = None;
        self.clients.end_well(&mut self.child)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of a log, in one line that is safe to print.
pub(super) fn last_words(log: &Path) -> String {
    let said = fs::read(log).unwrap_or_default();
    let last = said.get(said.len().saturating_sub(COMPLAINT_BYTES)..).unwrap_or(&said);
    let last = String::from_utf8_lossy(last);
    let lines: Vec<&str> = last.lines().filter(|line| !line.trim().is_empty()).collect();
    Safe(&lines.join(" · ")).to_string()
}

/// That a program could not be started, and which.
pub(super) fn not_started(command: &Command, error: &io::Error) -> io::Error {
    let program = command.get_program().to_string_lossy();
    io::Error::other(format!("cannot start {}: {error}", Safe(&program)))
}

/// Whether something can be read, or a process has ended, within this time.
fn is_ready_within(what: &impl AsFd, time: Duration) -> io::Result<bool> {
    let time = Timespec::try_from(time).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(what, PollFlags::IN)], Some(&time)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
