//! The soak and the siege, short: what the programs do for minutes, for a few seconds.

use std::path::PathBuf;
use std::time::Duration;

use harness::siege::{self, Bounds};
use harness::{PATIENCE, soak};

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

#[test]
fn a_siege_sends_tricklers_away_turns_the_many_away_and_gives_everything_back() {
    let settings = siege::Settings {
        stage: stage(),
        tricklers: 20,
        idlers: 100,
        max_clients: 60,
        // A fifth of what it is, so that the test is over in a fifth of the time.
        stall: 6,
        quiet: Duration::from_secs(1),
        bounds: Bounds { header: PATIENCE, body: 2 * PATIENCE },
        ratio_max: None,
    };
    let report = siege::run(&settings).unwrap();
    assert_eq!(report.findings, [""; 0], "{:#?}", report.summary);
}
