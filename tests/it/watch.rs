//! Who does what, as the server shows it: `WATCH` and `ferry watch`.
//!
//! Goal: whatever holds somebody up can be read off one table, those who may not see it do not, and
//! looking takes nothing from anybody. Method: a scene in which three things are in the way at once,
//! on a server whose writer stands still as a test wishes; the table as JSON, and as people see it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use harness::actor::{self, Ferryd};
use harness::content::eager_put;
use harness::{Peer, Screen, TestServer, eventually, skipped};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ears::Ears;
use crate::network::in_a_network_of_its_own;
use crate::people::{PASSWORD, add_administrator, login, newcomer, register, stage, user_task};
use crate::seat::{CTRL_C, Seat, temporary};
use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, begin, hold, quick, quick_with, say,
};

/// Places in the queue that carries the bytes of uploads.
const DATA_PLACES: u64 = 256;

#[track_caller]
pub(crate) fn watched(peer: &mut Peer) -> Value {
    let table = ask(peer, &json!({"cmd": "WATCH"}));
    assert_ok(&table);
    table
}

/// The member of a list that is called so.
#[track_caller]
pub(crate) fn called<'t>(table: &'t Value, list: &str, name: &str) -> &'t Value {
    let mut members = table[list].as_array().unwrap().iter();
    members.find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {table:#}"))
}

pub(crate) fn in_state<'t>(table: &'t Value, state: &str) -> Vec<&'t Value> {
    table["threads"].as_array().unwrap().iter().filter(|one| one["state"] == state).collect()
}

/// Two want one name, the queue to the writer is full, and one reader takes nothing.
struct Jam {
    server: Ferryd,
    _peers: Vec<Peer>,
    _data: TempDir,
}

impl Jam {
    /// The holder is `c01`, who waits for it `c02`, the reader `c03`, and whoever came too late for
    /// the queue is `c07`. None in a build without traps.
    fn build(check: &str) -> Option<Self> {
        if !cfg!(debug_assertions) {
            skipped(check, "build with debug assertions");
            return None;
        }
        let data = temporary();
        let (words, trap) = (["--durability", "none"], "hold@writer.chunk");
        let server = Ferryd::start_with_faults(stage(), data.path(), &words, trap).unwrap();
        std::fs::write(data.path().join("library/film"), vec![b'x'; 50_000_000]).unwrap();
        let mut peers: Vec<Peer> = (0..3).map(|_| Peer::connect(server.address)).collect();
        hold(&mut peers[0], "a.txt");
        say(&mut peers[1], &json!({"cmd": "PUT", "path": "a.txt", "size": 3, "wait": 30}));
        assert_eq!(peers[1].line()["status"], "WAIT");
        say(&mut peers[2], &json!({"cmd": "GET", "path": "film"}));
        let mut watcher = Peer::connect(server.address);
        // Each file takes two places, for its byte and its end; the writer has taken the first of
        // all. One after the other, or several would come too late.
        for (name, on) in [("c05", "writer"), ("c06", "writer"), ("c07", "data")] {
            let mut peer = Peer::connect(server.address);
            let files = (0..64).flat_map(|n| eager_put(&format!("{name}-{n:02}"), b"x"));
            peer.send(files.collect::<Vec<u8>>());
            peers.push(peer);
            eventually("its files stand in the queue", || {
                called(&watched(&mut watcher), "threads", name)["on"] == on
            });
        }
        eventually("the reader takes nothing", || {
            called(&watched(&mut watcher), "threads", "c03")["state"] == "SEND"
        });
        peers.push(watcher);
        Some(Self { server, _peers: peers, _data: data })
    }
}

