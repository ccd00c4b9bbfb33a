//! Sizes as people read them.

/// `9 B`, `12.4 MB`: units of a thousand, one decimal.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit: u64 = 1;
    for name in ["kB", "MB", "GB", "TB", "PB"] {
        unit *= 1000;
        let tenths = rounded_tenths(bytes, unit);
        // 999,960 bytes are 1.0 MB and not 1000.0 kB: asked after rounding.
        if tenths < 10_000 {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{} EB", bytes / (unit * 1000))
}

fn rounded_tenths(bytes: u64, unit: u64) -> u128 {
    (u128::from(bytes) * 10 + u128::from(unit / 2)) / u128::from(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_never_reaches_a_thousand_of_its_unit() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_449_999, "12.4 MB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
