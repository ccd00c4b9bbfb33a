//! Traps: what a test can make go wrong at a place, in a build with debug assertions.
//!
//! A promise about crashes is worth what its tests can break. A test that starts `ferryd` may say,
//! in the environment, what is to happen where:
//!
//! ```text
//! FERRYD_FAULTS=panic@put.claimed          the thread that comes by panics
//! FERRYD_FAULTS=abort@put.published#3      the third time, the process dies on the spot
//! FERRYD_FAULTS=stop@put.published         the process stands still until it gets a SIGCONT
//! FERRYD_FAULTS=hold@writer.chunk          the thread stands still for good, the others go on
//! FERRYD_FAULTS=skip@part.sync             the step is left out
//! FERRYD_FAULTS=skip@part.sync,skip@folder.sync
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use signal_hook::consts::SIGSTOP;
use signal_hook::low_level::raise;

/// What is to happen where.
struct Trap {
    action: String,
    place: String,
    /// Only this time of coming by, counted from 1; every time if there is no such number.
    time: Option<u64>,
    passed: AtomicU64,
}

impl Trap {
    /// `action@place` or `action@place#time`.
    fn parse(text: &str) -> Option<Self> {
        let (action, rest) = text.trim().split_once('@')?;
        let (place, time) = match rest.split_once('#') {
            Some((place, time)) => (place, Some(time.parse().ok()?)),
            None => (rest, None),
        };
        let (action, place) = (action.to_owned(), place.to_owned());
        Some(Self { action, place, time, passed: AtomicU64::new(0) })
    }

    /// Whether it is for `place`, and for this time.
    fn is_for(&self, place: &str) -> bool {
        if self.place != place {
            return false;
        }
        let passed = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
        self.time.is_none_or(|time| time == passed)
    }
}

fn traps() -> &'static [Trap] {
    static TRAPS: OnceLock<Vec<Trap>> = OnceLock::new();
    TRAPS.get_or_init(|| {
        let set = std::env::var("FERRYD_FAULTS").unwrap_or_default();
        set.split(',').filter_map(Trap::parse).collect()
    })
}

pub(super) fn spring(place: &str) {
    let here = |trap: &&Trap| trap.action != "skip" && trap.is_for(place);
    // Every trap of this place counts who comes by, also if one before it is sprung.
    let sprung: Vec<&Trap> = traps().iter().filter(here).collect();
    let Some(trap) = sprung.first() else { return };
    match trap.action.as_str() {
        "abort" => std::process::abort(),
        // Raised in this very thread, which therefore takes no further step.
        "stop" => {
            let _ = raise(SIGSTOP);
        }
        "hold" => loop {
            std::thread::park();
        },
        other => panic!("{other} at {place}, as a test wishes"),
    }
}

pub(super) fn skips(place: &str) -> bool {
    traps().iter().any(|trap| trap.action == "skip" && trap.is_for(place))
}
