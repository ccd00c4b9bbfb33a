//! The lab, small: that each wrong program goes wrong, that no right one does, that who is stuck is
//! ended, and that all of it can be read by people, by programs and by the eye. How fast anything is
//! is not judged here.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use client::interrupt::Interrupt;
use harness::lab::models::{Scale, Workload};
use harness::lab::{Findings, Lab, efficiency, findings, queue};
use serde_json::Value;

use crate::well_formed::well_formed;

/// How often each version is run.
const RUNS: u32 = 3;

/// What a deadlock of the two threads is in words; who is asked first is named first.
const CYCLE: &str = "t1 holds A (room) waits for B (files); t2 holds B (files) waits for A (room): \
                     t1 → B → t2 → A → t1";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.stdin(Stdio::null());
    command
}

/// Exit status, stdout, stderr.
fn lab(words: &[&str]) -> (i32, String, String) {
    let output = program().args(words).output().unwrap();
    let [said, wrong] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code().unwrap(), said, wrong)
}

/// Runs a part a few times; its exit status, and of each version how many runs went wrong.
fn tried(words: &[&str]) -> (i32, Vec<(String, u64)>) {
    let folder = tempfile::tempdir().unwrap();
    let [json, svg] = ["lab.json", "lab.svg"].map(|name| folder.path().join(name));
    let files = ["--json", json.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
    let (status, said, wrong) = lab(&[words, &["--runs", &RUNS.to_string()], &files].concat());
    assert!(wrong.is_empty() && !said.contains("NOT SO"), "{said}{wrong}");

    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let mut versions = Vec::new();
    for row in report["rows"].as_array().unwrap() {
        let label = row["version"].as_str().unwrap();
        let figures = row["figures"].as_object().unwrap();
        assert_eq!(figures["runs"].as_f64(), Some(RUNS.into()), "{report}");
        let (_, wrong) = figures.iter().find(|(title, _)| *title != "runs").unwrap();
        let line = said.lines().find(|line| line.starts_with(&format!("{label} "))).unwrap();
        let wrong = wrong.as_f64().unwrap();
        assert!(line.ends_with(&format!(" {wrong}")), "{said}");
        let counts = 0..=u64::from(RUNS);
        let count = counts.into_iter().find(|count| count.to_string() == wrong.to_string());
        versions.push((label.to_owned(), count.unwrap()));
    }
    assert!(report["claims"].as_array().unwrap().iter().all(|claim| claim["holds"] == true));
    is_drawn(&fs::read_to_string(svg).unwrap(), versions.len());
    (status, versions)
}

fn is_drawn(svg: &str, bars: usize) {
    assert_eq!(well_formed(svg)[0], "svg");
    assert_eq!(svg.matches("class=\"bar\"").count(), bars, "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

/// Each label with how many runs go wrong; `None`: who knows.
#[track_caller]
fn assert_tried(got: &[(String, u64)], expected: &[(&str, Option<u32>)]) {
    let labels: Vec<&str> = got.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, expected.iter().map(|(label, _)| *label).collect::<Vec<_>>());
    for ((label, wrong), (_, runs)) in got.iter().zip(expected) {
        assert!(runs.is_none_or(|runs| u64::from(runs) == *wrong), "{label}: {wrong}");
    }
}

#[test]
fn a_busy_receiver_always_gets_three_sends_in_one_recv_and_lines_with_sizes_never_fail() {
    let (status, versions) = tried(&["sticky"]);
    let expected = [
        ("no gap", None),
        ("0.5 ms apart", None),
        ("0.5 ms apart, client busy", Some(RUNS)),
        ("lines and sizes, busy", Some(0)),
    ];
    assert_eq!(status, 0);
    assert_tried(&versions, &expected);
}

#[test]
fn look_then_create_always_loses_a_file_and_create_new_and_ferryd_never_do() {
    let (status, versions) = tried(&["race"]);
    let expected = [
        ("look, create", None),
        ("look, 1 ms, create", Some(RUNS)),
        ("create_new, 1 ms", Some(0)),
        ("PUT to ferryd", Some(0)),
    ];
    assert_eq!(status, 0);
    assert_tried(&versions, &expected);
}

#[test]
fn a_consumer_that_looks_once_takes_nothing_and_one_that_looks_again_never_does() {
    let (status, versions) = tried(&["cv-if"]);
    let expected =
        [("if", None), ("if, sleep points", Some(RUNS)), ("while, sleep points", Some(0))];
    assert_eq!(status, 0);
    assert_tried(&versions, &expected);
}

#[test]
fn two_locks_in_two_orders_stand_still_and_that_is_status_3_and_each_fix_is_status_0() {
    let (status, versions) = tried(&["deadlock"]);
    assert_eq!(status, 3);
    assert_tried(&versions, &[("AB and BA", None), ("AB and BA, 1 ms", Some(RUNS))]);
    for (fix, label) in [("order", "order, 1 ms"), ("try", "try, 1 ms"), ("one", "one lock, 1 ms")]
    {
        let (status, versions) = tried(&["deadlock", "--fix", fix]);
        assert_eq!(status, 0, "{fix}");
        assert_tried(&versions, &[(label, Some(0))]);
    }
}

/// The wrong program itself: nothing else would end it.
#[test]
fn the_watchdog_ends_a_deadlock_and_says_who_waits_for_whom() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["trial", "deadlock", "ab-ba-sleep", folder.path().to_str().unwrap()];
    let (status, said, wrong) = lab(&words);
    assert_eq!((status, said.lines().next()), (3, Some(CYCLE)), "{said}{wrong}");
    assert!(said.contains("(the system only knows: t1 "), "{said}");
}

fn the_lab() -> Lab {
    Lab { stage: env!("CARGO_BIN_EXE_lab").into(), interrupt: Interrupt::default() }
}

/// That every figure is there; also of those that could be had only with another program.
fn is_measured(findings: &Findings, rows: &[&str]) {
    let labels: Vec<&str> = findings.rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, rows, "{findings}");
    for row in &findings.rows {
        assert_eq!(row.values.len(), findings.columns.len(), "{findings}");
        assert!(row.values.iter().all(|v| v.is_nan() || *v > 0.0), "{findings}");
    }
    let drawn = |row: &[f64]| {
        let columns = row.iter().zip(&findings.columns);
        columns.filter(|(value, column)| value.is_finite() && column.unit.is_some()).count()
    };
    is_drawn(&findings.svg(), findings.rows.iter().map(|row| drawn(&row.values)).sum());
    let json = findings.json();
    assert_eq!(json["rows"].as_array().unwrap().len(), rows.len(), "{json}");
}

