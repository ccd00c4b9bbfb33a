//! What happens between threads: recorded with `--trace`, and shown with `--log columns`.
//!
//! Goal: two who want one name can be seen to meet, and what is seen is what was. Method: the real
//! `ferryd`; a scene in which a second client waits for the first; the files it leaves behind at its
//! end, and what it has said on stderr, with times left out.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use harness::Peer;
use harness::actor::Ferryd;
use harness::content::sum_line;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::console::Desk;
use crate::people::stage;
use crate::seat::{CTRL_C, temporary};
use crate::talk::{assert_exists, assert_ok, decision, hold, put, say};
use crate::well_formed::well_formed;

/// The first holds `a.txt` and sends it in two pieces; the second wants it meanwhile, and learns in
/// the end that it is there. Then somebody puts another file.
fn two_want_one_name(server: SocketAddr) {
    let (mut first, mut second) = (Peer::connect(server), Peer::connect(server));
    hold(&mut first, "a.txt");
    say(&mut second, &json!({"cmd": "PUT", "path": "a.txt", "size": 3, "wait": 30}));
    assert_eq!(second.line()["status"], "WAIT");
    first.send([b'x'; 90]);
    first.send(sum_line(&[b'x'; 100]));
    assert_ok(&first.line());
    assert_exists(&decision(&mut second));
    assert_ok(&put(&mut second, "b.txt", &vec![b'y'; 100_000]));
}

/// The scene on a server that records it, and what it has recorded: the trace and the picture.
fn recorded(words: &[&str]) -> (Vec<Value>, String) {
    let folder = temporary();
    let path = folder.path().join("t.json");
    let words = [words, &["--trace", path.to_str().unwrap()]].concat();
    let data = temporary();
    let server = Ferryd::start(stage(), data.path(), &words).unwrap();
    two_want_one_name(server.address);
    assert!(server.stop().unwrap().success());
    let trace: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().clone();
    (events, fs::read_to_string(path.with_extension("svg")).unwrap())
}

/// The tracks by their names.
fn tracks(events: &[Value]) -> BTreeMap<&str, Vec<&Value>> {
    let names = events.iter().filter(|event| event["name"] == "thread_name");
    let track = |name: &Value| {
        events.iter().filter(move |one| one["ph"] != "M" && one["tid"] == *name).collect()
    };
    names
        .map(|name| (name["args"]["name"].as_str().unwrap(), track(&name["tid"].clone())))
        .collect()
}

#[test]
fn a_trace_says_what_each_thread_did_on_what_it_waited_and_who_held_that() {
    let (events, _) = recorded(&["--durability", "none"]);
    let tracks = tracks(&events);
    for (name, track) in &tracks {
        let slices = track.iter().filter(|event| event["ph"] == "X");
        let mut free_from = 0.0;
        for slice in slices {
            let (from, lasts) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
            assert!(from >= free_from - 0.001, "on {name} something comes too early: {slice}");
            free_from = from + lasts;
        }
    }
    let slices = |track: &str, state: &str| -> Vec<&Value> {
        tracks[track]
            .iter()
            .copied()
            .filter(|one| one["name"] == state && one["ph"] == "X")
            .collect()
    };
    let waits = slices("c02", "WAIT_FILE");
    let said = json!({"work": "PUT a.txt", "on": "/library/a.txt", "by": "c01"});
    // Each time it is told so it waits anew; the last time the name may be free already.
    assert_eq!(waits[0]["args"], said);
    assert!(waits.iter().all(|wait| wait["args"]["on"] == "/library/a.txt"), "{waits:?}");
    let whose = |slice: &&Value| slice["args"]["work"].as_str().unwrap().to_owned();
    let written: Vec<String> = slices("writer", "DISK").iter().map(whose).collect();
    assert_eq!(written, ["c01 PUT /library/a.txt", "c02 PUT /library/b.txt"]);
    let done = |track: &str| -> Vec<&str> {
        let moments = tracks[track].iter().filter(|event| event["ph"] == "i");
        moments.map(|event| event["name"].as_str().unwrap()).collect()
    };
    assert_eq!(
        done("c01"),
        ["holds /library/a.txt", "queues 100 B", "published /library/a.txt", "OK /library/a.txt"]
    );
    assert!(done("c02").contains(&"EXISTS a.txt"), "{:?}", done("c02"));
    assert!(done("writer").contains(&"wrote 100 B, c01"), "{:?}", done("writer"));
    for queue in ["commands", "data"] {
        let levels = events.iter().filter(|event| event["ph"] == "C" && event["name"] == queue);
        let mut things = levels.map(|event| event["args"]["things"].as_u64().unwrap());
        assert_eq!(things.next_back(), Some(0), "{queue}");
    }
}

#[test]
fn the_picture_has_a_lane_for_each_thread_that_did_something_and_needs_nothing_else() {
    let (_, picture) = recorded(&["--durability", "none"]);
    let (_, svg) = picture.split_once('\n').unwrap();
    let tags = well_formed(svg);
    assert_eq!(tags.first(), Some(&"svg"));
    assert!(!tags.contains(&"script") && !picture.contains("href"), "{tags:?}");
    for lane in ["main", "writer", "c01", "c02", "data"] {
        assert!(picture.contains(&format!(">{lane}</text>")), "no lane {lane}");
    }
    for said in ["waits for /library/a.txt, held by c01", "published /library/b.txt", "only rested"]
    {
        assert!(picture.contains(said), "{said}");
    }
}

