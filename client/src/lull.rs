//! A lull: the server is there, and nothing moves. It may be busy with its disk, with others or with a
//! file to be read through, or the network is. Who waits is told that they still do.

use std::fmt;
use std::mem;
use std::time::Duration;

/// What is shorter is no news. A server that makes one wait for a name says so every second, and
/// needs nobody to say it as well.
const PATIENCE: Duration = Duration::from_secs(2);

/// The lulls of one connection, and who is told of them; nobody at first.
pub(crate) struct Lull {
    tell: Box<Tell>,
    /// Where silence is expected, nobody is told.
    pub(crate) is_expected: bool,
    is_told: bool,
}

/// Is called again and again while a lull lasts, with how long it has; and with nothing when it is
/// over.
type Tell = dyn FnMut(Option<Duration>) + Send;

impl Lull {
    /// Those that `tell` is told of, in the thread that waits.
    pub(crate) fn told(tell: impl FnMut(Option<Duration>) + Send + 'static) -> Self {
        Self { tell: Box::new(tell), is_expected: false, is_told: false }
    }

    /// Nothing has moved for so long.
    pub(crate) fn lasts(&mut self, time: Duration) {
        if time >= PATIENCE && !self.is_expected {
            self.is_told = true;
            (self.tell)(Some(time));
        }
    }

    /// Something has moved, or is waited for no longer.
    pub(crate) fn is_over(&mut self) {
        if mem::take(&mut self.is_told) {
            (self.tell)(None);
        }
    }
}

impl Default for Lull {
    fn default() -> Self {
        Self::told(|_| {})
    }
}

impl fmt::Debug for Lull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lull").field("is_told", &self.is_told).finish_non_exhaustive()
    }
}