#[test]
fn a_file_opened_for_each_chunk_takes_three_system_calls_for_it_and_an_open_one_takes_one() {
    // So much that the few calls for large chunks are more than two processes differ by.
    let scale = queue::Scale { kib: 1024, counted_kib: 4096 };
    let findings = queue::measure(&the_lab(), scale, 1).unwrap();
    let ways = [
        "open, write, close each",
        "one open file",
        "queues, 1 KiB chunks",
        "queues, 512 KiB chunks",
    ];
    is_measured(&findings, &ways);
    let [each, open, ..] = [0, 1].map(|row: usize| findings.rows[row].values[1]);
    if each.is_nan() {
        return harness::skipped("what a chunk costs in system calls", "strace");
    }
    // A process that stores nothing does not make exactly the same calls besides; and a debug build
    // looks at each descriptor once more before it closes it.
    assert!((3000.0..4250.0).contains(&each) && (1000.0..1150.0).contains(&open), "{findings}");
}

#[test]
fn tasks_are_done_one_after_another_in_threads_and_in_processes_and_in_python_if_it_is_there() {
    let scale = efficiency::Scale { steps: 1000, counts: 1000, wait_ms: 20 };
    let findings = efficiency::measure(&the_lab(), scale, 1).unwrap();
    let rows = ["Rust computing", "Rust waiting", "Python computing", "Python waiting"];
    let has_python = Command::new("python3").arg("-V").output().is_ok();
    is_measured(&findings, &rows[..if has_python { 4 } else { 2 }]);
    // Four waits, one after another, take as long as four: no machine is too fast for that.
    let [single, threads] = [0, 1].map(|column: usize| findings.rows[1].values[column]);
    assert!(single >= 0.080 && threads >= 0.020, "{findings}");
}

