//! The exercises: right answers are right, wrong ones are not, code that is wrong is found out, and the
//! pages have them all.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::actor::Ferryd;
use harness::lab::exercises::EXERCISES;

/// How often code is run here. What is wrong goes wrong within the first few.
const RUNS: &str = "20";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs")
}

/// Exit status and what was said of an answer.
fn check(number: u8, answer: &str) -> (i32, String) {
    let words = ["check", &number.to_string(), answer, "--runs", RUNS];
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(words).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[track_caller]
fn assert_right(number: u8, answer: &str) {
    let (status, said) = check(number, answer);
    assert!(status == 0 && said.starts_with("right: "), "{number}, {answer}: {said}");
}

#[track_caller]
fn assert_wrong(number: u8, answer: &str) -> String {
    let (status, said) = check(number, answer);
    assert!(status == 1 && said.starts_with("not yet: "), "{number}, {answer}: {said}");
    said
}

#[test]
fn every_answer_that_does_what_was_asked_is_right() {
    let right: [(u8, &[&str]); 11] = [
        (1, &["a##bc", "##abc", "abc##"]),
        (2, &["3", " 3 "]),
        (3, &["exists", "EXISTS"]),
        (6, &["30", "30 MiB"]),
        (7, &["19"]),
        (8, &["0.5", "0.5 ms"]),
        (9, &[r#"{"cmd":"PUT","path":"a.txt","size":5}"#]),
        (10, &["ABBBAA", "abbbaa", "ABABBA"]),
        (11, &["CPDC", "dpcd"]),
        (12, &["files,roster,room,log", "files roster room log"]),
        (13, &["iterative, select, thread, process", "select,iterative,thread,process"]),
    ];
    for (number, answers) in right {
        for answer in answers {
            assert_right(number, answer);
        }
    }
}

#[test]
fn a_wrong_answer_gets_a_hint_and_not_the_right_one() {
    let wrong: [(u8, &[&str], &str); 11] = [
        (1, &["abcde", "a##b", "长a##"], "a##bc"),
        (2, &["4", "0", "three"], "3"),
        (3, &["chat", "vote", "watch", "both"], "exists"),
        (6, &["20", "512", "64"], "30"),
        (7, &["12", "7", "24"], "19"),
        (8, &["2900", "15", "0.05"], "0.5"),
        (9, &["PUT a.txt 5", r#"{"cmd":"GET","path":"a.txt"}"#], "size"),
        (10, &["AAABBB", "ABABAB", "BAABBA", "AB", "ABCABC"], "ABBBAA"),
        (11, &["CPCD", "PCD", "CC", "XC", ""], "CPDC"),
        (12, &["room,files,roster,log", "files,room", "log,room,roster,files"], "files,roster"),
        (13, &["thread,process,select,iterative", "process", "a,b,c,process"], "thread, process"),
    ];
    for (number, answers, right) in wrong {
        for answer in answers {
            let said = assert_wrong(number, answer);
            assert!(!said.contains(right), "{number}: {said}");
        }
    }
}

/// What the answer to exercise 2 rests on, from the kernel itself.
#[test]
fn of_four_who_connect_to_an_iterative_server_three_stand_in_its_backlog() {
    let folder = tempfile::tempdir().unwrap();
    let stage = crate::people::stage();
    let ferryd = Ferryd::start(stage, folder.path(), &["--model", "iterative"]).unwrap();
    let _clients = [(); 4].map(|()| TcpStream::connect(ferryd.address).unwrap());
    harness::eventually("three connections wait to be accepted", || {
        backlog(ferryd.address.port()) == Some(3)
    });
}

/// How many connections a listening socket has that nobody has accepted.
fn backlog(port: u16) -> Option<u32> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let socket = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, queues, ..] = fields.as_slice() else { return None };
        // 0A: it listens.
        (local.ends_with(&format!(":{port:04X}")) && *state == "0A").then(|| (*queues).to_owned())
    })?;
    u32::from_str_radix(socket.split(':').nth(1)?, 16).ok()
}

/// Tries an answer in which something was changed, or not.
fn try_code(number: u8, name: &str, change: Option<(&str, &str)>) -> (i32, String) {
    let mut code = fs::read_to_string(docs().join(format!("exercises/{name}"))).unwrap();
    if let Some((from, to)) = change {
        assert!(code.contains(from), "{name} has no `{from}`");
        code = code.replace(from, to);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.rs");
    fs::write(&file, code).unwrap();
    check(number, file.to_str().unwrap())
}

#[test]
fn the_model_solutions_pass_and_the_skeletons_do_not() {
    for (number, name, scenes) in [(4, "tally.rs", 4), (5, "queue.rs", 7)] {
        let (status, said) = try_code(number, &format!("answers/{name}"), None);
        let expected = format!("right: {RUNS} rounds of {scenes} scenes\n");
        assert_eq!((status, said), (0, expected), "{name}");
        assert_eq!(try_code(number, name, None).0, 1, "{name}");
    }
}

#[test]
fn locks_that_are_not_tied_to_their_data_are_found_out() {
    let (status, said) = try_code(4, "tally.rs", None);
    assert_eq!(status, 1);
    assert!(said.starts_with("not yet: round "), "{said}");
}

/// The same mistake, made where nothing sleeps, would mostly pass.
#[test]
fn locks_without_sleep_points_are_refused() {
    for other in ["use std::sync::Mutex;", "use std::{cell::Cell, sync::Mutex};"] {
        let (status, said) = try_code(4, "tally.rs", Some(("use crate::sync::Mutex;", other)));
        assert!(status == 1 && said.contains("elsewhere than `crate::sync`"), "{said}");
    }
}

#[test]
fn each_usual_mistake_in_a_queue_is_found_out() {
    let mistakes = [
        ("if for while", ("while state.things", "if state.things")),
        ("one condition for two", ("self.emptied", "self.filled")),
        ("no bound", ("state.things.len() == self.places", "false")),
        (
            "asked again and again",
            ("state = self.filled.wait(state);", "drop(state); state = self.state.lock();"),
        ),
        ("one is woken where all must be", ("notify_all", "notify_one")),
    ];
    for (what, change) in mistakes {
        let (status, said) = try_code(5, "answers/queue.rs", Some(change));
        assert!(status == 1 && said.starts_with("not yet: round "), "{what}: {said}");
    }
}

#[test]
fn code_that_does_not_compile_is_told_with_its_own_line() {
    let (status, said) = try_code(5, "queue.rs", Some(("todo!()", "tudo")));
    assert_eq!(status, 1);
    assert!(said.contains("it does not compile") && said.contains("mine.rs:"), "{said}");
    let missing = Command::new(env!("CARGO_BIN_EXE_lab")).args(["check", "5", "/no/such"]).output();
    let missing = missing.unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stderr.starts_with(b"lab: cannot read /no/such: "));
}

#[test]
fn without_an_answer_the_question_is_shown_and_only_exercises_are_answered() {
    for exercise in &EXERCISES {
        let words = ["check", &exercise.number.to_string()];
        let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(words).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let asked = words(&said).contains(&words(exercise.question));
        assert!(output.status.success() && asked, "{said}");
        assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    }
    for words in [&["check", "race", "3"][..], &["check", "14"], &["check", "0", "1"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn the_page_has_every_exercise_and_each_lesson_its_own() {
    let page = fs::read_to_string(docs().join("exercises.md")).unwrap();
    for (nth, exercise) in (1..).zip(&EXERCISES) {
        assert_eq!(exercise.number, nth);
        let heading = format!("\n## {nth}. {}\n", exercise.title);
        assert!(page.contains(&heading), "docs/exercises.md has no {heading}");
    }
    let mut lessons = 0;
    for entry in fs::read_dir(docs().join("lessons")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((number, _)) = name.split_once('-') else { continue };
        let lesson = fs::read_to_string(entry.path()).unwrap();
        assert!(
            lesson.contains(&format!("lab check {number}")),
            "{name} has no `lab check {number}`"
        );
        lessons += 1;
    }
    assert_eq!(lessons, 8);
}
