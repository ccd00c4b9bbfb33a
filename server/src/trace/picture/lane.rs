//! A lane: what one thread did, in boxes and marks, and what it has done in words above them.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::super::history::{Lane, Slice};
use super::super::scale::span;
use super::super::text::short;
use super::{BOX, BOX_TOP, LEFT, MARK, Picture, WIDTH, escape, look, room};
use crate::state::State;

/// Of what was done at one moment so much is told.
const DEEDS_MAX: usize = 8;

impl Picture<'_> {
    pub(super) fn draw_lane(&self, svg: &mut String, lane: &Lane, top: f64) -> fmt::Result {
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
            let title = escape(&format!("{} {}\n{}", lane.name, when(*at), told.join("\n")));
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
        let (time, at) = (span(slice.time().as_secs_f64()), when(slice.from));
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
}

fn when(at: Duration) -> String {
    format!("at {:.6} s", at.as_secs_f64())
}
