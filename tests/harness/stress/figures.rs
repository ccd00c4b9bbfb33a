//! Numbers as people read them.

/// A count, for dividing. One above 2⁵³ loses its last digits, which nobody reads.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// Bytes in MB, of 10⁶ each.
pub fn megabytes(bytes: u64) -> f64 {
    float(bytes) / 1e6
}

/// Microseconds in the unit that needs the fewest digits: `850 µs`, `12.3 ms`, `1.24 s`.
pub fn time(micros: u64) -> String {
    let (ms, s) = (float(micros) / 1e3, float(micros) / 1e6);
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{ms:.2} ms"),
        10_000..100_000 => format!("{ms:.1} ms"),
        100_000..1_000_000 => format!("{ms:.0} ms"),
        1_000_000..10_000_000 => format!("{s:.2} s"),
        _ => format!("{s:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let shown = [0, 850, 1_240, 12_340, 123_400, 1_240_000, 75_000_000].map(time);
        let expected = ["0 µs", "850 µs", "1.24 ms", "12.3 ms", "123 ms", "1.24 s", "75.0 s"];
        assert_eq!(shown, expected);
    }
}
