//! The one test binary of the crate.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy.toml exempts test functions, not the functions that they share"
)]

mod authorize;
mod claims;
mod client_assertion;
mod dpop;
mod foreign;
mod interop;
mod jwt;
mod logout;
mod params;
mod relying_party;
mod scopes;
mod token;
mod wire;

use std::sync::{Arc, LazyLock};

use domain::secret::PrivateKeyDer;
use domain::{Instant, KeyId};
use oidc::{KeySet, SigningKey};

const ISSUER: &str = "https://id.example.com/";
const NOW: Instant = Instant::from_millis(1_772_359_200_000);

/// Making a key is slow; all tests share two.
static CURRENT: LazyLock<(Arc<SigningKey>, PrivateKeyDer)> = LazyLock::new(|| fresh_key("current"));
static NEXT: LazyLock<(Arc<SigningKey>, PrivateKeyDer)> = LazyLock::new(|| fresh_key("next"));

fn fresh_key(kid: &str) -> (Arc<SigningKey>, PrivateKeyDer) {
    let (key, der) = SigningKey::generate(KeyId::from(kid)).unwrap();
    (Arc::new(key), der)
}

fn current() -> Arc<SigningKey> {
    Arc::clone(&CURRENT.0)
}

fn next() -> Arc<SigningKey> {
    Arc::clone(&NEXT.0)
}

fn keys() -> KeySet {
    KeySet::new(current(), None, Vec::new())
}
