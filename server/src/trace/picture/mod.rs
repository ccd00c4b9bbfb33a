//! The trace as a picture: a lane for each thread, time from left to right. An SVG that needs
//! nothing but itself: no script, no font, no other file.
//!
//! ```text
//!        0 ms        100 ms       ┊1.2 s┊     3.1 s
//!  c01   ▂▂▂▂[READ PUT a.txt          ]▂▂OK a.txt▂▂▂▂▂
//!  c02   ▂▂▂▂▂▂▂[waits for a.txt, held by c01]▂EXISTS▂
//! ```
//!
//! A thread at rest is a thin line. What would be narrower than a pixel is a thin mark, with its
//! neighbours that would be, too. Whatever stands there says more when it is pointed at.

mod lane;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthStr as _;

use super::history::{History, Lane, Levels, Slice};
use super::scale::{Scale, span};
use crate::state::State;

/// How every picture begins. What begins so may be written over.
pub(super) const OPENING: &str = "<!-- ferryd: what its threads did -->\n";

/// The picture, in pixels, and where the time line stands in it.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 20.0;

/// Room above the first lane.
const HEAD: f64 = 136.0;

/// A lane: its whole height, what is done is said in the upper part, and the box below it.
const LANE: f64 = 38.0;
const BOX_TOP: f64 = 16.0;
const BOX: f64 = 18.0;

/// Room for the queue below the lanes.
const QUEUE: f64 = 44.0;

/// So many lanes are drawn.
const LANES_MAX: usize = 40;

/// A wait that is narrower has no line to who is waited for: many such lines would hide the rest.
const WAIT_WIDTH_MIN: f64 = 8.0;

/// What is narrower is a mark of this width.
const MARK: f64 = 1.5;

/// How wide a column of text is.
const COLUMN: f64 = 6.7;

const STYLE: &str = "text{font:12px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}\
    .name{font:bold 12px monospace}.deed{font-size:10.5px;fill:#444}.note{fill:#555}\
    .light{fill:#fff}.grid{stroke:#e4e4e4}.rest{stroke:#aaa;stroke-width:2}\
    .tick{stroke:#444}.cut{fill:#f3f3f3;stroke:#ccc;stroke-dasharray:2 2}\
    .wait{stroke:#b71c1c;stroke-width:1.5;fill:none;stroke-dasharray:4 2}\
    .level{fill:#c9d7e8;stroke:#4a6fa5}";

/// How a state looks: the hue it has in `ferry watch`, and whether light text is read better on it.
fn look(state: State) -> (&'static str, bool) {
    match state {
        State::WaitFile | State::WaitLock => ("#b71c1c", true),
        State::WaitQueueFull => ("#f9c433", false),
        State::Sleep => ("#f2a0cf", false),
        State::Run => ("#6abf69", false),
        State::Send => ("#1e5fa8", true),
        State::Disk => ("#8e3a9d", true),
        State::Read => ("#7fd3de", false),
        State::Idle | State::Accept | State::WaitQueueEmpty => ("#aaa", false),
    }
}

/// Draws all of it. `json` is where the rest can be looked up.
pub(super) fn draw(history: &History, json: &str) -> String {
    let mut svg = OPENING.to_owned();
    // Writing into a string cannot fail.
    let _ = Picture::of(history, json).draw(&mut svg);
    svg
}

struct Picture<'h> {
    history: &'h History,
    json: &'h str,
    scale: Scale,
    /// Which lanes are drawn, and at which height each.
    places: BTreeMap<usize, f64>,
    /// How many more did something.
    unseen: usize,
    /// Those that did nothing.
    idle: Vec<&'h str>,
}

