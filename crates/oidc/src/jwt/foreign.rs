//! Other people's public keys: RSA of 2048 to 8192 bits, P-256 and P-384, as JWK, JWKS, PEM or
//! certificate; and what they signed. A key that can't be used safely does not come to be.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::ParsedPublicKey;
use domain::Instant;
use serde_json::{Map, Value};

use super::algorithm::Family;
use super::key_set::TokenError;
use super::pem::{self, PublicKey};
use super::{Algorithm, Compact, decode, der, encode};

/// Members that only private and shared keys have (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignKeyError {
    /// Not a key in a known form.
    #[error("not a public key")]
    Malformed,
    /// A private key, which nobody should send around.
    #[error("a private key where a public key belongs")]
    Private,
    /// A kind, curve, use or algorithm that is not verified here.
    #[error("a kind of key that is not supported")]
    Unsupported,
    /// An RSA key outside of 2048 to 8192 bits, or with an exponent that is no such thing.
    #[error("an RSA key of less than 2048 or more than 8192 bits")]
    Weak,
}

/// The SHA-256 thumbprint of a key (RFC 7638), base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// The text, as `cnf.jkt` holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody's public key.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    family: Family,
    /// PKCS#1 DER, or a point uncompressed.
    bytes: Vec<u8>,
    thumbprint: Thumbprint,
    not_after: Option<Instant>,
}

/// What was found signed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The header.
    pub header: Map<String, Value>,
    /// The claims: signed, and not yet checked.
    pub claims: Map<String, Value>,
    /// The algorithm that key and header agree on.
    pub algorithm: Algorithm,
}

impl ForeignKey {
    /// Reads a JWK (RFC 7517).
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, ForeignKeyError> {
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return Err(ForeignKeyError::Private);
        }
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return Err(ForeignKeyError::Unsupported);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            text(name)
                .and_then(decode)
                .ok_or(ForeignKeyError::Malformed)
        };
        let key = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => PublicKey::Rsa(der::join(
                der::SEQUENCE,
                &[&der::integer(&bytes("n")?), &der::integer(&bytes("e")?)],
            )),
            (Some("EC"), Some("P-256")) => PublicKey::P256(point(&bytes("x")?, &bytes("y")?, 32)?),
            (Some("EC"), Some("P-384")) => PublicKey::P384(point(&bytes("x")?, &bytes("y")?, 48)?),
            (Some(_), _) => return Err(ForeignKeyError::Unsupported),
            (None, _) => return Err(ForeignKeyError::Malformed),
        };
        let mut key = Self::of(key)?;
        key.kid = text("kid").map(str::to_owned);
        if let Some(name) = jwk.get("alg") {
            let name = name.as_str().ok_or(ForeignKeyError::Malformed)?;
            key = key.only(Algorithm::parse(name).ok_or(ForeignKeyError::Unsupported)?)?;
        }
        Ok(key)
    }

    /// Reads the keys of a JWKS. Those of other kinds are passed over (RFC 7517 §5).
    pub fn from_jwks(jwks: &Value) -> Result<Vec<Self>, ForeignKeyError> {
        let keys = jwks.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(ForeignKeyError::Malformed)?;
        let read = keys
            .iter()
            .map(|key| Self::from_jwk(key.as_object().ok_or(ForeignKeyError::Malformed)?));
        Ok(read.filter_map(Result::ok).collect())
    }

    /// Reads `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE` in PEM.
    pub fn from_pem(text: &str) -> Result<Self, ForeignKeyError> {
        let pem = pem::read(text)?;
        let mut key = Self::of(pem.key)?;
        let millis = pem.not_after.map(|seconds| seconds.saturating_mul(1000));
        key.not_after = millis.map(Instant::from_millis);
        Ok(key)
    }

    fn of(key: PublicKey) -> Result<Self, ForeignKeyError> {
        let (family, bytes, algorithm) = match key {
            PublicKey::Rsa(der) => (Family::Rsa, der, Algorithm::Rs256),
            PublicKey::P256(point) => (Family::P256, point, Algorithm::Es256),
            PublicKey::P384(point) => (Family::P384, point, Algorithm::Es384),
        };
        let canonical = canonical(family, &bytes)?;
        // The library refuses points off the curve.
        ParsedPublicKey::new(algorithm.verification(), &bytes)
            .map_err(|_| ForeignKeyError::Malformed)?;
        Ok(Self {
            kid: None,
            algorithm: None,
            family,
            bytes,
            thumbprint: Thumbprint(encode(digest(&SHA256, canonical.as_bytes()).as_ref())),
            not_after: None,
        })
    }

    /// The key for one algorithm only.
    pub fn only(mut self, algorithm: Algorithm) -> Result<Self, ForeignKeyError> {
        if algorithm.family() != self.family {
            return Err(ForeignKeyError::Unsupported);
        }
        self.algorithm = Some(algorithm);
        Ok(self)
    }

    /// The key by this name.
    #[must_use]
    pub fn named(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The key's name, where it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm, where it is bound to one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The key's thumbprint.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// When the certificate ends that it came in.
    pub fn not_after(&self) -> Option<Instant> {
        self.not_after
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        self.family == algorithm.family() && self.algorithm.is_none_or(|only| only == algorithm)
    }

    pub(crate) fn has_signed(&self, token: &Compact<'_>) -> bool {
        self.fits(token.algorithm)
            && ParsedPublicKey::new(token.algorithm.verification(), &self.bytes).is_ok_and(|key| {
                key.verify_sig(token.signed.as_bytes(), &token.signature)
                    .is_ok()
            })
    }
}

