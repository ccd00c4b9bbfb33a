//! Every step of an upload fails in every way.
//!
//! Goal: after any error of any system call no OK is a lie, nothing half-written is seen or left,
//! the name is free, and the next upload works. Method: `strace -e inject` makes the k-th call of
//! one thread fail; what should be told follows from which call it was, and a [`Witness`] looks at
//! what is there. For `write` only the writer thread is traced: everybody else writes to sockets
//! and logs.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;

use harness::Peer;
use harness::content::{bytes, eager_put};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::{PASSWORD, overwrite, register};
use crate::strace::{Fault, Whose, is_missing};
use crate::talk::{ask, ask_about, assert_exists, assert_ok, get, put};
use crate::witness::{Witness, put_as};

/// How calls fail, and the reason that is told for it.
const ERRORS: [(&str, &str); 4] =
    [("EIO", "internal"), ("ENOSPC", "no-space"), ("EDQUOT", "no-space"), ("EINTR", "internal")];

/// One letter for an answer: what the table is made of.
fn letter(told: &Value) -> char {
    match (told["status"].as_str(), told["reason"].as_str()) {
        (Some("OK"), _) => '.',
        (Some("FAIL"), Some("no-space")) => 'N',
        (Some("FAIL"), Some("internal")) if is_unconfirmed(told) => 'U',
        (Some("FAIL"), Some("internal")) => 'I',
        _ => '?',
    }
}

/// The one failure after which something has changed.
fn is_unconfirmed(told: &Value) -> bool {
    told["message"].as_str().is_some_and(|message| message.contains("did not confirm"))
}

/// A call that is to fail.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    whose: Whose,
    /// The three uploads of the first session are sent in one go.
    pipelined: bool,
    /// Which of its calls fail.
    cells: u64,
    /// Which uploads (three of one session, one of another) suffer from the k-th call: `x` the
    /// upload itself failed, `u` its name was not confirmed.
    suffer: &'static [&'static str],
}

const CALLS: [Call; 5] = [
    Call {
        name: "openat",
        whose: Whose::Sessions,
        pipelined: false,
        cells: 3,
        suffer: &["x..x", ".x..", "..x."],
    },
    // The second upload has two chunks.
    Call {
        name: "write",
        whose: Whose::Writer,
        pipelined: false,
        cells: 3,
        suffer: &["x...", ".x..", ".x.."],
    },
    // Each upload syncs its part and then its folder.
    Call {
        name: "fsync",
        whose: Whose::Sessions,
        pipelined: false,
        cells: 3,
        suffer: &["x..x", "u..u", ".x.."],
    },
    // Three parts, and one folder for all of them.
    Call {
        name: "fsync",
        whose: Whose::Sessions,
        pipelined: true,
        cells: 4,
        suffer: &["x..x", ".x.u", "..x.", "uuu."],
    },
    Call {
        name: "renameat2",
        whose: Whose::Sessions,
        pipelined: false,
        cells: 3,
        suffer: &["x..x", ".x..", "..x."],
    },
];

/// What should be told when this upload suffers.
fn expected(call: &Call, error: (&str, &str), k: usize) -> String {
    let reason = if error.1 == "no-space" { "N" } else { "I" };
    // A write that was interrupted is taken up again, and nobody notices.
    let retried = call.name == "write" && error.0 == "EINTR";
    let suffer = if retried { "...." } else { call.suffer[k - 1] };
    suffer.replace('x', reason).replace('u', "U")
}

/// One cell of the table: four uploads while the call fails, and then a close look. Gives what
/// should have been told, and what was.
fn cell(
    witness: &mut Witness,
    scratch: &Path,
    call: &Call,
    error: (&str, &str),
    k: usize,
) -> [String; 2] {
    let label = format!("{}{}-{}-{k}", call.name, u8::from(call.pipelined), error.0);
    let rule = format!("{}:error={}:when={k}", call.name, error.0);
    let sizes = if call.pipelined { [9, 900, 90, 9] } else { [9, 600_000, 70_000, 5_000] };
    let uploads: Vec<(String, Vec<u8>)> =
        (0..).zip(sizes).map(|(n, size)| (format!("{label}-{n}"), bytes(n, size))).collect();

    let fault = Fault::inject(&witness.server, call.whose, &rule, scratch.join(&label));
    let (mut first, mut second) = (witness.peer(), witness.peer());
    let mut told = Vec::new();
    if call.pipelined {
        let three = uploads[..3].iter().flat_map(|(name, content)| eager_put(name, content));
        first.send(three.collect::<Vec<_>>());
        told.extend((0..3).map(|_| first.line()));
    } else {
        for (n, (name, content)) in uploads[..3].iter().enumerate() {
            told.push(put_as(&mut first, n % 2 == 0, name, content));
        }
    }
    told.push(put_as(&mut second, false, &uploads[3].0, &uploads[3].1));
    let failed = fault.end();
    assert!(failed > 0, "{label}: no call failed");

    // The same sessions, now that the disk is well again.
    for ((name, content), told) in uploads.iter().zip(&told) {
        witness.note(name, content, told);
        let again = put(&mut first, name, content);
        if told["status"] == "OK" {
            assert_exists(&again);
        } else if is_unconfirmed(told) {
            assert_exists(&again);
            witness.kept.insert(name.clone(), content.clone());
        } else {
            assert_ok(&again);
            witness.note(name, content, &again);
        }
    }
    [expected(call, error, k), told.iter().map(letter).collect()]
}

