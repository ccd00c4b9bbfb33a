//! What Tab offers.
//!
//! Goal: commands, options and names, here and there, as they can be typed; nothing that a server, a
//! network or a file name could do to the prompt. Method: keys go in, and what the screen shows is
//! waited for; a lying server is a few lines, a silent line that of the fault proxy.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use harness::eventually;
use harness::fault_proxy::{Fault, FaultProxy};

use crate::seat::{CTRL_C, ENTER, Seat, TAB, temporary};
use crate::talk::quick;

#[test]
fn tab_completes_commands_and_options() {
    let (server, here) = (quick(), temporary());
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("pu\t");
    seat.line_is("put");
    seat.types("--f\t");
    seat.line_is("put --force");
    seat.types("--\t\t");
    seat.screen.shows("--to FOLDER      The folder on the server");
    seat.screen.shows("--no-resume      Send all of each file");
    seat.types(CTRL_C);
    seat.is_asked("guest", "/library");
    seat.types("help pu\t\r");
    seat.screen.shows("put report.pdf\n  put a.jpg b.jpg --to photos");
    let said = seat.screen.transcript();
    assert!(said.contains("Send files.") && said.contains("[OPTIONS] <FILE>..."), "{said}");
}

#[test]
fn tab_completes_names_here_with_spaces_and_in_chinese() {
    let (server, here) = (quick(), temporary());
    fs::write(here.path().join("笔记 😀.txt"), "9").unwrap();
    fs::create_dir(here.path().join("slides of monday")).unwrap();
    fs::write(here.path().join("slides of monday/one"), "1").unwrap();
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("put 笔\t");
    seat.line_is(r"put 笔记\ 😀.txt");
    // A folder can be gone on with.
    seat.types("\"sl\t");
    seat.line_is("put 笔记\\ 😀.txt \"slides of monday/");
    seat.types("o\t");
    seat.line_is("put 笔记\\ 😀.txt \"slides of monday/one\"");
    seat.types(ENTER);
    seat.screen.shows("2 files");
    assert_eq!(fs::read(server.library().join("笔记 😀.txt")).unwrap(), b"9");
    assert_eq!(fs::read(server.library().join("one")).unwrap(), b"1");
}

#[test]
fn tab_completes_names_on_the_server_of_the_folder_one_is_in() {
    let (server, here) = (quick(), temporary());
    fs::create_dir(server.library().join("星期 一")).unwrap();
    fs::write(server.library().join("星期 一/two words"), "2").unwrap();
    fs::write(server.library().join("星期 file"), "f").unwrap();
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    // Only one of the two is a folder.
    seat.types("cd 星\t");
    seat.line_is(r"cd 星期\ 一/");
    seat.types(ENTER);
    seat.is_asked("guest", "/library/星期 一");
    seat.types("get 't\t\r");
    seat.screen.shows("get two words  1 B");
    assert_eq!(fs::read(here.path().join("two words")).unwrap(), b"2");
    // What another command has made is offered at once.
    seat.types("cd\r");
    seat.is_asked("guest", "/library");
    seat.types("mkdir newest\r");
    eventually("it is made", || server.library().join("newest").is_dir());
    seat.is_asked("guest", "/library");
    seat.types("stat ne\t");
    seat.line_is("stat newest/");
}

/// A server that says every folder holds these.
fn a_server_with(names: &'static [&str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || lies(&stream, names));
        }
    });
    address
}

fn lies(mut stream: &TcpStream, names: &[&str]) {
    let greeting = serde_json::json!({
        "status": "OK", "server": "\u{1b}]0;x\u{7}", "protocol": 1, "session": 1,
    });
    let entries: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({"name": name, "kind": "file", "size": 1, "mtime": 0}))
        .collect();
    let page = serde_json::json!({"status": "OK", "entries": entries, "more": false});
    let mut questions = BufReader::new(stream).lines();
    let mut said = writeln!(stream, "{greeting}");
    while said.is_ok() && questions.next().is_some_and(|question| question.is_ok()) {
        said = writeln!(stream, "{page}");
    }
}

#[test]
fn no_name_makes_the_terminal_do_anything() {
    let hostile = &["aa", "ab", "a\u{1b}]0;x\u{7}", "a\u{9b}2J", "a\u{202e}b", "a\nb", "../a"];
    let (address, here) = (a_server_with(hostile), temporary());
    fs::write(here.path().join("b\u{1b}]0;x\u{7}"), "").unwrap();
    for name in ["ba", "bb"] {
        fs::write(here.path().join(name), "").unwrap();
    }
    let mut seat = Seat::take(address, here.path(), &[]);
    seat.types("list\r");
    seat.screen.shows(r"a\u{1b}]0;x\u{7}");
    seat.is_asked("guest", "/library");
    for (command, offered) in [("get a", "aa  ab"), ("put b", "ba  bb")] {
        seat.screen.wipes();
        seat.types(&format!("{command}{TAB}{TAB}"));
        seat.screen.shows(offered);
        seat.line_is(command);
        let shown = seat.screen.text();
        assert!(shown.lines().all(|l| l.contains(offered) || l.contains(command)), "{shown}");
        seat.types(CTRL_C);
        seat.is_asked("guest", "/library");
    }
    let written = seat.screen.transcript();
    for obeyed in ["\u{1b}]0;", "\u{9b}", "\u{202e}"] {
        assert!(!written.contains(obeyed), "{written:?}");
    }
}

#[test]
fn a_dead_network_does_not_freeze_the_prompt() {
    let (server, here) = (quick(), temporary());
    // Whoever comes after the first hears nothing, not even a greeting.
    let silent = |n| if n == 0 { Fault::None } else { Fault::BlackHole(0) };
    let proxy = FaultProxy::start(server.address(), silent).unwrap();
    let mut seat = Seat::take(proxy.address(), here.path(), &[]);
    fs::create_dir(server.library().join("monday")).unwrap();
    let begun = Instant::now();
    seat.types("cd mo\tnday\r");
    seat.is_asked("guest", "/library/monday");
    // A second is what Tab waits; a reply of a server may take a minute.
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(900) && waited < Duration::from_secs(20), "{waited:?}");
    let begun = Instant::now();
    // Nor does it keep who leaves while it is still being asked: Ctrl-U clears the line.
    seat.types("get \t\x15");
    seat.leaves();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
