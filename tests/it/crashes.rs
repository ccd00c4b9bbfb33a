//! The server dies.
//!
//! Goal: whenever it dies, what was told OK is there, whole, nothing half is seen, and the next
//! start leaves nothing of it lying around. Method: under load, by `kill -9` and by its own hand
//! at every step of an upload; the program `crashes` does the former for longer.

use harness::crashes::Trial;
use harness::skipped;

use crate::people::stage;

/// What survives `kill -9` without a power cut: this shows the atomic publish and the sweep.
#[test]
fn after_a_crash_everything_told_ok_is_whole_and_nothing_half_written_is_seen() {
    let data = tempfile::tempdir().unwrap();
    let trial = Trial { stage: stage(), data: data.path() };
    let verdict = trial.kill(2, 1, || true).unwrap();
    assert!(verdict.is_good(), "{:#?}", verdict.notes);
    assert!(verdict.files > 0, "nothing was promised, so nothing was tried");
}

#[test]
fn at_whatever_step_of_an_upload_the_server_dies_no_ok_is_a_lie() {
    if !cfg!(debug_assertions) {
        skipped("dying at every step", "faults, which a release build does not know");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let trial = Trial { stage: stage(), data: data.path() };
    // The first time somebody comes by, and a time when everybody is busy.
    let times = ["put.begun", "put.sealed", "put.published"].map(|step| [(step, 1), (step, 40)]);
    for (seed, (step, time)) in (0..).zip(times.into_iter().flatten()) {
        let verdict = trial.fall(&format!("abort@{step}#{time}"), seed).unwrap();
        assert!(verdict.is_good(), "{step}#{time}: {:#?}", verdict.notes);
    }
}
