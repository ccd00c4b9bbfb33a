//! Answers out of lines, as a client reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::properties::reply(bytes));
