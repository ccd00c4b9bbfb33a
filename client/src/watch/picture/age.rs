//! Spans of time that fit a column.

/// `0.4s`, `12s`, `5m`, `3h`, `2d`: four columns, for a while.
pub(super) fn age(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        _ => whole(ms / 1000),
    }
}

/// The same of whole seconds.
pub(super) fn whole(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_takes_four_columns_or_a_few_more() {
        for (ms, said) in [
            (0, "0.0s"),
            (9_999, "9.9s"),
            (10_000, "10s"),
            (119_999, "119s"),
            (120_000, "2m"),
            (7_200_000, "2h"),
            (172_800_000, "2d"),
        ] {
            assert_eq!(age(ms), said);
        }
    }
}
