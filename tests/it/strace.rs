//! System calls that fail on demand.
//!
//! Goal: a test says which call of a running `ferryd` fails, and how. Method: strace is attached to
//! it and injects the error; `when=k` of a rule counts for each thread and call by itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use harness::actor::Ferryd;
use harness::{eventually, skipped};
use rustix::process::{Pid, Signal, kill_process};

/// Whether this machine has no strace; then says which check is skipped.
pub(crate) fn is_missing(check: &str) -> bool {
    let missing = Command::new("strace").arg("-V").output().is_err();
    if missing {
        skipped(check, "strace");
    }
    missing
}

/// Whose calls fail.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Whose {
    /// Those of each session, counted for each of them.
    Sessions,
    /// Those of the writer thread.
    Writer,
    /// Those of the thread that accepts.
    Main,
}

/// strace at work on a server.
pub(crate) struct Fault {
    strace: Child,
    trace: PathBuf,
    /// Kept open: it says more, and must not find the pipe closed.
    _says: BufReader<ChildStderr>,
}

impl Fault {
    pub(crate) fn inject(server: &Ferryd, whose: Whose, rule: &str, trace: PathBuf) -> Self {
        let server = server.id();
        let mut strace = Command::new("strace");
        let call = rule.split(':').next().unwrap();
        strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={rule}"), "-o"]);
        strace.arg(&trace).stderr(Stdio::piped());
        match whose {
            Whose::Sessions => strace.args(["-f", "-p", &server.to_string()]),
            Whose::Main => strace.args(["-p", &server.to_string()]),
            Whose::Writer => strace.args(["-p", &writer_of(server)]),
        };
        let mut strace = strace.spawn().unwrap();
        // Its own word, not /proc: a thread has a tracer a moment before it stops for it.
        let mut says = BufReader::new(strace.stderr.take().unwrap());
        let mut attached = String::new();
        says.read_line(&mut attached).unwrap();
        assert!(attached.contains(" attached"), "{attached}");
        Self { strace, trace, _says: says }
    }

    /// Ends it; the server goes on without. How many calls failed.
    pub(crate) fn end(mut self) -> usize {
        let pid = Pid::from_raw(i32::try_from(self.strace.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.strace.wait().unwrap();
        let calls = fs::read_to_string(&self.trace).unwrap();
        calls.lines().filter(|call| call.ends_with("(INJECTED)")).count()
    }
}

/// The id of a server's writer thread, once it has its name: the first line is said before.
fn writer_of(server: u32) -> String {
    let mut found = None;
    eventually("there is a writer thread", || {
        let tasks = fs::read_dir(format!("/proc/{server}/task")).unwrap().flatten();
        found = tasks.map(|task| task.path()).find(|task| {
            fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "writer")
        });
        found.is_some()
    });
    found.unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

impl Drop for Fault {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}