#[test]
fn who_waits_for_whom_which_queue_is_full_and_which_reader_is_slow_is_in_the_table() {
    let Some(jam) = Jam::build("the table of a jam") else { return };
    let mut watcher = Peer::connect(jam.server.address);
    let table = watched(&mut watcher);

    let file = called(&table, "files", "/library/a.txt");
    let said = json!({
        "name": "/library/a.txt", "holder": "c01", "received": 10, "size": 100, "waiters": ["c02"]
    });
    assert_eq!(*file, said);
    let waiting = called(&table, "threads", "c02");
    assert_eq!((&waiting["state"], &waiting["cmd"]), (&json!("WAIT_FILE"), &json!("PUT a.txt")));
    assert_eq!((&waiting["on"], &waiting["by"]), (&json!("/library/a.txt"), &json!("c01")));
    assert_eq!(called(&table, "threads", "c01")["state"], "READ");

    let queue = called(&table, "queues", "data");
    assert_eq!((&queue["len"], &queue["cap"]), (&json!(DATA_PLACES), &json!(DATA_PLACES)));
    assert!(queue["oldest_ms"].is_u64() && queue["bytes"].as_u64() > Some(100), "{queue}");
    let blocked = in_state(&table, "WAIT_QFULL");
    assert_eq!((blocked.len(), &blocked[0]["on"]), (1, &json!("data")));
    let writer = called(&table, "threads", "writer");
    assert_eq!(writer["state"], "DISK");
    assert!(writer["cmd"].as_str().unwrap().contains(" PUT "), "{writer}");

    let reader = called(&table, "threads", "c03");
    assert_eq!((&reader["state"], &reader["cmd"]), (&json!("SEND"), &json!("GET film")));
    assert!(reader["out"].as_u64() < Some(50_000_000), "{reader}");

    let own = called(&table, "threads", "c08");
    assert_eq!((&own["state"], &own["cmd"]), (&json!("RUN"), &json!("WATCH")));
    for name in ["main", "writer", "journal", "signals", "countdown"] {
        called(&table, "threads", name);
    }
    assert!(called(&table, "locks", "registry")["taken"].as_u64() > Some(100));
    assert_eq!(table["counters"]["sessions"], 8);
    assert_eq!(table["model"], "thread");
    assert!(table["more"].is_null() && table["t_ms"].as_u64() > Some(1_700_000_000_000));
}

#[test]
pub(crate) fn the_table_comes_again_and_again_until_the_watcher_says_something() {
    let server = quick();
    let mut watcher = server.peer();
    say(&mut watcher, &json!({"cmd": "WATCH", "every": 0.1}));
    let times: Vec<u64> = (0..4).map(|_| watcher.line()["t_ms"].as_u64().unwrap()).collect();
    // A pause can be longer, as that is not made up for; none is shorter.
    assert!(times.windows(2).all(|pair| pair[1] >= pair[0] + 99), "{times:?}");
    // Said ahead, both; the first ends the watching and the second is answered behind it.
    watcher.send("{\"cmd\":\"WHO\"}\n{\"cmd\":\"LIST\",\"path\":\"/\"}\n");
    let mut line = watcher.line();
    while line["threads"].is_array() {
        line = watcher.line();
    }
    assert_eq!(line["user"], "guest");
    assert_eq!(watcher.line()["entries"][0]["name"], "library");
    // What was said before the first table is as good.
    watcher.send("{\"cmd\":\"WATCH\",\"every\":60}\n{\"cmd\":\"WHO\"}\n");
    assert!(watcher.line()["threads"].is_array());
    assert_eq!(watcher.line()["user"], "guest");
    for bad in [json!(0), json!(0.05), json!(61), json!(-1), json!("1"), json!({})] {
        assert_refused(&ask(&mut watcher, &json!({"cmd": "WATCH", "every": bad})), "bad-request");
    }
    assert_goes_on(&mut watcher);
}

#[test]
pub(crate) fn a_server_that_stops_does_not_wait_for_those_who_watch() {
    let server = quick();
    let mut watcher = server.peer();
    say(&mut watcher, &json!({"cmd": "WATCH", "every": 60}));
    assert_ok(&watcher.line());
    server.stop();
    assert!(watcher.is_closed());
}

