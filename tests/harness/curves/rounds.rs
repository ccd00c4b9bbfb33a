//! Measuring several times in turn, so that a noisy moment meets each point once and not one of
//! them always.

use std::io;

use client::interrupt::Interrupt;

/// Measures every point `repeats` times, all of them before any a second time; of each of the `N`
/// figures of a point the middle one is kept. A row of results for each point.
pub(super) fn medians<P: Copy, const N: usize>(
    points: &[P],
    repeats: usize,
    interrupt: &Interrupt,
    mut measure: impl FnMut(P) -> io::Result<[f64; N]>,
) -> io::Result<Vec<[f64; N]>> {
    let mut rows = vec![Vec::new(); points.len()];
    for _ in 0..repeats {
        for (row, point) in rows.iter_mut().zip(points) {
            if interrupt.is_set() {
                return Err(io::Error::other(super::ENDED));
            }
            row.push(measure(*point)?);
        }
    }
    Ok(rows
        .iter()
        .map(|row| std::array::from_fn(|n| middle(row.iter().map(|got| got[n]))))
        .collect())
}

/// The middle one of an odd number, and of an even one the upper of the two.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn points_are_measured_in_turn_and_an_outlier_does_not_count() {
        let mut order = Vec::new();
        let measured = medians(&[1, 2], 3, &Interrupt::default(), |point| {
            order.push(point);
            // The second time all of it is slow.
            let noise = if (3..=4).contains(&order.len()) { 100.0 } else { 0.0 };
            Ok([f64::from(point) + noise, 7.0])
        });
        assert_eq!(measured.unwrap(), [[1.0, 7.0], [2.0, 7.0]]);
        assert_eq!(order, [1, 2, 1, 2, 1, 2]);
    }
}