/// Finds the key that signed the token: one of the keys by the name in the header, else any. `allowed`
/// are the algorithms that the caller believes in.
pub fn verify(
    token: &str,
    keys: &[ForeignKey],
    allowed: &[Algorithm],
) -> Result<Signed, TokenError> {
    let token = Compact::parse(token)?;
    if !allowed.contains(&token.algorithm) {
        return Err(TokenError::Algorithm);
    }
    let is_named = |key: &&ForeignKey| key.kid.is_some() && key.kid() == token.kid();
    let any_is_named = keys.iter().any(|key| is_named(&key));
    let mut candidates = keys
        .iter()
        .filter(|key| !any_is_named || is_named(key))
        .filter(|key| key.fits(token.algorithm))
        .peekable();
    if candidates.peek().is_none() {
        return Err(TokenError::UnknownKey);
    }
    if !candidates.any(|key| key.has_signed(&token)) {
        return Err(TokenError::Signature);
    }
    let claims = token.claims()?;
    Ok(Signed {
        algorithm: token.algorithm,
        header: token.header,
        claims,
    })
}

fn point(x: &[u8], y: &[u8], length: usize) -> Result<Vec<u8>, ForeignKeyError> {
    if x.len() != length || y.len() != length {
        return Err(ForeignKeyError::Malformed);
    }
    Ok([&[4], x, y].concat())
}

/// The members that a thumbprint is over, in their one spelling (RFC 7638 §3.2).
fn canonical(family: Family, bytes: &[u8]) -> Result<String, ForeignKeyError> {
    let curve = match family {
        Family::Rsa => return canonical_rsa(bytes),
        Family::P256 => "P-256",
        Family::P384 => "P-384",
    };
    // A compressed point is not read: the other coordinate would have to be computed.
    let Some((4, coordinates)) = bytes.split_first() else {
        return Err(ForeignKeyError::Unsupported);
    };
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    Ok(format!(
        r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#,
        encode(x),
        encode(y)
    ))
}

fn canonical_rsa(bytes: &[u8]) -> Result<String, ForeignKeyError> {
    let numbers = der::modulus_and_exponent(bytes).ok_or(ForeignKeyError::Malformed)?;
    let (modulus, exponent) = numbers;
    let bits = |number: &[u8]| {
        let first = number.first().map_or(8, |first| first.leading_zeros());
        (number.len() * 8).saturating_sub(usize::try_from(first).unwrap_or(8))
    };
    let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if !(2048..=8192).contains(&bits(modulus)) || !(2..=33).contains(&bits(exponent)) || !is_odd {
        return Err(ForeignKeyError::Weak);
    }
    let (n, e) = (encode(modulus), encode(exponent));
    Ok(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
}
