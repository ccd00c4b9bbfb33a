//! What a part of the lab has found: a table, a picture, a text for programs, and what it claims.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::chart::{self, Axis, COLORS, Curve, Panel, Shape};
use crate::prose::{broken, filled, hanging};
use crate::stress::figures::float;
use crate::table::Table;

/// How much of a row's place its bars take; the rest is between it and the next.
const BARS: f64 = 0.7;

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// A word for it: the part's name.
    pub name: &'static str,
    /// What was done, in a line.
    pub title: String,
    /// What stands in a row, in one word.
    pub subject: &'static str,
    /// What was counted or measured.
    pub columns: Vec<Column>,
    /// Of what.
    pub rows: Vec<Row>,
    /// What else was seen.
    pub notes: Vec<String>,
    /// Why it is so, in a few lines.
    pub why: &'static str,
    /// What must be so.
    pub claims: Vec<Claim>,
    /// What this machine cannot be held to now, and why.
    pub unclaimed: Vec<String>,
}

/// One kind of figure.
#[derive(Debug)]
pub struct Column {
    /// What it is.
    pub title: &'static str,
    /// In what unit it is drawn; those with the same one share a picture.
    pub unit: Option<&'static str>,
    /// How many digits behind the point.
    pub decimals: usize,
}

/// What was found of one thing.
#[derive(Debug)]
pub struct Row {
    /// What it is, in a few words.
    pub label: String,
    /// A figure for each column; one that is no number could not be had.
    pub values: Vec<f64>,
}

/// A sentence that must be true.
#[derive(Debug)]
pub struct Claim {
    /// It, with the figures it rests on.
    pub text: String,
    /// Whether it is.
    pub holds: bool,
}

/// All pictures of several tables of one part in one drawing.
pub fn drawing(headline: &str, tables: &[Findings]) -> String {
    let panels: Vec<Panel> = tables.iter().flat_map(Findings::panels).collect();
    let part = tables.first().map_or("", |table| table.name);
    chart::drawing(headline, &format!("lab {part}"), &panels)
}

impl Findings {
    /// Whether all that is claimed is so.
    pub fn hold(&self) -> bool {
        self.claims.iter().all(|claim| claim.holds)
    }

    /// Each claim with whether it holds, and what is not claimed, a line each.
    pub fn checked(&self) -> Vec<String> {
        let line =
            |held: &str, text: &str| hanging(&format!("{:<10}  {held:<6}  ", self.name), text);
        let held = |holds: bool| if holds { "ok" } else { "NOT SO" };
        let claims = self.claims.iter().map(|claim| line(held(claim.holds), &claim.text));
        claims.chain(self.unclaimed.iter().map(|why_not| line("–", why_not))).collect()
    }

    /// Everything in it, for programs.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let named = self.columns.iter().map(|column| column.title.to_owned());
            let figures: Map<String, Value> =
                named.zip(row.values.iter().copied().map(Value::from)).collect();
            json!({self.subject: row.label, "figures": figures})
        });
        let claims =
            self.claims.iter().map(|Claim { text, holds }| json!({"claim": text, "holds": holds}));
        json!({
            "part": self.name,
            "title": self.title,
            "rows": rows.collect::<Vec<_>>(),
            "notes": self.notes,
            "why": self.why,
            "claims": claims.collect::<Vec<_>>(),
            "unclaimed": self.unclaimed,
        })
    }

    /// A drawing that needs nothing but itself, with a picture for each unit.
    pub fn svg(&self) -> String {
        chart::drawing(&self.title, &format!("lab {}", self.name), &self.panels())
    }

    fn panels(&self) -> Vec<Panel> {
        let mut units: Vec<&str> = self.columns.iter().filter_map(|column| column.unit).collect();
        units.dedup();
        units.into_iter().map(|unit| self.panel(unit)).collect()
    }

    /// The bars of one unit: a group for each row, a colour for each column.
    fn panel(&self, unit: &'static str) -> Panel {
        let columns: Vec<(usize, &Column)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.unit == Some(unit))
            .collect();
        let width = BARS / float(columns.len() as u64);
        let place = |row: usize| float(row as u64);
        let bars = |nth: usize, column: usize| {
            let left = width * (float(nth as u64) + 0.5) - BARS / 2.0;
            let values = self.rows.iter().map(|row| row.values.get(column).copied());
            let bar = |(row, value): (usize, Option<f64>)| Some((place(row) + left, value?));
            values.enumerate().filter_map(bar).filter(|(_, value)| value.is_finite()).collect()
        };
        let curves: Vec<Curve> = columns
            .iter()
            .enumerate()
            .zip(COLORS)
            .map(|((nth, (column, _)), color)| Curve {
                color,
                shape: Shape::Bars { width },
                points: bars(nth, *column),
            })
            .collect();
        let most =
            curves.iter().flat_map(|curve| &curve.points).map(|(_, y)| *y).fold(0.0, f64::max);
        let titles = columns.iter().map(|(_, column)| column.title.to_owned());
        let labels = self.rows.iter().enumerate();
        Panel {
            title: unit,
            x: Axis {
                from: -0.5,
                to: place(self.rows.len()) - 0.5,
                ticks: labels.map(|(row, of)| (place(row), of.label.clone())).collect(),
                title: self.subject,
            },
            y: Axis::to_about(most, unit),
            curves,
            // Bars of one colour are what the picture's own title says.
            legend: COLORS.into_iter().zip(titles).filter(|_| columns.len() > 1).collect(),
        }
    }

    fn table(&self) -> Table {
        let titles = self.columns.iter().map(|column| column.title);
        let mut table = Table::new(&std::iter::once("").chain(titles).collect::<Vec<_>>());
        for row in &self.rows {
            let cells = row.values.iter().zip(&self.columns).map(|(value, column)| {
                let decimals = column.decimals;
                if value.is_finite() { format!("{value:.decimals$}") } else { "–".into() }
            });
            table.row(std::iter::once(row.label.clone()).chain(cells).collect());
        }
        table
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{}", self.title, self.table())?;
        for note in &self.notes {
            writeln!(f, "{}", broken(note))?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        writeln!(f, "{}", filled(self.why))?;
        for why_not in &self.unclaimed {
            writeln!(f, "{}", hanging("NOT CLAIMED: ", why_not))?;
        }
        for claim in self.claims.iter().filter(|claim| !claim.holds) {
            writeln!(f, "{}", hanging("NOT SO: ", &claim.text))?;
        }
        Ok(())
    }
}
