//! Signed tokens. The algorithm belongs to the key: a key's name stands for one algorithm, and a
//! header that names another one is refused before anything is computed, so neither `none` nor an
//! HMAC keyed with our public key gets through (RFC 8725 §3.1).
//!
//! The JWS is written here, not by a library: the libraries at hand parse an RSA key again for each
//! signature, which costs more than half of the throughput. Encryption has no place here.
//!
//! | module | what it knows |
//! |---|---|
//! | [`key`] | our own keys: one pair of RSA, one of P-256, rotating together |
//! | [`key_set`] | which of them are believed when |
//! | [`foreign`] | other people's public keys, and what they signed |
//! | [`certificate`] | our RSA key as a certificate |

mod algorithm;
pub mod certificate;
mod compact;
mod der;
pub mod foreign;
pub mod key;
pub mod key_set;
mod pem;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use algorithm::Algorithm;
pub use certificate::Certificate;
pub(crate) use compact::Compact;
pub use foreign::{ForeignKey, ForeignKeyError, Thumbprint};
pub use key::{Jwk, KeyError, SignError, SigningKey, VerifyingKey, sign_with_secret};
pub use key_set::{Jwks, KeySet, RetiredKey, TokenError};

/// The `typ` header of Auth0's tokens.
pub const JWT: &str = "JWT";

/// The `typ` header of access tokens by RFC 9068.
pub const AT_JWT: &str = "at+jwt";

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: padding, other alphabets and loose bits at the end are refused, so that one token has
/// one spelling.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
