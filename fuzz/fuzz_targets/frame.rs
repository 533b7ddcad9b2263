//! Whatever a worker writes to its socket, the host reads frames or an error, and never panics.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| script::fuzzing::frame(bytes));
