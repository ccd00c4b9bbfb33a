//! A power cut, from the first byte to the last look.
//!
//! ```text
//! mount → ferryd → eight clients → cut → kill ferryd → unmount      memory is forgotten
//! mount (log recovery) → a fresh ferryd → is all there that was told OK?
//! ```
//! With a sync left out of `ferryd` (see the server's `point/trap.rs`) the same trial must find
//! losses.
//! That is what makes its silence worth something.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::actor::Ferryd;
use crate::aftermath;
use crate::dice::Dice;
use crate::image::{Image, Log};
use crate::rush::{Moment, rush};
use crate::verdict::Verdict;

/// One way to cut the power, again and again.
#[derive(Debug)]
pub struct Trial<'t> {
    /// The program that plays `ferryd`.
    pub stage: &'t Path,
    /// The disk.
    pub image: &'t Image,
    /// What becomes of the log at each cut.
    pub log: Log,
    /// What is made to go wrong in the server; usually nothing.
    pub faults: &'t str,
}

impl Trial<'_> {
    /// Cuts the power once for each of `rounds`, right behind the last OK in the even ones and in
    /// the middle of things in the odd ones, as long as `go_on` says so. The verdict on all.
    pub fn cut(
        &self,
        rounds: Range<u64>,
        seed: u64,
        go_on: impl Fn() -> bool,
    ) -> io::Result<Verdict> {
        let (mut dice, mut sum) = (Dice::new(seed), Verdict::default());
        for round in rounds.take_while(|_| go_on()) {
            let moment = Moment::of_round(round, &mut dice);
            sum += self.cut_once(moment, dice.throw())?;
        }
        Ok(sum)
    }

    fn cut_once(&self, moment: Moment, seed: u64) -> io::Result<Verdict> {
        let disk = self.image.mount()?;
        let data = disk.path().join("ferry-data");
        let server = Ferryd::start_with_faults(self.stage, &data, &[], self.faults)?;
        let promises = rush(server.address, seed, moment, || disk.cut(self.log))?;
        server.kill()?;
        disk.unmount()?;

        let disk = self.image.mount()?;
        let verdict = aftermath::judge(self.stage, &data, &promises)?;
        // The next cut finds an empty disk.
        fs::remove_dir_all(&data)?;
        disk.unmount()?;
        Ok(verdict)
    }
}
