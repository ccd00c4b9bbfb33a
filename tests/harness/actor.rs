//! The real programs, in processes of their own.
//!
//! Cargo builds a program's siblings only when asked, so the demo does not rely on finding
//! `ferryd` and `ferry` beside it: it *is* all three. Started as `demo ferryd …` it runs the very
//! `main` of `ferryd`, as `demo ferry …` that of `ferry`. The tests start their processes through
//! it, too.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Output, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::{PATIENCE, models};

/// Plays the part this process was started for, if it was started for one.
pub fn play() -> Option<ExitCode> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.first()?.to_str()? {
        "ferryd" => Some(server::main(words)),
        "ferry" => Some(client::main(words)),
        _ => None,
    }
}

/// A `ferry` that knows no server; `stage` is the program whose `main` calls [`play`].
pub fn new_ferry(stage: &Path) -> Command {
    let mut command = Command::new(stage);
    command.arg("ferry");
    // What the person who runs the tests has set up for their own ferry is none of ours, nor is
    // their journal a place for our visits.
    for variable in ["SERVER", "USER", "PASSWORD", "NEW_PASSWORD"] {
        command.env_remove(format!("FERRY_{variable}"));
    }
    for variable in ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
        command.env_remove(variable);
    }
    // Nor is their language: who tests another one says so.
    command.env("LC_ALL", "C");
    command
}

/// A `ferry` that will ask `server`.
pub fn ferry<S: AsRef<OsStr>>(
    stage: &Path,
    server: SocketAddr,
    words: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = new_ferry(stage);
    command.args(["--server", &server.to_string()]).args(words);
    command
}

/// Runs `ferryd user …` on the folder `data` to its end, with `password` on its stdin.
pub fn user_task(stage: &Path, data: &Path, words: &[&str], password: &str) -> io::Result<Output> {
    let mut child = Command::new(stage)
        .args(["ferryd", "user"])
        .args(words)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Tasks that need no password end without reading it.
        let _ = writeln!(stdin, "{password}");
    }
    child.wait_with_output()
}

/// A running `ferryd`. Killed when dropped.
#[derive(Debug)]
pub struct Ferryd {
    child: Child,
    /// Where it listens, as its first line said.
    pub address: SocketAddr,
}

impl Ferryd {
    /// Starts it on a free port and waits for its first line. Its log goes to its own file only.
    pub fn start(stage: &Path, data: &Path, words: &[&str]) -> io::Result<Self> {
        Self::start_with_faults(stage, data, words, "")
    }

    /// Starts it where another has listened that is gone.
    pub fn start_again_at(address: SocketAddr, stage: &Path, data: &Path) -> io::Result<Self> {
        Self::launch(address, stage, data, &[], "")
    }

    /// The same, with `faults` (see the server's `point/trap.rs`): only in a build with debug
    /// assertions does anything come of them.
    pub fn start_with_faults(
        stage: &Path,
        data: &Path,
        words: &[&str],
        faults: &str,
    ) -> io::Result<Self> {
        Self::launch(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), stage, data, words, faults)
    }

    fn launch(
        listen: SocketAddr,
        stage: &Path,
        data: &Path,
        words: &[&str],
        faults: &str,
    ) -> io::Result<Self> {
        let mut child = Command::new(stage)
            .args(["ferryd", "--listen", &listen.to_string(), "--data"])
            .arg(data)
            .args(words)
            .args(models::words())
            .env("FERRYD_FAULTS", faults)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut first = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut first)?;
        }
        let address = first.trim().strip_prefix("ferryd listening on ").map(str::parse);
        if let Some(Ok(address)) = address {
            return Ok(Self { child, address });
        }
        let _ = child.kill();
        let status = child.wait()?;
        Err(io::Error::other(format!("ferryd said `{}` and ended with {status}", first.trim())))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many threads it has.
    pub fn threads(&self) -> io::Result<usize> {
        Ok(std::fs::read_dir(PathBuf::from(format!("/proc/{}/task", self.id())))?.count())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or(io::ErrorKind::InvalidInput)?, signal)?;
        Ok(())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl Drop for Ferryd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
