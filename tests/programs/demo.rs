//! The lesson, acted: the course's own test steps with real programs over loopback.
//!
//! A `ferryd` and two `ferry` clients, each a process of its own (see [`harness::actor`]), put
//! two files at the same time, get both back at the same time, and then both put the *same* name.
//! Every byte is compared. The exit status is 0 only if everything that was told is true.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use harness::actor::{self, Ferryd};
use harness::content;
use rustix::process::{Pid, Signal, kill_process};

/// Each film has this many bytes. Generated: nobody has to download anything.
const FILM_BYTES: usize = 64 * 1024 * 1024;

/// How often the contested upload is begun again if it is over before it can be stopped.
const TRIES: usize = 10;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if let Some(status) = actor::play() {
        return status;
    }
    match Stage::set().and_then(Stage::act) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo: not true: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the narrator says. Nobody listening is no reason to stop.
fn tell(words: impl AsRef<str>) {
    let _ = writeln!(io::stdout(), "{}", words.as_ref());
}

fn check(holds: bool, otherwise: impl Into<String>) -> Result<()> {
    if holds { Ok(()) } else { Err(otherwise.into().into()) }
}

/// The folders, the server, and the program that plays every part.
struct Stage {
    program: PathBuf,
    folder: tempfile::TempDir,
    server: Ferryd,
}

impl Stage {
    fn set() -> Result<Self> {
        let program = std::env::current_exe()?;
        let folder = tempfile::tempdir()?;
        tell("1. A server, and two clients with a film of 64 MiB each");
        for n in [1, 2] {
            let home = folder.path().join(format!("client{n}"));
            fs::create_dir(&home)?;
            fs::write(home.join(format!("test{n}.avi")), content::bytes(n, FILM_BYTES))?;
        }
        let server = Ferryd::start(&program, &folder.path().join("ferry-data"), &[])?;
        tell(format!("   ferryd listening on {}", server.address));
        Ok(Self { program, folder, server })
    }

    fn act(self) -> Result<()> {
        let begun = Instant::now();
        self.put_two_at_once()?;
        self.get_two_at_once()?;
        self.put_one_name_twice()?;
        let status = self.server.stop()?;
        check(status.success(), format!("the server ended with {status}"))?;
        let seconds = begun.elapsed().as_secs_f64();
        tell(format!("\nAll of it is true. The crossing took {seconds:.1} s."));
        Ok(())
    }

    fn address(&self) -> SocketAddr {
        self.server.address
    }

    fn home(&self, n: usize) -> PathBuf {
        self.folder.path().join(format!("client{n}"))
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("ferry-data/library")
    }