/// All cells of one call, on a server of its own.
fn rows(call: &Call) -> (String, Vec<String>) {
    let (data, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut witness = Witness::start(data.path());
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for error in ERRORS {
        let form = if call.pipelined { "in one go" } else { "one by one" };
        let _ = write!(table, "{:<10}{form:<11}{:<7}", call.name, error.0);
        for k in 1..=call.cells {
            let k = usize::try_from(k).unwrap();
            let [should, was] = cell(&mut witness, scratch.path(), call, error, k);
            let _ = write!(table, " k={k} {was}");
            if should != was {
                wrong.push(format!("{} {} k={k}: {was}, not {should}", call.name, error.0));
            }
        }
        table.push('\n');
        witness.check();
    }
    (table, wrong)
}

#[test]
fn whichever_call_fails_in_whichever_way_no_ok_is_a_lie_and_nothing_is_left() {
    if is_missing("whichever call fails in whichever way no ok is a lie and nothing is left") {
        return;
    }
    let found: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = CALLS.iter().map(|call| scope.spawn(move || rows(call))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let table: String = found.iter().map(|(rows, _)| rows.as_str()).collect();
    let _ = write!(
        io::stderr(),
        "\n. OK   N no-space   I internal   U internal, the name not confirmed\n{table}lies 0\n"
    );
    let wrong: Vec<_> = found.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{table}");
}

/// One request in a home while the k-th call of its session fails; what was told.
fn in_a_home<T>(
    rule: &str,
    prepare: &[(&str, &[u8])],
    run: impl FnOnce(&mut Peer) -> T,
) -> (T, Peer, Witness, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let witness = Witness::start(data.path());
    let mut peer = witness.peer();
    assert_ok(&register(&mut peer, "ann", PASSWORD));
    for (path, content) in prepare {
        assert_ok(&put(&mut peer, path, content));
    }
    let fault = Fault::inject(&witness.server, Whose::Sessions, rule, data.path().join("trace"));
    let told = run(&mut peer);
    assert_eq!(fault.end(), 1, "{rule}");
    (told, peer, witness, data)
}

#[test]
fn an_overwrite_that_fails_keeps_the_old_file_and_its_space() {
    if is_missing("an overwrite that fails keeps the old file and its space") {
        return;
    }
    let (old, new) = (bytes(1, 5000), bytes(2, 7000));
    // Which call fails, and whether the new file is there afterwards.
    for (rule, replaced) in [
        ("openat:error=EIO:when=1", false),
        ("fsync:error=EIO:when=1", false),
        ("/^renameat2?$:error=EIO:when=1", false),
        ("fsync:error=EIO:when=2", true),
    ] {
        let (told, mut peer, _server, data) =
            in_a_home(rule, &[("/home/f", &old)], |peer| overwrite(peer, "/home/f", &new));
        assert_eq!(told["reason"], "internal", "{rule}: {told}");
        assert_eq!(is_unconfirmed(&told), replaced, "{rule}: {told}");
        let there = if replaced { &new } else { &old };
        assert!(get(&mut peer, "/home/f").1 == *there, "{rule}");
        let used = &ask_about(&mut peer, "STAT", "/home")["used"];
        assert_eq!(*used, there.len(), "{rule}");
        assert_eq!(std::fs::read_dir(data.path().join("home/.ferry")).unwrap().count(), 0);
        assert_ok(&overwrite(&mut peer, "/home/f", &new));
    }
}

/// The protocol page: after FAIL nothing has changed, with one exception, and the message says so.
#[test]
fn a_change_the_disk_did_not_confirm_is_told_as_such() {
    if is_missing("a change the disk did not confirm is told as such") {
        return;
    }
    let changes = [
        json!({"cmd": "MKDIR", "path": "/home/d"}),
        json!({"cmd": "DELETE", "path": "/home/f"}),
        json!({"cmd": "RENAME", "from": "/home/f", "to": "/home/g"}),
    ];
    let wrong: Vec<String> = changes
        .iter()
        .flat_map(|change| ["EIO", "ENOSPC"].map(|error| (change, error)))
        .filter_map(|(change, error)| {
            let rule = format!("fsync:error={error}:when=1");
            let (told, _peer, ..) =
                in_a_home(&rule, &[("/home/f", b"f")], |peer| ask(peer, change));
            (letter(&told) != 'U').then(|| format!("{change} {error}: {told}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_file_that_is_gone_gives_its_space_back_also_if_the_disk_did_not_confirm_it() {
    if is_missing("a file that is gone gives its space back also if the disk did not confirm it") {
        return;
    }
    let (told, mut peer, _server, _data) =
        in_a_home("fsync:error=EIO:when=1", &[("/home/f", &[1; 5000])], |peer| {
            ask_about(peer, "DELETE", "/home/f")
        });
    assert_eq!(told["status"], "FAIL");
    let stat = ask_about(&mut peer, "STAT", "/home/f");
    assert_eq!(stat["reason"], "not-found", "{stat} after {told}");
    assert_eq!(ask_about(&mut peer, "STAT", "/home")["used"], 0);
}
