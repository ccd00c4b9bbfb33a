//! Who ends a program that is stuck.
//!
//! Nobody can end a *thread* from outside, in any language that is safe: it may hold a lock, and what
//! the lock guards may be half done. A *process* can be ended at any time, for the system takes back
//! what it had. So wrong code has a process for itself, and in it a thread that only looks at the
//! clock. It is in there and not outside so that nothing is left standing when the lab itself is
//! killed.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::process;
use std::thread;
use std::time::Duration;

use super::trial::WRONG;

/// How long a wrong program may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it looks for something.
const LOOK: Duration = Duration::from_millis(2);

/// Ends this process with status 3 when [`PATIENCE`] is over.
pub(super) fn limit() -> io::Result<()> {
    start(|| {
        thread::sleep(PATIENCE);
        bite("it was not done after 5 s")
    })
}

/// Ends this process with status 3 as soon as `found` has found something, which it says on stdout.
pub(super) fn watch(found: impl Fn() -> Option<String> + Send + 'static) -> io::Result<()> {
    start(move || {
        loop {
            thread::sleep(LOOK);
            if let Some(what) = found() {
                bite(&what);
            }
        }
    })
}

/// Not joined: it ends with the process, or the process with it.
fn start(work: impl FnOnce() -> Infallible + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("watchdog".into()).spawn(work).map(drop)
}

fn bite(why: &str) -> Infallible {
    let _ = writeln!(io::stdout(), "{why}").and_then(|()| io::stdout().flush());
    process::exit(WRONG.into())
}
