//! The report for the eye: how the load went over time, and how its latencies are spread.

use super::{Report, time};
use crate::chart::{self, Axis, COLORS, Curve, Panel, Shape};
use crate::stress::figures::{float, megabytes};
use crate::stress::ledger::{Figures, Slot};
use crate::stress::mix::Verb;

/// How fine the distribution is drawn: 2 to the power of this many steps for each doubling.
const HALVINGS: u32 = 1;

impl Report {
    /// A picture that needs nothing but itself: no font, no script, no other file.
    pub fn svg(&self) -> String {
        let panels = [
            self.course("Operations over time", "operations/s", |slot| float(slot.done)),
            self.course("File bytes over time", "MB/s", |slot| megabytes(slot.bytes)),
            self.spread(),
        ];
        chart::drawing(&format!("stress: {}", self.headline()), &self.plan.to_string(), &panels)
    }

    fn headline(&self) -> String {
        let (ledger, per_second) = (&self.ledger, self.a_second(float(self.ledger.total_done())));
        let bytes = self.a_second(megabytes(ledger.total_bytes()));
        let (wrong, failed) = (ledger.wrong.count, ledger.failed.count);
        format!(
            "{per_second:.0} operations/s, {bytes:.0} MB/s, {wrong} mismatches, {failed} errors"
        )
    }

    /// One number a second, slot by slot.
    fn course(&self, title: &'static str, unit: &'static str, of: fn(Slot) -> f64) -> Panel {
        let slot = self.ledger.slot.as_secs_f64();
        let rate = |figures: &Figures, slots: usize| -> Vec<(f64, f64)> {
            let rates = figures.course.iter().map(|done| of(*done) / slot);
            let starts = (0_u32..).map(|n| f64::from(n) * slot);
            // Where nothing more was done there was none; the last point ends the last slot.
            starts.zip(rates.chain(std::iter::repeat(0.0))).take(slots + 1).collect()
        };
        let slots = self.verbs().map(|(_, figures)| figures.course.len()).max().unwrap_or(1);
        // Listings move no file bytes, and a line along the ground would only hide others.
        let moving = || self.verbs().filter(|(_, done)| done.course.iter().any(|s| of(*s) > 0.0));
        let curves: Vec<Curve> = moving()
            .map(|(verb, figures)| Curve {
                color: color(verb),
                shape: Shape::Steps,
                points: rate(figures, slots),
            })
            .collect();
        let highest = curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
        let last = self.ledger.slot * u32::try_from(slots).unwrap_or(u32::MAX);
        let legend = moving().map(|(verb, _)| (color(verb), verb.name().to_owned())).collect();
        Panel {
            title,
            x: Axis { to: last.as_secs_f64(), ..Axis::to_about(last.as_secs_f64(), "seconds") },
            y: Axis::to_about(highest.fold(0.0, f64::max), unit),
            curves,
            legend,
        }
    }

    /// How many took how long; the scale of time is logarithmic.
    fn spread(&self) -> Panel {
        let curves: Vec<Curve> = self
            .verbs()
            .map(|(verb, figures)| Curve {
                color: color(verb),
                shape: Shape::Steps,
                points: shares(figures),
            })
            .collect();
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let [from, to] = [
            points().map(|p| p.0).fold(f64::MAX, f64::min),
            points().map(|p| p.0).fold(0.0, f64::max),
        ];
        let legend = self.verbs().map(|(verb, figures)| {
            let [half, tail] =
                [500, 990].map(|per_mille| time(figures.latency.quantile(per_mille)));
            (color(verb), format!("{}: p50 {half}, p99 {tail}", verb.name()))
        });
        Panel {
            title: "Latency: share of each verb's operations",
            x: decades(from, to),
            y: Axis::to_about(points().map(|p| p.1).fold(0.0, f64::max), "%"),
            legend: legend.collect(),
            curves,
        }
    }
}

/// Steps of a verb's latency as points: logarithm of the microseconds, percent of the operations.
fn shares(figures: &Figures) -> Vec<(f64, f64)> {
    let steps = figures.latency.steps(HALVINGS);
    let total = float(figures.latency.total());
    let log = |micros: u64| float(micros.max(1)).log10();
    let tops = steps.iter().map(|step| (log(step.from), 100.0 * float(step.count) / total));
    // From the ground, and down to it again.
    let first = steps.first().map(|step| (log(step.from), 0.0));
    let last = steps.last().map(|step| (log(step.to), 0.0));
    first.into_iter().chain(tops).chain(last).collect()
}

/// An axis of logarithms from one power of ten to another, such that all between fits.
fn decades(from: f64, to: f64) -> Axis {
    let names = (0_u32..12).map(|power| {
        let micros = 10_u64.pow(power);
        (f64::from(power), time(micros).replace(".00", "").replace(".0", ""))
    });
    let from = from.min(to).floor();
    let to = to.ceil().max(from + 1.0);
    let ticks = names.filter(|(power, _)| (from..=to).contains(power)).collect();
    Axis { from, to, ticks, title: "from when it was due to its answer" }
}

/// Each verb has its own, in all pictures.
fn color(verb: Verb) -> &'static str {
    let [put, get, list, _] = COLORS;
    match verb {
        Verb::Put => put,
        Verb::Get => get,
        Verb::List => list,
    }
}
