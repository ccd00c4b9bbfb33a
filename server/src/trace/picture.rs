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

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthStr as _;

use super::history::{History, Lane, Levels, Slice};
use super::scale::{Scale, span};
use super::text::short;
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

/// What is narrower is a mark of this width.
const MARK: f64 = 1.5;

/// A wait that is narrower has no line to who is waited for: many such lines would hide the rest.
const WAIT_WIDTH_MIN: f64 = 8.0;

/// How wide a column of text is.
const COLUMN: f64 = 6.7;

/// Of what was done at one moment so much is told.
const DEEDS_MAX: usize = 8;

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
            let (x, y) = ((cut.left + cut.right) / 2.0, upper - 22.0);
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

    fn draw_lane(&self, svg: &mut String, lane: &Lane, top: f64) -> fmt::Result {
        let y = top + BOX_TOP + 13.0;
        let name = escape(&lane.name);
        writeln!(svg, r#"<text class="name" x="20" y="{y:.1}">{name}</text>"#)?;
        let mut narrow: Vec<&Slice> = Vec::new();
        for slice in &lane.slices {
            let (left, right) = (self.scale.x(slice.from), self.scale.x(slice.to));
            let begun = narrow.first().map(|first| self.scale.x(first.from));
            if right - left >= MARK || begun.is_some_and(|begun| right - begun > MARK) {
                self.draw_mark(svg, lane, &narrow, top)?;
                narrow.clear();
            }
            if right - left < MARK {
                narrow.push(slice);
            } else {
                self.draw_slice(svg, lane, slice, top)?;
            }
        }
        self.draw_mark(svg, lane, &narrow, top)?;
        self.draw_deeds(svg, lane, top)
    }

    fn draw_slice(&self, svg: &mut String, lane: &Lane, slice: &Slice, top: f64) -> fmt::Result {
        let (left, right) = (self.scale.x(slice.from), self.scale.x(slice.to));
        let (width, upper) = (right - left, top + BOX_TOP);
        let title = escape(&self.title(lane, slice));
        write!(svg, "<g><title>{title}</title>")?;
        let (color, is_dark) = look(slice.state);
        if slice.is_busy() {
            write!(
                svg,
                r#"<rect x="{left:.1}" y="{upper:.1}" width="{width:.1}" height="{BOX}" fill="{color}"/>"#
            )?;
            let texts = self.texts(slice);
            if let Some(text) = texts.iter().find(|text| room(text) + 8.0 <= width) {
                let class = if is_dark { r#" class="light""# } else { "" };
                let (x, y) = (left + 4.0, upper + 13.0);
                write!(svg, r#"<text{class} x="{x:.1}" y="{y:.1}">{}</text>"#, escape(text))?;
            }
        } else {
            let y = upper + BOX / 2.0;
            write!(svg, r#"<path class="rest" d="M{left:.1} {y:.1}H{right:.1}"/>"#)?;
        }
        writeln!(svg, "</g>")
    }

    /// Many that are too narrow to be seen, as one that is not.
    fn draw_mark(&self, svg: &mut String, lane: &Lane, all: &[&Slice], top: f64) -> fmt::Result {
        let busy = all.iter().filter(|slice| slice.is_busy());
        // What took longest says most.
        let Some(longest) = busy.clone().max_by_key(|slice| slice.time()) else { return Ok(()) };
        let (left, upper) = (self.scale.x(longest.from), top + BOX_TOP);
        let mut title = self.title(lane, longest);
        let others = busy.count() - 1;
        if others > 0 {
            let _ = write!(title, "\nand {others} shorter beside it");
        }
        let (color, title) = (look(longest.state).0, escape(&title));
        writeln!(
            svg,
            r#"<g><title>{title}</title><rect x="{left:.1}" y="{upper:.1}" width="{MARK}" height="{BOX}" fill="{color}"/></g>"#
        )
    }

    /// A tick for what was done at about one moment, and the last of it in words if there is room.
    fn draw_deeds(&self, svg: &mut String, lane: &Lane, top: f64) -> fmt::Result {
        let mut free_to = WIDTH;
        let mut rest = lane.deeds.as_slice();
        // From right to left: how something ended says more than how it went.
        while let Some((at, last)) = rest.last() {
            let x = self.scale.x(*at);
            let near = rest.partition_point(|(at, _)| self.scale.x(*at) < x - 2.0 * MARK);
            let (before, group) = rest.split_at(near);
            rest = before;
            let mut told: Vec<&str> =
                group.iter().rev().take(DEEDS_MAX).rev().map(|(_, deed)| &**deed).collect();
            if group.len() > DEEDS_MAX {
                told.insert(0, "…");
            }
            let title = escape(&format!("{} {}\n{}", lane.name, self.at(*at), told.join("\n")));
            let (upper, lower) = (top + 4.0, top + BOX_TOP);
            write!(
                svg,
                r#"<g><title>{title}</title><path class="tick" d="M{x:.1} {upper:.1}V{lower:.1}"/>"#
            )?;
            let (text, y) = (short(last), top + 12.0);
            let width = room(&text) * 0.9 + 3.0;
            // At the right edge there is room on the left only, as far as the tick before.
            let free_from = rest.last().map_or(LEFT, |(at, _)| self.scale.x(*at));
            let (fits, anchor, place, taken_from) = if x + width <= WIDTH - 2.0 {
                (x + width <= free_to, "start", x + 3.0, x)
            } else {
                (x <= free_to && x - width >= free_from, "end", x - 3.0, x - width)
            };
            if fits {
                let text = escape(&text);
                write!(
                    svg,
                    r#"<text class="deed" x="{place:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
                )?;
                free_to = taken_from - 3.0;
            }
            free_to = free_to.min(x);
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

    /// What is said in a box, from the longest to the shortest.
    fn texts(&self, slice: &Slice) -> Vec<String> {
        let state = slice.state.to_string();
        let work = slice.work.as_deref().map(short).unwrap_or_default();
        let on = slice.on.as_deref().map(short).unwrap_or_default();
        let by = self.history.holder(slice);
        let mut texts = match (slice.state, by) {
            (State::WaitFile, Some(by)) => {
                vec![format!("waits for {on}, held by {by}"), format!("waits for {by}")]
            }
            (State::WaitFile, None) if !on.is_empty() => vec![format!("waits for {on}")],
            _ if !on.is_empty() => {
                vec![format!("{state} {work} ({on})"), format!("{state} ({on})")]
            }
            _ => vec![format!("{state} {work}")],
        };
        texts.push(state);
        texts
    }

    /// All there is to say of a slice.
    fn title(&self, lane: &Lane, slice: &Slice) -> String {
        let (time, at) = (span(slice.time().as_secs_f64()), self.at(slice.from));
        let mut title = format!("{} {} for {time}, {at}", lane.name, slice.state);
        if let Some(work) = &slice.work {
            let _ = write!(title, "\n{work}");
        }
        if let Some(on) = &slice.on {
            let _ = write!(title, "\nwaits for {on}");
        }
        if let Some(by) = self.history.holder(slice) {
            let _ = write!(title, ", held by {by}");
        }
        title
    }

    fn at(&self, at: std::time::Duration) -> String {
        format!("at {:.6} s", at.as_secs_f64())
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
