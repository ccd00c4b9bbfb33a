//! Scenes that are played again and again, until one goes wrong or stands still.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a scene may take. One that is right needs some milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long is waited for something that must happen in a scene: less, so that it can be said.
const SOON: Duration = Duration::from_secs(3);

/// What the watchdog says, as the program's exit status: the answer is wrong.
const WRONG: i32 = 3;

/// What is played, and since when.
static NOW: Mutex<Option<(String, Instant)>> = Mutex::new(None);

fn now() -> MutexGuard<'static, Option<(String, Instant)>> {
    NOW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays all scenes, one after the other, as many times as the command line says.
pub(crate) fn play(scenes: &[(&str, fn())]) {
    std::panic::set_hook(Box::new(|panic| {
        let words = panic.payload_as_str().unwrap_or("without a word").to_owned();
        let at = panic.location().map(|at| format!(" at line {}", at.line()));
        fail(&format!("a thread panicked{}: {words}", at.unwrap_or_default()));
    }));
    thread::spawn(watch);
    let rounds: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200);
    for round in 1..=rounds {
        for (name, scene) in scenes {
            *now() = Some((format!("round {round} of {rounds}, {name}"), Instant::now()));
            scene();
        }
    }
    println!("{rounds} rounds of {} scenes", scenes.len());
}

/// Ends the program if a scene has come to a halt.
fn watch() {
    loop {
        thread::sleep(Duration::from_millis(20));
        let halted = now().as_ref().is_some_and(|(_, begun)| begun.elapsed() > PATIENCE);
        if halted {
            fail("it stands still: after 5 s somebody still waits");
        }
    }
}

/// Says what went wrong and ends the program.
pub(crate) fn fail(what: &str) -> ! {
    let scene = now().as_ref().map(|(scene, _)| scene.clone()).unwrap_or_default();
    println!("{scene}: {what}");
    process::exit(WRONG)
}

/// Waits until this is so, by looking; or fails, with `what` is missing.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > SOON {
            fail(what);
        }
        thread::yield_now();
    }
}
