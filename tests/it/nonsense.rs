//! Lines that are no requests.
//!
//! Goal: whatever is wrong with a line, it is refused as what it is, and nothing is done. Method:
//! each line is wrong in one way; where it may have announced a body, the session ends.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use common::limits::LINE_BYTES_MAX;
use harness::Peer;
use harness::actor::Ferryd;
use serde_json::json;

use crate::talk::{ask, assert_goes_on, assert_refused, is_obeyed, names, quick};

/// Says a line to a server and hears that it is no request.
#[track_caller]
fn refused(address: SocketAddr, line: impl AsRef<[u8]>) -> Peer {
    let mut peer = Peer::connect(address);
    peer.send([line.as_ref(), b"\n"].concat());
    assert_refused(&peer.line(), "bad-request");
    peer
}

#[test]
pub(crate) fn a_line_that_is_no_request_and_no_put_is_refused_and_the_session_goes_on() {
    let server = quick();
    for line in [
        "",
        "   ",
        "hello",
        "5",
        "null",
        "true",
        "[]",
        "[[]]",
        "{}",
        "\"LIST\"",
        "[\"LIST\"]",
        r#"["MKDIR","a"]"#,
        r#"{"MKDIR":{"path":"a"}}"#,
        r#"{"cmd":["MKDIR"],"path":"a"}"#,
        r#"{"cmd":{"MKDIR":null},"path":"a"}"#,
        r#"{"cmd":"MKDIR"}"#,
        r#"{"cmd":"MKDIR","path":["a"]}"#,
        r#"{"cmd":"MKDIR","path":null}"#,
        r#"{"cmd":"mkdir","path":"a"}"#,
        r#"{"cmd":"MKDIR ","path":"a"}"#,
        r#"{"CMD":"MKDIR","path":"a"}"#,
        r#"{"cmd":"LIST","path":5}"#,
        r#"{"cmd":null}"#,
    ] {
        assert_goes_on(&mut refused(server.address(), line));
    }
    assert_eq!(names(&mut server.peer(), ""), [""; 0]);
}

#[test]
pub(crate) fn a_line_so_broken_that_it_may_have_been_a_put_ends_the_session() {
    let server = quick();
    for line in [
        "{",
        "{{",
        r#"[{"cmd":"MKDIR","path":"a"}]"#,
        r#"{"cmd":"put","path":"a","size":1}"#,
        "\u{feff}{\"cmd\":\"PUT\",\"path\":\"a\",\"size\":1}",
        "\0{\"cmd\":\"PUT\",\"path\":\"a\",\"size\":1}",
        "{\"",
        "{}{}",
        "{,}",
        r#"{"cmd":"MKDIR","path":"a""#,
        r#"{"cmd":"MKDIR","path":"a"}x"#,
        r#"{"cmd":"MKDIR","path":"a"}{}"#,
        r"{'cmd':'MKDIR','path':'a'}",
        r#"{cmd:"MKDIR"}"#,
        r#"{"cmd":"MKDIR","cmd":"PUT","path":"a"}"#,
        r#" {"cmd":"MKDIR","path":"a",}"#,
    ] {
        assert!(refused(server.address(), line).is_closed(), "{line}");
    }
    assert_eq!(names(&mut server.peer(), ""), [""; 0]);
}

#[test]
pub(crate) fn a_field_given_twice_is_refused() {
    let server = quick();
    for line in [
        r#"{"cmd":"MKDIR","path":"a","path":"b"}"#,
        r#"{"path":"a","cmd":"MKDIR","path":"a"}"#,
        r#"{"cmd":"MKDIR","path":"a","\u0070ath":"b"}"#,
        r#"{"cmd":"MKDIR","cmd":"MKDIR","path":"a"}"#,
        r#"{"cmd":"PUT","path":"a","size":0,"size":0,"eager":true}"#,
    ] {
        refused(server.address(), line);
    }
    assert_eq!(names(&mut server.peer(), ""), [""; 0]);
}

#[test]
pub(crate) fn a_line_that_is_no_utf_8_is_refused() {
    let server = quick();
    for bad in [
        &b"\xff"[..],
        b"a\xc0\xafb",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\0",
        b"\x1b",
        b"\\ud800",
    ] {
        let line = [b"{\"cmd\":\"MKDIR\",\"path\":\"", bad, b"\"}"].concat();
        refused(server.address(), line);
    }
    assert_eq!(names(&mut server.peer(), ""), [""; 0]);
}

/// In a process of its own: a server that goes deep with its peer has no stack left to say so.
#[test]
pub(crate) fn deep_nesting_is_refused_as_any_other_nonsense() {
    let data = tempfile::tempdir().unwrap();
    let stage = Path::new(env!("CARGO_BIN_EXE_demo"));
    let server = Ferryd::start(stage, data.path(), &[]).unwrap();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [100, 126, 127, 128, 129, 1000, 10_000] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for line in [
                nested.clone(),
                format!("{{\"cmd\":{nested}}}"),
                format!("{{\"cmd\":\"STAT\",\"path\":{nested}}}"),
                format!("{{\"deep\":{nested},\"cmd\":\"QUIT\"}}"),
            ] {
                refused(server.address, line);
            }
        }
    }
    // A hundred thousand levels are also a line too long.
    assert!(refused(server.address, "[".repeat(100_000)).is_closed());
    assert_goes_on(&mut Peer::connect(server.address));
}

