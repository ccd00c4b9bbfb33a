//! The program `stress`: what it measures is printed and never judged here; that it looks, finds,
//! and ends as it should, is.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use client::client::{Client, PutOptions};
use harness::actor::{Ferryd, user_task};
use harness::{content, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::well_formed::well_formed;

/// A file to fetch.
const FILE: &str = "film";

fn stage() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_stress"))
}

fn stress(words: &[&str]) -> Command {
    let mut command = Command::new(stage());
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn run(words: &[&str]) -> (i32, String, String) {
    ended(stress(words).output().unwrap())
}

/// A server that holds [`FILE`], and its data folder.
fn server() -> (Ferryd, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let server = Ferryd::start(stage(), data.path(), &["--durability", "none"]).unwrap();
    let mut client = Client::connect(&server.address.to_string()).unwrap();
    let film = content::bytes(1, 100_000);
    client.put(FILE, 100_000, &mut film.as_slice(), PutOptions::default()).unwrap();
    (server, data)
}

#[test]
fn twenty_clients_find_no_byte_wrong_and_all_of_it_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let [json, svg] = ["load.json", "load.svg"].map(|name| folder.path().join(name));
    let files = [json.to_str().unwrap(), svg.to_str().unwrap()];
    let words = [
        "--clients",
        "20",
        "--seconds",
        "2",
        "--sizes",
        "80..2M",
        "--same-name",
        "30%",
        "--seed",
        "1",
    ];
    let (status, said, errors) =
        run(&[&words, &["--json", files[0], "--svg", files[1]][..]].concat());
    assert_eq!(status, 0, "{said}{errors}");
    for line in ["mismatches: 0", "errors: 0", "--rate shows it", "latency of put"] {
        assert!(said.contains(line), "no `{line}` in\n{said}");
    }

    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(report["mismatches"]["count"], 0);
    for verb in ["put", "get", "list"] {
        let figures = &report["verbs"][verb];
        let done = figures["done"].as_u64().unwrap();
        let sum = |list: &Value, key: &str| -> u64 {
            list.as_array().unwrap().iter().map(|one| one[key].as_u64().unwrap()).sum()
        };
        assert!(done > 0, "no {verb}: {report}");
        assert_eq!(sum(&figures["histogram"], "count"), done);
        assert_eq!(sum(&figures["course"], "done"), done);
        let latency = ["p50_us", "p90_us", "p99_us", "p99.9_us", "max_us"]
            .map(|name| figures["latency"][name].as_u64().unwrap());
        assert!(latency.is_sorted(), "{verb}: {latency:?}");
    }
    let drawn = fs::read_to_string(svg).unwrap();
    let tags = well_formed(&drawn);
    // Three verbs over time, two of them with bytes, three distributions.
    assert!(drawn.matches("class=\"curve\"").count() >= 8 && tags[0] == "svg", "{tags:?}");
}

#[test]
fn operations_that_arrive_on_a_schedule_are_all_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("load.json");
    let words = ["--clients", "2", "--seconds", "1", "--rate", "100/s", "--sizes", "80..4K"];
    let (status, said, errors) = run(&[&words[..], &["--json", json.to_str().unwrap()]].concat());
    assert!(status == 0 && said.contains("Open loop: 100/s"), "{said}{errors}");
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let count = |value: &Value| value.as_u64().unwrap();
    let done: u64 = ["put", "get", "list"].map(|v| count(&report["verbs"][v]["done"])).iter().sum();
    let refused: u64 =
        report["refused"].as_array().unwrap().iter().map(|one| count(&one["count"])).sum();
    assert_eq!(done + refused + count(&report["never_begun"]), 100, "{said}");
}

