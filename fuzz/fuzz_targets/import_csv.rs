//! Whatever stands in an upload of CSV, rows and their places are the same however it is read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::import::fuzzing::csv(bytes));
