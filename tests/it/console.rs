//! The console: at the server's own terminal, and from elsewhere.
//!
//! Goal: whoever runs a class sees and steers the server while it runs, the log never tears what
//! they type, the terminal is theirs again however the server ends, and where there is no terminal
//! there is no console. Method: the real `ferryd` on a terminal of its own, and administrators who
//! ask for the same with `ADMIN`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use harness::{Peer, Screen, TestServer, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ears::Ears;
use crate::people::{administrator, known, newcomer, stage};
use crate::seat::{CTRL_C, CTRL_D, CTRL_R, UP, temporary};
use crate::talk::{
    ask, ask_about, assert_goes_on, assert_ok, assert_refused, begin, decision, hold, is_obeyed,
    put, quick, say,
};

/// Gives a search up.
const CTRL_G: &str = "\x07";

/// Forgets what is typed.
const CTRL_U: &str = "\x15";

/// What stands in front of what is typed.
const PROMPT: &str = "ferryd>";

/// A teacher's terminal, with a server on it.
pub(crate) struct Desk {
    pub(crate) screen: Screen,
    pub(crate) address: SocketAddr,
    _data: TempDir,
}

impl Desk {
    /// Starts `ferryd` and waits until it asks for a line.
    pub(crate) fn take(words: &[&str]) -> Self {
        let data = temporary();
        let mut command = Command::new(stage());
        command.args(["ferryd", "--listen", "127.0.0.1:0", "--durability", "none", "--data"]);
        command.arg(data.path()).args(words);
        let screen = Screen::of(command).unwrap();
        screen.line_is(PROMPT);
        let address = address_in(&screen.transcript());
        Self { screen, address, _data: data }
    }

    pub(crate) fn peer(&self) -> Peer {
        Peer::connect(self.address)
    }

    /// Types a line, and waits until the screen shows `text`, and then the next prompt.
    #[track_caller]
    pub(crate) fn asks(&mut self, line: &str, text: &str) {
        self.screen.types(&format!("{line}\r"));
        self.screen.shows(text);
        self.screen.line_is(PROMPT);
    }

    /// The server has ended well, and the terminal is its shell's again.
    #[track_caller]
    pub(crate) fn is_left_as_found(&mut self, status: i32) {
        assert_eq!(self.screen.ended().code(), Some(status), "{}", self.screen.text());
        eventually("the terminal is as it was", || self.screen.is_as_a_shell_expects().unwrap());
    }
}

