//! The room, as people see it at their prompts.
//!
//! Goal: who talks and who works are not in each other's way, whatever arrives. Method: the real
//! `ferry` on terminals of its own; where a server must say what no server says, a fake one.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::process::Stdio;

use harness::{Peer, actor, eventually};
use serde_json::{Value, json};

use crate::console::Desk;
use crate::fake_room::FakeRoom;
use crate::people::{PASSWORD, newcomer, register, stage};
use crate::seat::{CTRL_C, CTRL_D, ENTER, Seat, temporary};
use crate::talk::{assert_ok, put, quick};

/// What a guest called so asks.
fn join(name: &str) -> Value {
    json!({"cmd": "JOIN", "name": name})
}

#[test]
fn a_line_half_typed_survives_a_hundred_messages_and_is_obeyed_when_it_is_whole() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    room.is_asked(&json!({"cmd": "LISTEN"}), 1);
    seat.types("mkdir half");
    seat.line_is("mkdir half");
    for n in 0..100 {
        room.tells_event(&json!({"event": "admin", "text": format!("message <{n}>"), "at": 9}));
        if n == 50 {
            // Typing goes on meanwhile.
            seat.types("-typed");
        }
    }
    seat.screen.shows("[administrator] message <99>\n");
    seat.line_is("mkdir half-typed");
    let shown = seat.screen.transcript();
    let places: Vec<usize> = (0..100)
        .map(|n| {
            let line = format!("[administrator] message <{n}>\r\n");
            assert_eq!(shown.matches(&line).count(), 1, "{n} in {shown}");
            shown.find(&line).unwrap()
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    seat.types(ENTER);
    room.is_asked(&json!({"cmd": "MKDIR", "path": "/library/half-typed"}), 1);
    seat.is_asked("guest", "/library");
    seat.leaves();
}

#[test]
fn what_is_typed_in_the_room_is_said_and_a_slash_makes_it_a_command() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    seat.types("chat 张三\r");
    room.is_asked(&join("张三"), 1);
    seat.screen.line_is("张三>");
    for (typed, asked) in [
        ("hello, it's me", json!({"cmd": "SAY", "text": "hello, it's me"})),
        ("@李四 你好", json!({"cmd": "SAY", "text": "你好", "to": "李四"})),
        ("/mkdir a; mkdir b", json!({"cmd": "MKDIR", "path": "/library/b"})),
    ] {
        seat.types(&format!("{typed}\r"));
        room.is_asked(&asked, 1);
        seat.screen.line_is("张三>");
    }
    seat.types("never mi");
    seat.screen.line_is("张三> never mi");
    seat.types(CTRL_C);
    seat.screen.line_is("张三>");
    // Back to commands, and still there, in either way.
    for back in [CTRL_D, "/\r"] {
        seat.types(back);
        seat.is_asked("guest", "/library");
        room.says("李四", "are you there");
        seat.screen.shows("李四 say : are you there\n");
        seat.types("say yes\r");
        seat.is_asked("guest", "/library");
        seat.types("chat\r");
        seat.screen.line_is("张三>");
        seat.screen.wipes();
    }
    room.is_asked(&json!({"cmd": "SAY", "text": "yes"}), 2);
    seat.types("/chat off\r");
    seat.is_asked("guest", "/library");
    room.is_asked(&json!({"cmd": "LEAVE"}), 1);
    seat.types("chat off\r");
    seat.screen.shows("you are not in the room");
    seat.is_asked("guest", "/library");
    seat.leaves();
    let kept = fs::read_to_string(here.path().join(".state/ferry/history")).unwrap();
    assert!(kept.contains("chat 张三") && !kept.contains("hello") && !kept.contains("never"));
}

