//! Whatever bytes come.
//!
//! Goal: nothing a peer sends, in either direction, breaks a parser, a session or a terminal.
//! Method: the properties of the harness, on the corpus that the fuzzers of `tests/fuzz` start from
//! and add their finds to, and on 256 inputs that proptest makes of pieces of it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::thread;

use harness::actor::ferry;
use harness::properties::answers::HostileServer;
use harness::properties::session::Stage;
use harness::properties::{self, is_obeyed};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::people::stage;

/// What proptest makes, for each property.
const CASES: u32 = 256;

/// The most pieces an input is made of.
const PIECES_MAX: usize = 12;

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The stored inputs for `target`, by file name.
fn corpus(target: &str) -> Vec<(OsString, Vec<u8>)> {
    let files = fs::read_dir(fuzz().join("corpus").join(target)).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name(), fs::read(file.path()).unwrap())).collect()
}

/// Inputs of lines of the corpus, cut, joined and disturbed.
fn disturbed(corpus: &[(OsString, Vec<u8>)]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let lines: Vec<Vec<u8>> = corpus
        .iter()
        .flat_map(|(_, bytes)| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec))
        .collect();
    let line = prop::sample::select(lines);
    let cut = (line.clone(), any::<prop::sample::Index>()).prop_map(|(mut line, at)| {
        line.truncate(at.index(line.len()));
        line
    });
    let changed = (line.clone(), any::<prop::sample::Index>(), any::<u8>());
    let changed = changed.prop_map(|(mut line, at, byte)| {
        let at = at.index(line.len());
        line[at] = byte;
        line
    });
    let noise = prop::collection::vec(any::<u8>(), 0..40);
    let text = any::<String>().prop_map(String::into_bytes);
    let piece = prop_oneof![6 => line, 1 => cut, 2 => changed, 1 => noise, 1 => text];
    prop::collection::vec(piece, 0..PIECES_MAX).prop_map(|pieces| pieces.concat())
}

/// Tries `property` on the corpus of `target`, and on what proptest makes of it.
fn holds(target: &str, property: impl Fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "nothing is stored for {target}");
    for (name, bytes) in &corpus {
        // Shown if the property does not hold.
        #[allow(clippy::print_stdout)]
        {
            println!("{target}/{}", name.display());
        }
        property(bytes);
    }
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&disturbed(&corpus), |bytes| {
        property(&bytes);
        Ok(())
    });
    tried.unwrap();
}

#[test]
fn a_request_prints_as_itself_and_arrives_in_any_pieces() {
    holds("request", properties::request);
}

#[test]
fn an_answer_prints_as_itself_and_may_say_more_than_a_client_knows() {
    holds("reply", properties::reply);
}

#[test]
fn a_path_leads_down_and_prints_as_itself() {
    holds("path", properties::path);
}

#[test]
fn other_people_s_text_is_shown_and_not_obeyed() {
    holds("escape", properties::escape);
}

#[test]
fn every_session_is_answered_in_step() {
    let stage = Stage::start();
    holds("session", |bytes| stage.session(bytes));
}

#[test]
fn whatever_a_server_answers_the_client_copes() {
    let server = HostileServer::start();
    holds("answers", |bytes| server.answers(bytes));
}

#[test]
fn whatever_a_server_answers_ferry_prints_nothing_that_a_terminal_obeys() {
    for (name, bytes) in corpus("answers") {
        for words in [&["list"][..], &["stat", "a"], &["who"], &["--json", "list"]] {
            let server = HostileServer::start();
            let mut ferry = ferry(stage(), server.address(), words);
            // It calls once: when it is turned away it finds the door closed.
            let server = thread::spawn({
                let bytes = bytes.clone();
                move || server.serve_one(&bytes)
            });
            let output = ferry.output().unwrap();
            server.join().unwrap();
            for said in [output.stdout, output.stderr] {
                let said = String::from_utf8(said).unwrap();
                let obeyed = said.chars().any(|c| c != '\n' && is_obeyed(c));
                assert!(!obeyed, "{}: ferry {words:?} said {said:?}", name.display());
            }
        }
    }
}

#[test]
fn every_fuzz_target_has_a_corpus_and_every_corpus_a_target() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(folder)).unwrap().map(Result::unwrap);
        let name = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        entries.map(|entry| name(entry.path())).collect()
    };
    assert_eq!(names("fuzz_targets"), names("corpus"));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let tested = include_str!("corpus.rs");
    for target in names("fuzz_targets") {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not built");
        assert!(tested.contains(&format!("holds(\"{target}\"")), "{target} is not tested here");
    }
}
