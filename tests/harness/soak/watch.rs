//! Who looks at the server's gauges all the while, tells how it goes, and judges its memory.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::world::World;
use crate::fault_proxy::FaultProxy;
use crate::gauges::Gauges;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Fewer looks than this say nothing about growth: the first minute fills caches and arenas.
const LOOKS_TO_JUDGE: usize = 200;
/// Growth from the first quarter to the last that is no growth: this share of the first, and this
/// many KiB.
const GROWTH_PERCENT: u64 = 20;
const GROWTH_KIB: u64 = 8 * 1024;

/// What was seen of the gauges.
#[derive(Debug, Default)]
pub(super) struct Watched {
    resident: Vec<u64>,
    threads_most: usize,
}

/// Looks until the time is over. Says a line now and then.
pub(super) fn watch(
    world: &World,
    process: u32,
    time: Duration,
    proxies: &[FaultProxy],
    tell: &(dyn Fn(&str) + Sync),
) -> Watched {
    let (begun, mut watched) = (Instant::now(), Watched::default());
    let mut told = begun;
    while begun.elapsed() < time {
        match Gauges::of(process) {
            Ok(gauges) => watched.saw(&gauges),
            Err(gone) => {
                world.found(format!("the server is gone: {gone}"));
                break;
            }
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tell(&watched.progress(world, begun.elapsed(), proxies));
        }
        world.idle(LOOK_EVERY);
    }
    watched
}

impl Watched {
    fn saw(&mut self, gauges: &Gauges) {
        self.resident.push(gauges.resident_kib);
        self.threads_most = self.threads_most.max(gauges.threads);
    }

    /// A line about how it goes.
    pub(super) fn progress(&self, world: &World, at: Duration, proxies: &[FaultProxy]) -> String {
        let tally = &world.tally;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let struck: u64 = proxies.iter().map(FaultProxy::struck).sum();
        format!(
            "{:>4} s  {} operations, {} MB, {} faults in the network, {} visits lost to them, \
             {} pieces of mischief, {} KiB resident, {} threads at most, {} wrong",
            at.as_secs(),
            count(&tally.operations),
            count(&tally.bytes) / 1_000_000,
            struck,
            count(&tally.lost),
            count(&tally.mischief),
            self.resident.last().copied().unwrap_or_default(),
            self.threads_most,
            world.findings().0,
        )
    }

    /// Compares the medians of the first and the last quarter; says what it saw.
    pub(super) fn judge_memory(&self, world: &World) -> String {
        let quarter = self.resident.len() / 4;
        let (Some(first), Some(last)) = (
            self.resident.get(..quarter).and_then(median),
            self.resident.get(self.resident.len() - quarter..).and_then(median),
        ) else {
            return "resident memory: seen too rarely".into();
        };
        let line = format!("resident memory: {first} KiB in the first quarter, {last} in the last");
        if self.resident.len() < LOOKS_TO_JUDGE {
            return format!("{line}; too short a run to judge");
        }
        if last > first + GROWTH_KIB && last > first + first * GROWTH_PERCENT / 100 {
            world.found(format!("{line}: it grows"));
        }
        line
    }
}

fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
