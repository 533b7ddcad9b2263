//! Whatever a client sends for an assertion, it proves nobody without the client's key.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oidc::fuzzing::client_assertion(bytes));