/// Where a server says that it listens.
fn address_in(said: &str) -> SocketAddr {
    let (_, rest) = said.split_once("ferryd listening on ").unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

#[track_caller]
pub(crate) fn admin(peer: &mut Peer, line: &str) -> Value {
    ask(peer, &json!({"cmd": "ADMIN", "line": line}))
}

/// What the console tells an administrator.
#[track_caller]
fn told(peer: &mut Peer, line: &str) -> String {
    let answer = admin(peer, line);
    assert_ok(&answer);
    let text = answer["text"].as_str().unwrap();
    assert!(text.lines().all(|line| !line.contains(is_obeyed)), "{text:?}");
    text.to_owned()
}

/// Somebody at a prompt.
#[track_caller]
fn listener(server: &TestServer) -> Ears {
    let mut ears = Ears::of(server.peer());
    ears.listen(false);
    ears
}

/// The administrator says this, next.
fn administrator_says(text: &str) -> Value {
    json!({"event": "admin", "text": text})
}

#[test]
fn at_its_terminal_the_server_shows_who_is_here_and_what_they_do() {
    let mut desk = Desk::take(&[]);
    let first = "ferryd listening on 127.0.0.1:";
    assert!(desk.screen.transcript().starts_with(first), "{}", desk.screen.text());
    let (mut writer, mut waiting) = (desk.peer(), desk.peer());
    hold(&mut writer, "film");
    say(&mut waiting, &json!({"cmd": "PUT", "path": "film", "size": 3}));
    assert_eq!(waiting.line()["status"], "WAIT");
    // They may still be sending the answers that have been read here.
    eventually("one writes and one waits", || {
        desk.asks("who", "ADDRESS");
        let shown = desk.screen.text();
        shown.contains("READ") && shown.contains("WAIT_FILE")
    });
    for shown in ["SESSION  USER", "c01", "c02", "guest", "PUT film"] {
        desk.screen.shows(shown);
    }
    desk.asks("files", "10 B of 100 B");
    desk.screen.shows("guest c02  /library/film");
    desk.asks("stats", "2 now, 2 at most, 2 in all; 0 found no place");
    desk.asks("users", "c01, c02");
    desk.asks("help", "shutdown");
    desk.asks("help kick", "kick <NAME|SESSION>");
    desk.asks("nonsense", "unrecognized subcommand 'nonsense'");
    desk.asks("ask \"no end", "a quote in this line has no end");
    // What was typed comes back.
    desk.screen.types(UP);
    desk.screen.line_is("ferryd> ask \"no end");
    drop((writer, waiting));
}

#[test]
fn a_line_that_is_half_typed_survives_a_hundred_lines_of_the_log() {
    let mut desk = Desk::take(&[]);
    let mut peer = desk.peer();
    desk.screen.types("sta");
    desk.screen.line_is("ferryd> sta");
    for n in 0..100 {
        assert_refused(&ask_about(&mut peer, "STAT", &format!("missing{n}")), "not-found");
    }
    desk.screen.shows("STAT missing99");
    desk.screen.line_is("ferryd> sta");
    // While a search goes on nothing is shown above it, and nobody waits for that.
    desk.asks(&format!("{CTRL_U}who"), "SESSION");
    desk.screen.types(CTRL_R);
    desk.screen.shows("(reverse-i-search)");
    for n in 0..500 {
        assert_refused(&ask_about(&mut peer, "STAT", &format!("absent{n}")), "not-found");
    }
    desk.screen.types(CTRL_G);
    desk.screen.shows("lines not shown; the log has them");
    desk.asks(&format!("{CTRL_U}stats"), "refusals     600");
    // Nor does the end of the server.
    desk.screen.types(CTRL_R);
    desk.screen.shows("(reverse-i-search)");
    desk.screen.signal(Signal::TERM).unwrap();
    desk.is_left_as_found(0);
}

#[test]
fn ctrl_c_at_the_console_stops_the_server_and_ctrl_d_closes_only_the_console() {
    let mut desk = Desk::take(&[]);
    desk.screen.types("half");
    desk.screen.types(CTRL_C);
    desk.is_left_as_found(0);

    // Twice stops at once, as without a console.
    let mut desk = Desk::take(&["--grace", "3600"]);
    let mut stuck = desk.peer();
    hold(&mut stuck, "film");
    desk.screen.types(CTRL_C);
    desk.screen.shows("stopping; once more to stop at once");
    desk.asks("files", "/library/film");
    desk.screen.types(CTRL_C);
    desk.is_left_as_found(1);

    let mut desk = Desk::take(&[]);
    desk.screen.types(CTRL_D);
    desk.screen.shows("the console is closed; the server goes on, and Ctrl-C stops it");
    eventually("the terminal is as it was", || desk.screen.is_as_a_shell_expects().unwrap());
    // The log is still shown, and commands are nobody's any more.
    desk.screen.types("shutdown now\r");
    assert_goes_on(&mut desk.peer());
    desk.screen.shows("LIST /");
    desk.screen.types(CTRL_C);
    desk.is_left_as_found(0);
}

#[test]
fn however_the_server_is_stopped_the_terminal_is_given_back() {
    let mut desk = Desk::take(&[]);
    desk.screen.types("half a li");
    desk.screen.line_is("ferryd> half a li");
    assert!(!desk.screen.is_as_a_shell_expects().unwrap());
    desk.screen.signal(Signal::TERM).unwrap();
    desk.is_left_as_found(0);

    let mut desk = Desk::take(&[]);
    desk.screen.types("shutdown now\r");
    desk.is_left_as_found(0);

    // Twice, and something is in the way of the first time.
    let mut desk = Desk::take(&["--grace", "3600"]);
    let mut stuck = desk.peer();
    hold(&mut stuck, "film");
    desk.screen.signal(Signal::TERM).unwrap();
    desk.screen.shows("stopping; once more to stop at once");
    desk.asks("files", "/library/film");
    desk.screen.signal(Signal::TERM).unwrap();
    desk.is_left_as_found(1);

    // Once, and what is in the way is sent away.
    let mut desk = Desk::take(&["--grace", "3600"]);
    let mut stuck = desk.peer();
    hold(&mut stuck, "film");
    desk.screen.signal(Signal::TERM).unwrap();
    desk.screen.shows("stopping; once more to stop at once");
    desk.screen.types("kick c01\r");
    assert_refused(&stuck.line(), "denied");
    drop(stuck);
    desk.is_left_as_found(0);
}

#[test]
fn without_a_terminal_there_is_no_console_and_nothing_breaks() {
    let data = temporary();
    let mut server = Command::new(stage())
        .args(["ferryd", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    server.stdin.take().unwrap().write_all(b"shutdown now\nwho\n").unwrap();
    let (mut stdout, mut first) = (BufReader::new(server.stdout.take().unwrap()), String::new());
    stdout.read_line(&mut first).unwrap();
    assert_goes_on(&mut Peer::connect(address_in(&first)));
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn in_the_background_of_a_terminal_the_server_serves_and_asks_for_nothing() {
    let data = temporary();
    let mut shell = Command::new("bash");
    // With job control, as at a prompt: `&` is then another group than the terminal's.
    let script =
        "set -m; \"$0\" ferryd --listen 127.0.0.1:0 --data \"$1\" & echo pid $! end; wait $!";
    shell.args(["-c", script]).arg(stage()).arg(data.path());
    let mut screen = Screen::of(shell).unwrap();
    screen.shows("durability full");
    let said = screen.transcript();
    assert_goes_on(&mut Peer::connect(address_in(&said)));
    assert!(!screen.text().contains(PROMPT) && screen.is_as_a_shell_expects().unwrap());
    let (_, pid) = said.split_once("pid ").unwrap();
    let pid = pid.split_whitespace().next().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    assert!(screen.ended().success());
}

#[test]
pub(crate) fn an_administrator_elsewhere_has_the_same_console_and_nobody_else_has() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let (mut guest, mut user) = (server.peer(), newcomer(&server, "xiaoyu"));
    for peer in [&mut guest, &mut user] {
        assert_refused(&admin(peer, "who"), "denied");
        assert_refused(&admin(peer, "shutdown now"), "denied");
        assert_goes_on(peer);
    }
    let who = told(&mut zhang, "who");
    for line in ["c01      zhang ", "c02      guest ", "c03      xiaoyu "] {
        assert!(who.contains(line), "{who}");
    }
    assert!(who.lines().any(|line| line.contains("zhang") && line.contains("RUN")), "{who}");
    // They may still be sending the answers that have been read here.
    eventually("the others are idle", || told(&mut zhang, "who").matches("IDLE").count() == 2);
    assert_eq!(told(&mut zhang, "files"), "nobody writes a file");
    assert_ok(&put(&mut user, "/library/a.txt", b"12345"));
    let stats = told(&mut zhang, "stats");
    assert!(
        stats.contains("received     1 files, 5 B") && stats.contains("refusals     4"),
        "{stats}"
    );
    let users = told(&mut zhang, "users");
    assert!(
        users.contains("user   xiaoyu  c03\nadmin  zhang   c01\nguest  -       c02"),
        "{users}"
    );
    assert!(told(&mut zhang, "help").contains("shutdown"));
    assert_eq!(told(&mut zhang, "  "), "");
    for line in ["who c01", "\u{1b}[2J", "say", "ask 'open", "shutdown in 5", "kick"] {
        assert_refused(&admin(&mut zhang, line), "bad-request");
    }
    assert_refused(&admin(&mut zhang, "kick \u{202e}x"), "not-found");
}

#[test]
fn what_the_console_shows_of_very_many_fits_an_answer() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let account = fs::read_to_string(server.data().join("users/zhang.json")).unwrap();
    for n in 0..1200 {
        let user = format!("student-{n:04}-{}", "x".repeat(18));
        let file = server.data().join(format!("users/{user}.json"));
        fs::write(file, account.replace("zhang", &user)).unwrap();
    }
    let users = told(&mut zhang, "users");
    assert!(users.contains("student-0000") && users.contains(" lines more; "), "{users:.200}");
    assert_goes_on(&mut zhang);
}

#[test]
pub(crate) fn whoever_is_kicked_is_told_and_whatever_they_do_ends() {
    let server = quick();
    fs::write(server.library().join("film"), vec![b'x'; 50_000_000]).unwrap();
    let mut zhang = administrator(&server, "zhang");

    // Idle; and in two places at once.
    let (mut one, mut two) = (newcomer(&server, "xiaoyu"), known(server.address(), "xiaoyu"));
    assert_eq!(told(&mut zhang, "kick XiaoYu"), "sent away: c02, c03");
    for peer in [&mut one, &mut two] {
        assert_refused(&peer.line(), "denied");
        assert!(peer.is_closed());
    }

    // In the middle of an upload, and in line for its name.
    let (mut writer, mut waiting) = (server.peer(), server.peer());
    hold(&mut writer, "a.txt");
    say(&mut waiting, &json!({"cmd": "PUT", "path": "a.txt", "size": 3, "wait": 3600}));
    assert_eq!(waiting.line()["status"], "WAIT");
    assert_eq!(told(&mut zhang, "kick c05"), "sent away: c05");
    assert_refused(&decision(&mut waiting), "denied");
    assert!(waiting.is_closed());
    assert_eq!(told(&mut zhang, "kick c4"), "sent away: c04");
    assert_refused(&writer.line(), "denied");
    assert_ok(&begin(&mut zhang, "/library/a.txt", 3));
    let mut zhang = known(server.address(), "zhang");

    // Taking a file, and taking nothing of it: in the middle of it nothing can be told.
    let mut deaf = server.peer();
    say(&mut deaf, &json!({"cmd": "GET", "path": "film"}));
    eventually("it sends", || told(&mut zhang, "who").contains("SEND"));
    let session = deaf.greeting["session"].as_u64().unwrap();
    told(&mut zhang, &format!("kick c{session:02}"));
    eventually("it is gone", || !told(&mut zhang, "who").contains(&format!("c{session:02}")));

    for nobody in ["xiaoyu", "c99", "guest", "c"] {
        assert_refused(&admin(&mut zhang, &format!("kick {nobody}")), "not-found");
    }
}

#[test]
pub(crate) fn what_the_administrator_says_reaches_everybody_who_listens() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let (mut inside, mut outside) = (Ears::guest(&server, "张三"), listener(&server));
    assert_eq!(told(&mut zhang, "say it's \"time\""), "said to everybody");
    for ears in [&mut inside, &mut outside] {
        ears.hears_that(&administrator_says("it's \"time\""));
    }
    let who = told(&mut zhang, "who");
    assert!(who.lines().any(|line| line.contains("c02") && line.contains("张三")), "{who}");
    assert!(told(&mut zhang, "stats").contains("in the room  1\n"));
    assert_eq!(told(&mut zhang, "kick 张三"), "sent away: c02");
    assert_refused(&inside.answer(), "denied");
    assert_refused(&admin(&mut zhang, &format!("say {}", "x".repeat(3000))), "too-large");
}

#[test]
fn a_question_is_asked_again_and_closed_from_the_console() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let mut user = newcomer(&server, "xiaoyu");
    for line in ["tally", "ask again", "ask close"] {
        assert_refused(&admin(&mut zhang, line), "not-found");
    }
    told(&mut zhang, "ask 'will both survive?' yes no");
    assert_ok(&ask(&mut user, &json!({"cmd": "VOTE", "choice": "yes"})));
    let tally = told(&mut zhang, "tally");
    assert!(tally.contains("will both survive?") && tally.contains("yes  1"), "{tally}");
    assert!(told(&mut zhang, "ask again").contains("round 2"));
    assert!(told(&mut zhang, "tally").contains("yes  0"));
    assert!(told(&mut zhang, "ask close").contains("closed"));
    let kept = fs::read_to_string(server.data().join("votes.csv")).unwrap();
    assert!(kept.contains("will both survive?,1,yes,1"), "{kept}");
}

