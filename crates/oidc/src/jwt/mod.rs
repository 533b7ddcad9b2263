//! Signed tokens: RS256 and nothing else. The algorithm belongs to the key; a header that names
//! another one is refused before anything is computed, so neither `none` nor an HMAC keyed with our
//! public key gets through (RFC 8725 §3.1).
//!
//! The JWS is written here, not by a library: the libraries at hand parse an RSA key again for each
//! signature, which costs more than half of the throughput. Encryption and other algorithms have
//! no place here.

mod der;
mod key;
mod key_set;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use key::{Jwk, KeyError, SignError, SigningKey, VerifyingKey};
pub use key_set::{Jwks, KeySet, RetiredKey, TokenError};

/// The `typ` header of Auth0's tokens.
pub const JWT: &str = "JWT";

/// The `typ` header of access tokens by RFC 9068.
pub const AT_JWT: &str = "at+jwt";

/// The one algorithm.
const RS256: &str = "RS256";

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: padding, other alphabets and loose bits at the end are refused, so that one token has
/// one spelling.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