#[test]
fn without_python_the_rest_is_measured_and_that_is_said() {
    let nowhere = tempfile::tempdir().unwrap();
    let output =
        program().args(["efficiency", "--runs", "1"]).env("PATH", nowhere.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Python not found") && said.contains("Rust waiting"), "{said}");
    assert!(!said.contains("Python computing"), "{said}");
}

/// The four models, with so little of everything that only what no machine can change is seen.
#[test]
fn each_model_is_measured_in_each_of_four_tables_and_one_at_a_time_is_one_at_a_time() {
    let scale = Scale {
        connections: 2,
        sums: 1,
        summed_mib: 1,
        wait: Duration::from_millis(20),
        slow: Duration::from_millis(200),
        visits: 2,
        idle: 8,
    };
    let tables = Workload::ALL.map(|one| one.measure(&the_lab(), &scale, 1).unwrap());
    for table in &tables {
        let labels: Vec<&str> = table.rows.iter().map(|row| row.label.as_str()).collect();
        assert_eq!(labels, ["iterative", "select", "thread", "process"], "{table}");
        assert_eq!(table.json()["rows"].as_array().unwrap().len(), labels.len(), "{table}");
    }
    let [_, busy, slow, idle] = &tables;
    let of = |table: &Findings, column: usize| -> Vec<f64> {
        table.rows.iter().map(|row| row.values[column]).collect()
    };
    // Eight waits of 20 ms, one behind the other; and whoever waits for one who takes 200 ms to read,
    // most of which is still to come when what buffers hold has gone.
    assert!(of(busy, 1)[0] >= 0.160 && of(slow, 0)[0] >= 50.0, "{busy}{slow}");
    assert_eq!(of(idle, 0), [1.0, 8.0, 8.0, 8.0], "{idle}");
    let drawn = findings::drawing("models", &tables);
    assert_eq!(well_formed(&drawn)[0], "svg");
    assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    assert!(drawn.contains("times as fast as iterative"), "{drawn}");
}

#[test]
fn a_check_says_every_claim_and_how_many_hold() {
    let (status, said, wrong) = lab(&["check", "race", "--runs", "2"]);
    assert_eq!(status, 0, "{said}{wrong}");
    let expected = "race        ok      `look, 1 ms, create` always goes wrong: 2 of 2 runs";
    assert_eq!(said.lines().next(), Some(expected));
    assert_eq!(said.lines().last(), Some("All 3 hold."), "{said}");
}

#[test]
fn what_cannot_be_asked_for_is_status_2_and_what_cannot_be_written_is_said() {
    let wrong = [
        &[][..],
        &["luck"],
        &["models", "luck"],
        &["race", "--runs", "0"],
        &["deadlock", "--fix", "luck"],
        &["check", "everything"],
        &["trial", "race", "no such version", "/nowhere"],
    ];
    for words in wrong {
        let (status, said, errors) = lab(words);
        assert_eq!((status, said.as_str()), (2, ""), "{words:?} {errors}");
    }
    let file = Path::new("/nowhere/lab.json").to_str().unwrap();
    let (status, _, errors) = lab(&["deadlock", "--fix", "one", "--runs", "1", "--json", file]);
    assert_eq!(status, 1);
    assert!(errors.starts_with("lab: cannot write /nowhere/lab.json: "), "{errors}");
}
