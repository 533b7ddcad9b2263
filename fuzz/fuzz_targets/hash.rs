//! Whatever an import or a script calls a hash is read or refused, and verifies in bounded time.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| password::fuzzing::read_any(bytes));
