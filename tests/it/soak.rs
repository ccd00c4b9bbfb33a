//! The soak and the siege, short: what the programs do for minutes, for a few seconds.

use std::path::PathBuf;
use std::time::Duration;

use harness::soak;

/// The program that plays every part.
fn stage() -> PathBuf {
    env!("CARGO_BIN_EXE_demo").into()
}

#[test]
fn when_everybody_does_everything_at_once_every_promise_is_kept_and_nothing_is_left() {
    let seed = u64::from(std::process::id());
    let settings =
        soak::Settings { stage: stage(), time: Duration::from_secs(5), seed, clients: 16 };
    let report = soak::run(&settings, &|_| {}).unwrap();
    assert_eq!(report.wrong, 0, "seed {seed}: {:#?}\n{:#?}", report.findings, report.summary);
}
