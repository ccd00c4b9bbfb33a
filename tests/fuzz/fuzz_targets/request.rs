//! Lines off a stream, and requests out of lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::properties::request(bytes));
