//! Paths, names and user names out of text.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::properties::path(bytes));
