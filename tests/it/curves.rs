//! The growth curves, short: what the program `curves` measures for minutes, for a second. How
//! large the figures are is not judged here; that they are there, and in what order a line is
//! served, is.

use std::fs;
use std::path::PathBuf;

use client::interrupt::Interrupt;
use harness::curves::ground::Ground;
use harness::curves::growth::Growth;
use harness::curves::scale::Scale;
use serde_json::Value;

use crate::well_formed::well_formed;

fn measured() -> Vec<Growth> {
    let (folder, scale) = (tempfile::tempdir().unwrap(), Scale::tiny());
    let stage = PathBuf::from(env!("CARGO_BIN_EXE_demo"));
    let ground = Ground::choose(stage, Some(folder.path().into()), &scale).unwrap();
    let curves = harness::curves::run(&ground, &scale, &Interrupt::default(), &|_| {}).unwrap();
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "the servers' folders have gone");
    curves
}

#[test]
fn each_growth_is_measured_at_every_point_and_tabled_and_drawn_and_nobody_in_line_is_overtaken() {
    let curves = measured();
    let names: Vec<&str> = curves.iter().map(|growth| growth.name).collect();
    assert_eq!(names, ["clients", "sizes", "folders", "waiters"]);
    for growth in &curves {
        assert_eq!(growth.wrong, [""; 0], "{growth}");
        let text = growth.to_string();
        for series in &growth.series {
            assert_eq!(series.values.len(), growth.points.len(), "{text}");
            assert!(series.values.iter().all(|v| v.is_finite() && *v > 0.0), "{text}");
        }
        for point in &growth.points {
            let row = text.lines().find(|line| line.trim_start().starts_with(&point.label));
            // A size is two words.
            let words = row.unwrap().split_whitespace().count();
            let label = point.label.split_whitespace().count();
            assert_eq!(words, label + growth.series.len(), "{text}");
        }
        let svg = growth.svg("a test's folder");
        assert_eq!(well_formed(&svg)[0], "svg");
        assert_eq!(svg.matches("class=\"curve\"").count(), growth.series.len(), "{svg}");
        let marks = growth.series.len() * growth.points.len();
        assert_eq!(svg.matches("<circle").count(), marks, "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let json: Value = growth.json();
        assert_eq!(json["n"].as_array().unwrap().len(), growth.points.len());
    }
    let waiters = curves.last().unwrap();
    assert_eq!(waiters.notes, ["first come, first served: each time"]);
}

#[test]
fn ctrl_c_ends_a_measurement_and_leaves_nothing() {
    let (folder, scale) = (tempfile::tempdir().unwrap(), Scale::tiny());
    let stage = PathBuf::from(env!("CARGO_BIN_EXE_demo"));
    let ground = Ground::choose(stage, Some(folder.path().into()), &scale).unwrap();
    let interrupt = Interrupt::default();
    // After the first curve, as a person who has seen enough.
    let ended = harness::curves::run(&ground, &scale, &interrupt, &|_| interrupt.set());
    assert_eq!(ended.unwrap_err().to_string(), "ended by Ctrl-C");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
