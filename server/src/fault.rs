//! Named places where a test can make something go wrong, in a build with debug assertions.
//!
//! A promise about crashes is worth what its tests can break. So the code that carries a promise
//! says its name as it goes by, and a test that starts `ferryd` may say, in the environment, what
//! is to happen there:
//!
//! ```text
//! FERRYD_FAULTS=panic@put.claimed          the thread that comes by panics
//! FERRYD_FAULTS=abort@put.published#3      the third time, the process dies on the spot
//! FERRYD_FAULTS=stop@put.published         the process stands still until it gets a SIGCONT
//! FERRYD_FAULTS=hold@writer.chunk          the thread stands still for good, the others go on
//! FERRYD_FAULTS=skip@part.sync             the step is left out
//! FERRYD_FAULTS=skip@part.sync,skip@folder.sync
//! ```
//!
//! A session comes by these places, in this order; the others say in their names whose they are:
//!
//! ```text
//! session.greeted    the greeting is ready, and not sent
//! session.line       a whole line has come
//! request.handled    it is known what comes of a request
//!   login.hashing    a password is about to be hashed, to see whether it is right
//!   login.verified   the password was right
//!   list.page        a page is ready
//!   get.sending      before each piece of a file
//!   put.claimed      the name is ours, and there is no part
//!   put.begun        the writer knows of the upload
//!   put.chunk        a chunk is full, and not sent to the writer
//!   put.received     the body and its checksum line have come
//!   put.sealed       the part is on disk, under no name
//!   put.published    it has its name, which is not on disk
//!   put.synced       and now it is; not a word was said of it
//! ```
//!
//! In a release build there is nothing of this: the functions are empty, the variable is not read,
//! and its name is not in the program.

/// Somebody comes by `place`, and a test may have set a trap there.
#[inline]
pub(crate) fn point(place: &'static str) {
    #[cfg(debug_assertions)]
    traps::spring(place);
    #[cfg(not(debug_assertions))]
    let _ = place;
}

/// Whether a test wants the step at `place` left out.
#[inline]
#[must_use]
pub(crate) fn skips(place: &'static str) -> bool {
    #[cfg(debug_assertions)]
    return traps::skips(place);
    #[cfg(not(debug_assertions))]
    {
        let _ = place;
        false
    }
}

#[cfg(debug_assertions)]
mod traps {
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
}
