//! Sizes as people read and write them.

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

/// Bytes, or with K, M, G, T that many times 1024, 1024² and so on: `9`, `64K`, `2GiB`. `None` if the
/// text is no such size, or one that is too large to count.
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1024_u64.pow(power))
}

fn rounded_tenths(bytes: u64, unit: u64) -> u128 {
    (u128::from(bytes) * 10 + u128::from(unit / 2)) / u128::from(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        for (text, bytes) in [("1", 1), ("2K", 2048), ("500m", 500 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "K", "-1", "1.5M", "1 K", "1X", "99999999T"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

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
