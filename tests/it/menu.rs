//! The numbered menu from start to exit, in both languages.
//!
//! Goal: somebody who knows only numbers registers, sends, lists, fetches and leaves. Method: what
//! they would type comes through a pipe, where a question is printed as a line; the passwords are
//! lines among the others.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use harness::actor;

use crate::talk::quick;

/// What one visit types: register, send the first and the third file, list, fetch the first,
/// leave; then a wrong password, a wrong number, and out.
const TYPED: &str = "2\nxiaoyu\n123456\n1\n1 3\n3\n2\n1\n4\n1\nxiaoyu\nwrong-one\n9\n3\n";

fn visit(server: std::net::SocketAddr, here: &Path, language: &str) -> String {
    let stage = Path::new(env!("CARGO_BIN_EXE_demo"));
    let mut menu = actor::ferry(stage, server, ["--menu", "--lang", language])
        .current_dir(here)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    menu.stdin.take().unwrap().write_all(TYPED.as_bytes()).unwrap();
    let output = menu.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// That the words were said, in this order.
#[track_caller]
fn assert_said(said: &str, words: &[&str]) {
    let mut rest = said;
    for word in words {
        let Some(at) = rest.find(word) else { panic!("no `{word}` where it belongs in\n{said}") };
        rest = &rest[at + word.len()..];
    }
}

fn a_visit_in(language: &str, words: &[&str]) {
    let (server, here) = (quick(), tempfile::tempdir().unwrap());
    for (name, content) in [("a", "first"), ("b", "second"), ("笔记", "third")] {
        fs::write(here.path().join(name), content).unwrap();
    }
    let said = visit(server.address(), here.path(), language);
    assert_said(&said, words);
    let home = server.home("xiaoyu");
    assert_eq!(fs::read(home.join("a")).unwrap(), b"first");
    assert_eq!(fs::read(home.join("笔记")).unwrap(), "third".as_bytes());
    assert_eq!(fs::read_dir(home).unwrap().count(), 2);
    assert!(
        !said.contains("123456") && !said.contains("wrong-one"),
        "a password is shown:\n{said}"
    );
}

#[test]
fn a_visit_in_english() {
    a_visit_in(
        "en",
        &[
            "------- Ferry user login -------",
            "    1: log in",
            "    2: register",
            "    3: exit",
            "User [xiaoyu] is registered and logged in.",
            "------ [xiaoyu] ------",
            "    1: upload",
            "1: a  (5 B)",
            "2: b  (6 B)",
            "3: 笔记  (5 B)",
            "`a` is uploaded (5 B).",
            "`笔记` is uploaded (5 B).",
            "---- files of [xiaoyu] ----",
            "---- download to ",
            // It is here already, and nobody is there to ask.
            "`a` exists here; nothing was replaced.",
            "User [xiaoyu] is logged out.",
            "The user name or the password is wrong.",
            "`9` is none of these numbers; try again.",
            "Goodbye.",
        ],
    );
}

#[test]
fn a_visit_in_chinese() {
    a_visit_in(
        "zh",
        &[
            "------- Ferry 用户登录界面 -------",
            "    1: 登录",
            "    2: 注册",
            "    3: 退出",
            "用户 [xiaoyu] 注册成功，已登录。",
            "    1: 上传文件",
            "3: 笔记  (5 B)",
            "“a” 上传成功（5 B）。",
            "“笔记” 上传成功（5 B）。",
            "---- [xiaoyu] 的文件 ----",
            "---- 下载文件（到 ",
            "本地已有 “a”，没有覆盖。",
            "用户 [xiaoyu] 已退出登录。",
            "用户名或密码不正确。",
            "没有编号“9”，请重新输入。",
            "已退出 Ferry，再见。",
        ],
    );
}
