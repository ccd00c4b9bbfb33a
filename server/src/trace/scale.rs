//! Where on the picture a moment stands.
//!
//! A server rests most of the time, and drawn as long as it was, rest would leave no room for
//! anything else. So the time line is cut where nobody did anything for long: a cut takes a little
//! room, and says how much time is missing there. Between cuts all is to one scale.

use std::time::Duration;

/// A moment or a while, in seconds.
type Seconds = f64;

/// Rest longer than this part of all work is cut out.
const REST_PART: f64 = 0.05;

/// How much rest is left on both sides of a cut, as a part of all work.
const MARGIN_PART: f64 = 0.01;

/// How wide a cut is, in pixels, and which part of the picture all of them may take.
const CUT_WIDTH: f64 = 30.0;
const CUTS_PART: f64 = 0.3;

/// About so far from each other are the moments that are written down, in pixels; and never nearer
/// than that.
const TICK_WIDTH: f64 = 100.0;
const TICK_WIDTH_MIN: f64 = 64.0;

/// A time line from the left to the right of a picture.
#[derive(Debug)]
pub(super) struct Scale {
    pieces: Vec<Piece>,
    end: Seconds,
    per_second: f64,
    left: f64,
}

/// A while without a cut, or one that is cut out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) from: Seconds,
    pub(super) to: Seconds,
    pub(super) left: f64,
    pub(super) right: f64,
    is_cut: bool,
}

impl Scale {
    /// From the beginning to `end`, between `left` and `right`; `busy` is when something was done.
    pub(super) fn of(
        busy: impl Iterator<Item = (Duration, Duration)>,
        end: Duration,
        (left, right): (f64, f64),
    ) -> Self {
        let end = end.as_secs_f64().max(1e-9);
        let busy = together(busy);
        let all: Seconds = busy.iter().map(|(from, to)| to - from).sum();
        let pieces = pieces(&busy, end, all);
        let cut = pieces.iter().filter(|piece| piece.is_cut);
        let (count, missing) =
            cut.fold((0.0, 0.0), |(n, sum), piece| (n + 1.0, sum + piece.to - piece.from));
        let width: f64 = right - left;
        let cut_width = CUT_WIDTH.min(width * CUTS_PART / f64::max(count, 1.0));
        let per_second = (width - cut_width * count) / (end - missing).max(1e-9);
        let mut scale = Self { pieces, end, per_second, left };
        scale.lay_out(cut_width);
        scale
    }

    fn lay_out(&mut self, cut_width: f64) {
        let mut x = self.left;
        for piece in &mut self.pieces {
            piece.left = x;
            x += if piece.is_cut { cut_width } else { (piece.to - piece.from) * self.per_second };
            piece.right = x;
        }
    }

    /// Where a moment stands.
    pub(super) fn x(&self, at: Duration) -> f64 {
        self.x_of(at.as_secs_f64())
    }

    fn x_of(&self, at: Seconds) -> f64 {
        let nth = self.pieces.partition_point(|piece| piece.to < at);
        let Some(piece) = self.pieces.get(nth).or(self.pieces.last()) else { return self.left };
        let part = (at - piece.from) / (piece.to - piece.from).max(1e-12);
        piece.left + part.clamp(0.0, 1.0) * (piece.right - piece.left)
    }

    /// What is cut out.
    pub(super) fn cuts(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.is_cut)
    }

    /// Moments to write down, and where.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let step = round(TICK_WIDTH / self.per_second);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for piece in self.pieces.iter().filter(|piece| !piece.is_cut) {
            let first = (piece.from / step).ceil();
            let rounds = (0_u32..1000).map(|n| (first + f64::from(n)) * step);
            // Where there is no round moment, the first one says at least where we are.
            let own = [piece.from].into_iter().filter(|_| first * step > piece.to);
            for at in own.chain(rounds.take_while(|at| *at <= piece.to)) {
                let x = self.x_of(at);
                if ticks.last().is_none_or(|(before, _)| x - before >= TICK_WIDTH_MIN) {
                    ticks.push((x, moment(at, self.end, step)));
                }
            }
        }
        ticks
    }
}