#[test]
pub(crate) fn a_user_s_thread_says_whose_it_is_and_what_came_and_went() {
    let server = quick();
    let (mut xiaoyu, mut watcher) = (newcomer(&server, "xiaoyu"), server.peer());
    assert_ok(&begin(&mut xiaoyu, "film", 1000));
    xiaoyu.send([b'x'; 600]);
    eventually("all of it has come", || {
        let table = watched(&mut watcher);
        called(&table, "files", "/homes/xiaoyu/film")["received"] == 600
    });
    let table = watched(&mut watcher);
    let thread = called(&table, "threads", "c01");
    assert_eq!((&thread["user"], &thread["state"]), (&json!("xiaoyu"), &json!("READ")));
    assert!(thread["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{thread}");
    assert!(thread["in"].as_u64() > Some(600) && thread["out"].as_u64() > Some(100), "{thread}");
    drop(xiaoyu);
    eventually("nothing is held", || {
        let table = watched(&mut watcher);
        table["files"] == json!([]) && table["counters"]["sessions"] == 1
    });
}

#[test]
pub(crate) fn a_guest_in_the_room_is_shown_as_a_guest_with_the_name_they_have_there() {
    let server = quick();
    let (mut guest, mut user) = (Ears::guest(&server, "张三"), Ears::newcomer(&server, "xiaoyu"));
    let mut watcher = server.peer();
    let table = watched(&mut watcher);
    let user_of = |table: &Value, name: &str| called(table, "threads", name)["user"].clone();
    // No account can be called so.
    assert_eq!(user_of(&table, "c01"), "guest 张三");
    assert_eq!(user_of(&table, "c02"), "xiaoyu");
    let (screen, _) = printed(server.address(), &["watch", "--once"]);
    assert!(screen.contains("127.0.0.1 guest 张三"), "{screen}");
    for ears in [&mut guest, &mut user] {
        assert_ok(&ears.ask(&json!({"cmd": "LEAVE"})));
    }
    let table = watched(&mut watcher);
    assert_eq!((user_of(&table, "c01"), user_of(&table, "c02")), (Value::Null, json!("xiaoyu")));
}

#[test]
pub(crate) fn those_who_wait_for_a_name_stand_in_their_order() {
    let server = quick();
    let mut holder = server.peer();
    hold(&mut holder, "a.txt");
    let mut line: Vec<Peer> = (0..5).map(|_| server.peer()).collect();
    // Not in the order in which they connected.
    for nth in [3, 0, 4, 1, 2] {
        say(&mut line[nth], &json!({"cmd": "PUT", "path": "a.txt", "size": 1, "wait": 30}));
        assert_eq!(line[nth].line()["status"], "WAIT");
    }
    let mut watcher = server.peer();
    let table = watched(&mut watcher);
    let waiters = &called(&table, "files", "/library/a.txt")["waiters"];
    assert_eq!(*waiters, json!(["c05", "c02", "c06", "c03", "c04"]));
    drop(holder);
    eventually("the next one has it", || {
        let table = watched(&mut watcher);
        let file = called(&table, "files", "/library/a.txt");
        file["holder"] == "c05" && file["waiters"] == json!(["c02", "c06", "c03", "c04"])
    });
}

#[test]
pub(crate) fn whoever_looks_on_takes_no_lock_that_guards_data() {
    let server = quick();
    let (mut holder, mut waiting) = (newcomer(&server, "xiaoyu"), server.peer());
    hold(&mut holder, "/library/a.txt");
    say(&mut waiting, &json!({"cmd": "PUT", "path": "a.txt", "size": 1, "wait": 0}));
    assert_refused(&crate::talk::decision(&mut waiting), "busy");
    let mut watcher = server.peer();
    let locks = |watcher: &mut Peer| {
        let mut locks = watched(watcher)["locks"].as_array().unwrap().clone();
        locks.retain(|lock| lock["name"] != "table");
        locks
    };
    let before = locks(&mut watcher);
    assert!(before.len() >= 5 && before.iter().any(|lock| lock["taken"] != 0), "{before:?}");
    for _ in 0..50 {
        assert_eq!(locks(&mut watcher), before);
    }
}

#[test]
fn the_table_is_shown_on_the_server_s_own_machine_and_to_administrators() {
    in_a_network_of_its_own("watching from elsewhere", || {
        let server = TestServer::with(&["--listen", "0.0.0.0:0", "--durability", "none"]);
        add_administrator(server.data(), "zhang");
        let address = |ip: &str| format!("{ip}:{}", server.address().port()).parse().unwrap();
        let from = |ip: &str| Peer::connect_from(ip.parse().unwrap(), address("10.9.0.1"));
        let mut elsewhere = from("10.9.0.7");
        for request in [json!({"cmd": "WATCH"}), json!({"cmd": "WATCH", "every": 1})] {
            let answer = ask(&mut elsewhere, &request);
            assert_refused(&answer, "denied");
            assert!(answer["message"].as_str().unwrap().contains("administrators"), "{answer}");
        }
        assert_ok(&register(&mut elsewhere, "xiaoyu", PASSWORD));
        assert_refused(&ask(&mut elsewhere, &json!({"cmd": "WATCH"})), "denied");
        assert_ok(&login(&mut elsewhere, "zhang", PASSWORD));
        watched(&mut elsewhere);
        // Also in the middle of it.
        say(&mut elsewhere, &json!({"cmd": "WATCH", "every": 0.1}));
        assert_ok(&elsewhere.line());
        let (status, _, said) = user_task(server.data(), &["remove", "zhang"], "");
        assert_eq!(status, 0, "{said}");
        let mut line = elsewhere.line();
        while line["threads"].is_array() {
            line = elsewhere.line();
        }
        assert_refused(&line, "login-required");
        watched(&mut Peer::connect_from("127.0.0.1".parse().unwrap(), address("127.0.0.1")));
    });
}

#[test]
fn of_very_many_threads_those_that_rest_are_left_out_and_counted() {
    const IDLE: usize = 700;
    const HEARING: usize = 20;
    let server = quick_with(&["--max-clients", "1000"]);
    let _idle: Vec<Peer> = (0..IDLE).map(|_| server.peer()).collect();
    let mut busy: Vec<Peer> = (0..20).map(|_| server.peer()).collect();
    for (n, peer) in busy.iter_mut().enumerate() {
        hold(peer, &format!("film-{n:02}"));
    }
    let mut hearing: Vec<Ears> = (0..HEARING).map(|_| Ears::of(server.peer())).collect();
    for (n, ears) in hearing.iter_mut().enumerate() {
        assert_ok(&ears.join(&format!("guest {n}")));
    }
    let mut watcher = server.peer();
    let mut table = Value::Null;
    // Who has just been told to send is not waited for at that very moment, and who has just come into
    // the room has no second thread yet.
    eventually("everybody who sends is waited for, and everybody else rests", || {
        watcher.send("{\"cmd\":\"WATCH\"}\n");
        table = watcher.line();
        let shown = table["threads"].as_array().unwrap().len() as u64;
        let left_out = table["more"]["threads"].as_u64().unwrap();
        // With `main`, `writer` and `countdown`, and the one who watches.
        let all = (IDLE + 20 + 2 * HEARING + 4) as u64;
        in_state(&table, "READ").len() == 20 && shown + left_out == all
    });
    assert!(table.to_string().len() < 64 * 1024);
    assert!(table["more"]["threads"].as_u64().unwrap() > 100, "{table}");
    // They came last, and rest like the others.
    let threads = table["threads"].as_array().unwrap();
    assert!(threads.iter().all(|thread| thread["on"] != "outbox"), "{table}");
    assert_eq!(table["files"].as_array().unwrap().len(), 20);
    assert_ok(&ask_about(&mut watcher, "STAT", "/library"));
}

/// `ferry` with these words, asked to say it in plain English.
fn ferry(server: SocketAddr, words: &[&str]) -> Command {
    actor::ferry(stage(), server, words)
}

/// What `ferry` prints to a pipe, and its exit status.
#[track_caller]
fn printed(server: SocketAddr, words: &[&str]) -> (String, i32) {
    let output = ferry(server, words).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (said + &String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

/// The text without what is another one each time: times, ports, and what was counted of locks and
/// of bytes. Columns are as wide as what is in them, so runs of spaces count as one.
fn masked(screen: &str) -> String {
    let is_time = |word: &str| {
        let digits = word.trim_end_matches(['s', 'm', ',']);
        digits.len() < word.len() && digits.parse::<f64>().is_ok()
    };
    let is_count = |word: &str| {
        word.split('/').count() == 2 && word.split('/').all(|n| n.parse::<u64>().is_ok())
    };
    let mask = |line: &str| {
        let of_locks = line.starts_with("locks") || line.starts_with("so far");
        let of_main = line.starts_with("ferryd");
        let words = line.split_whitespace().map(|word| match word {
            _ if is_time(word) => "TIME",
            _ if of_locks && is_count(word) => "N/N",
            _ if of_locks && word.parse::<u64>().is_ok() => "N",
            _ if line.contains("WATCH") && word.starts_with('c') => "cN",
            _ if of_main && word.contains(':') => "ADDRESS",
            _ if word.ends_with("/4096") => "N/4096",
            word => word,
        });
        let words: Vec<&str> = words.collect();
        // Bytes that came and went are the last two cells of a thread's line.
        let bytes = words.iter().position(|word| *word == "TIME").filter(|_| !line.contains('['));
        match bytes {
            Some(time) if !of_main => words[..=time].join(" "),
            _ => words.join(" "),
        }
    };
    // What the journal has just been told it may or may not have written. What goes on in a second
    // line may do so or not.
    let screen = screen.replace("\n        ", "   ").replace("journal [#", "journal [.");
    let lines = screen.lines().filter(|line| !line.starts_with("journal"));
    lines.map(mask).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_screen_shows_who_waits_for_whom_the_full_queue_and_the_slow_reader() {
    let Some(jam) = Jam::build("the screen of a jam") else { return };
    let address = jam.server.address;
    let slow = |said: &str| said.contains("slow reader");
    eventually("they have taken long", || slow(&printed(address, &["watch", "--once"]).0));
    let (said, status) = printed(address, &["watch", "--once"]);
    assert_eq!(status, 0);
    let screen = masked(&said);
    // Threads that begin at the same moment stand in either order.
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&screen), sorted(JAMMED), "{said}");
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
}

#[test]
fn for_a_program_there_is_the_line_once_or_as_often_as_it_likes() {
    let server = quick();
    let (said, status) = printed(server.address(), &["--json", "watch"]);
    assert_eq!((said.lines().count(), status), (1, 0));
    let table: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&table["command"], &table["status"]), (&json!("watch"), &json!("OK")));
    assert_eq!(called(&table, "threads", "c01")["cmd"], "WATCH");

    let mut program = ferry(server.address(), &["--json", "watch", "--every", "0.1"]);
    let mut program = program.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        let table: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(table["status"], "OK");
    }
    let id = Pid::from_child(&program);
    kill_process(id, Signal::INT).unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
    for bad in ["0", "61", "x"] {
        assert_eq!(printed(server.address(), &["watch", "--every", bad]).1, 2, "{bad}");
    }
}