#[test]
fn a_question_that_ends_another_shows_how_that_one_ended() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let mut user = newcomer(&server, "xiaoyu");
    let begun = told(&mut zhang, "ask 'one cube?' yes no");
    assert_eq!(begun, "one cube? (round 1, open)\nyes  0\nno   0");
    assert_ok(&ask(&mut user, &json!({"cmd": "VOTE", "choice": "yes"})));
    let second = "two cubes? (round 1, open)\nyes  0\nno   0";
    let ended = "one cube? (round 1, closed)\nyes  1\nno   0";
    assert_eq!(told(&mut zhang, "ask 'two cubes?' yes no"), format!("{ended}\n{second}"));
    let ended = second.replace("open", "closed");
    let again = told(&mut zhang, "ask again");
    assert_eq!(again, format!("{ended}\n{}", second.replace('1', "2")));
    // What has ended before is not said once more.
    told(&mut zhang, "ask close");
    assert_eq!(told(&mut zhang, "ask 'two cubes?' yes no"), second);
    // Nor is it lost where it cannot be kept.
    fs::remove_file(server.data().join("votes.csv")).unwrap();
    fs::create_dir(server.data().join("votes.csv")).unwrap();
    let unkept = admin(&mut zhang, "ask again");
    assert_refused(&unkept, "internal");
    assert!(unkept["message"].as_str().unwrap().contains("over (yes 0, no 0)"), "{unkept}");
}

