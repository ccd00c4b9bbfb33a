//! The shell a story is typed into.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// How long a command may take: the lab measures for a while, on a machine that may be busy.
const DEADLINE: Duration = Duration::from_secs(180);

/// What follows each command's output, with its status behind it: nothing else writes such a byte.
const END: u8 = 0x1e;

/// What the words of the pages mean here.
const STAGE: &str = include_str!("stage.sh");

/// A shell in a folder of its own. It ends with all that it started when dropped.
pub(super) struct Shell {
    child: Child,
    stdin: ChildStdin,
    output: Receiver<Vec<u8>>,
    folder: TempDir,
}

impl Shell {
    /// Opens it in `~/Documents` of somebody who has nothing else.
    pub(super) fn open(stage: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("home");
        let here = home.join("Documents");
        std::fs::create_dir_all(&here)?;
        let programs = stage.parent().unwrap_or(stage);
        let mut command = Command::new("sh");
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy();
            if ["FERRY", "XDG_", "LC_"].iter().any(|prefix| ours.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        let mut child = command
            .envs([("STAGE", stage), ("PROGRAMS", programs), ("STORY", folder.path())])
            .env("REPOSITORY", crate::page::root())
            .env("HOME", &home)
            .env("LC_ALL", "C.UTF-8")
            .env("FERRY_SERVER", "127.0.0.1:1")
            .current_dir(&here)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // To be ended with everybody who serves in its background.
            .process_group(0)
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let missing = || io::Error::other("a shell without a pipe");
        let (mut stdout, (sender, output)) = (stdout.ok_or_else(missing)?, mpsc::channel());
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut piece) {
                if sender.send(piece.get(..count).unwrap_or_default().to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut shell = Self { child, stdin: stdin.ok_or_else(missing)?, output, folder };
        shell.stdin.write_all(STAGE.as_bytes())?;
        Ok(shell)
    }

    /// Runs a command to its end, unless it is `ferryd`, which goes on; what was shown, in which
    /// the home folder is `~`, and its exit status.
    pub(super) fn run(&mut self, command: &str) -> io::Result<(String, i32)> {
        // The shell reads what it is to do from where a command would read what is typed.
        write!(self.stdin, "{{\n{command}\n}} </dev/null\nprintf '\\036%d\\n' \"$?\"\n")?;
        let (mut said, end) = (Vec::new(), Instant::now() + DEADLINE);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(piece) = self.output.recv_timeout(left) else {
                let said = String::from_utf8_lossy(&said);
                let why = format!("`{command}` did not end, or ended the shell. It said: {said}");
                return Err(io::Error::other(why));
            };
            said.extend(piece);
            let Some(place) = said.iter().rposition(|byte| *byte == END) else { continue };
            if let Some(status) = said.get(place + 1..).and_then(|rest| rest.strip_suffix(b"\n")) {
                let status = String::from_utf8_lossy(status).parse().map_err(io::Error::other)?;
                said.truncate(place);
                return Ok((self.shown(&said), status));
            }
        }
    }

    fn shown(&self, said: &[u8]) -> String {
        let home = self.folder.path().join("home");
        String::from_utf8_lossy(said).replace(&home.to_string_lossy().into_owned(), "~")
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