/// A terminal as large as a projector's, and on it `ferry watch`.
fn live(server: SocketAddr) -> Screen {
    let mut shell = Command::new("sh");
    // What stood there before is to be there again.
    let script =
        "trap : INT TERM; echo before; \"$@\"; echo status $?; read line; echo heard $line";
    let ferry = ferry(server, &["watch"]);
    shell.args(["-c", script, "sh"]).arg(ferry.get_program()).args(ferry.get_args());
    shell.env("LC_ALL", "C.UTF-8");
    Screen::sized(shell, (28, 100)).unwrap()
}

#[track_caller]
fn is_given_back(screen: &mut Screen, status: i32) {
    screen.shows(&format!("status {status}"));
    let shown = screen.text();
    assert!(shown.starts_with("before") && !screen.is_taken(), "{shown}");
    eventually("the terminal is as it was", || screen.is_as_a_shell_expects().unwrap());
    // What was typed while it was watched goes to nobody.
    screen.types("hello\r");
    screen.shows("heard hello");
    assert!(screen.ended().success());
}

#[test]
fn the_live_screen_goes_on_by_itself_and_the_terminal_is_given_back_when_it_ends() {
    let server = quick();
    let mut screen = live(server.address());
    for shown in ["on / held by", "ACCEPT", "WATCH", "queues  commands [░░░░░░░░] 0/256"]
    {
        screen.shows(shown);
    }
    assert!(screen.is_taken());
    // It knows of a newcomer without being asked.
    let mut holder = server.peer();
    hold(&mut holder, "a.txt");
    screen.shows("/library/a.txt: c02, 10 B of 100 B");
    screen.shows("slow sender");
    screen.types("typed by mistake");
    screen.types(CTRL_C);
    is_given_back(&mut screen, 0);
}