#[test]
fn a_shutdown_with_a_delay_is_told_to_everybody_and_done() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let mut outside = listener(&server);
    let said = "the server stops in 2 s; `shutdown cancel` takes it back";
    assert_eq!(told(&mut zhang, "shutdown in 2s"), said);
    outside.hears_that(&administrator_says("the server stops in 2 s"));
    assert_goes_on(&mut zhang);
    outside.hears_that(&administrator_says("the server stops now"));
    assert!(outside.peer.is_closed() && zhang.is_closed());
    server.stop();
}

#[test]
fn a_shutdown_that_is_cancelled_is_none_and_that_is_told_too() {
    let server = quick();
    let mut zhang = administrator(&server, "zhang");
    let mut outside = listener(&server);
    assert_eq!(told(&mut zhang, "shutdown cancel"), "no stop is planned");
    told(&mut zhang, "shutdown in 1s");
    assert_eq!(told(&mut zhang, "shutdown cancel"), "the server goes on");
    told(&mut zhang, "shutdown in 2h");
    for said in
        ["the server stops in 1 s", "the server does not stop after all", "the server stops in 2 h"]
    {
        outside.hears_that(&administrator_says(said));
    }
    // A stop that was only planned holds up no other.
    server.stop();
    assert!(outside.peer.is_closed());
}
