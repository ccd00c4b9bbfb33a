//! What a difference between two builds of `ferryd` costs.
//!
//! Goal: to see one per cent on a machine whose own noise is five. Method: both servers run at the same
//! time, each in a process of its own with one client, and are given the same work **in small pieces,
//! in turn**: one, other, other, one. What disturbs the machine mostly lasts longer than a piece, so it
//! meets both; where it meets one, it spoils the *ratio* of two pieces that stand side by side, and of
//! those the middle one counts. A *round* has new servers, because where a process happens to lie in
//! memory makes it a little faster or slower for all of its life. Of all rounds, again, the middle one
//! counts, with the interval in which the true middle lies in 95 of 100 cases.
//!
//! Whoever wants to believe a figure first compares a build with itself: what is seen then is what
//! this program cannot see.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use client::client::{Client, PutOptions, WINDOW};
use client::interrupt::Interrupt;
use tempfile::TempDir;

use crate::actor::Ferryd;
use crate::bench::measure::median;
use crate::curves::ground::MEMORY;
use crate::stress::figures::float;
use crate::table::Table;
use crate::{content, gauges};

/// What stands at each side of a normal distribution's middle in 95 of 100 cases, in deviations.
const SIGMAS_95: f64 = 1.96;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How many pieces a workload is cut into; even, so that nobody is always first.
    pub pieces: u32,
    /// The large file of a piece, in bytes.
    pub large: usize,
    /// How many small files a piece has, of 4 KiB each.
    pub small: u32,
}

/// A small file, in bytes.
const SMALL_BYTES: usize = 4096;

impl Scale {
    /// 1 GiB up, and 2,000 files of 4 KiB. Rather more rounds than longer ones: what differs most from
    /// round to round stays as it is within one.
    pub fn full() -> Self {
        Self { pieces: 4, large: 256 << 20, small: 500 }
    }

    /// So little that no figure means anything.
    pub fn quick() -> Self {
        Self { pieces: 2, large: 1 << 20, small: 10 }
    }
}

/// What is done in a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Large,
    Small,
}

impl Work {
    fn title(self, scale: Scale) -> String {
        let (pieces, mib) = (u64::from(scale.pieces), (scale.large as u64) >> 20);
        match self {
            Self::Large => format!("{} MiB up", pieces * mib),
            Self::Small => format!("{} × 4 KiB up", scale.pieces * scale.small),
        }
    }
}

/// What work took.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    wall: Duration,
    /// Of the server's processors.
    cpu: Duration,
}

/// How two builds compare in one workload, a ratio for each round: the other one's by the one's.
#[derive(Debug)]
pub struct Comparison {
    title: String,
    speeds: Vec<f64>,
    cpus: Vec<f64>,
}

/// Compares two builds of `ferryd` in so many rounds.
pub fn compare(
    programs: [&Path; 2],
    scale: Scale,
    rounds: u32,
    interrupt: &Interrupt,
) -> io::Result<[Comparison; 2]> {
    let bytes = content::bytes(1, scale.large);
    let works = [Work::Large, Work::Small];
    let new = |work: Work| Comparison { title: work.title(scale), speeds: vec![], cpus: vec![] };
    let mut comparisons = works.map(new);
    for round in 0..rounds {
        let mut subjects = start(programs, round.is_multiple_of(2))?;
        for (work, comparison) in works.into_iter().zip(&mut comparisons) {
            let mut pairs = Vec::new();
            for piece in 0..scale.pieces {
                let mut taken = [Taken::default(); 2];
                for turn in 0..2 {
                    if interrupt.is_set() {
                        return Err(io::Error::other("ended by Ctrl-C"));
                    }
                    // one other, other one, …; and the next round the other way round.
                    let who = ((turn + piece + round) % 2) as usize;
                    taken[who] = subjects[who].work(work, scale, &bytes)?;
                }
                pairs.push(taken);
            }
            comparison.note(&pairs);
        }
    }
    Ok(comparisons)
}

/// Starts both; who was started first may have an advantage.
fn start([one, other]: [&Path; 2], in_order: bool) -> io::Result<[Subject; 2]> {
    if in_order {
        return Ok([Subject::start(one)?, Subject::start(other)?]);
    }
    let other = Subject::start(other)?;
    Ok([Subject::start(one)?, other])
}

/// A server of one build, and its one client, who stays.
struct Subject {
    client: Client,
    ferryd: Ferryd,
    data: TempDir,
}

