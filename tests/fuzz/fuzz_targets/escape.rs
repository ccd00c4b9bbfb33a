//! Other people's text, made safe to print.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::properties::escape(bytes));
