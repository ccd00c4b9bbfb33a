//! The prompt, as a person types and sees it.
//!
//! Goal: everything a person expects of a line editor, of Ctrl-C, and of a server that comes back.
//! Method: keys go in, and what the screen shows is waited for. A line that is stuck is that of the
//! fault proxy.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use harness::actor::{self, Ferryd};
use harness::content::bytes;
use harness::eventually;
use harness::fault_proxy::{Fault, FaultProxy};
use rustix::process::Signal;

use crate::people::stage;
use crate::seat::{CTRL_C, CTRL_R, ENTER, RIGHT, Seat, UP, temporary};
use crate::talk::quick;

#[test]
fn what_was_typed_comes_back_the_next_day() {
    let (server, here) = (quick(), temporary());
    let mut first = Seat::take(server.address(), here.path(), &[]);
    first.types("mkdir monday\r");
    eventually("the folder is made", || server.library().join("monday").is_dir());
    first.is_asked("guest", "/library");
    first.types("login xiaoyu 123456\r");
    first.screen.shows("unexpected argument");
    first.is_asked("guest", "/library");
    first.leaves();
    let kept = fs::read_to_string(here.path().join(".state/ferry/history")).unwrap();
    assert!(kept.contains("mkdir monday") && !kept.contains("123456"), "{kept}");

    let mut next = Seat::take(server.address(), here.path(), &[]);
    next.types(UP);
    next.line_is("mkdir monday");
    next.types(CTRL_C);
    next.is_asked("guest", "/library");
    next.types(CTRL_R);
    next.types("mon");
    next.screen.shows("(reverse-i-search)`mon': mkdir monday");
    next.types(ENTER);
    next.screen.shows("`/library/monday` is a folder on the server.");
    next.is_asked("guest", "/library");
    // As grey text behind what is typed, taken with the arrow.
    next.types("mk");
    next.line_is("mkdir monday");
    next.types(RIGHT);
    next.types("2\r");
    eventually("the other folder is made", || server.library().join("monday2").is_dir());
    next.is_asked("guest", "/library");
    next.leaves();
}

#[test]
fn a_list_is_numbered_and_its_numbers_name_what_it_showed() {
    let (server, here) = (quick(), temporary());
    fs::create_dir(server.library().join("相册")).unwrap();
    for name in ["a.txt", "海边 🏖.txt"] {
        fs::write(server.library().join(name), name).unwrap();
    }
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("list\r");
    for line in ["1     -  ", "  相册/\n2   5 B  ", "  a.txt\n3  15 B  ", "  海边 🏖.txt\n"] {
        seat.screen.shows(line);
    }
    seat.is_asked("guest", "/library");
    // Elsewhere they mean the same as where they were shown.
    seat.types("cd 相册\r");
    seat.is_asked("guest", "/library/相册");
    seat.types("get 3 2\r");
    seat.screen.shows("get /library/海边 🏖.txt  15 B\nget /library/a.txt  5 B\n2 files, ");
    seat.is_asked("guest", "/library/相册");
    assert_eq!(fs::read_to_string(here.path().join("海边 🏖.txt")).unwrap(), "海边 🏖.txt");
    // Those of `lls` are for `put`.
    seat.types("lls\r");
    seat.screen.shows("2  15 B  ");
    seat.is_asked("guest", "/library/相册");
    seat.types("put 2\r");
    seat.screen.shows("put 海边 🏖.txt  15 B");
    seat.is_asked("guest", "/library/相册");
    seat.types("get 9\r");
    seat.screen.shows("/library/相册/9");
    seat.is_asked("guest", "/library/相册");
    seat.leaves();
}

#[test]
fn ctrl_c_abandons_a_line_or_a_transfer_and_never_the_program() {
    let (server, here) = (quick(), temporary());
    fs::write(server.library().join("film"), bytes(1, 5_000_000)).unwrap();
    // Nothing more comes of the first connection, and nobody is told.
    let stuck = |n| if n == 0 { Fault::BlackHole(1_000_000) } else { Fault::None };
    let proxy = FaultProxy::start(server.address(), stuck).unwrap();
    let mut seat = Seat::take(proxy.address(), here.path(), &[]);
    seat.types("mkdir nev");
    seat.line_is("mkdir nev");
    seat.types(CTRL_C);
    seat.is_asked("guest", "/library");
    seat.types("get film\r");
    eventually("the transfer is stuck", || proxy.struck() == 1);
    seat.types(CTRL_C);
    seat.screen.shows("interrupted");
    seat.is_asked("guest", "/library");
    seat.types("get film\r");
    seat.screen.shows("get film  5.0 MB");
    assert!(fs::read(here.path().join("film")).unwrap() == bytes(1, 5_000_000));
    assert_eq!(fs::read_dir(server.library()).unwrap().count(), 2, "film and .ferry");
    seat.is_asked("guest", "/library");
    seat.leaves();
}

