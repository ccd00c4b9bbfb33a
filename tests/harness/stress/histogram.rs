//! How long things took, counted in steps that grow with what they count.
//!
//! Up to 64 µs each microsecond has a step of its own; from there on each doubling has 32. So a
//! step is never wider than 1/32 of its value, from a microsecond to a century, in at most 1,920
//! numbers. An average would hide the few that waited long; they are what a person notices.

use std::time::Duration;

/// How many times each doubling is halved: 2⁵ steps.
const FINE: u32 = 5;

/// Counted durations.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    /// By step; grown as far as it was ever needed.
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

/// So many were this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The shortest that counts, in microseconds.
    pub from: u64,
    /// The shortest that does not any more.
    pub to: u64,
    /// How many.
    pub count: u64,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let step = step_of(micros, FINE);
        if self.counts.len() <= step {
            self.counts.resize(step + 1, 0);
        }
        self.counts[step] += 1;
        self.total += 1;
        self.max = self.max.max(micros);
    }

    /// Adds what another counted.
    pub fn absorb(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (sum, more) in self.counts.iter_mut().zip(&other.counts) {
            *sum += more;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The longest, in microseconds.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// In microseconds, what so many of a thousand were not longer than: 999 asks for p99.9.
    pub fn quantile(&self, per_mille: u64) -> u64 {
        let rank = (u128::from(self.total) * u128::from(per_mille)).div_ceil(1000).max(1);
        let mut seen = 0;
        for (step, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return (start_of(step + 1, FINE) - 1).min(self.max);
            }
        }
        self.max
    }

    /// The same counts in fewer steps, 2 to the power of `halvings` of them for each doubling
    /// (at most 5); from the first that is not empty to the last.
    pub fn steps(&self, halvings: u32) -> Vec<Step> {
        let halvings = halvings.min(FINE);
        let mut steps: Vec<Step> = Vec::new();
        for (fine, count) in self.counts.iter().enumerate() {
            let step = step_of(start_of(fine, FINE), halvings);
            let (from, to) = (start_of(step, halvings), start_of(step + 1, halvings));
            match steps.last_mut() {
                Some(last) if last.from == from => last.count += count,
                None if *count == 0 => {}
                _ => steps.push(Step { from, to, count: *count }),
            }
        }
        steps
    }
}

/// Which step a value belongs to, with 2 to the power of `halvings` steps for each doubling.
fn step_of(value: u64, halvings: u32) -> usize {
    let shift = value.max(1).ilog2().saturating_sub(halvings);
    usize::try_from((u64::from(shift) << halvings) + (value >> shift)).unwrap_or(usize::MAX)
}

/// The smallest value of a step.
fn start_of(step: usize, halvings: u32) -> u64 {
    let (step, per_doubling) = (step as u64, 1 << halvings);
    let doublings = step >> halvings;
    if doublings <= 1 {
        return step;
    }
    let start = u128::from(per_doubling + (step & (per_doubling - 1))) << (doublings - 1);
    u64::try_from(start).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        micros.into_iter().for_each(|n| histogram.add(Duration::from_micros(n)));
        histogram
    }

    #[test]
    fn every_value_lies_in_its_step_and_steps_leave_no_gap() {
        for halvings in [0, 2, FINE] {
            let far = (0..64).flat_map(|n| [(1_u64 << n) - 1, 1 << n, 3 << n.min(62)]);
            for value in (0..5000).chain(far).chain([u64::MAX]) {
                let step = step_of(value, halvings);
                let (from, to) = (start_of(step, halvings), start_of(step + 1, halvings));
                assert!(from <= value && (value < to || to == u64::MAX), "{value} in {from}..{to}");
            }
        }
        assert!(step_of(u64::MAX, FINE) < 1920);
    }

    #[test]
    fn quantiles_are_right_to_a_thirty_second() {
        let histogram = of(1..=10_000);
        for (per_mille, exact) in [(500, 5000), (900, 9000), (990, 9900), (999, 9990)] {
            let is = histogram.quantile(per_mille);
            assert!((exact..=exact + exact / 32 + 1).contains(&is), "{per_mille}: {is}");
        }
        assert_eq!((histogram.max(), histogram.quantile(1000)), (10_000, 10_000));
        assert_eq!((of([]).quantile(500), of([7]).quantile(999)), (0, 7));
    }

    #[test]
    fn fewer_steps_count_the_same() {
        let histogram = of([3, 100, 120, 130, 5000]);
        let steps = histogram.steps(0);
        assert_eq!(steps.first(), Some(&Step { from: 2, to: 4, count: 1 }));
        assert_eq!(steps.last(), Some(&Step { from: 4096, to: 8192, count: 1 }));
        assert!(steps.contains(&Step { from: 64, to: 128, count: 2 }));
        assert!(steps.windows(2).all(|pair| pair[0].to == pair[1].from), "{steps:?}");
        assert_eq!(steps.iter().map(|step| step.count).sum::<u64>(), 5);
    }

    #[test]
    fn two_together_are_as_one() {
        let mut both = of([1, 2, 3]);
        both.absorb(&of([1000, 2]));
        assert_eq!(both.steps(FINE), of([1, 2, 2, 3, 1000]).steps(FINE));
        assert_eq!((both.total(), both.max()), (5, 1000));
    }
}
