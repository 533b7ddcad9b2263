//! Whatever stands in an export, what is made of it are rows, and the import reads each the same
//! in both of its ways.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for row in convert::fuzzing::convert(bytes) {
        engine::import::fuzzing::row(row.as_bytes());
    }
});