    /// A client at its own folder, started and not waited for.
    fn client(&self, n: usize, words: &[&str]) -> io::Result<Child> {
        actor::ferry(&self.program, self.address(), words)
            .current_dir(self.home(n))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    fn put_two_at_once(&self) -> Result<()> {
        tell("\n2. Both put, at the same time");
        let begun = Instant::now();
        let clients =
            [self.client(1, &["put", "test1.avi"])?, self.client(2, &["put", "test2.avi"])?];
        for (n, client) in (1..).zip(clients) {
            done(n, client)?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        for n in [1, 2] {
            let name = format!("test{n}.avi");
            same_bytes(&self.home(n).join(&name), &self.library().join(&name))?;
        }
        tell(format!("   {seconds:.2} s; the library holds both, every byte as it was sent"));
        Ok(())
    }

    fn get_two_at_once(&self) -> Result<()> {
        tell("\n3. Both get them back, at the same time");
        for n in [1, 2] {
            fs::create_dir(self.home(n).join("back"))?;
        }
        let begun = Instant::now();
        let clients = [
            self.client(1, &["get", "test1.avi", "--to", "back"])?,
            self.client(2, &["get", "test2.avi", "--to", "back"])?,
        ];
        for (n, client) in (1..).zip(clients) {
            done(n, client)?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        for n in [1, 2] {
            let name = format!("test{n}.avi");
            same_bytes(&self.home(n).join(&name), &self.home(n).join("back").join(&name))?;
        }
        tell(format!("   {seconds:.2} s; what came back is what was sent"));
        Ok(())
    }

    /// Two writers, one name: the second waits for the first, and is then told that the name is
    /// taken. To make the moment long enough to see, the first is stopped in the middle.
    fn put_one_name_twice(&self) -> Result<()> {
        tell("\n4. Both put the same name: same.avi");
        for n in [1, 2] {
            fs::rename(self.home(n).join(format!("test{n}.avi")), self.home(n).join("same.avi"))?;
        }
        let (first, folder) = self.first_in_the_middle()?;
        let name = format!("{folder}/same.avi");
        tell("   client 1 was stopped in the middle (SIGSTOP), holding the name");
        let mut second = self.client(2, &["put", "same.avi", "--to", &folder])?;
        let mut heard =
            BufReader::new(second.stderr.take().ok_or("client 2 has no stderr")?).lines();
        let waiting = heard.next().ok_or("client 2 was not told to wait")??;
        tell(format!("   client 2 was told: {waiting}"));
        check(waiting.contains("guest c"), "the one who waits is not told for whom")?;
        tell("   client 1 goes on (SIGCONT)");
        signal(&first, Signal::CONT)?;
        done(1, first)?;
        let last = heard.map_while(io::Result::ok).last().unwrap_or_default();
        let status = second.wait()?;
        tell(format!("   client 2 was told: {last}"));
        tell(format!("   client 2 ended with exit status {}", status.code().unwrap_or(-1)));
        check(status.code() == Some(5), "the second of two writers must be told EXISTS (5)")?;
        same_bytes(&self.home(1).join("same.avi"), &self.library().join(&name))?;
        tell("   the library holds client 1's film, whole; not a byte of client 2's is in it");
        Ok(())
    }

    /// Client 1, stopped while the server has some of its film and not all of it; and the folder
    /// it puts into. If the upload is over before it could be stopped, another folder is tried.
    fn first_in_the_middle(&self) -> Result<(Child, String)> {
        for n in 0..TRIES {
            let folder = format!("take{n}");
            done(1, self.client(1, &["mkdir", &folder])?)?;
            let first = self.client(1, &["put", "same.avi", "--to", &folder])?;
            let begun = Instant::now();
            while self.part_bytes() == 0 && begun.elapsed() < Duration::from_secs(5) {
                std::thread::yield_now();
            }
            signal(&first, Signal::STOP)?;
            if !self.library().join(&folder).join("same.avi").exists() && self.part_bytes() > 0 {
                return Ok((first, folder));
            }
            signal(&first, Signal::CONT)?;
            done(1, first)?;
        }
        Err("client 1 was always done before it could be stopped".into())
    }

    /// Bytes in the parts the server is receiving now.
    fn part_bytes(&self) -> u64 {
        let parts = fs::read_dir(self.library().join(".ferry")).into_iter().flatten();
        parts.filter_map(|part| Some(part.ok()?.metadata().ok()?.len())).sum()
    }
}

fn signal(client: &Child, signal: Signal) -> Result<()> {
    let pid = i32::try_from(client.id()).ok().and_then(Pid::from_raw).ok_or("no process")?;
    Ok(kill_process(pid, signal)?)
}

/// Waits for a client that must succeed, and tells what it said.
fn done(n: usize, client: Child) -> Result<()> {
    let Output { status, stdout, stderr } = client.wait_with_output()?;
    for line in String::from_utf8_lossy(&stdout).lines() {
        tell(format!("   client {n}: {line}"));
    }
    let said = String::from_utf8_lossy(&stderr);
    check(status.success(), format!("client {n} ended with {status}: {said}"))
}

fn same_bytes(a: &Path, b: &Path) -> Result<()> {
    let same = fs::read(a)? == fs::read(b)?;
    check(same, format!("{} and {} differ", a.display(), b.display()))
}
