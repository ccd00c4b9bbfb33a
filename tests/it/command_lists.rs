//! Commands one after another: `ferry -c`, and commands on stdin.
//!
//! Goal: a script does all or stops where something failed, says where, and its exit status says
//! why; nothing but results is on stdout. Method: the real `ferry`, over a line that breaks or
//! under Ctrl-C where the rule is about that; what is on the server's disk shows what was done.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::{Cable, Fate, TestServer, actor, content, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::people::stage;
use crate::talk::quick;

/// How a script ended.
struct Ended {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Self { status: output.status.code(), stdout, stderr }
    }
}

fn ferry(server: SocketAddr, here: &Path, words: &[&str]) -> Command {
    let mut command = actor::ferry(stage(), server, words);
    command.current_dir(here).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A way to hand over a script.
type Run = fn(SocketAddr, &Path, &str) -> Ended;

fn given(server: SocketAddr, here: &Path, script: &str) -> Ended {
    ferry(server, here, &["-c", script]).output().unwrap().into()
}

fn piped(server: SocketAddr, here: &Path, script: &str) -> Ended {
    let mut child = ferry(server, here, &[]).spawn().unwrap();
    // One that has stopped reads no more.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait_with_output().unwrap().into()
}

fn stand() -> (TestServer, TempDir) {
    (quick(), tempfile::tempdir().unwrap())
}

/// The folders that a script has made.
fn made(server: &TestServer) -> Vec<String> {
    let names = fs::read_dir(server.library()).unwrap().flatten();
    let mut names: Vec<String> = names.map(|e| e.file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".ferry");
    names.sort();
    names
}

#[test]
fn a_script_stops_at_its_first_failure_and_says_where() {
    let script = "mkdir one\n# a comment\n\nget missing\nmkdir two\n";
    for (run, place) in [(piped as Run, "line 4"), (given, "command 4")] {
        let (server, here) = stand();
        let ended = run(server.address(), here.path(), script);
        assert_eq!(ended.status, Some(6), "{}", ended.stderr);
        assert_eq!(made(&server), ["one"]);
        assert!(ended.stderr.contains(&format!("stopped at {place} of")), "{}", ended.stderr);
    }
}

#[test]
fn semicolons_part_commands_and_a_failure_ends_its_line() {
    for run in [given as Run, piped] {
        let (server, here) = stand();
        let script = "mkdir one; mkdir 'a;b' \"c;d\" e\\;f # it's; mkdir no\n\
                      mkdir two;; get missing; mkdir no";
        assert_eq!(run(server.address(), here.path(), script).status, Some(6));
        assert_eq!(made(&server), ["a;b", "c;d", "e;f", "one", "two"]);
    }
}

#[test]
fn quit_ends_a_script_well_and_an_empty_one_needs_no_server() {
    let (server, here) = stand();
    let ended = given(server.address(), here.path(), "mkdir one; quit; mkdir two");
    assert_eq!((ended.status, made(&server)), (Some(0), vec!["one".to_owned()]));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(given(nobody, here.path(), " ;# nothing").status, Some(0));
}

#[test]
fn a_dash_lets_a_command_fail_which_still_says_so() {
    for run in [given as Run, piped] {
        let (server, here) = stand();
        let ended = run(server.address(), here.path(), "-get missing; - get gone\nmkdir one");
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        let said = &ended.stderr;
        assert!(said.contains("missing") && said.contains("gone"), "{said}");
        assert_eq!(made(&server), ["one"]);
    }
}

#[test]
fn no_dash_excuses_what_makes_no_sense() {
    let (server, here) = stand();
    for script in ["-nonsense; mkdir one", "-get; mkdir one", "-get 'a; mkdir one"] {
        let ended = given(server.address(), here.path(), script);
        assert_eq!(ended.status, Some(2), "{}", ended.stderr);
    }
    assert!(made(&server).is_empty());
}

#[test]
fn no_dash_excuses_a_lost_connection_whatever_failed_before_it() {
    let (server, here) = stand();
    fs::write(server.library().join("film"), content::bytes(1, 3_000_000)).unwrap();
    let cable = Cable::to(server.address(), Fate::CutAfter(1_000_000)).unwrap();
    let ended = given(cable.address, here.path(), "-get missing film; mkdir one");
    assert_eq!(ended.status, Some(3), "{}", ended.stderr);
    assert_eq!(made(&server), ["film"]);
}

/// The server is a few lines that send a part of a file and then nothing, so that Ctrl-C comes in
/// the middle for certain.
#[test]
fn no_dash_excuses_ctrl_c() {
    let here = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let script = ["-c", "-get film; mkdir one"];
    let child = ferry(listener.local_addr().unwrap(), here.path(), &script).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut say = |text: &str| stream.write_all(text.as_bytes()).unwrap();
    say("{\"status\":\"OK\",\"server\":\"a test\",\"protocol\":1,\"session\":1}\n");
    say("{\"status\":\"OK\",\"size\":3000000,\"mtime\":0,\"crc32\":\"00000000\"}\nhalf");
    eventually("a part is there", || fs::read_dir(here.path()).unwrap().count() > 0);
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(130), "{}", ended.stderr);
    // It would have connected again for the next command.
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it went on");
}

#[test]
fn a_script_stands_alone_on_the_command_line() {
    let (server, here) = stand();
    for words in [&["-c", "who", "list"][..], &["-c", "who", "--menu"], &["--menu", "list"]] {
        let ended = Ended::from(ferry(server.address(), here.path(), words).output().unwrap());
        assert_eq!(ended.status, Some(2), "{words:?}: {}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{words:?}: {}", ended.stdout);
    }
}

#[test]
fn results_are_on_stdout_and_nothing_else_is() {
    let (server, here) = stand();
    for name in ["a", "b"] {
        fs::write(here.path().join(name), name).unwrap();
    }
    let script = "mkdir d; put a b --to d; get d/a d/b --to ..; cd d; pwd; list; stat a; sum a; \
                  lpwd; lls; lcd .; who; -get missing; -put a; register xiaoyu; passwd; login \
                  xiaoyu; mkdir e; mv e f; rm f; get missing";
    let lower = here.path().join("lower");
    fs::create_dir(&lower).unwrap();
    for name in ["a", "b"] {
        fs::rename(here.path().join(name), lower.join(name)).unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = ferry(server.address(), &lower, words);
        command.env("FERRY_PASSWORD", "123456").env("FERRY_NEW_PASSWORD", "123456");
        Ended::from(command.output().unwrap())
    };
    let ended = run(&["--json", "-c", script]);
    assert_eq!(ended.status, Some(6), "{}", ended.stderr);
    for line in ended.stdout.lines() {
        let result: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("said: {line}"));
        assert!(result.is_object(), "{line}");
    }
    assert!(ended.stderr.contains("2 files, ") && ended.stderr.contains("stopped at"));
    // Said for people, each result begins with its command or is what was asked for.
    let ended = run(&["--quiet", "-c", "cd d; pwd; mkdir e; -get missing"]);
    assert_eq!((ended.stdout.as_str(), ended.status), ("/library/d\n", Some(0)));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}