/// Behind the server's back a byte of a file is changed. The server has not lied, but it gives what
/// was never put, and its checksum fits. Ctrl-C then brings the report.
#[test]
fn a_single_changed_byte_is_found_and_makes_the_exit_status_1() {
    let (server, data) = server();
    let address = server.address.to_string();
    let words = ["--server", &address, "--seconds", "600", "--clients", "2", "--mix", "get"];
    let load = stress(&words).spawn().unwrap();
    let library = data.path().join("library");
    let put = || -> Option<PathBuf> {
        let folders = fs::read_dir(&library).unwrap().flatten();
        let mut folder = folders.filter(|f| f.file_name().to_string_lossy().starts_with("stress-"));
        Some(fs::read_dir(folder.next()?.path()).unwrap().next()?.ok()?.path())
    };
    eventually("the load has put its first file", || put().is_some());
    let file = fs::File::options().write(true).open(put().unwrap()).unwrap();
    let at = file.metadata().unwrap().len() - 1;
    let mut last = [0];
    fs::File::open(put().unwrap()).unwrap().read_exact_at(&mut last, at).unwrap();
    file.write_all_at(&[last[0] ^ 1], at).unwrap();
    let log = || fs::read_to_string(data.path().join("logs/server.log")).unwrap();
    let before = log().matches("GET ").count();
    // More than those that were under way.
    eventually("it was fetched since", || log().matches("GET ").count() > before + 10);

    let pid = Pid::from_raw(i32::try_from(load.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let (status, said, errors) = ended(load.wait_with_output().unwrap());
    let found = format!("up to byte {at}, then something else");
    assert!(status == 1 && said.contains(&found), "{status} {said}{errors}");
    assert!(said.contains("ended early") && said.contains("errors: 0"), "{said}");
    assert!(said.contains("stays on the server"), "{said}");
}

#[test]
fn in_a_home_a_load_leaves_nothing_behind() {
    let (server, data) = server();
    assert!(
        user_task(stage(), data.path(), &["add", "xiaoyu"], "123456").unwrap().status.success()
    );
    let address = server.address.to_string();
    let user = ["--server", &address, "--user", "xiaoyu", "--password", "123456"];
    let load = ["--clients", "4", "--seconds", "1", "--sizes", "80..100K", "--same-name", "50%"];
    let (status, said, errors) = run(&[&user[..], &load].concat());
    assert_eq!(status, 0, "{said}{errors}");
    let left = fs::read_dir(data.path().join("home/xiaoyu")).unwrap();
    let left: Vec<_> = left.flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn sessions_are_held_until_stdin_closes() {
    let (server, _data) = server();
    let at_rest = server.threads().unwrap();
    let mut command = stress(&["--server", &server.address.to_string(), "--hold", "50"]);
    let mut holder = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("READY 50 "), "{line}");
    assert!(server.threads().unwrap() >= at_rest + 50 - 1);
    assert!(holder.try_wait().unwrap().is_none(), "it did not wait");
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    eventually("all of them have left", || server.threads().unwrap() <= at_rest);
}

#[test]
fn each_visit_fetches_the_whole_file_as_a_guest_and_as_a_user() {
    let (server, data) = server();
    assert!(
        user_task(stage(), data.path(), &["add", "xiaoyu"], "123456").unwrap().status.success()
    );
    let address = server.address.to_string();
    let visits = ["--server", &address, "--visits", "30", "--clients", "4", "--file"];
    let (status, said, errors) = run(&[&visits[..], &[FILE]].concat());
    assert!(status == 0 && said.contains("30 visits"), "{said}{errors}");
    assert!(said.split_whitespace().next().unwrap().parse::<f64>().unwrap() > 0.0, "{said}");
    let user = ["/library/film", "--user", "xiaoyu", "--password", "123456"];
    let (status, said, errors) = run(&[&visits[..], &user].concat());
    assert_eq!(status, 0, "{said}{errors}");
    let (status, _, errors) = run(&[&visits[..], &["missing"]].concat());
    assert!(status == 1 && errors.contains("missing"), "{status} {errors}");
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    for bad in [
        &["--clients", "0"][..],
        &["--seconds", "0"],
        &["--mix", "fly"],
        &["--sizes", "8M..4K"],
        &["--same-name", "101%"],
        &["--rate", "0"],
        &["--server", ":1"],
        &["--hold", "5"],
        &["--server", "localhost", "--hold", "5", "--clients", "2"],
        &["--server", "localhost", "--visits", "5"],
        &["--file", "a"],
        &["--user", "xiaoyu", "--password", "123456"],
        &["--server", "localhost", "--user", "xiaoyu"],
        &["no-such-word"],
    ] {
        let (status, _, errors) = run(bad);
        assert!(status == 2 && errors.contains("error: "), "{bad:?}: {status} {errors}");
    }
    let (status, _, errors) = run(&["--server", "127.0.0.1:1", "--clients", "1"]);
    assert!(status == 1 && errors.contains("no ferryd answers"), "{status} {errors}");
}
