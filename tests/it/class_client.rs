//! What `ferry` can be told to do so that a class sees it: `--rate`, `--wire`, `chat --freeze`.
//!
//! Goal: a slow client is slow for the server and for nobody else, the lines that are shown are those
//! that go over the wire and hold no secret, and who is frozen delays nobody. Method: the real
//! `ferry`; the server's own table for what it sees of it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::content::bytes;
use harness::{Screen, actor, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::ears::{Ears, guest_enters, guest_leaves};
use crate::fake_room::FakeRoom;
use crate::people::{PASSWORD, newcomer, stage};
use crate::room_crowd::{chatter, long_line};
use crate::seat::{CTRL_C, ENTER, Seat, temporary};
use crate::talk::{ask, assert_ok, get, put, quick, quick_with};

/// A file and a rate at which it takes six seconds.
const FILM: usize = 384 * 1024;
const RATE: &str = "64K";
const LEAST: Duration = Duration::from_secs(6);

fn ferry(server: SocketAddr, here: &Path, words: &[&str]) -> Command {
    let mut command = actor::ferry(stage(), server, words);
    command.current_dir(here).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it says on stdout and on stderr, and its exit status.
fn run(server: SocketAddr, here: &Path, words: &[&str]) -> (String, String, Option<i32>) {
    ended(ferry(server, here, words).spawn().unwrap())
}

fn ended(ferry: Child) -> (String, String, Option<i32>) {
    let output = ferry.wait_with_output().unwrap();
    let [shown, said] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    (shown, said, output.status.code())
}

fn interrupt(ferry: &Child) {
    kill_process(Pid::from_child(ferry), Signal::INT).unwrap();
}

#[test]
fn at_a_rate_the_server_waits_for_the_client_nobody_else_does_and_every_byte_comes() {
    let (server, here) = (quick(), temporary());
    let content = bytes(1, FILM);
    fs::write(server.library().join("down"), &content).unwrap();
    fs::write(here.path().join("up"), &content).unwrap();
    let begun = Instant::now();
    let mut slow = [["get", "down"], ["put", "up"]].map(|[word, name]| {
        let words = ["--rate", RATE, word, name];
        ferry(server.address(), here.path(), &words).spawn().unwrap()
    });
    let mut watcher = server.peer();
    for (cmd, state) in [("GET /library/down", "SEND"), ("PUT /library/up", "READ")] {
        eventually("the server waits for the slow one", || {
            let table = ask(&mut watcher, &json!({"cmd": "WATCH"}));
            let threads = table["threads"].as_array().unwrap();
            threads.iter().any(|one| one["state"] == state && one["cmd"] == cmd)
        });
    }
    // Meanwhile others are served.
    assert_ok(&put(&mut watcher, "beside", b"fast"));
    assert_eq!(get(&mut watcher, "beside").1, b"fast");
    assert!(slow.iter_mut().all(|slow| slow.try_wait().unwrap().is_none()), "it is over already");
    for slow in slow {
        let (_, said, status) = ended(slow);
        assert_eq!(status, Some(0), "{said}");
        assert!(begun.elapsed() >= LEAST, "{:?}", begun.elapsed());
    }
    assert!(fs::read(here.path().join("down")).unwrap() == content);
    assert!(fs::read(server.library().join("up")).unwrap() == content);
}

#[test]
fn at_a_rate_small_files_are_slow_as_well() {
    let (server, here) = (quick(), temporary());
    let names: Vec<String> = (0..12).map(|n| format!("small{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        fs::write(here.path().join(name), bytes(1, 16 * 1024)).unwrap();
    }
    for words in [&["put"][..], &["get", "--force"]] {
        let begun = Instant::now();
        // 192 KiB.
        let words = [&["--rate", RATE], words, &names].concat();
        let (_, said, status) = run(server.address(), here.path(), &words);
        assert_eq!(status, Some(0), "{said}");
        assert!(begun.elapsed() >= LEAST / 2, "{words:?} took {:?}", begun.elapsed());
    }
}

#[test]
fn a_slow_transfer_shows_how_far_it_is_and_ctrl_c_ends_it_at_once() {
    let (server, here) = (quick(), temporary());
    // Twenty minutes' work.
    fs::write(server.library().join("film"), bytes(1, 10_000_000)).unwrap();
    let mut seat = Seat::take(server.address(), here.path(), &["--rate", "8K"]);
    seat.types("get film\r");
    seat.screen.shows("B/10.00 MB");
    seat.types(CTRL_C);
    seat.is_asked("guest", "/library");
    assert!(!here.path().join("film").exists());
}

#[test]
fn a_rate_that_no_server_would_bear_is_refused_with_the_least_there_is() {
    let here = temporary();
    for rate in ["1K", "0", "fast"] {
        let (_, said, status) =
            run(([127, 0, 0, 1], 1).into(), here.path(), &["--rate", rate, "list"]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("at least 8K: a server ends who is slower than 1,000"), "{said}");
    }
}

#[test]
fn what_goes_over_the_wire_is_shown_line_by_line_and_in_order() {
    let (room, here) = (FakeRoom::open(), temporary());
    let greeting = json!({"status": "OK", "server": "fake", "protocol": 1, "session": 1});
    let (shown, said, status) = run(room.address(), here.path(), &["--wire", "mkdir", "a"]);
    assert_eq!((shown.as_str(), status), ("mkdir a\n", Some(0)));
    let expected = [
        &format!("<- {greeting}"),
        r#"-> {"cmd":"MKDIR","path":"/library/a"}"#,
        r#"<- {"status":"OK"}"#,
        r#"-> {"cmd":"QUIT"}"#,
        r#"<- {"status":"OK"}"#,
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_body_is_one_line_and_the_arrows_and_words_are_the_reader_s() {
    let (server, here) = (quick(), temporary());
    let content = bytes(1, 1_234_567);
    fs::write(here.path().join("film"), &content).unwrap();
    fs::write(here.path().join("note"), "abc").unwrap();
    let script = "put film note; get film note --to copies";
    fs::create_dir(here.path().join("copies")).unwrap();
    let words = ["--wire", "--lang", "zh", "-c", script];
    let mut command = ferry(server.address(), here.path(), &words);
    let (_, said, status) = ended(command.env("LC_ALL", "C.UTF-8").spawn().unwrap());
    assert_eq!(status, Some(0), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with(['→', '←'])).collect();
    assert_eq!(lines.len(), said.lines().filter(|line| line.contains('{')).count() + 4, "{said}");
    let place = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    for (before, line, after) in [
        ("PUT", "→ 1,234,567 字节", "→ {\"crc32\":"),
        ("\"eager\":true", "→ 3 字节", "→ {\"crc32\":\"352441c2\"}"),
        ("\"GET\"", "← 1,234,567 字节", "QUIT"),
        ("\"size\":3,", "← 3 字节", "QUIT"),
    ] {
        let at = place(line);
        assert!(lines[..at].iter().any(|earlier| earlier.contains(before)), "{line} in {said}");
        assert!(lines[at + 1..].iter().any(|later| later.contains(after)), "{line} in {said}");
    }
}

#[test]
fn no_password_is_shown_and_nothing_that_a_server_says_acts_on_the_terminal() {
    let (server, here) = (quick(), temporary());
    newcomer(&server, "xiaoyu");
    let mut command =
        ferry(server.address(), here.path(), &["--user", "xiaoyu", "--wire", "-c", "who; passwd"]);
    command.env("FERRY_PASSWORD", PASSWORD).env("FERRY_NEW_PASSWORD", "n3w-s3cret");
    let (_, said, status) = ended(command.spawn().unwrap());
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(r#"-> {"cmd":"LOGIN","user":"xiaoyu","password":"***"}"#), "{said}");
    assert!(said.contains(r#"-> {"cmd":"PASSWD","old":"***","new":"***"}"#), "{said}");
    assert!(!said.contains(PASSWORD) && !said.contains("n3w-s3cret"), "{said}");

    let room = FakeRoom::open();
    room.answers_once("WHO", "{\"status\":\"OK\",\"user\":\"\u{9b}2J\u{202e}\",\"role\":\"user\"}");
    let (_, said, _) = run(room.address(), here.path(), &["--wire", "who"]);
    assert!(
        said.contains(r#"<- {"status":"OK","user":"\u{9b}2J\u{202e}","role":"user"}"#),
        "{said}"
    );
}

#[test]
fn at_the_prompt_the_room_s_lines_come_above_what_is_typed_and_none_is_wider_than_the_screen() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &["--wire"]);
    room.is_asked(&json!({"cmd": "LISTEN"}), 1);
    seat.screen.shows("room -> {\"cmd\":\"LISTEN\"");
    seat.types("mkdir ha");
    seat.line_is("mkdir ha");
    room.tells_event(&json!({"event": "admin", "text": "x".repeat(200), "at": 9}));
    seat.screen.shows("[administrator] xxx");
    seat.screen.shows("room <- {\"at\":9,\"event\":\"admin\",\"text\":\"xxx");
    seat.types("lf");
    seat.line_is("mkdir half");
    seat.types(ENTER);
    seat.screen.shows(
        "-> {\"cmd\":\"MKDIR\",\"path\":\"/library/half\"}\n<- {\"status\":\"OK\"}\nmkdir half\n",
    );
    seat.is_asked("guest", "/library");
    let shown = seat.screen.text();
    let cut = shown.lines().find(|line| line.starts_with("room <- {\"at\":9")).unwrap();
    assert!(cut.trim_end().ends_with("x~"), "{shown}");
    seat.leaves();
}

#[test]
fn who_looks_at_the_lines_gets_the_state_table_as_text_and_not_drawn_over_them() {
    let (server, here) = (quick(), temporary());
    let mut command = actor::ferry(stage(), server.address(), ["--wire", "watch"]);
    command.current_dir(here.path());
    let mut screen = Screen::of(command).unwrap();
    screen.shows("-> {\"cmd\":\"WATCH\"}");
    screen.shows("model thread");
    screen.shows("-> {\"cmd\":\"QUIT\"}");
    assert!(screen.ended().success());
    assert!(!screen.transcript().contains("\u{1b}[?1049h"));
}

#[test]
fn who_is_frozen_in_the_room_delays_nobody_and_is_put_out() {
    // Who is put out still has the time to take what is on its way.
    let (server, here) = (quick_with(&["--stall-timeout", "6"]), temporary());
    let mut honest = Ears::guest(&server, "honest");
    let words = ["chat", "--freeze", "frozen"];
    let frozen = ferry(server.address(), here.path(), &words).spawn().unwrap();
    honest.hears_that(&guest_enters("frozen"));
    let mut watcher = server.peer();
    let mut is_there = || {
        let table = ask(&mut watcher, &json!({"cmd": "WATCH"}));
        table["threads"].as_array().unwrap().iter().any(|one| one["name"] == "c02")
    };
    assert!(is_there());
    thread::scope(|scope| {
        // Who talks this fast may make others miss a line, but not the last one again and again.
        let hearing = scope.spawn(|| while honest.hears()["from"] != "last" {});
        let mut speakers = 0;
        eventually("the frozen one is put out", || {
            speakers += 1;
            chatter(server.address(), speakers, long_line);
            !is_there()
        });
        let mut last = Ears::guest(&server, "last");
        eventually("the honest one hears on", || {
            let _ = last.ask(&json!({"cmd": "SAY", "text": "the end"}));
            hearing.is_finished()
        });
    });
    interrupt(&frozen);
    let (_, said, status) = ended(frozen);
    assert_eq!(status, Some(0), "{said}");
    let begun = "frozen in the room as frozen, 2 there: nothing is read any more. Ctrl-C ends it.";
    assert!(said.starts_with(begun), "{said}");
}

#[test]
fn who_was_frozen_at_the_prompt_has_it_back_after_ctrl_c() {
    let (server, here) = (quick(), temporary());
    let mut honest = Ears::guest(&server, "honest");
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("chat --freeze\r");
    seat.screen.shows("ferry: a guest needs a name there");
    seat.types("chat 张三 --freeze\r");
    honest.hears_that(&guest_enters("张三"));
    seat.screen.shows("frozen in the room as 张三, 2 there");
    seat.types(CTRL_C);
    honest.hears_that(&guest_leaves("张三"));
    seat.screen.shows("frozen no more, and out of the room");
    seat.types("pwd\r");
    seat.screen.shows("\n/library\n");
    seat.leaves();
}
