//! A picture with two axes, drawn as SVG.

use std::fmt::{self, Write as _};

/// The width of every picture, and where the axes stand in it; in pixels.
pub(super) const WIDTH: f64 = 960.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 30.0;
const HEIGHT: f64 = 190.0;

/// A direction: what is at its two ends, and what is written along it.
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) title: &'static str,
}

/// A line of steps: from each point it goes level to the next one's place, then up or down.
pub(super) struct Curve {
    pub(super) color: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A picture.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) curves: Vec<Curve>,
    /// What each colour means.
    pub(super) legend: Vec<(&'static str, String)>,
}

impl Axis {
    /// From 0 to a little over `max`, with about five round numbers on the way.
    pub(super) fn to_about(max: f64, title: &'static str) -> Self {
        let max = if max > 0.0 { max } else { 1.0 };
        let power = 10_f64.powf((max / 5.0).log10().floor());
        let round = [1.0, 2.0, 5.0].map(|digit| digit * power);
        let step = round.into_iter().find(|step| max / step <= 5.0).unwrap_or(10.0 * power);
        let to = (max / step).ceil() * step;
        let decimals = usize::from(step < 1.0) + usize::from(step < 0.1);
        let values =
            (0_u32..=10).map(|n| f64::from(n) * step).take_while(|v| *v <= to + step / 2.0);
        let ticks = values.map(|value| (value, format!("{value:.decimals$}"))).collect();
        Self { from: 0.0, to, ticks, title }
    }

    /// How far along the axis a value lies: 0 at its beginning, 1 at its end.
    fn part(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

impl Panel {
    /// How much room it takes, from top to bottom.
    pub(super) const ROOM: f64 = HEIGHT + 110.0;

    /// Draws it with its upper edge at `top`.
    pub(super) fn draw(&self, svg: &mut String, top: f64) -> fmt::Result {
        let (upper, lower) = (top + 50.0, top + 50.0 + HEIGHT);
        writeln!(
            svg,
            r#"<text class="title" x="{LEFT}" y="{:.1}">{}</text>"#,
            top + 18.0,
            escape(self.title)
        )?;
        self.draw_legend(svg, top + 38.0)?;
        self.draw_x(svg, upper, lower)?;
        self.draw_y(svg, upper)?;
        for curve in &self.curves {
            self.draw_curve(svg, curve, upper)?;
        }
        Ok(())
    }

    fn across(&self, value: f64) -> f64 {
        LEFT + self.x.part(value) * (WIDTH - LEFT - RIGHT)
    }

    fn up(&self, value: f64, upper: f64) -> f64 {
        upper + (1.0 - self.y.part(value)) * HEIGHT
    }

    fn draw_legend(&self, svg: &mut String, y: f64) -> fmt::Result {
        let mut x = LEFT;
        for (color, text) in &self.legend {
            writeln!(
                svg,
                r#"<rect x="{x:.1}" y="{:.1}" width="14" height="4" fill="{color}"/>"#,
                y - 6.0
            )?;
            writeln!(svg, r#"<text x="{:.1}" y="{y:.1}">{}</text>"#, x + 20.0, escape(text))?;
            // As wide as the widest letters would make it.
            x += 50.0 + 7.0 * f64::from(u32::try_from(text.chars().count()).unwrap_or(0));
        }
        Ok(())
    }

    fn draw_x(&self, svg: &mut String, upper: f64, lower: f64) -> fmt::Result {
        for (value, text) in self.x.ticks.iter().filter(|(value, _)| *value <= self.x.to) {
            let x = self.across(*value);
            writeln!(svg, r#"<path class="grid" d="M{x:.1} {upper:.1}V{lower:.1}"/>"#)?;
            writeln!(
                svg,
                r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                lower + 18.0,
                escape(text)
            )?;
        }
        let (middle, title) = ((LEFT + WIDTH - RIGHT) / 2.0, escape(self.x.title));
        let y = lower + 38.0;
        writeln!(svg, r#"<text x="{middle:.1}" y="{y:.1}" text-anchor="middle">{title}</text>"#)
    }

    fn draw_y(&self, svg: &mut String, upper: f64) -> fmt::Result {
        for (value, text) in &self.y.ticks {
            let y = self.up(*value, upper);
            writeln!(svg, r#"<path class="grid" d="M{LEFT} {y:.1}H{:.1}"/>"#, WIDTH - RIGHT)?;
            writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                y + 4.0,
                escape(text)
            )?;
        }
        let (y, title) = (upper + HEIGHT / 2.0, escape(self.y.title));
        writeln!(
            svg,
            r#"<text x="18" y="{y:.1}" text-anchor="middle" transform="rotate(-90 18 {y:.1})">{title}</text>"#
        )
    }

    fn draw_curve(&self, svg: &mut String, curve: &Curve, upper: f64) -> fmt::Result {
        let Some(((x, y), rest)) = curve.points.split_first() else { return Ok(()) };
        let mut path = format!("M{:.1} {:.1}", self.across(*x), self.up(*y, upper));
        for (x, y) in rest {
            write!(path, "H{:.1}V{:.1}", self.across(*x), self.up(*y, upper))?;
        }
        writeln!(svg, r#"<path class="curve" stroke="{}" d="{path}"/>"#, curve.color)
    }
}

/// Text as XML may hold it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
