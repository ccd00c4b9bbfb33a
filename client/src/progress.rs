//! The bars of transfers, on stderr, and only where a person looks at them.
//!
//! ```text
//! ████████░░░░░░░░  640.00 MB/1.20 GB  48.10 MB/s  12s left  film.mp4
//! ████░░░░░░░░░░░░  810.50 MB/3.00 GB  31.00 MB/s  71s left  1204 of 5000 files
//! ```
//!
//! The first is of the file that is being moved; the second, where there are several files, of all.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use common::escape::Safe;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::words::{Lang, Talk, Words as _};

/// How often a bar is drawn while no byte goes by: it must not go on telling of a speed that was.
const TICK: Duration = Duration::from_millis(200);

/// What takes less shows no bar, which would only flash.
const PATIENCE: Duration = Duration::from_millis(300);

/// Filled, bytes, rate, time left, and what it is, cut to the width there is.
fn template(lang: Lang) -> String {
    let left = Talk::TimeLeft { time: Safe("{eta}") }.words(lang);
    let moved = "{decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}";
    format!("{{bar:16}}  {moved}  {left}  {{wide_msg}}")
}

/// How far the files of one command are, all in all. Its bar vanishes when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: MultiProgress,
    lang: Lang,
    all: Row,
    /// How many files there are, as far as is known, and how many of them are done with.
    files: Cell<u64>,
    done: Cell<u64>,
}

impl Progress {
    /// Of nothing yet, to be shown among `bars`.
    pub(crate) fn new(bars: &MultiProgress, lang: Lang) -> Self {
        let (all, files, done) = (Row::new(0, lang), Cell::new(0), Cell::new(0));
        Self { bars: bars.clone(), lang, all, files, done }
    }

    /// Whether anybody sees it.
    pub(crate) fn is_seen(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// There are so many files more than was known, of so many bytes.
    pub(crate) fn expect(&self, files: u64, bytes: u64) {
        self.files.set(self.files.get() + files);
        self.all.bar.inc_length(bytes);
    }

    /// A bar of one of the files, which shows its name alone: the folders it lies in would leave
    /// no room for that.
    pub(crate) fn bar(&self, path: &str, size: u64) -> Bar<'_> {
        let row = Row::new(size, self.lang);
        let name = path.rsplit('/').next().unwrap_or(path);
        row.bar.set_message(Safe(name).to_string());
        Bar { row, progress: self }
    }

    /// Counts bytes of a file that is too small for a bar of its own.
    pub(crate) fn advance(&self, bytes: u64) {
        self.all.bar.inc(bytes);
        self.show_all();
    }

    /// Counts bytes that need not travel, in no time.
    pub(crate) fn skip(&self, bytes: u64) {
        self.all.skip(bytes);
        self.show_all();
    }

    /// A file is done with.
    pub(crate) fn file_done(&self) {
        self.done.set(self.done.get() + 1);
        self.show_all();
    }

    fn show_all(&self) {
        if self.files.get() > 1 {
            self.all.show(|all| self.bars.add(all));
            let (done, all) = (self.done.get(), self.files.get());
            self.all.bar.set_message(Talk::FilesDone { done, all }.words(self.lang));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.all.vanish(&self.bars);
    }
}

/// The bar of one file. It vanishes when dropped; what stays is the line of the result.
#[derive(Debug)]
pub(crate) struct Bar<'a> {
    row: Row,
    progress: &'a Progress,
}

impl Bar<'_> {
    /// Counts bytes that went by.
    pub(crate) fn advance(&self, bytes: u64) {
        self.row.bar.inc(bytes);
        // Above the bar of all.
        self.row.show(|row| self.progress.bars.insert(0, row));
        self.progress.advance(bytes);
    }

    /// Counts bytes that need not travel, in no time.
    pub(crate) fn skip(&self, bytes: u64) {
        self.row.skip(bytes);
        self.progress.skip(bytes);
    }

    /// Counts bytes out again that must travel once more.
    pub(crate) fn take_back(&self, bytes: u64) {
        for bar in [&self.row.bar, &self.progress.all.bar] {
            bar.set_position(bar.position().saturating_sub(bytes));
            bar.reset_eta();
        }
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        self.row.vanish(&self.progress.bars);
    }
}

/// A bar that is not there before it is worth it.
#[derive(Debug)]
struct Row {
    bar: ProgressBar,
    start: Instant,
    shown: Cell<bool>,
}

impl Row {
    fn new(total: u64, lang: Lang) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(&template(lang)) {
            bar.set_style(style);
        }
        Self { bar, start: Instant::now(), shown: Cell::new(false) }
    }

    fn show(&self, among: impl FnOnce(ProgressBar) -> ProgressBar) {
        if !self.shown.get() && self.start.elapsed() > PATIENCE {
            among(self.bar.clone()).enable_steady_tick(TICK);
            self.shown.set(true);
        }
    }

    fn skip(&self, bytes: u64) {
        // Most files go from their beginning, and what was learnt of the speed is worth keeping.
        if bytes > 0 {
            self.bar.inc(bytes);
            // They say nothing about how fast the others are.
            self.bar.reset_eta();
        }
    }

    fn vanish(&self, bars: &MultiProgress) {
        self.bar.finish_and_clear();
        if self.shown.get() {
            bars.remove(&self.bar);
        }
    }
}

/// A line among the bars that says what is waited for. It vanishes when it is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    bars: MultiProgress,
    bar: ProgressBar,
}

impl Line {
    /// Adds an empty one.
    pub(crate) fn add(bars: &MultiProgress) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self { bars: bars.clone(), bar: bars.add(bar) }
    }

    /// Shows this instead of what it showed. The text must be safe to print.
    pub(crate) fn shows(&self, text: String) {
        self.bar.set_message(text);
        self.bar.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        self.bars.remove(&self.bar);
    }
}

/// A reader or writer whose bytes move a bar.
#[derive(Debug)]
pub(crate) struct Watched<'a, T> {
    pub(crate) inner: T,
    pub(crate) bar: &'a Bar<'a>,
}

impl<T: Read> Read for Watched<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bar.advance(count as u64);
        Ok(count)
    }
}

impl<T: Write> Write for Watched<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.bar.advance(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_goes_from_its_beginning_takes_nothing_from_what_is_known_of_the_speed() {
        let row = Row::new(100, Lang::En);
        row.bar.inc(50);
        assert!(row.bar.per_sec() > 0.0);
        row.skip(0);
        assert!(row.bar.per_sec() > 0.0);
        // What need not travel says nothing of it.
        row.skip(50);
        assert_eq!((row.bar.position(), row.bar.per_sec()), (100, 0.0));
    }
}
