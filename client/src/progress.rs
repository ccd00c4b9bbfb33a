//! The bar of a long transfer, on stderr, and only where a person looks at it.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A transfer that takes less shows no bar, which would only flash.
const PATIENCE: Duration = Duration::from_millis(300);

/// One bar. It vanishes when dropped; what stays is the line of the result.
#[derive(Debug)]
pub(crate) struct Bar {
    inner: ProgressBar,
    bars: MultiProgress,
    start: Instant,
    shown: Cell<bool>,
}

impl Bar {
    /// A bar of `total` bytes, to be shown among `bars`. The label must be safe to print.
    pub(crate) fn new(bars: &MultiProgress, label: String, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let template = "{bar:24} {percent:>3} %  {decimal_bytes_per_sec}  {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label);
        Self { inner: bar, bars: bars.clone(), start: Instant::now(), shown: Cell::new(false) }
    }

    /// Counts bytes that went by.
    pub(crate) fn advance(&self, bytes: u64) {
        self.inner.inc(bytes);
        if !self.shown.get() && self.start.elapsed() > PATIENCE {
            self.bars.add(self.inner.clone());
            self.shown.set(true);
        }
    }

    /// Counts bytes that need not travel, in no time.
    pub(crate) fn skip(&self, bytes: u64) {
        self.inner.inc(bytes);
        // They say nothing about how fast the others are.
        self.inner.reset_eta();
    }

    /// Counts bytes out again that must travel once more.
    pub(crate) fn take_back(&self, bytes: u64) {
        self.inner.set_position(self.inner.position().saturating_sub(bytes));
        self.inner.reset_eta();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.inner.finish_and_clear();
    }
}

/// A reader or writer whose bytes move a bar.
#[derive(Debug)]
pub(crate) struct Watched<'a, T> {
    pub(crate) inner: T,
    pub(crate) bar: &'a Bar,
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
