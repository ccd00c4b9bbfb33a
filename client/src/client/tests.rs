//! The client against a server that says exactly what the test wants, good or bad.

use std::sync::mpsc;
use std::thread;

use common::protocol::Reason;

use super::scripted::{GREETING, client, serve};
use super::*;
use crate::interrupt::Interrupt;

/// zlib's checksum of `abc`.
const ABC: &str = "352441c2";

#[test]
fn a_greeting_can_turn_a_client_away() {
    let full = r#"{"status":"FAIL","reason":"full","message":"come back later"}"#;
    let refused = Client::connect(&serve(move |peer| peer.say(full)));
    assert!(matches!(refused, Err(Error::Refused { reason: Reason::Full, .. })), "{refused:?}");
    for strange in
        [GREETING.replace('1', "2").as_str(), "SSH-2.0-OpenSSH_9.6", r#"{"status":"EMPTY"}"#]
    {
        let line = strange.to_owned();
        let refused = Client::connect(&serve(move |peer| peer.say(&line)));
        assert!(matches!(refused, Err(Error::Protocol(_))), "{strange}: {refused:?}");
    }
}

#[test]
fn a_damaged_download_is_told_and_the_session_goes_on() {
    let mut client = client(|peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","size":3,"mtime":9,"crc32":"00000001"}"#);
        peer.send(b"abc");
        peer.hear();
        peer.say(r#"{"status":"OK","kind":"file","size":3,"mtime":9}"#);
        peer.hear();
    });
    let got = client.get("a", &mut Vec::new());
    assert!(matches!(got, Err(Error::Integrity { .. })), "{got:?}");
    assert_eq!(client.stat("a").unwrap().stat.size, 3);
}

#[test]
fn a_file_nobody_knows_the_checksum_of_is_summed_after_it_came() {
    let mut client = client(|peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","size":3,"mtime":9}"#);
        peer.send(b"abc");
        assert!(peer.hear().contains("SUM"));
        peer.say(&format!(r#"{{"status":"OK","crc32":"{ABC}"}}"#));
    });
    let mut bytes = Vec::new();
    let download = client.get("a", &mut bytes).unwrap();
    assert_eq!((bytes.as_slice(), download.crc32), (b"abc".as_slice(), ABC.parse().ok()));
}

#[test]
fn a_download_cut_short_is_lost_and_so_is_the_session() {
    let mut client = client(|peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","size":4,"mtime":9,"crc32":"00000001"}"#);
        peer.send(b"abc");
    });
    let got = client.get("a", &mut Vec::new());
    assert!(matches!(got, Err(Error::Lost { .. })), "{got:?}");
    assert!(!client.is_usable());
    assert!(matches!(client.stat("a"), Err(Error::Lost { .. })));
}

#[test]
fn a_server_that_closed_is_noticed_before_the_next_request() {
    let client = client(|_| {});
    while client.is_usable() {
        thread::yield_now();
    }
}

#[test]
fn waits_are_passed_on_until_the_answer_comes() {
    let mut client = client(|peer| {
        peer.hear();
        for received in ["1", "2"] {
            let wait = r#"{"status":"WAIT","holder":"guest","received":N,"size":9,"since":0}"#;
            peer.say(&wait.replace('N', received));
        }
        peer.say(r#"{"status":"OK","offset":0}"#);
        assert_eq!(peer.take(3), b"abc");
        assert!(peer.hear().contains(ABC));
        peer.say(r#"{"status":"OK"}"#);
    });
    let (sender, waits) = mpsc::channel();
    client.on_wait(move |path, wait| {
        sender.send((path.to_owned(), wait.map(|wait| wait.received))).unwrap();
    });
    client.put("a", 3, &mut b"abcdef".as_slice(), PutOptions::default()).unwrap();
    drop(client);
    let expected = [Some(1), Some(2), None].map(|received| ("a".to_owned(), received));
    assert_eq!(waits.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_refusal_in_the_middle_of_an_upload_is_heard_over_the_broken_pipe() {
    let mut client = client(|peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","offset":0}"#);
        peer.take(1000);
        peer.say(r#"{"status":"FAIL","reason":"no-space","message":"the disk is full"}"#);
    });
    let endless = &mut std::io::repeat(0);
    let stored = client.put("a", u64::MAX / 2, endless, PutOptions::default());
    assert!(matches!(stored, Err(Error::Refused { reason: Reason::NoSpace, .. })), "{stored:?}");
    assert!(!client.is_usable());
}

/// As when the same user goes on with the same upload over another connection.
#[test]
fn an_answer_in_the_middle_of_an_upload_is_heard_while_the_server_still_takes_bytes() {
    const SIZE: usize = 400_000_000;
    let (sender, took) = mpsc::channel();
    let mut client = client(move |peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","offset":5}"#);
        peer.take(1000);
        peer.say(r#"{"status":"FAIL","reason":"busy","message":"goes on elsewhere"}"#);
        sender.send(peer.hear().len()).unwrap();
    });
    let options = PutOptions { resume: true, ..PutOptions::default() };
    let stored = client.put("a", SIZE as u64, &mut std::io::repeat(0), options);
    let error = stored.unwrap_err();
    assert_eq!((error.exit_status(), error.to_string().as_str()), (8, "goes on elsewhere"));
    assert!(!client.is_usable());
    drop(client);
    assert!(took.recv().unwrap() < SIZE / 2, "it sent on as if nobody had said anything");
}

#[test]
fn an_offset_that_was_not_asked_for_or_lies_beyond_the_end_is_no_answer() {
    for (offset, resume) in [(1, false), (4, true)] {
        let mut client = client(move |peer| {
            peer.hear();
            peer.say(&format!(r#"{{"status":"OK","offset":{offset}}}"#));
            assert_eq!(peer.hear(), "");
        });
        let options = PutOptions { resume, ..PutOptions::default() };
        let stored = client.put("a", 3, &mut b"abc".as_slice(), options);
        assert!(matches!(stored, Err(Error::Protocol(_))), "{stored:?}");
        assert!(!client.is_usable());
    }
}

#[test]
fn a_file_that_is_shorter_than_what_is_here_of_it_is_no_answer() {
    let mut client = client(|peer| {
        assert!(peer.hear().contains(r#""offset":3"#));
        peer.say(r#"{"status":"OK","size":2,"mtime":9}"#);
        peer.hear();
    });
    let head = client.read_head("a", &mut b"abcdef".as_slice(), 3).unwrap();
    let got = client.open_rest("a", head).unwrap().receive(&mut Vec::new());
    assert!(matches!(got, Err(Error::Protocol(_))), "{got:?}");
}

#[test]
fn a_source_that_ends_early_is_never_completed() {
    let mut client = client(|peer| {
        peer.hear();
        peer.say(r#"{"status":"OK","offset":0}"#);
        assert_eq!(peer.hear(), "");
    });
    let stored = client.put("a", 4, &mut b"abc".as_slice(), PutOptions::default());
    assert!(matches!(stored, Err(Error::Local { .. })), "{stored:?}");
    assert!(!client.is_usable());
}

#[test]
fn uploads_sent_ahead_are_answered_in_order_and_bounded() {
    let mut client = client(|peer| {
        for number in 0..WINDOW {
            assert!(peer.hear().contains(r#""eager":true"#));
            assert_eq!(peer.take(3), b"abc");
            peer.hear();
            let taken = r#"{"status":"EXISTS","message":"taken"}"#;
            peer.say(if number == 1 { taken } else { r#"{"status":"OK"}"# });
        }
        peer.hear();
    });
    for number in 0..WINDOW {
        client.put_ahead(&number.to_string(), b"abc", PutOptions::default()).unwrap();
    }
    let one_more = client.put_ahead("one more", b"abc", PutOptions::default());
    assert!(matches!(one_more, Err(Error::Usage(_))), "{one_more:?}");
    assert!(client.stat("between").is_err());
    for number in 0..WINDOW {
        let answer = client.answer_ahead().unwrap();
        let taken = matches!(&answer, Err(Error::Exists { path, .. }) if path == "1");
        assert!(if number == 1 { taken } else { answer.is_ok() }, "{number}: {answer:?}");
    }
    assert!(client.answer_ahead().is_none());
    assert!(client.is_usable());
}

#[test]
fn only_who_is_not_taken_for_that_user_gets_the_status_of_a_login() {
    let denied = r#"{"status":"FAIL","reason":"denied","message":"no"}"#;
    let mut client = client(move |peer| {
        for _ in 0..4 {
            peer.hear();
            peer.say(denied);
        }
    });
    let statuses = [
        client.login("xiaoyu", "123456").unwrap_err().exit_status(),
        client.passwd("123456", "654321").unwrap_err().exit_status(),
        client.register("xiaoyu", "123456").unwrap_err().exit_status(),
        client.delete("a").unwrap_err().exit_status(),
    ];
    assert_eq!(statuses, [4, 4, 1, 1]);
}

#[test]
fn an_interrupt_ends_a_wait() {
    let interrupt = Interrupt::default();
    let pressed = interrupt.clone();
    let address = serve(move |peer| {
        peer.say(GREETING);
        peer.hear();
        pressed.set();
        peer.hear();
    });
    let mut client = Client::connect_until(&address.parse().unwrap(), interrupt).unwrap();
    let stat = client.stat("a");
    assert!(matches!(stat, Err(Error::Interrupted)), "{stat:?}");
}
