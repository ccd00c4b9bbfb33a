//! Code as an answer: compiled beside the program that tries it, and run again and again.
//!
//! That program has the answer as its module `answer`, and gives it a Mutex and a Condvar with sleep
//! points (`workbench/sync.rs`). It plays its scenes two hundred times, and ends itself when one stands
//! still (`workbench/rounds.rs`). All of it happens in a folder that vanishes, and only std is linked,
//! so nothing has to be fetched.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Verdict;
use crate::lab::trial::WRONG;

/// What is tried, and by which program.
#[derive(Debug)]
pub(super) struct Workpiece {
    check: &'static str,
}

pub(super) const TALLY: Workpiece = Workpiece { check: include_str!("workbench/tally.rs") };
pub(super) const QUEUE: Workpiece = Workpiece { check: include_str!("workbench/queue.rs") };

/// What both programs consist of besides.
const MODULES: [(&str, &str); 2] = [
    ("sync.rs", include_str!("workbench/sync.rs")),
    ("rounds.rs", include_str!("workbench/rounds.rs")),
];

/// Said of an answer that could be wrong unseen.
const NO_SLEEP_POINTS: &str = "it takes its locks from elsewhere than `crate::sync`. Those there are \
                               std's with sleep points; without them what goes wrong hardly ever shows";

/// Whether code locks by anything else than what has sleep points.
fn goes_elsewhere(code: &str) -> bool {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.collect();
    code.match_indices("sync").any(|(at, _)| !code[..at].ends_with("crate::"))
}

impl Workpiece {
    /// Compiles an answer and tries it so many times.
    pub(super) fn check(&self, answer: &Path, runs: u32) -> io::Result<Verdict> {
        let why = |error| io::Error::other(format!("cannot read {}: {error}", answer.display()));
        let answer = answer.canonicalize().map_err(why)?;
        if goes_elsewhere(&fs::read_to_string(&answer).map_err(why)?) {
            return Ok(Verdict::Wrong(NO_SLEEP_POINTS.into()));
        }
        let folder = tempfile::tempdir()?;
        for (name, text) in MODULES {
            fs::write(folder.path().join(name), text)?;
        }
        let (main, program) = (folder.path().join("main.rs"), folder.path().join("check"));
        // By its own path, so that the compiler calls it by the name its author knows.
        let path = answer.to_string_lossy();
        fs::write(&main, format!("{}\n#[path = {path:?}]\nmod answer;\n", self.check))?;

        let compiled = Command::new("rustc")
            .args(["--edition", "2024", "-F", "unsafe_code", "-A", "warnings", "-o"])
            .args([&program, &main])
            .output()
            .map_err(|error| io::Error::other(format!("cannot start rustc: {error}")))?;
        if !compiled.status.success() {
            let said = String::from_utf8_lossy(&compiled.stderr);
            return Ok(Verdict::Wrong(format!("it does not compile\n{}", said.trim_end())));
        }
        let tried = Command::new(&program).arg(runs.to_string()).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&tried.stdout).trim_end().to_owned();
        match tried.status.code() {
            Some(0) => Ok(Verdict::Right(said)),
            Some(code) if code == i32::from(WRONG) => Ok(Verdict::Wrong(said)),
            _ => Ok(Verdict::Wrong(format!("it ended with {}", tried.status))),
        }
    }
}
