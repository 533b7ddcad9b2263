//! Whatever a script answers, nothing but an explicit, well-formed answer is success.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| script::fuzzing::outcome(bytes));
