//! A server that dies again and again over one data folder.
//!
//! What the kernel has been given survives the death of a process, so nothing here shows a sync.
//! It shows that publishing is all or nothing at every step, and that each start tidies up after
//! the death before.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use rustix::process::Signal;

use crate::actor::Ferryd;
use crate::aftermath;
use crate::dice::Dice;
use crate::rush::{Moment, rush};
use crate::verdict::Verdict;

/// A data folder whose servers die, and the program that plays them.
#[derive(Debug)]
pub struct Trial<'t> {
    /// The program that plays `ferryd`.
    pub stage: &'t Path,
    /// The data folder.
    pub data: &'t Path,
}

impl Trial<'_> {
    /// Kills a server under load `kills` times, as long as `go_on` says so. The verdict on all.
    pub fn kill(&self, kills: u64, seed: u64, go_on: impl Fn() -> bool) -> io::Result<Verdict> {
        let (mut dice, mut sum) = (Dice::new(seed), Verdict::default());
        for round in (0..kills).take_while(|_| go_on()) {
            // Each time in the middle: a server at rest has nothing half done.
            let moment = Moment::of_round(2 * round + 1, &mut dice);
            let server = Ferryd::start(self.stage, self.data, &[])?;
            let strike = || server.signal(Signal::KILL);
            let promises = rush(server.address, dice.throw(), moment, strike)?;
            server.kill()?;
            sum += aftermath::judge(self.stage, self.data, &promises)?;
            self.clear()?;
        }
        Ok(sum)
    }

    /// Lets a server die by its own hand, where and when `faults` says. An error if it lives, as a
    /// release build does.
    pub fn fall(&self, faults: &str, seed: u64) -> io::Result<Verdict> {
        let mut server = Ferryd::start_with_faults(self.stage, self.data, &[], faults)?;
        let promises = rush(server.address, seed, Moment::Never, || Ok(()))?;
        let status = server.wait()?;
        if status.signal() != Some(Signal::ABORT.as_raw()) {
            return Err(io::Error::other(format!("it ended otherwise than by {faults}: {status}")));
        }
        let verdict = aftermath::judge(self.stage, self.data, &promises)?;
        self.clear()?;
        Ok(verdict)
    }

    /// Removes every file, so that a long run needs no large disk. Accounts stay, and so does what
    /// the servers themselves keep in the folder.
    fn clear(&self) -> io::Result<()> {
        fs::remove_dir_all(self.data.join("library"))?;
        fs::remove_dir_all(self.data.join("home"))
    }
}