impl<'h> Picture<'h> {
    fn of(history: &'h History, json: &'h str) -> Self {
        let busy = history.lanes.iter().flat_map(|lane| &lane.slices);
        let busy = busy.filter(|slice| slice.is_busy()).map(|slice| (slice.from, slice.to));
        let scale = Scale::of(busy, history.end, (LEFT, WIDTH - RIGHT));
        let did = |lane: &Lane| !lane.deeds.is_empty() || lane.slices.iter().any(Slice::is_busy);
        let lanes = || history.lanes.iter().enumerate();
        let drawn = lanes().filter(|(_, lane)| did(lane)).map(|(nth, _)| nth);
        let tops = std::iter::successors(Some(HEAD), |top| Some(top + LANE));
        let places: BTreeMap<_, _> = drawn.clone().take(LANES_MAX).zip(tops).collect();
        let unseen = drawn.count() - places.len();
        let idle = lanes().filter(|(_, lane)| !did(lane)).map(|(_, lane)| &*lane.name).collect();
        Self { history, json, scale, places, unseen, idle }
    }

    fn draw(&self, svg: &mut String) -> fmt::Result {
        let below = self.places.values().last().map_or(HEAD, |top| top + LANE);
        let notes = self.notes();
        let height = notes.iter().fold(below + QUEUE + 22.0, |height, _| height + 18.0);
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">"#
        )?;
        writeln!(svg, "<style>{STYLE}</style>")?;
        writeln!(svg, r#"<rect width="100%" height="100%" fill="white"/>"#)?;
        writeln!(
            svg,
            r#"<text class="title" x="20" y="28">What each thread of ferryd did</text>"#
        )?;
        let whole = span(self.history.end.as_secs_f64());
        writeln!(
            svg,
            r#"<text class="note" x="20" y="48">{whole} from its start to its end; point at something to read more</text>"#
        )?;
        self.draw_legend(svg)?;
        self.draw_time(svg, below + QUEUE)?;
        for (nth, top) in &self.places {
            if let Some(lane) = self.history.lanes.get(*nth) {
                self.draw_lane(svg, lane, *top)?;
            }
        }
        self.draw_waits(svg)?;
        if let Some(levels) = self.history.queues.get("data") {
            self.draw_queue(svg, levels, below)?;
        }
        for (note, y) in notes.iter().zip(0_u32..) {
            let y = below + QUEUE + 24.0 + 18.0 * f64::from(y);
            writeln!(svg, r#"<text class="note" x="20" y="{y:.1}">{}</text>"#, escape(note))?;
        }
        writeln!(svg, "</svg>")
    }

    /// What each colour means, of those that occur.
    fn draw_legend(&self, svg: &mut String) -> fmt::Result {
        let mut seen: Vec<State> = Vec::new();
        for slice in self.history.lanes.iter().flat_map(|lane| &lane.slices) {
            if slice.is_busy() && !seen.contains(&slice.state) {
                seen.push(slice.state);
            }
        }
        seen.sort_by_key(|state| *state as u8);
        let mut x = 20.0;
        for state in seen {
            let (color, name) = (look(state).0, state.to_string());
            writeln!(svg, r#"<rect x="{x:.1}" y="62" width="18" height="12" fill="{color}"/>"#)?;
            writeln!(svg, r#"<text x="{:.1}" y="72">{name}</text>"#, x + 24.0)?;
            x += 44.0 + 1.15 * room(&name);
        }
        writeln!(svg, r#"<path class="rest" d="M{x:.1} 68h18"/>"#)?;
        writeln!(svg, r#"<text x="{:.1}" y="72">at rest</text>"#, x + 24.0)?;
        if self.scale.cuts().next().is_some() {
            let x = x + 90.0;
            writeln!(svg, r#"<rect class="cut" x="{x:.1}" y="62" width="18" height="12"/>"#)?;
            writeln!(svg, r#"<text x="{:.1}" y="72">all at rest, cut out</text>"#, x + 24.0)?;
        }
        Ok(())
    }

    fn draw_time(&self, svg: &mut String, bottom: f64) -> fmt::Result {
        let upper = HEAD - 14.0;
        for (x, text) in self.scale.ticks() {
            writeln!(svg, r#"<path class="grid" d="M{x:.1} {upper}V{bottom:.1}"/>"#)?;
            let y = upper - 6.0;
            writeln!(svg, r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{text}</text>"#)?;
        }
        let mut free_from = 0.0;
        for cut in self.scale.cuts() {
            let (width, height) = (cut.right - cut.left, bottom - upper);
            let missing = span(cut.to - cut.from);
            writeln!(
                svg,
                r#"<g><title>{missing} in which nothing was done</title><rect class="cut" x="{:.1}" y="{upper}" width="{width:.1}" height="{height:.1}"/>"#,
                cut.left
            )?;
            let (x, y) = (f64::midpoint(cut.left, cut.right), upper - 22.0);
            if x - room(&missing) / 2.0 >= free_from {
                writeln!(
                    svg,
                    r#"<text class="deed" x="{x:.1}" y="{y}" text-anchor="middle">{missing}</text>"#
                )?;
                free_from = x + room(&missing) / 2.0;
            }
            writeln!(svg, "</g>")?;
        }
        Ok(())
    }

    /// From each that waits for a name to who holds it.
    fn draw_waits(&self, svg: &mut String) -> fmt::Result {
        for (nth, top) in &self.places {
            let slices = self.history.lanes.get(*nth).map_or(&[][..], |lane| &lane.slices);
            let is_wide = |slice: &&Slice| {
                self.scale.x(slice.to) - self.scale.x(slice.from) >= WAIT_WIDTH_MIN
            };
            let waits = slices.iter().filter(|slice| slice.state == State::WaitFile);
            for slice in waits.filter(is_wide) {
                let Some(held) = slice.by.and_then(|by| self.places.get(&by)) else { continue };
                let (x, middle) = (self.scale.x(slice.from), BOX_TOP + BOX / 2.0);
                let (from, to) = (top + middle, held + middle);
                writeln!(
                    svg,
                    r##"<path class="wait" d="M{x:.1} {from:.1}V{to:.1}"/><circle cx="{x:.1}" cy="{to:.1}" r="4" fill="#b71c1c"/>"##
                )?;
            }
        }
        Ok(())
    }

    /// How full a queue was, as hills.
    fn draw_queue(&self, svg: &mut String, levels: &Levels, top: f64) -> fmt::Result {
        let most = levels.points.iter().map(|(_, len)| *len).max().unwrap_or(0);
        let (ground, high) = (top + QUEUE - 4.0, QUEUE - 22.0);
        let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let up = |len: u64| ground - high * number(len) / number(most.max(1));
        let mut path = format!("M{LEFT} {ground:.1}");
        let mut drawn = f64::NEG_INFINITY;
        let mut peak = 0;
        for (nth, (at, len)) in levels.points.iter().enumerate() {
            let x = self.scale.x(*at);
            peak = peak.max(*len);
            let next =
                levels.points.get(nth + 1).map_or(f64::INFINITY, |(at, _)| self.scale.x(*at));
            // Of what is nearer than a mark, the highest and the last are drawn.
            if next - drawn < MARK && next - x < MARK {
                continue;
            }
            write!(path, "H{:.1}V{:.1}H{:.1}V{:.1}", x - MARK / 2.0, up(peak), x, up(*len))?;
            (drawn, peak) = (x, 0);
        }
        let right = WIDTH - RIGHT;
        writeln!(svg, r#"<path class="level" d="{path}H{right}V{ground:.1}Z"/>"#)?;
        let y = ground - 4.0;
        writeln!(svg, r#"<text class="name" x="20" y="{y:.1}">data</text>"#)?;
        let (y, places) = (top + 12.0, levels.places);
        writeln!(
            svg,
            r#"<text class="deed" x="{LEFT}" y="{y:.1}">queue to the writer: at most {most} of {places} places taken</text>"#
        )
    }

    /// What stands below: what is not seen, and why.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let json = self.json;
        if self.history.is_cut {
            notes.push("The recording was full: the server went on, and that is not here.".into());
        }
        if self.unseen > 0 {
            notes.push(format!("{} more threads did something: see {json}.", self.unseen));
        }
        if !self.idle.is_empty() {
            const NAMED_MAX: usize = 12;
            let named = self.idle.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
            let more = self.idle.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            notes.push(format!("Left out, as they only rested: {named}{more}."));
        }
        notes.push(format!(
            "A mark as thin as a hair is one or more spans too short to be drawn; {json} has each."
        ));
        notes
    }
}

/// About how wide a text is.
fn room(text: &str) -> f64 {
    COLUMN * f64::from(u32::try_from(text.width()).unwrap_or(u32::MAX))
}

/// Text as XML may hold it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
