//! Whatever an operator asks for, a merge keeps its laws.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| domain::conflict::fuzzing::policy(bytes));