#[test]
fn a_server_that_was_restarted_is_told_of_once_and_knows_who_one_is_and_where() {
    let (data, here) = (temporary(), temporary());
    let server = Ferryd::start(stage(), data.path(), &[]).unwrap();
    let address = server.address;
    let mut seat = Seat::take(address, here.path(), &[]);
    seat.types("register xiaoyu\r");
    for question in ["Password for xiaoyu:", "Once more:"] {
        seat.screen.shows(question);
        seat.types("s3cret-word\r");
    }
    seat.is_asked("xiaoyu", "/home");
    // Typed ahead, nothing is lost.
    seat.types("mkdir notes\rcd notes\r");
    seat.is_asked("xiaoyu", "/home/notes");
    server.kill().unwrap();
    let _again = Ferryd::start_again_at(address, stage(), data.path()).unwrap();
    // Names are asked for as the same user, too.
    seat.types("cd /ho\t");
    seat.screen.line_is(&format!("xiaoyu@{address} /home/notes> cd /home/"));
    seat.types(CTRL_C);
    seat.is_asked("xiaoyu", "/home/notes");
    seat.types("who\r");
    seat.screen.shows("xiaoyu (user)");
    seat.is_asked("xiaoyu", "/home/notes");
    seat.types("mkdir more\r");
    eventually("it is made", || data.path().join("home/xiaoyu/notes/more").is_dir());
    seat.is_asked("xiaoyu", "/home/notes");
    let said = seat.screen.transcript();
    assert_eq!(said.matches("the connection had ended; connected to").count(), 1, "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let kept = fs::read_to_string(here.path().join(".state/ferry/history")).unwrap();
    assert!(!kept.contains("s3cret"), "{kept}");
}

#[test]
fn sigterm_ends_the_program_and_gives_the_terminal_back() {
    let (server, here) = (quick(), temporary());
    for question in ["", "Password for xiaoyu:"] {
        let mut seat = Seat::take(server.address(), here.path(), &[]);
        if !question.is_empty() {
            seat.types("login xiaoyu\r");
            seat.screen.shows(question);
        }
        eventually("the terminal is the editor's", || {
            !seat.screen.is_as_a_shell_expects().unwrap()
        });
        seat.screen.signal(Signal::TERM).unwrap();
        assert_eq!(seat.screen.ended().code(), Some(130), "{question}");
        eventually("the terminal is as it was", || seat.screen.is_as_a_shell_expects().unwrap());
    }
}

/// How many bytes have come of what is being fetched to this folder.
fn arrived(here: &Path) -> u64 {
    let parts = fs::read_dir(here)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "part"));
    parts.map(|part| part.metadata().unwrap().len()).sum()
}

#[test]
fn sigterm_in_a_transfer_ends_the_transfer_and_then_the_program() {
    let (server, here) = (quick(), temporary());
    fs::write(server.library().join("film"), bytes(1, 5_000_000)).unwrap();
    let proxy = FaultProxy::start(server.address(), |_| Fault::BlackHole(1_000_000)).unwrap();
    let mut seat = Seat::take(proxy.address(), here.path(), &[]);
    seat.types("get film\r");
    // What the proxy has let through may not have been read yet.
    eventually("some of it is here", || arrived(here.path()) > 0);
    seat.screen.signal(Signal::TERM).unwrap();
    assert_eq!(seat.screen.ended().code(), Some(130));
    let journal = fs::read_to_string(here.path().join(".state/ferry/client.log")).unwrap();
    assert!(journal.contains("run the same command again to go on from there"), "{journal}");
    assert!(!here.path().join("film").exists());
}

#[test]
fn a_command_of_ones_own_shell_runs_here_and_ctrl_c_is_its_own() {
    let (server, here) = (quick(), temporary());
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("!echo $((40 + 2)) > answer; exit 3\r");
    seat.screen.shows("ended with exit status: 3");
    assert_eq!(fs::read(here.path().join("answer")).unwrap(), b"42\n");
    seat.is_asked("guest", "/library");
    seat.types("!echo up $((1 + 1)); cat\r");
    seat.screen.shows("up 2");
    // It is `cat` that says it again: a shell that is pressed while it starts one may wait for it.
    seat.types("here\r");
    seat.screen.shows("here\nhere");
    seat.types(CTRL_C);
    // Its shell may say so by the signal or by a status.
    seat.screen.shows("; cat ended with ");
    seat.is_asked("guest", "/library");
    // However often it is pressed.
    seat.types(
        "!trap 'echo held $((n = n + 1))' INT; echo up $((2 + 2)); until read x; do :; done\r",
    );
    seat.screen.shows("up 4");
    for nth in 1..=3 {
        seat.types(CTRL_C);
        seat.screen.shows(&format!("held {nth}"));
    }
    seat.types(ENTER);
    seat.is_asked("guest", "/library");
    // And it is ferry's again.
    seat.screen.wipes();
    seat.types("pwd\r");
    seat.screen.shows("pwd\n/library\n");
    seat.is_asked("guest", "/library");
    seat.leaves();
}

#[test]
fn in_a_script_a_command_of_ones_own_shell_takes_no_line_and_its_failure_ends_it() {
    let (server, here) = (quick(), temporary());
    let mut script = actor::ferry(stage(), server.address(), [""; 0])
        .current_dir(here.path())
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = b"!cat\nmkdir one\n! exit 3\nmkdir two\n";
    script.stdin.take().unwrap().write_all(lines).unwrap();
    let output = script.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("! exit 3 ended with exit status: 3"), "{said}");
    assert!(server.library().join("one").is_dir() && !server.library().join("two").exists());
}
