//! The password crate from outside: records that verify, records that are refused, own hashes,
//! ceilings, and properties.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy.toml spares #[test] functions only"
)]

mod foreign;
#[cfg(feature = "fuzzing")]
mod fuzz;
mod known;
mod made;
mod own;
mod properties;
mod refusals;
mod vectors;

use domain::Password;
use password::{Limits, PasswordHash};

/// A record that must be readable.
fn read(json: &str) -> PasswordHash {
    PasswordHash::from_custom(json, &Limits::default())
        .unwrap_or_else(|refused| panic!("{refused:?}: {json}"))
}

fn verifies(hash: &PasswordHash, password: &str) -> bool {
    hash.verify(&Password::from(password))
}

/// Through the store and back.
fn stored_and_read(hash: &PasswordHash) -> PasswordHash {
    let text = hash.to_stored();
    let again = PasswordHash::from_stored(&text).expect("what we write, we read");
    assert_eq!(
        again.to_stored().expose(),
        text.expose(),
        "the stored text is canonical"
    );
    assert_eq!(again.algorithm(), hash.algorithm());
    again
}
