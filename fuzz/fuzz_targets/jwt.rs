//! Whatever stands for a token, a proof or a public key, it is read or refused, and never believed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oidc::fuzzing::jwt(bytes));
