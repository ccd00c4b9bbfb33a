//! What the console shows, as text: columns and spans of time.

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

/// What stands in a cell that has nothing to say.
pub(super) const NOTHING: &str = "-";

/// A line for each row, its cells in columns as wide as they must be.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            let space = " ".repeat(width - cell.width());
            format!("{cell}{space}")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The titles of columns, as a row.
pub(super) fn titles<const N: usize>(titles: [&str; N]) -> [String; N] {
    titles.map(str::to_owned)
}

/// These, with commas between them, and no more than a few by name.
pub(super) fn some(names: &[String]) -> String {
    const NAMED_MAX: usize = 4;
    match names.len() {
        0 => NOTHING.into(),
        count if count > NAMED_MAX => {
            format!("{} and {} more", names[..NAMED_MAX].join(", "), count - NAMED_MAX)
        }
        _ => names.join(", "),
    }
}

/// `12 s`, `5 min`, `2 h 3 min`: the two largest units, whole.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => two(minutes, "min", seconds, "s"),
        (0, hours, minutes, _) => two(hours, "h", minutes, "min"),
        (days, hours, _, _) => two(days, "d", hours, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_columns_whatever_somebody_is_called() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let shown = table(&[row(["张三", "c1", "x"]), row(["a", "c02", ""])]);
        assert_eq!(shown, "张三  c1   x\na     c02");
        assert_eq!(table::<2>(&[]), "");
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        for (seconds, shown) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (7380, "2 h 3 min"),
            (7201, "2 h"),
            (93_600, "1 d 2 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn of_many_only_a_few_are_named() {
        let names = |count: u32| (1..=count).map(|n| format!("c{n}")).collect::<Vec<_>>();
        assert_eq!(some(&names(0)), "-");
        assert_eq!(some(&names(4)), "c1, c2, c3, c4");
        assert_eq!(some(&names(6)), "c1, c2, c3, c4 and 2 more");
    }
}
