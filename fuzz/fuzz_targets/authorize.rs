//! Whatever comes to /authorize, answers go to the client's own addresses.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oidc::authorize::fuzzing::authorize(bytes));