#[test]
pub(crate) fn a_size_that_is_no_whole_number_of_bytes_ends_the_session() {
    let server = quick();
    let sizes = [
        "-1",
        "-0.0",
        "5.5",
        "5.0",
        "1e30",
        "1e3",
        "\"5\"",
        "null",
        "true",
        "[5]",
        "{}",
        "NaN",
        "0x10",
        "05",
        "+5",
        "",
        "18446744073709551616",
        "-9223372036854775809",
    ];
    for size in sizes {
        for more in ["", ",\"eager\":true"] {
            let mut peer = server.peer();
            let line = format!("{{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":{size}{more}}}");
            assert_refused(&peer.ask(line), "bad-request");
            assert!(peer.is_closed(), "{size}");
        }
    }
    assert_eq!(names(&mut server.peer(), ""), [""; 0]);
    assert_eq!(server.parts(), 0);
}

#[test]
pub(crate) fn a_number_no_field_can_hold_is_refused() {
    let server = quick();
    for field in ["\"mtime\":9223372036854775808", "\"wait\":-1", "\"wait\":18446744073709551616"] {
        let mut peer = server.peer();
        let line = format!("{{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":1,{field}}}");
        assert_refused(&peer.ask(line), "bad-request");
    }
    let mut peer = server.peer();
    for offset in ["-1", "0.5", "18446744073709551616", "\"0\""] {
        let line = format!("{{\"cmd\":\"GET\",\"path\":\"f\",\"offset\":{offset}}}");
        assert_refused(&peer.ask(line), "bad-request");
    }
    assert_goes_on(&mut peer);
}

#[test]
pub(crate) fn an_unknown_field_is_refused_and_not_ignored() {
    let server = quick();
    let mut peer = server.peer();
    for (cmd, fields) in [
        ("LIST", json!({"pth": "/"})),
        ("QUIT", json!({"now": true})),
        ("STAT", json!({"path": "f", "size": 1})),
        ("GET", json!({"path": "f", "ofset": 1})),
        ("SUM", json!({"path": "f", "": ""})),
        ("MKDIR", json!({"path": "d", "recursive": true})),
        ("DELETE", json!({"path": "f", "force": true})),
        ("RENAME", json!({"from": "f", "to": "g", "overwrite": true})),
        ("NOSUCH", json!({})),
    ] {
        let mut request = fields;
        request["cmd"] = json!(cmd);
        assert_refused(&ask(&mut peer, &request), "bad-request");
    }
    assert_goes_on(&mut peer);
    let put = json!({"cmd": "PUT", "path": "f", "size": 1, "Eager": true});
    assert_refused(&ask(&mut peer, &put), "bad-request");
    assert!(peer.is_closed());
}

#[test]
pub(crate) fn the_longest_nonsense_is_refused_as_what_it_is_and_not_repeated_raw() {
    let server = quick();
    let mut peer = server.peer();
    for filler in ["x", "\\\"", "\\u0001", "\\u001b", "\u{202e}"] {
        for (head, tail) in [("{\"cmd\":\"", "\"}"), ("{\"cmd\":\"QUIT\",\"", "\":1}")] {
            let room = LINE_BYTES_MAX - 1 - head.len() - tail.len();
            let line = format!("{head}{}{tail}", filler.repeat(room / filler.len()));
            assert_refused(&peer.ask(line), "bad-request");
        }
    }
    assert_goes_on(&mut peer);
}

/// In a process of its own, because only a program keeps a log.
#[test]
pub(crate) fn nothing_a_client_says_forges_a_line_of_the_log() {
    let data = tempfile::tempdir().unwrap();
    let stage = Path::new(env!("CARGO_BIN_EXE_demo"));
    let server = Ferryd::start(stage, data.path(), &[]).unwrap();
    let evil = r"\u001b[31m\nFORGED\r\u009b\u202e";
    let mut peer = Peer::connect(server.address);
    for line in [
        format!("{{\"cmd\":\"{evil}\"}}"),
        format!("{{\"cmd\":\"QUIT\",\"{evil}\":1}}"),
        format!("{{\"cmd\":\"LIST\",\"path\":{{\"{evil}\":1}}}}"),
        format!("{{\"cmd\":\"STAT\",\"path\":\"{evil}\"}}"),
        format!("{{\"cmd\":\"MKDIR\",\"path\":\"d/{evil}\"}}"),
        format!("{{\"cmd\":\"RENAME\",\"from\":\"{evil}\",\"to\":\"{evil}\"}}"),
        format!("{{\"cmd\":\"PUT\",\"path\":\"f\",\"size\":0,\"eager\":true}}\n{{\"{evil}\":1}}"),
    ] {
        assert_eq!(peer.ask(line)["status"], "FAIL");
    }
    assert!(peer.is_closed());
    assert!(server.stop().unwrap().success());
    let log = fs::read_to_string(data.path().join("logs/server.log")).unwrap();
    assert!(log.contains("QUIT") || log.contains("STAT"), "nothing was logged: {log}");
    for line in log.lines() {
        assert!(!line.starts_with("FORGED") && !line.contains(is_obeyed), "{line:?}");
    }
}