#[test]
fn the_terminal_is_given_back_when_the_server_goes_or_the_program_is_ended() {
    let server = quick();
    let mut screen = live(server.address());
    screen.shows("WATCH");
    server.stop();
    screen.shows("the connection");
    is_given_back(&mut screen, 3);

    let server = quick();
    let mut screen = live(server.address());
    screen.shows("WATCH");
    assert!(screen.is_taken());
    screen.signal_all(Signal::TERM).unwrap();
    is_given_back(&mut screen, 130);
}

#[test]
fn who_watched_at_the_prompt_goes_on_over_the_same_connection() {
    let (server, here) = (quick(), temporary());
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("watch\r");
    seat.screen.shows("c01");
    eventually("it has the screen", || seat.screen.is_taken());
    seat.types(CTRL_C);
    eventually("it gave it back", || !seat.screen.is_taken());
    seat.types("who\r");
    seat.screen.shows("guest (guest)");
    seat.is_asked("guest", "/library");
    let said = seat.screen.transcript();
    assert!(!said.contains("the connection had ended"), "{said}");
    seat.leaves();
}

#[test]
fn who_may_not_watch_is_told_so_and_their_terminal_is_left_alone() {
    in_a_network_of_its_own("ferry watch from elsewhere", || {
        let server = TestServer::with(&["--listen", "10.9.0.1:0", "--durability", "none"]);
        let (said, status) = printed(server.address(), &["watch"]);
        assert_eq!(status, 1);
        assert!(said.contains("shown on its own machine") && said.contains("log in"), "{said}");
    });
}

