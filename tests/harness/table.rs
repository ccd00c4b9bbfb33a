//! Rows and columns, for terminals and as Markdown.

use std::fmt::{self, Write as _};

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.into(), rows: vec![] }
    }

    /// One cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// With bars.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("| {} |\n", self.head.join(" | "));
        let rule = self.head.iter().enumerate().map(|(n, _)| if n == 0 { "---" } else { "--:" });
        let _ = writeln!(text, "|{}|", rule.collect::<Vec<_>>().join("|"));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.head.iter().enumerate().map(|(n, title)| {
            let cells = self.rows.iter().filter_map(|row| row.get(n));
            cells.map(|cell| cell.chars().count()).fold(title.chars().count(), usize::max)
        });
        columns.collect()
    }
}

/// The first column to the left, the others to the right.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let head: Vec<String> = self.head.iter().map(|title| (*title).to_owned()).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (n, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match n {
                    0 => write!(line, "{cell:<width$}")?,
                    _ => write!(line, "  {cell:>width$}")?,
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["who", "×"]);
        table.row(vec!["ferry".into(), "1.25".into()]);
        table.row(vec!["a|b".into(), "–".into()]);
        assert_eq!(table.to_string(), "who       ×\nferry  1.25\na|b       –\n");
        let expected = "| who | × |\n|---|--:|\n| ferry | 1.25 |\n| a\\|b | – |\n";
        assert_eq!(table.markdown(), expected);
    }
}
