//! Whatever text stands for a recipe, it is read or refused, and keeps what reading it promised.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| password::fuzzing::recipe(bytes));
