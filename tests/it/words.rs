//! What the client says, in the language of who reads it.
//!
//! Goal: a refusal says what, why and what to do next, also in Chinese, and no program that reads
//! along is surprised by a language. Method: the real client, its stderr in a pipe or a terminal.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use harness::{Screen, TestServer, actor, eventually};
use serde_json::Value;

use crate::people::{PASSWORD, add_administrator, newcomer, stage};
use crate::seat::temporary;
use crate::talk::{assert_ok, begin, hold, quick, quick_with, send_body};

fn ferry(server: SocketAddr, here: &Path, words: &[&str]) -> Command {
    let mut command = actor::ferry(stage(), server, words);
    command.current_dir(here).env("FERRY_PASSWORD", PASSWORD);
    command
}

/// Its exit status, and what it printed and complained of.
fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A file `a` here, and one of that name in the library and in the homes of `xiaoyu` and `boss`.
fn where_a_is_taken() -> (TestServer, tempfile::TempDir) {
    let (server, here) = (quick(), temporary());
    add_administrator(server.data(), "boss");
    drop(newcomer(&server, "xiaoyu"));
    fs::write(here.path().join("a"), "content").unwrap();
    for words in [&["put", "a"][..], &["--user", "xiaoyu", "put", "a"]] {
        assert_eq!(ended(ferry(server.address(), here.path(), words)).0, Some(0));
    }
    (server, here)
}

#[test]
fn who_may_replace_a_file_is_told_how_and_who_may_not_is_told_what_else_to_do() {
    let (server, here) = where_a_is_taken();
    for (words, may) in [
        (&["put", "a"][..], false),
        (&["--user", "xiaoyu", "put", "a", "--to", "/library"], false),
        (&["--user", "xiaoyu", "put", "a"], true),
        (&["--user", "boss", "put", "a", "--to", "/library"], true),
    ] {
        let (status, _, said) = ended(ferry(server.address(), here.path(), words));
        assert_eq!(status, Some(5), "{said}");
        // What stands there, and since when: here and there is one clock.
        assert!(said.contains("(7 B, today ") || said.contains("(7 B, yesterday "), "{said}");
        assert_eq!(said.contains("--force"), may, "{words:?}: {said}");
        assert!(said.contains("--as NAME"), "{words:?}: {said}");
        // What is advised works.
        let advised = if may { &["--force"][..] } else { &["--as", "b", "--force"] };
        let words = [words, advised].concat();
        let (status, _, said) = ended(ferry(server.address(), here.path(), &words));
        assert_eq!(status, Some(0), "{words:?}: {said}");
        let _ = fs::remove_file(server.library().join("b"));
    }
}

#[test]
fn the_language_changes_the_words_and_nothing_else() {
    let (server, here) = where_a_is_taken();
    for words in [
        &["put", "a"][..],
        &["get", "a"],
        &["get", "missing"],
        &["rm", "a"],
        &["mkdir", ".hidden"],
        &["passwd"],
        &["--json", "-c", "stat a; mkdir a"],
        &["@nobody", "list"],
        &["--user", "nobody", "list"],
        &["list", "/home"],
    ] {
        let in_both = ["en", "zh"].map(|lang| {
            let words = [words, &["--lang", lang]].concat();
            ended(ferry(server.address(), here.path(), &words))
        });
        let [(status, results, en), (same_status, same_results, zh)] = in_both;
        assert_eq!(status, same_status, "{words:?}: {en} {zh}");
        assert_ne!(status, Some(0), "{words:?}");
        assert_eq!(without_messages(&results), without_messages(&same_results), "{words:?}");
        assert!(is_chinese(&zh) && !is_chinese(&en), "{words:?}: {en} {zh}");
    }
}

/// Results; of a failure under `--json` without what is said of it to people.
fn without_messages(results: &str) -> Vec<Value> {
    let result = |line: &str| {
        let mut value = serde_json::from_str(line).unwrap_or_else(|_| Value::from(line));
        if let Some(fields) = value.as_object_mut() {
            fields.remove("message");
        }
        value
    };
    results.lines().map(result).collect()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('一'..='龥').contains(&c))
}

#[test]
fn a_person_reads_the_language_of_their_other_programs_and_a_program_english() {
    let (server, here) = (quick(), temporary());
    let chinese = |words: &[&str]| {
        let mut command = ferry(server.address(), here.path(), words);
        command.env("LC_ALL", "zh_CN.UTF-8");
        command
    };
    let (_, _, said) = ended(chinese(&["get", "missing"]));
    assert!(said.starts_with("ferry: there is no `/library/missing`"), "{said}");
    let screen = Screen::of(chinese(&[])).unwrap();
    screen.shows("已连接 ferryd ");
    // Whoever chooses gets what they chose.
    let screen = Screen::of(chinese(&["--lang", "en"])).unwrap();
    screen.shows("connected to ferryd ");
}

#[test]
fn who_waits_is_told_for_whom_and_how_long_at_most() {
    let (server, here) = (quick_with(&["--claim-wait", "1"]), temporary());
    fs::write(here.path().join("f"), "mine").unwrap();
    let mut holder = server.peer();
    hold(&mut holder, "f");
    for (lang, words) in [
        (
            "en",
            ["`/library/f` is busy: guest c", ", 10 %, since ", " s; waiting up to 1 s, Ctrl-C"],
        ),
        (
            "zh",
            ["“/library/f” 正忙：guest c", "已完成 10 %，已用 ", "最多等待 1 秒，按 Ctrl-C 停止"],
        ),
    ] {
        let command = ferry(server.address(), here.path(), &["--lang", lang, "put", "f"]);
        let (status, _, said) = ended(command);
        assert_eq!(status, Some(8), "{said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in {said}");
        }
    }
}

#[test]
fn on_a_terminal_a_wait_is_one_line_which_goes_when_it_is_over() {
    let (server, here) = (quick(), temporary());
    fs::write(here.path().join("f"), "mine").unwrap();
    let mut holder = server.peer();
    assert_ok(&begin(&mut holder, "f", 3));
    let mut screen = Screen::of(ferry(server.address(), here.path(), &[])).unwrap();
    screen.shows("/library>");
    screen.types("put f\r");
    // It is told again and again, with other figures.
    eventually("it is told more than once", || {
        let said = screen.text().replace('\n', "");
        said.contains(" s; waiting up to 30 s, Ctrl-C to stop") && !said.contains("since 0 s")
    });
    assert_eq!(screen.text().matches("is busy").count(), 1, "{}", screen.text());
    assert_ok(&send_body(&mut holder, b"abc"));
    screen.shows("exists on the server (3 B, ");
    assert!(!screen.text().contains("is busy"), "{}", screen.text());
}
