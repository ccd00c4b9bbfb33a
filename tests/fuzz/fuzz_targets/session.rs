//! Whole sessions against a server in this process. A panic of any of its threads ends the run.
#![no_main]

use harness::properties::session::Stage;

// The fuzzer's one thread: the server is stopped, and its folder removed, when that ends.
thread_local!(static STAGE: Stage = Stage::start());

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| STAGE.with(|stage| stage.session(bytes)));
