//! What is never the same twice, and is therefore not compared: times, rates, ports.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns, and what is compared in their place. The first that fits wins.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    masks(&[
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", "TIME"),
        (r"(today|yesterday|今天|昨天) \d\d:\d\d", "TIME"),
        (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
        // Seconds since 1970, and nanoseconds.
        (r"\b1\d{9}(\d{9})?\b", "TIME"),
        (r"\d+(\.\d+)? ?[kMGT]?i?B/s", "RATE"),
        (r"\b\d+(\.\d+)? ?(ns|µs|us|ms|s|min|h)\b", "DURATION"),
        (r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b", "ADDRESS"),
        (r"\[[0-9a-f:]*::[0-9a-f:]*\]:\d+", "ADDRESS"),
        (r"\b(pid|process|PID) \d+", "PROCESS"),
    ])
});

/// Of measured figures no number is compared, nor how large a unit it is given in.
static FIGURES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    masks(&[
        (r"\d[\d,.]*( ?[kMGT]i?B\b| B\b)", "SIZE"),
        (r"-?\d[\d,.]*", "NUMBER"),
        (r"[█▉▊▋▌▍▎▏░#]{2,}", "BAR"),
        (r"\b(DURATION|SIZE|RATE|NUMBER)( (DURATION|SIZE|RATE|NUMBER))*\b", "FIGURE"),
    ])
});

fn masks(patterns: &[(&str, &'static str)]) -> Vec<(Regex, &'static str)> {
    let compiled = patterns.iter().map(|(pattern, name)| Regex::new(pattern).map(|p| (p, *name)));
    // Every pattern is used by the first test of this file.
    compiled.filter_map(Result::ok).collect()
}

/// The line without what varies; with `figures`, without any number.
pub(super) fn masked(line: &str, figures: bool) -> String {
    let mut line = line.trim_end().to_owned();
    let before = line.clone();
    for (pattern, name) in VARYING.iter() {
        line = pattern.replace_all(&line, *name).into_owned();
    }
    if figures || line != before {
        // A column is as wide as its widest figure.
        line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if figures {
        for (pattern, name) in FIGURES.iter() {
            line = pattern.replace_all(&line, *name).into_owned();
        }
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{FIGURES, VARYING, masked};

    #[test]
    fn every_pattern_is_one() {
        assert_eq!((VARYING.len(), FIGURES.len()), (9, 4));
    }

    #[test]
    fn what_varies_is_not_compared_and_all_else_is() {
        let same = [
            ("23 B  2026-11-21 02:57  notes.txt", "23 B  2027-01-02 12:00  notes.txt"),
            ("2 files, 1.2 MB in 0.0 s, 34.3 MB/s", "2 files, 1.2 MB in 1.3 s, 900 kB/s"),
            ("ferryd listening on 127.0.0.1:9021", "ferryd listening on 127.0.0.1:34567"),
            ("c04   1 s  READ", "c04  12 s  READ"),
            ("{\"size\":23,\"mtime\":1795201027}", "{\"size\":23,\"mtime\":1795209999}"),
        ];
        for (one, other) in same {
            assert_eq!(masked(one, false), masked(other, false));
        }
        assert_ne!(masked("put notes.txt  23 B", false), masked("put notes.txt  24 B", false));
        assert_ne!(masked("a  b", false), masked("a b", false));
    }

    #[test]
    fn of_figures_no_number_is_compared_and_every_word_is() {
        let (one, other) = ("get  5738   1.92 ms  ok", "get 12   803 ms  ok");
        assert_eq!(masked(one, true), masked(other, true));
        assert_ne!(masked(one, true), masked("put 12 803 ms ok", true));
    }
}
