//! What came out of a crash, or of many.

use std::fmt;
use std::ops::AddAssign;

/// How a promise can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It was told OK and is not there.
    Lost,
    /// It is whole and not what it should be: an old version, something removed or never asked for.
    Wrong,
    /// It is visible and not whole.
    Partial,
    /// It is hidden, and should have been swept or never made.
    Left,
}

/// What came out, of one crash or of many.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// How many crashes were judged.
    pub crashes: u64,
    /// How many requests of any kind were told OK.
    pub told_ok: u64,
    /// How many of them were files.
    pub files: u64,
    /// How many of each [`Fault`] there are, in the order they are declared.
    pub faults: [u64; 4],
    /// What exactly, in words.
    pub notes: Vec<String>,
}

impl Verdict {
    /// What stands above the figures that it shows itself as.
    pub const HEADER: &str = "crashes  told OK  files told OK  lost  wrong  partial  left over";

    /// Notes a fault.
    pub fn blame(&mut self, fault: Fault, note: impl fmt::Display) {
        self.faults[fault as usize] += 1;
        self.notes.push(format!("{fault:?}: {note}"));
    }

    /// Whether every promise was kept.
    pub fn is_good(&self) -> bool {
        self.faults == [0; 4]
    }
}

impl AddAssign for Verdict {
    fn add_assign(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.told_ok += other.told_ok;
        self.files += other.files;
        for (sum, more) in self.faults.iter_mut().zip(other.faults) {
            *sum += more;
        }
        self.notes.extend(other.notes);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { crashes, told_ok, files, faults: [lost, wrong, partial, left], .. } = self;
        write!(f, "{crashes:>7}  {told_ok:>7}  {files:>13}  ")?;
        write!(f, "{lost:>4}  {wrong:>5}  {partial:>7}  {left:>9}")
    }
}
