//! Pictures with two axes, one below the other, drawn as SVG that needs nothing but itself: no
//! font, no script, no other file.

use std::fmt::{self, Write as _};

/// Room above the first picture, in pixels, as all that follow.
const HEAD: f64 = 70.0;

/// The width of every picture, and where the axes stand in it.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 40.0;
const HEIGHT: f64 = 190.0;

const STYLE: &str = "text{font:13px sans-serif;fill:#333}.title{font-size:15px;font-weight:bold}\
                     .grid{stroke:#ddd;fill:none}.curve{stroke-width:2;fill:none}";

/// Colours that people who see fewer of them can tell apart (Okabe and Ito, 2008).
pub(crate) const COLORS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// A direction: what is at its two ends, and what is written along it.
pub(crate) struct Axis {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) ticks: Vec<(f64, String)>,
    pub(crate) title: &'static str,
}

/// How the points of a curve are joined.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// From each point level to the next one's place, then up or down: what holds for a while.
    Steps,
    /// Straight from one to the next, each marked: what was measured here and there.
    Marks,
    /// Not joined: a bar from the ground to each, so wide on the axis across. For things that have
    /// a name and no order.
    Bars { width: f64 },
}

/// A line through points.
pub(crate) struct Curve {
    pub(crate) color: &'static str,
    pub(crate) shape: Shape,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A picture.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) curves: Vec<Curve>,
    /// What each colour means.
    pub(crate) legend: Vec<(&'static str, String)>,
}

/// The whole drawing: what it is, in a headline and a line below it, and its pictures.
pub(crate) fn drawing(headline: &str, line: &str, panels: &[Panel]) -> String {
    let mut svg = String::new();
    // Writing into a string cannot fail.
    let _ = draw(&mut svg, headline, line, panels);
    svg
}

fn draw(svg: &mut String, headline: &str, line: &str, panels: &[Panel]) -> fmt::Result {
    let height = panels.iter().fold(HEAD, |height, _| height + Panel::ROOM);
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">"#
    )?;
    writeln!(svg, "<style>{STYLE}</style>")?;
    writeln!(svg, r#"<rect width="100%" height="100%" fill="white"/>"#)?;
    writeln!(svg, r#"<text class="title" x="20" y="28">{}</text>"#, escape(headline))?;
    writeln!(svg, r#"<text x="20" y="50">{}</text>"#, escape(line))?;
    let mut top = HEAD;
    for panel in panels {
        panel.draw(svg, top)?;
        top += Panel::ROOM;
    }
    writeln!(svg, "</svg>")
}

impl Axis {
    /// From 0 to a little over `max`, with about five round numbers on the way.
    pub(crate) fn to_about(max: f64, title: &'static str) -> Self {
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
    const ROOM: f64 = HEIGHT + 110.0;

    /// Draws it with its upper edge at `top`.
    fn draw(&self, svg: &mut String, top: f64) -> fmt::Result {
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
        if let Shape::Bars { width } = curve.shape {
            return self.draw_bars(svg, curve, width, upper);
        }
        let place = |(x, y): &(f64, f64)| (self.across(*x), self.up(*y, upper));
        let Some((first, rest)) = curve.points.split_first() else { return Ok(()) };
        let (x, y) = place(first);
        let mut path = format!("M{x:.1} {y:.1}");
        for (x, y) in rest.iter().map(place) {
            match curve.shape {
                Shape::Steps => write!(path, "H{x:.1}V{y:.1}")?,
                Shape::Marks | Shape::Bars { .. } => write!(path, "L{x:.1} {y:.1}")?,
            }
        }
        let color = curve.color;
        writeln!(svg, r#"<path class="curve" stroke="{color}" d="{path}"/>"#)?;
        if matches!(curve.shape, Shape::Marks) {
            for (x, y) in curve.points.iter().map(place) {
                writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{color}"/>"#)?;
            }
        }
        Ok(())
    }

    fn draw_bars(&self, svg: &mut String, curve: &Curve, width: f64, upper: f64) -> fmt::Result {
        let (color, ground) = (curve.color, upper + HEIGHT);
        for (x, y) in &curve.points {
            let (left, right) = (self.across(x - width / 2.0), self.across(x + width / 2.0));
            let (top, wide) = (self.up(*y, upper), right - left);
            let high = ground - top;
            writeln!(
                svg,
                r#"<rect class="bar" x="{left:.1}" y="{top:.1}" width="{wide:.1}" height="{high:.1}" fill="{color}"/>"#
            )?;
        }
        Ok(())
    }
}

/// Text as XML may hold it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
