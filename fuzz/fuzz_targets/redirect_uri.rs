//! No redirect URI that matches leads a browser elsewhere.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oidc::authorize::fuzzing::redirect_uri(bytes));