#[test]
fn whatever_is_told_unasked_it_acts_on_no_terminal_and_the_prompt_goes_on() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    room.is_asked(&json!({"cmd": "LISTEN"}), 1);
    seat.types("pwd");
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\n\r\u{7f}";
    for event in [
        json!({"event": "say", "from": evil, "text": evil, "at": i64::MAX}),
        json!({"event": "enter", "name": evil, "guest": true, "at": 9}),
        json!({"event": "leave", "name": evil, "at": i64::MIN}),
        json!({"event": "admin", "text": evil, "at": 9}),
        json!({"event": "vote", "question": evil, "round": 1, "open": true, "at": 9,
               "choices": [{"choice": evil, "votes": 1}]}),
        json!({"event": "of a later version", "text": evil}),
        json!({"event": "say", "from": 7}),
        json!({"event": "admin", "text": "still here", "at": 9}),
    ] {
        room.tells_event(&event);
    }
    seat.screen.shows("[administrator] still here\n");
    seat.line_is("pwd");
    let mut times = 1;
    for bytes in [&b"\xff\xfe\n"[..], b"nonsense\n", b"{\"status\":\"OK\"}\n", &vec![b'x'; 70_000]]
    {
        room.tells(bytes);
        // That is no room any more; it is looked for again, and found.
        times += 1;
        room.is_asked(&json!({"cmd": "LISTEN"}), times);
    }
    room.tells_event(&json!({"event": "admin", "text": "and again", "at": 9}));
    seat.screen.shows("[administrator] and again\n");
    seat.line_is("pwd");
    seat.types(ENTER);
    seat.screen.shows("/library\n");
    let written = seat.screen.transcript();
    for bad in ["\u{1b}]0;", "\u{9b}", "\u{202e}", "\u{7f}"] {
        assert!(!written.contains(bad), "{bad:?} in {written:?}");
    }
    assert!(written.contains(r"\u{1b}]0;owned\u{7}"), "{written}");
}

#[test]
fn who_was_in_the_room_comes_back_by_themselves_when_the_line_was_cut() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    seat.types("chat 张三\r");
    seat.screen.line_is("张三>");
    seat.types("half a li");
    room.hangs_up();
    room.is_asked(&join("张三"), 2);
    seat.screen.shows("the connection to the room was lost; in it again as 张三, 2 there");
    seat.screen.line_is("张三> half a li");
    seat.types("ne\r");
    room.is_asked(&json!({"cmd": "SAY", "text": "half a line"}), 1);
    seat.screen.line_is("张三>");
}

#[test]
fn who_cannot_come_in_is_told_why_and_has_the_prompt_to_try_again() {
    let (room, here) = (FakeRoom::open(), temporary());
    room.answers_once("JOIN", r#"{"status":"EXISTS","message":"taken"}"#);
    let mut seat = Seat::take(room.address(), here.path(), &["chat", "张三"]);
    seat.screen.shows("ferry: `张三` is somebody else's name; choose another\n");
    seat.types("chat\r");
    seat.screen.shows("ferry: a guest needs a name there: `chat NAME`");
    seat.is_asked("guest", "/library");
    seat.types("chat 李四\r");
    seat.screen.line_is("李四>");
}

#[test]
fn who_is_sent_out_is_told_why_and_does_not_come_back() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    room.is_asked(&json!({"cmd": "LISTEN"}), 1);
    seat.types("chat 张三\r");
    seat.screen.line_is("张三>");
    let farewell = json!({"status": "FAIL", "reason": "denied", "message": "out \u{1b}[2J"});
    room.tells_event(&farewell);
    room.hangs_up();
    seat.screen.shows(r"ferry: out \u{1b}[2J");
    seat.types("hello?\r");
    seat.screen.shows("you are not in the room; `chat` goes in");
    seat.is_asked("guest", "/library");
    room.is_asked(&json!({"cmd": "LISTEN"}), 2);
    room.tells_event(&json!({"event": "admin", "text": "still here", "at": 9}));
    seat.screen.shows("[administrator] still here\n");
}

