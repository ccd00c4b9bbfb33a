//! What was measured as something grew: a table, and the power it follows.
//!
//! A cost that follows `n^0` does not know how many there are; one that follows `n^1` doubles with
//! them. On a drawing with two logarithmic axes either is a straight line, and the power is its
//! slope: so it is found, by least squares.

use std::fmt;

use serde_json::{Value, json};

use crate::stress::figures::float;

/// Something that grew.
#[derive(Debug)]
pub struct Growth {
    /// A word for it; the name of its picture.
    pub name: &'static str,
    /// What was done, in a line.
    pub title: &'static str,
    /// What grew, in the plural.
    pub grows: &'static str,
    /// How far it had grown each time it was measured.
    pub points: Vec<Point>,
    /// What was measured.
    pub series: Vec<Series>,
    /// What else was seen, in sentences.
    pub notes: Vec<String>,
    /// What must not be so and is.
    pub wrong: Vec<String>,
}

/// One size it had.
#[derive(Debug, Clone)]
pub struct Point {
    /// How large it was.
    pub n: u64,
    /// The same for people.
    pub label: String,
}

/// One kind of figure.
#[derive(Debug)]
pub struct Series {
    /// What of, if there are several.
    pub name: &'static str,
    /// In what unit.
    pub unit: &'static str,
    /// One for each point.
    pub values: Vec<f64>,
    /// From where on it is said to follow a power: what costs the same each time hides it before.
    pub from: u64,
}

impl Point {
    /// A number of things.
    pub fn count(n: u32) -> Self {
        Self { n: n.into(), label: grouped(&n.to_string()) }
    }

    /// A number of bytes, a power of two.
    pub fn size(bytes: u64) -> Self {
        let power = bytes.max(1).ilog2() / 10;
        let unit = ["B", "KiB", "MiB", "GiB", "TiB"].get(power as usize).copied().unwrap_or("");
        Self { n: bytes, label: format!("{} {unit}", bytes >> (10 * power)) }
    }
}

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    match digits.split_at_checked(digits.len().saturating_sub(3)) {
        Some((thousands, rest)) if !thousands.is_empty() => {
            format!("{},{rest}", grouped(thousands))
        }
        _ => digits.to_owned(),
    }
}

impl Growth {
    /// The points of a series, for calculating.
    pub(super) fn pairs<'g>(&'g self, series: &'g Series) -> impl Iterator<Item = (u64, f64)> + 'g {
        self.points.iter().map(|point| point.n).zip(series.values.iter().copied())
    }

    /// The power of `n` that a series follows; `None` if it has too few points to say.
    pub fn power(&self, series: &Series) -> Option<f64> {
        let pairs = self.pairs(series).filter(|(n, _)| *n >= series.from);
        slope(&pairs.map(|(n, value)| (float(n).ln(), value.ln())).collect::<Vec<_>>())
    }

    /// Everything in it, for programs.
    pub fn json(&self) -> Value {
        let n: Vec<u64> = self.points.iter().map(|point| point.n).collect();
        let series = self.series.iter().map(|series| {
            let Series { name, unit, values, from } = series;
            let power = self.power(series);
            json!({"name": name, "unit": unit, "values": values, "power": power, "from": from})
        });
        json!({
            "name": self.name,
            "title": self.title,
            "grows": self.grows,
            "n": n,
            "series": series.collect::<Vec<Value>>(),
            "notes": self.notes,
            "wrong": self.wrong,
        })
    }

    /// In words: what power of `n` a series follows, and from where on.
    pub(super) fn law(&self, series: &Series, n: &str) -> Option<String> {
        let from = self.points.iter().find(|point| point.n >= series.from)?;
        let all = self.points.first().is_none_or(|first| first.n == from.n);
        let range = if all { String::new() } else { format!(" from {} on", from.label) };
        // Hundredths; and what is rounded to nothing has no sign.
        let power = (self.power(series)? * 100.0).round() / 100.0 + 0.0;
        Some(format!("{n}^{power:.2}{range}"))
    }
}

impl Series {
    /// What it is, with its unit.
    pub(super) fn title(&self) -> String {
        if self.name.is_empty() {
            self.unit.into()
        } else {
            format!("{}, {}", self.name, self.unit)
        }
    }
}

/// A number with three digits or more.
pub(super) fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// The slope of the straight line that is nearest to the points; `None` without two of them that
/// stand apart.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = float(points.len() as u64);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let along: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let both: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (along > 0.0 && both.is_finite()).then(|| both / along)
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let titles: Vec<String> = self.series.iter().map(Series::title).collect();
        let width = |title: &str| title.chars().count().max(10) + 2;
        write!(f, "{:>12}", self.grows)?;
        for title in &titles {
            write!(f, "{title:>width$}", width = width(title))?;
        }
        writeln!(f)?;
        for (row, point) in self.points.iter().enumerate() {
            write!(f, "{:>12}", point.label)?;
            for (title, series) in titles.iter().zip(&self.series) {
                let value = series.values.get(row).copied().map(shown).unwrap_or_default();
                write!(f, "{value:>width$}", width = width(title))?;
            }
            writeln!(f)?;
        }
        for series in &self.series {
            if let Some(law) = self.law(series, self.grows) {
                writeln!(f, "  {} grows as {law}", series.title())?;
            }
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  {note}"))?;
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "  WRONG: {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn growth(from: u64, law: fn(f64) -> f64) -> Growth {
        let points: Vec<Point> = [1, 10, 100, 1000].map(Point::count).into();
        let values = points.iter().map(|point| law(float(point.n))).collect();
        let series = vec![Series { name: "put", unit: "µs", values, from }];
        let (notes, wrong) = (vec![], vec!["it creaks".into()]);
        Growth { name: "n", title: "A test", grows: "clients", points, series, notes, wrong }
    }

    #[test]
    fn a_power_is_found_where_there_is_one() {
        for (law, power) in [
            ((|_| 5.0) as fn(f64) -> f64, 0.0),
            (|n| 3.0 * n, 1.0),
            (|n| 7.0 * n.sqrt(), 0.5),
            (|n| 100.0 / n, -1.0),
        ] {
            let growth = growth(1, law);
            let found = growth.power(&growth.series[0]).unwrap();
            assert!((found - power).abs() < 1e-9, "{found} is not {power}");
        }
    }

    #[test]
    fn what_comes_before_does_not_count_and_one_point_has_no_slope() {
        let linear_late = growth(100, |n| n.max(100.0));
        assert!((linear_late.power(&linear_late.series[0]).unwrap() - 1.0).abs() < 1e-9);
        let single = growth(1000, |n| n);
        assert_eq!(single.power(&single.series[0]), None);
        let text = linear_late.to_string();
        assert!(text.contains("put, µs grows as clients^1.00 from 100 on"), "{text}");
        assert!(text.contains("WRONG: it creaks") && text.contains("1,000"), "{text}");
    }

    #[test]
    fn sizes_and_counts_are_written_as_people_write_them() {
        let sizes = [1, 1 << 10, 256 << 20, 1 << 30].map(|bytes| Point::size(bytes).label);
        assert_eq!(sizes, ["1 B", "1 KiB", "256 MiB", "1 GiB"]);
        let counts = [7, 1000, 1_000_000].map(|n| Point::count(n).label);
        assert_eq!(counts, ["7", "1,000", "1,000,000"]);
    }
}
