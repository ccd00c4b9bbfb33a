//! A curve for the eye: both axes are logarithmic, so whatever follows a power of `n` is straight,
//! and what does not know `n` is level.

use std::iter;

use super::growth::{Growth, Point, Series, grouped, shown};
use crate::chart::{self, Axis, COLORS, Curve, Panel, Shape};
use crate::stress::figures::float;

impl Growth {
    /// A drawing that needs nothing but itself, with a picture for each unit. `ground` says where
    /// it was measured.
    pub fn svg(&self, ground: &str) -> String {
        let mut units: Vec<&str> = self.series.iter().map(|series| series.unit).collect();
        units.dedup();
        let panels: Vec<Panel> = units.into_iter().map(|unit| self.panel(unit)).collect();
        chart::drawing(self.title, &format!("measured in {ground}"), &panels)
    }

    fn panel(&self, unit: &'static str) -> Panel {
        let of_unit = || iter::zip(self.series.iter().filter(|series| series.unit == unit), COLORS);
        let values = || of_unit().flat_map(|(series, _)| series.values.iter().copied());
        let curve = |(series, color)| {
            let points = self.pairs(series).map(|(n, value)| (float(n).log10(), value.log10()));
            Curve { color, shape: Shape::Marks, points: points.collect() }
        };
        Panel {
            title: unit,
            x: self.across(),
            y: decades(values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max), unit),
            curves: of_unit().map(curve).collect(),
            legend: of_unit().map(|(series, color)| (color, self.legend(series))).collect(),
        }
    }

    fn legend(&self, series: &Series) -> String {
        let law = self.law(series, "n").unwrap_or_default();
        [series.name, &law].join(" ").trim().to_owned()
    }

    /// From the first point to the last, with a tick at each.
    fn across(&self) -> Axis {
        let at = |point: &Point| float(point.n).log10();
        let ticks: Vec<(f64, String)> =
            self.points.iter().map(|point| (at(point), point.label.clone())).collect();
        let from = self.points.first().map_or(0.0, at);
        let to = self.points.last().map_or(0.0, at).max(from + 1.0);
        Axis { from, to, ticks, title: self.grows }
    }
}

/// From one power of ten to another, such that all between fits; over a short way with more ticks.
fn decades(from: f64, to: f64, title: &'static str) -> Axis {
    let from = from.max(1e-6).log10().floor();
    let to = to.max(1e-6).log10().ceil().max(from + 1.0);
    let digits: &[f64] = if to - from > 2.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let values = (-6..12).flat_map(|power| digits.iter().map(move |d| d * 10_f64.powi(power)));
    let ticks = values.map(|value| (value.log10(), tick(value)));
    // A tick at the very end may miss it by a rounding.
    let inside = |at: f64| (from - 1e-9..=to + 1e-9).contains(&at);
    Axis { from, to, ticks: ticks.filter(|(at, _)| inside(*at)).collect(), title }
}

/// A round number, without the zeros behind its point.
fn tick(value: f64) -> String {
    let digits = shown(value);
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        grouped(&digits)
    }
}
