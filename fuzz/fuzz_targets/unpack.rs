//! Whatever an upload is packed in, its text comes out whole or not at all.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::import::fuzzing::unpack(bytes));
