//! Completions and manual pages.
//!
//! Goal: they know every command there is, and a shell and `man` can read them. Method: the
//! commands are read from the help of the real programs, the completions by a real bash.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use harness::actor;

use crate::people::stage;

const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

/// What `program` writes to stdout when it has done what it was asked.
fn said(program: &str, words: &[&str]) -> String {
    let mut command = match program {
        "ferry" => actor::new_ferry(stage()),
        other => {
            let mut command = Command::new(stage());
            command.arg(other);
            command
        }
    };
    let output = command.args(words).output().unwrap();
    assert!(output.status.success(), "{program} {words:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The commands of a program, from its help.
fn commands(program: &str) -> Vec<String> {
    let help = said(program, &["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let list = list.lines().take_while(|line| !line.is_empty());
    // The long help gives a command a line, and what it says of it another, further in.
    let names = list.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    let names: Vec<String> = names.filter(|name| name != "help").collect();
    assert!(names.len() > 2, "{names:?}");
    names
}

#[test]
fn completions_know_every_command_in_every_shell() {
    for program in ["ferry", "ferryd"] {
        for shell in SHELLS {
            let script = said(program, &["completions", shell]);
            for command in commands(program) {
                assert!(script.contains(&command), "{program} {shell}: no {command}");
            }
        }
    }
}

#[test]
fn bash_can_read_its_completions_and_completes() {
    for program in ["ferry", "ferryd"] {
        let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        let script = said(program, &["completions", "bash"]);
        bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(bash.wait().unwrap().success(), "{program}");
    }
    for (words, expected) in [("ferry ge", "get"), ("ferry @school get --no", "--no-resume")] {
        let last = words.split(' ').next_back().unwrap();
        let place = words.split(' ').count() - 1;
        let ask = format!(
            "{}\nCOMP_WORDS=({words}); COMP_CWORD={place}; _ferry ferry '{last}' ''\n\
             echo \"${{COMPREPLY[*]}}\"",
            said("ferry", &["completions", "bash"])
        );
        let answer = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert_eq!(String::from_utf8(answer.stdout).unwrap().trim(), expected, "{words}");
    }
}

#[test]
fn there_is_a_manual_page_for_every_command_with_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    for (program, without_examples) in [("ferry", &["quit"][..]), ("ferryd", &["user"])] {
        said(program, &["man", "--to", folder.path().to_str().unwrap()]);
        let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        for command in commands(program) {
            let text = page(&format!("{program}-{command}.1"));
            assert!(text.contains(".SH DESCRIPTION"), "{program}-{command}");
            let has_examples = text.contains(&format!(".SH EXAMPLES\n.nf\n  {command}"));
            assert!(has_examples || without_examples.contains(&&*command), "{text}");
        }
        assert_eq!(said(program, &["man"]), page(&format!("{program}.1")));
    }
    let page = said("ferry", &["man"]);
    for word in ["FERRY_SERVER", "ferry\\-get(1)", "Exit status:", ".SH EXAMPLES", "@school"] {
        assert!(page.contains(word), "no {word}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let words = ["man", "--to", "/nowhere/at/all"];
    let output = actor::new_ferry(stage()).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/nowhere/at/all/ferry-"), "{said}");
}