/// The jam as people see it, without times and counts.
const JAMMED: &str = "\
ferryd ADDRESS model thread up TIME sessions 8
thread client command state on / held by for in out
main - - ACCEPT - TIME
writer - c05 PUT ~ary/c05-00 DISK - TIME
c01 127.0.0.1 PUT a.txt READ slow sender TIME
c02 127.0.0.1 PUT a.txt WAIT_FILE ~brary/a.txt <- c01 TIME
c03 127.0.0.1 GET film SEND slow reader TIME
c05 127.0.0.1 PUT c05-63 DISK writer TIME
c06 127.0.0.1 PUT c06-63 DISK writer TIME
c07 127.0.0.1 PUT c07-00 WAIT_QFULL data 256/256 TIME
cN 127.0.0.1 WATCH RUN - TIME
signals - - IDLE - TIME
countdown - - IDLE - TIME
c04 127.0.0.1 - IDLE - TIME
queues journal [........] N/4096 commands [####....] 128/256, oldest TIME data [########] \
256/256, full, 128 B, oldest TIME 1 waiting
files /library/a.txt: c01, 10 B of 100 B <- c02 /library/c05-00: c05, 1 B of 1 B \
/library/c05-01: c05, 1 B of 1 B /library/c05-02: c05, 1 B of 1 B /library/c05-03: c05, 1 B of \
1 B /library/c05-04: c05, 1 B of 1 B and 124 more
locks registry N/N roster N/N room N/N table N/N homes N/N throttle N/N logins N/N
so far N sessions, N at once N turned away N files in, N B N files out, N B N refusals";