#[test]
fn what_arrives_waits_while_a_password_is_typed_or_another_program_runs() {
    let (room, here) = (FakeRoom::open(), temporary());
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    room.is_asked(&json!({"cmd": "LISTEN"}), 1);
    let tell = |text: &str| room.tells_event(&json!({"event": "admin", "text": text, "at": 9}));
    seat.types("!echo up; read x; echo down\r");
    seat.screen.shows("\nup");
    tell("first");
    seat.types("typed\r");
    seat.screen.shows("up\ntyped\ndown\n[administrator] first\n");
    seat.is_asked("guest", "/library");
    seat.types("login xiaoyu\r");
    seat.screen.shows("Password for xiaoyu:");
    tell("second");
    // A password that is not there yet cannot be heard about either.
    seat.types(CTRL_C);
    seat.screen.shows("[administrator] second\n");
    seat.is_asked("guest", "/library");
    assert!(!seat.screen.text().contains("Password for xiaoyu: ["), "{}", seat.screen.text());
}

/// `ferry` with these words, and these lines on its stdin, to its end.
fn piped(room: &FakeRoom, words: &[&str], lines: &str) -> (Option<i32>, String, String) {
    let mut ferry = actor::ferry(stage(), room.address(), words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who is refused ends without reading the rest.
    match ferry.stdin.take().unwrap().write_all(lines.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        typed => typed.unwrap(),
    }
    let output = ferry.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn in_a_pipe_every_line_is_said_and_what_was_said_too_fast_is_said_again() {
    let room = FakeRoom::open();
    room.answers_once("SAY", r#"{"status":"FAIL","reason":"busy","message":"wait 1 s"}"#);
    let lines = "one\n\n@李四 two\nthree";
    assert_eq!(piped(&room, &["chat", "张三"], lines), (Some(0), String::new(), String::new()));
    let asked: Vec<Value> = room.asked();
    let said: Vec<&Value> = asked.iter().filter(|asked| asked["cmd"] == "SAY").collect();
    let texts: Vec<_> = said.iter().map(|asked| asked["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "one", "two", "three"]);
    assert_eq!(said[2]["to"], "李四");
    assert_eq!(asked.last().unwrap()["cmd"], "LEAVE");
}

#[test]
fn in_a_pipe_what_happens_is_a_line_for_people_or_an_object_for_programs() {
    let room = FakeRoom::open();
    let event = json!({"event": "say", "from": "李四", "text": "hi \u{1b}[2J", "at": 9});
    for (words, shown) in [
        (&["chat", "张三"][..], "李四 say : hi \\u{1b}[2J\n"),
        (
            &["chat", "张三", "--json"],
            "{\"event\":\"say\",\"from\":\"李四\",\"text\":\"hi \\u001b[2J\",\"at\":9}\n",
        ),
    ] {
        let joined = json!({"status": "OK", "name": "张三", "members": 1, "past": 1});
        room.answers_once("JOIN", &format!("{joined}\n{event}"));
        let (status, heard, said) = piped(&room, words, "");
        // People read when it was said, for that was before.
        assert!(heard.ends_with(shown), "{heard}");
        assert_eq!((status, said.as_str(), heard.lines().count()), (Some(0), "", 1));
    }
}

#[test]
fn what_is_refused_in_a_pipe_is_told_and_decides_the_status_and_a_lost_room_ends_it() {
    let room = FakeRoom::open();
    room.answers_once("SAY", r#"{"status":"FAIL","reason":"not-found","message":"no 李四 here"}"#);
    let (status, _, said) = piped(&room, &["chat", "张三"], "@李四 one\ntwo\n");
    assert_eq!((status, said.as_str()), (Some(6), "ferry: no 李四 here\n"));
    room.is_asked(&json!({"cmd": "SAY", "text": "two"}), 1);
    for words in [&["chat"][..], &["chat", "off"]] {
        let (status, _, said) = piped(&room, words, "one\n");
        assert_eq!(status, Some(2), "{said}");
    }
    // Nobody writes anything, and still it ends.
    let mut ferry = actor::ferry(stage(), room.address(), ["chat", "李四"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    room.is_asked(&join("李四"), 1);
    room.hangs_up();
    let mut status = None;
    eventually("it has ended", || {
        status = ferry.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(3));
}

#[test]
fn one_thing_is_said_from_the_shell_by_coming_in_for_it() {
    let room = FakeRoom::open();
    let (status, shown, said) = piped(&room, &["say", "@李四", "it's", "late", "--as", "张三"], "");
    assert_eq!((status, shown.as_str(), said.as_str()), (Some(0), "say\n", ""));
    let asked: Vec<Value> = room.asked();
    let cmds: Vec<_> = asked.iter().map(|asked| asked["cmd"].as_str().unwrap()).collect();
    assert_eq!(cmds, ["JOIN", "SAY", "LEAVE"]);
    assert_eq!(asked[1], json!({"cmd": "SAY", "text": "it's late", "to": "李四"}));
    let (status, _, said) = piped(&room, &["say", "hello"], "");
    assert!(status == Some(2) && said.contains("a guest needs a name there"), "{said}");
    let (status, _, said) = piped(&room, &["-c", "chat 张三"], "");
    assert!(status == Some(2) && said.contains("in a script nobody types"), "{said}");
}

#[test]
fn a_guest_votes_as_who_they_are_in_the_room_and_a_user_from_anywhere() {
    let (room, here) = (FakeRoom::open(), temporary());
    let tally = r#"{"status":"OK","question":"both?","round":1,"open":true,"at":9,
        "choices":[{"choice":"yes","votes":3},{"choice":"no","votes":0}]}"#;
    let tally = tally.replace('\n', "");
    let mut seat = Seat::take(room.address(), here.path(), &[]);
    seat.types("chat 张三\r");
    seat.screen.line_is("张三>");
    room.tells(format!("{}\n", tally.replace(r#""status":"OK""#, r#""event":"vote""#)).as_bytes());
    seat.screen.shows("[vote] both? yes 3, no 0 (round 1; as in: /vote yes)\n");
    room.answers_once("VOTE", &tally);
    seat.types("/vote yes\r");
    seat.screen.shows("\nboth? yes 3, no 0 (round 1, open)\n");
    seat.screen.line_is("张三>");
    // Back at the prompt, what the line says is still right.
    seat.types("/\r");
    let prompt = format!("guest@{} /library>", room.address());
    seat.screen.line_is(&prompt);
    room.answers_once("VOTE", &tally);
    seat.types("/vo\tyes\r");
    seat.screen.shows(&format!("{prompt} /vote yes\nboth? yes 3, no 0 (round 1, open)\n"));
    // Both on the connection that joined, for that is who votes.
    eventually("two votes were asked for", || {
        room.asked_with(&join("张三")).iter().filter(|asked| asked["choice"] == "yes").count() == 2
    });
    room.answers_once("VOTE", &tally);
    let (status, shown, _) = piped(&room, &["vote"], "");
    assert_eq!((status, shown.as_str()), (Some(0), "both? yes 3, no 0 (round 1, open)\n"));
}

#[test]
fn what_an_administrator_asks_the_console_goes_there_as_it_was_typed() {
    let room = FakeRoom::open();
    room.answers_once("ADMIN", r#"{"status":"OK","text":"c07 \u001b[2J\nc08"}"#);
    let (status, shown, _) = piped(&room, &["admin", "ask", "will both?", "yes", "-x"], "");
    assert_eq!((status, shown.as_str()), (Some(0), "c07 \\u{1b}[2J\nc08\n"));
    room.is_asked(&json!({"cmd": "ADMIN", "line": "ask 'will both?' yes -x"}), 1);
}

#[test]
fn a_file_one_is_told_of_is_fetched_by_its_number() {
    let (server, here) = (quick(), temporary());
    let mut seat = Seat::take(server.address(), here.path(), &[]);
    seat.types("notices\r");
    seat.screen.shows("\nnotices off\n");
    seat.types("notices on\r");
    seat.screen.shows("\nnotices on\n");
    seat.is_asked("guest", "/library");
    let mut bringer = newcomer(&server, "xiaoyu");
    // Until the listener is there nobody is told.
    let mut brought = 0;
    eventually("a file is told of", || {
        brought += 1;
        let name = format!("/library/notes-{brought}.pdf");
        assert_ok(&put(&mut bringer, &name, b"first"));
        seat.screen.text().contains("[n1] xiaoyu uploaded notes-")
    });
    let shown = seat.screen.text();
    let (_, told) = shown.split_once("[n1] xiaoyu uploaded ").unwrap();
    let (name, rest) = told.split_once(' ').unwrap();
    assert!(rest.starts_with("(5 B)"), "{shown}");
    // It means that file wherever one is, and whatever is called so.
    fs::write(server.library().join("n1"), "another").unwrap();
    seat.types("cd /\r");
    seat.is_asked("guest", "/");
    seat.types("get n1\r");
    seat.screen.shows(&format!("get /library/{name}  5 B"));
    assert_eq!(fs::read(here.path().join(name)).unwrap(), b"first");
    seat.types("cd\rget ./n1\r");
    seat.screen.shows("get ./n1  7 B");
}

/// Three people talk, as the manual shows it. What each of them has on their screen.
fn three_people_talk() -> Vec<String> {
    let (mut desk, here) = (Desk::take(&[]), temporary());
    assert_ok(&register(&mut Peer::connect(desk.address), "xiaoyu", PASSWORD));
    let sit = |words: &[&str]| Seat::begin(desk.address, here.path(), words);
    let mut zhang = sit(&["chat", "张三"]);
    zhang.screen.line_is("张三>");
    let mut li = sit(&["chat", "李四"]);
    li.screen.line_is("李四>");
    zhang.screen.shows("李四 (guest) comes in\n");
    zhang.types("hello\r");
    li.screen.shows("张三 say : hello\n");
    li.types("你好, 张三\r");
    zhang.screen.shows("李四 say : 你好, 张三\n");
    let mut xiaoyu = sit(&["--user", "xiaoyu", "chat"]);
    xiaoyu.screen.shows("Password for xiaoyu:");
    xiaoyu.types(&format!("{PASSWORD}\r"));
    xiaoyu.screen.shows("李四 say : 你好, 张三\n");
    xiaoyu.screen.line_is("xiaoyu>");
    for seat in [&zhang, &li] {
        seat.screen.shows("xiaoyu comes in\n");
    }
    xiaoyu.types("@李四 where do you sit?\r");
    li.screen.shows("[private] xiaoyu say : where do you sit?\n");
    li.types("in the last row\r");
    for seat in [&zhang, &xiaoyu] {
        seat.screen.shows("李四 say : in the last row\n");
    }
    desk.asks("say five minutes left", "say five minutes left");
    for seat in [&zhang, &li, &xiaoyu] {
        seat.screen.shows("[administrator] five minutes left\n");
    }
    li.types("/chat off\r");
    li.is_asked("guest", "/library");
    for (seat, name) in [(&zhang, "张三>"), (&xiaoyu, "xiaoyu>")] {
        seat.screen.shows("李四 (guest) leaves\n");
        seat.screen.line_is(name);
    }
    let address = desk.address.to_string();
    // Nobody leaves before all have been looked at.
    let screens = [&zhang, &li, &xiaoyu].map(|seat| seat.screen.text());
    screens.map(|shown| without_numbers(&shown.replace(&address, "ADDRESS"))).into()
}

/// With `#` for every digit; what is typed or said has none.
fn without_numbers(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    lines.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

#[test]
fn three_people_see_what_the_manual_shows() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/user-manual.md"));
    let page = page.unwrap();
    let (_, chapter) = page.split_once("\n## The room\n").unwrap();
    let blocks = chapter.split("```text\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let seen = three_people_talk();
    for (block, seen) in blocks.zip(&seen) {
        // The first line is what was typed to start it.
        let (_, shown) = block.split_once('\n').unwrap();
        let shown = without_numbers(&shown.replace("127.0.0.1:9021", "ADDRESS"));
        assert_eq!(shown, *seen, "the manual shows\n{shown}\nand there was\n{seen}");
    }
    for said in &seen {
        assert!(said.contains("[administrator] five minutes left"), "{said}");
    }
    let [zhang, li, _] = seen.as_slice() else { panic!("{seen:?}") };
    assert!(!zhang.contains("张三 say :") && !zhang.contains("where do you sit"), "{zhang}");
    assert!(li.contains("\n张三 say : hello\n") && !li.contains("李四 say :"), "{li}");
}