#[test]
fn under_select_each_client_has_a_lane_though_one_thread_serves_them_all() {
    let (events, picture) = recorded(&["--durability", "none", "--model", "select"]);
    let tracks = tracks(&events);
    let wait = tracks["c02"].iter().find(|event| event["name"] == "WAIT_FILE").unwrap();
    assert_eq!(wait["args"]["by"], "c01");
    assert!(picture.contains(">c02</text>"));
}

#[test]
fn ctrl_c_on_the_terminal_ends_a_recording_as_any_stop_does() {
    let folder = temporary();
    let path = folder.path().join("t.json");
    let mut desk = Desk::take(&["--trace", path.to_str().unwrap()]);
    drop(desk.peer());
    desk.screen.types(CTRL_C);
    assert!(desk.screen.ended().success());
    let trace: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(tracks(trace["traceEvents"].as_array().unwrap()).contains_key("keyboard"));
}

#[test]
fn a_trace_that_cannot_be_written_is_refused_before_anybody_is_served() {
    let data = temporary();
    let refused = |words: &[&str]| {
        let mut server = Command::new(stage());
        server.args(["ferryd", "--listen", "127.0.0.1:0", "--data"]).arg(data.path()).args(words);
        let ended = server.output().unwrap();
        assert!(ended.stdout.is_empty());
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let homework = data.path().join("homework.json");
    fs::write(&homework, "{\"mine\": 1}").unwrap();
    let named = |path: &Path| path.to_str().unwrap().to_owned();
    let (status, said) = refused(&["--trace", &named(&homework)]);
    assert!(status == Some(1) && said.contains("is no trace of ferryd's"), "{said}");
    assert_eq!(fs::read(&homework).unwrap(), b"{\"mine\": 1}");
    let (status, said) = refused(&["--trace", &named(&data.path().join("none/t.json"))]);
    assert!(status == Some(1) && said.contains("cannot write the trace"), "{said}");
    let (status, said) = refused(&["--trace", "t.svg"]);
    assert!(status == Some(2) && said.contains("ends in .json"), "{said}");
    let (status, said) = refused(&["--log", "columns", "--model", "process"]);
    assert!(status == Some(2) && said.contains("processes share no memory"), "{said}");
}

/// A `ferryd` whose stderr is a file.
struct Logging {
    child: Child,
    address: SocketAddr,
}

impl Logging {
    fn start(data: &Path, stderr: File) -> Self {
        let mut child = Command::new(stage())
            .args(["ferryd", "--listen", "127.0.0.1:0", "--log", "columns", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("ferryd listening on ").unwrap().parse().unwrap();
        Self { child, address }
    }

    fn stop(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

/// What each column says, row by row; of a row without its time at the left and the queue at the
/// right.
fn columns(log: &str) -> BTreeMap<String, Vec<String>> {
    const TIME: usize = 8;
    const COLUMN: usize = 21;
    let cell = |row: &str, nth: usize| {
        let cell = row.chars().skip(TIME + nth * COLUMN).take(COLUMN).collect::<String>();
        cell.trim().to_owned()
    };
    let mut heads = Vec::new();
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in log.lines() {
        let cells: Vec<String> = (0..4).map(|nth| cell(row, nth)).collect();
        if row.trim_start().starts_with("ms ") {
            heads = cells;
            continue;
        }
        assert!(row[..TIME].trim().parse::<u64>().is_ok(), "no time: {row}");
        for (head, cell) in heads.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            said.entry(head.clone()).or_default().push(cell);
        }
    }
    said
}

#[test]
fn the_log_in_columns_tells_the_story_of_two_who_want_one_name() {
    let (data, stderr) = (temporary(), temporary());
    let path = stderr.path().join("log");
    let server = Logging::start(data.path(), File::create(&path).unwrap());
    two_want_one_name(server.address);
    server.stop();
    let log = fs::read_to_string(&path).unwrap();

    // Until the second waits, nobody does two things at once.
    let timeless: Vec<&str> = log.lines().take(6).map(|row| row.get(8..).unwrap()).collect();
    let story = [
        &format!("c01{:>88}", "data"),
        "PUT a.txt",
        "holds a.txt",
        &format!("c01                  c02{:>67}", "data"),
        "                     PUT a.txt",
        "                     waits (c01): a.txt",
    ];
    assert_eq!(timeless, story, "{log}");
    let said = columns(&log);
    let first = ["PUT a.txt", "holds a.txt", "queues 100 B", "published a.txt", "OK a.txt"];
    assert_eq!(said["c01"], first, "{log}");
    let second = [
        "PUT a.txt",
        "waits (c01): a.txt",
        "holds a.txt",
        "EXISTS a.txt",
        "PUT b.txt",
        "holds b.txt",
        "queues 100.0 kB",
        "published b.txt",
        "OK b.txt",
    ];
    assert_eq!(said["c02"], second, "{log}");
    assert_eq!(said["writer"], ["wrote 100 B, c01", "wrote 100.0 kB, c02"], "{log}");
    assert!(log.contains(" 0/256\n"), "{log}");
    // The journal is where it always is.
    let journal = fs::read_to_string(data.path().join("logs/server.log")).unwrap();
    assert!(journal.contains(" PUT /library/a.txt 100 B ") && !log.contains("connected"), "{log}");
}

#[test]
fn on_the_servers_terminal_the_columns_stand_above_the_line_that_is_typed() {
    let mut desk = Desk::take(&["--log", "columns"]);
    desk.screen.types("wh");
    assert_ok(&put(&mut desk.peer(), "a.txt", b"x"));
    desk.screen.shows("published a.txt");
    desk.screen.line_is("ferryd> wh");
    desk.screen.types("\x15");
    desk.screen.types(CTRL_C);
    assert!(desk.screen.ended().success());
}