impl Subject {
    fn start(program: &Path) -> io::Result<Self> {
        let memory = Path::new(MEMORY);
        let data =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?;
        let ferryd = Ferryd::start_build(program, data.path(), &["--durability", "none"])?;
        let address = ferryd.address.to_string();
        let client = Client::connect(&address).map_err(io::Error::other)?;
        Ok(Self { client, ferryd, data })
    }

    /// Does a piece, and clears away what came of it, which is not counted.
    fn work(&mut self, work: Work, scale: Scale, bytes: &[u8]) -> io::Result<Taken> {
        let (cpu, begun) = (gauges::running(self.ferryd.id())?, Instant::now());
        match work {
            Work::Large => self.put_large(bytes)?,
            Work::Small => self.put_small(scale.small, bytes)?,
        }
        let wall = begun.elapsed();
        let cpu = gauges::running(self.ferryd.id())?.saturating_sub(cpu);
        for file in self.files()? {
            fs::remove_file(file)?;
        }
        Ok(Taken { wall, cpu })
    }

    fn put_large(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let size = bytes.len() as u64;
        let put = self.client.put("large.bin", size, &mut bytes, PutOptions::default());
        put.map_err(io::Error::other)
    }

    fn put_small(&mut self, count: u32, bytes: &[u8]) -> io::Result<()> {
        let small = bytes.get(..SMALL_BYTES).unwrap_or(bytes);
        for n in 0..count {
            if self.client.ahead() == WINDOW {
                self.answer()?;
            }
            let put = self.client.put_ahead(&format!("{n}.bin"), small, PutOptions::default());
            put.map_err(io::Error::other)?;
        }
        while self.client.ahead() > 0 {
            self.answer()?;
        }
        Ok(())
    }

    fn answer(&mut self) -> io::Result<()> {
        self.client.answer_ahead().unwrap_or(Ok(())).map_err(io::Error::other)
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.data.path().join("library"))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        Ok(paths.collect::<io::Result<Vec<_>>>()?.into_iter().filter(|p| p.is_file()).collect())
    }
}

impl Comparison {
    /// A round, in pieces that were done side by side.
    fn note(&mut self, pairs: &[[Taken; 2]]) {
        let middle = |ratio: fn(&[Taken; 2]) -> f64| median(pairs.iter().map(ratio).collect());
        self.speeds.push(middle(|[one, other]| one.wall.as_secs_f64() / other.wall.as_secs_f64()));
        self.cpus.push(middle(|[one, other]| other.cpu.as_secs_f64() / one.cpu.as_secs_f64()));
    }
}

/// The middle one of some ratios, where the true middle lies in 95 of 100 cases, and all of them.
fn shown(ratios: &[f64]) -> [String; 3] {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let [low, high] = interval(sorted.len()).map(|place| sorted.get(place).copied());
    let range = |low: Option<f64>, high: Option<f64>| match (low, high) {
        (Some(low), Some(high)) => format!("{low:.3}–{high:.3}"),
        _ => "–".into(),
    };
    let all = range(sorted.first().copied(), sorted.last().copied());
    [format!("{:.4}", median(sorted)), range(low, high), all]
}

/// Between which places of so many sorted values the middle of what they were drawn from lies, in 95
/// of 100 cases. How many lie below it is a matter of coins (binomial), whatever they are drawn from.
fn interval(count: usize) -> [usize; 2] {
    let half = float(count as u64) / 2.0;
    let away = SIGMAS_95 * half.sqrt() / 2.0_f64.sqrt();
    let low = (0..count).rev().find(|place| float(*place as u64) + 1.0 <= half - away).unwrap_or(0);
    [low, count.saturating_sub(low + 1)]
}

/// Both comparisons, as a table.
pub fn table(comparisons: &[Comparison]) -> impl fmt::Display {
    let titles =
        ["other by one", "× throughput", "95 %", "min–max", "× server CPU", "95 %", "min–max"];
    let mut table = Table::new(&titles);
    for Comparison { title, speeds, cpus } in comparisons {
        let figures = [shown(speeds), shown(cpus)].concat();
        table.row(std::iter::once(title.clone()).chain(figures).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_lies_between_places_that_draw_together_as_there_are_more() {
        // As in the tables of the sign test: with 30 values from the 10th to the 21st.
        assert_eq!(interval(30), [9 - 1, 30 - 9]);
        assert_eq!([interval(0), interval(1), interval(3)], [[0, 0], [0, 0], [0, 2]]);
        let [low, high] = interval(100);
        assert!((38..=40).contains(&low) && high == 99 - low);
    }
}
