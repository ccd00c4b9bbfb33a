//! The program `bench` with little of everything and without peers: that it does all, compares every
//! byte, reports, and leaves nothing. What it measures is not judged here.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use harness::bench::scale::Scale;
use harness::bench::workload::Workload;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const OURS: [&str; 2] = ["--only", "ferry,ferry-full,raw,raw-window"];

fn bench(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["--quick", "--seed", "1", "--folder"]).arg(folder).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn names(values: &Value) -> BTreeSet<&str> {
    values.as_array().unwrap().iter().map(|value| value["name"].as_str().unwrap()).collect()
}

#[test]
fn ferry_and_the_limit_do_every_workload_and_each_is_timed_and_tabled() {
    let (folder, reports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [json, page] = ["bench.json", "bench.md"].map(|name| reports.path().join(name));
    let files = ["--json", json.to_str().unwrap(), "--markdown", page.to_str().unwrap()];
    let words = [&OURS[..], &files, &["--repeat", "1"]].concat();
    let output = bench(folder.path(), &words).output().unwrap();
    let [said, wrong] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{said}{wrong}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left");

    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let page = fs::read_to_string(page).unwrap();
    let races = report["races"].as_array().unwrap();
    assert_eq!(races.len(), Workload::ALL.len());
    for (race, workload) in races.iter().zip(Workload::ALL) {
        assert_eq!(race["workload"], workload.name());
        for text in [&page, &*said] {
            assert!(text.contains(&workload.title(&Scale::quick())), "{text}");
        }
        let expected: &[&str] = match workload.name() {
            "up" | "up-many" => &["ferry", "ferry-full", "raw"],
            "small-up" => &["ferry", "ferry-full", "raw", "raw-window"],
            "small-down" => &["ferry", "raw", "raw-window"],
            "login-visits" => &["ferry"],
            _ => &["ferry", "raw"],
        };
        let contestants = &race["contestants"];
        assert_eq!(names(contestants), expected.iter().copied().collect(), "{race}");
        for contestant in contestants.as_array().unwrap() {
            let readings = contestant["readings"].as_array().unwrap();
            assert_eq!(readings.len(), 1, "{race}");
            assert!(readings.iter().all(|reading| reading["wall"].as_f64() > Some(0.0)), "{race}");
            let held = workload.name() == "idle" || workload.name() == "crowd";
            assert_eq!(readings.iter().all(|one| one["next"].is_number()), held, "{race}");
        }
    }
}

#[test]
fn a_peer_that_is_not_there_is_named_and_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--only", "vsftpd,raw", "--workload", "small-down", "--repeat", "1"];
    let output = bench(folder.path(), &words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // If the system has it, nobody can log in.
    assert!(output.status.success() && said.contains("vsftpd took no part: "), "{said}");
}

#[test]
fn ctrl_c_ends_a_comparison_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let words = [&OURS[..], &["--repeat", "100", "--workload", "processes,idle"]].concat();
    let mut bench = bench(folder.path(), &words).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", bench.id());
    // In the middle of something: a server is there.
    harness::eventually("it has begun", || {
        fs::read_to_string(&children).is_ok_and(|children| !children.is_empty())
    });
    let pid = Pid::from_raw(i32::try_from(bench.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let status = bench.wait().unwrap();
    let mut wrong = String::new();
    BufReader::new(bench.stderr.take().unwrap()).read_line(&mut wrong).unwrap();
    assert!(status.code() == Some(1) && wrong.contains("ended by Ctrl-C"), "{status} {wrong}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left");
    // Nobody who was started still holds the other end.
    let mut rest = String::new();
    bench.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
}