/// In order, and those that touch as one.
fn together(all: impl Iterator<Item = (Duration, Duration)>) -> Vec<(Seconds, Seconds)> {
    let mut all: Vec<_> = all.map(|(from, to)| (from.as_secs_f64(), to.as_secs_f64())).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut merged: Vec<(Seconds, Seconds)> = Vec::new();
    for (from, to) in all {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// What is shown and what is cut out, in turn, from the beginning to the end.
fn pieces(busy: &[(Seconds, Seconds)], end: Seconds, all: Seconds) -> Vec<Piece> {
    let margin = all * MARGIN_PART;
    let mut pieces = Vec::new();
    let mut add = |from: Seconds, to: Seconds, is_cut: bool| {
        if to > from {
            pieces.push(Piece { from, to, left: 0.0, right: 0.0, is_cut });
        }
    };
    let (mut shown_from, mut rests_from) = (0.0, 0.0);
    for (begins, ends) in busy.iter().copied().chain([(end, end)]) {
        if all > 0.0 && begins - rests_from > all * REST_PART {
            let before = if rests_from > 0.0 { margin } else { 0.0 };
            let behind = if begins < end { margin } else { 0.0 };
            add(shown_from, rests_from + before, false);
            add(rests_from + before, begins - behind, true);
            shown_from = begins - behind;
        }
        rests_from = ends;
    }
    add(shown_from, end, false);
    pieces
}

/// The round number that is not below: 1, 2 or 5 with zeros.
fn round(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let round = [1.0, 2.0, 5.0].map(|digit| digit * power);
    round.into_iter().find(|round| *round >= number).unwrap_or(10.0 * power)
}

/// A moment as people write it, as exactly as steps of that size need.
fn moment(at: Seconds, end: Seconds, step: Seconds) -> String {
    let (unit, name) = if end >= 1.0 { (1.0, "s") } else { (1e-3, "ms") };
    let decimals = (0..9_u8).find(|n| step / unit >= 0.1_f64.powi((*n).into()) * 0.99);
    format!("{:.*} {name}", decimals.unwrap_or(9).into(), at / unit)
}

/// A while in three figures: `1.23 s`, `45.6 ms`, `789 µs`.
pub(super) fn span(seconds: Seconds) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    let (unit, name) = units.into_iter().find(|unit| seconds >= unit.0).unwrap_or((1e-6, "µs"));
    let number = seconds / unit;
    let decimals = if number >= 100.0 { 0 } else { 1 + usize::from(number < 10.0) };
    format!("{number:.decimals$} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(busy: &[(u64, u64)], end: u64) -> Scale {
        let ms = Duration::from_millis;
        let busy = busy.iter().map(|(from, to)| (ms(*from), ms(*to)));
        Scale::of(busy, ms(end), (100.0, 900.0))
    }

    #[test]
    fn long_rest_is_cut_out_and_time_never_goes_back() {
        let scale = scale(&[(10, 60), (20, 110), (60_000, 60_100)], 90_000);
        let cuts: Vec<_> = scale.cuts().map(|cut| (cut.from, cut.to)).collect();
        assert_eq!(cuts.len(), 2, "{cuts:?}");
        assert!(cuts[0].0 > 0.11 && cuts[0].0 < 0.12 && cuts[0].1 > 59.9, "{cuts:?}");
        let places: Vec<f64> = (0..900).map(|n| scale.x(Duration::from_millis(n * 100))).collect();
        assert!(places.is_sorted() && places[0] >= 100.0 && places[899] <= 900.0);
        // What was done has nearly all the room there is.
        let work = scale.x(Duration::from_millis(110)) - scale.x(Duration::from_millis(10));
        assert!(work > 300.0, "{work}");
    }

    #[test]
    fn a_time_line_without_rest_or_without_work_has_no_cut() {
        for scale in [scale(&[(0, 1000)], 1000), scale(&[], 1000), scale(&[], 0)] {
            assert_eq!(scale.cuts().count(), 0);
            assert!(scale.ticks().len() < 10, "{:?}", scale.ticks());
        }
    }

    #[test]
    fn a_while_has_three_figures() {
        for (seconds, said) in [(12.34, "12.3 s"), (0.001_23, "1.23 ms"), (0.000_789, "789 µs")] {
            assert_eq!(span(seconds), said);
        }
        assert_eq!(
            (moment(2.5, 4.0, 0.5), moment(0.25, 0.9, 0.05)),
            ("2.5 s".into(), "250 ms".into())
        );
    }
}
