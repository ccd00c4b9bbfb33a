//! A server that says anything, and a client that asked for it.
#![no_main]

use harness::properties::answers::HostileServer;

thread_local!(static SERVER: HostileServer = HostileServer::start());

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| SERVER.with(|server| server.answers(bytes)));
