//! Proof of possession (`DPoP`, RFC 9449): a client shows with each request that it holds a key, and
//! its tokens are worth nothing without that key. This module checks one proof; whether it was seen
//! before, the caller knows. There are no nonces of the server: proofs are short-lived and used once.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use domain::Instant;
use serde_json::Value;

use crate::client_assertion::seconds;
use crate::error::OAuthError;
use crate::jwt::{Algorithm, Compact, ForeignKey, Thumbprint, encode};

/// The `typ` header of a proof.
const DPOP_JWT: &str = "dpop+jwt";

/// Algorithms of proofs, as discovery lists them (`dpop_signing_alg_values_supported`).
pub const ALGORITHMS: [Algorithm; 8] = Algorithm::ALL;

/// How old a proof may be.
const WINDOW: i64 = 5 * 60;

/// How far the client's clock may be ahead of ours.
const LEEWAY: i64 = 60;

/// The longest `jti`.
const LONGEST_ID: usize = 256;

/// What a proof must be about.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's URL as the client knows it.
    pub url: &'a str,
    /// The access token that comes with it, at a resource.
    pub access_token: Option<&'a str>,
}

/// A proof that holds, unless it was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which key the client holds: `cnf.jkt` of its tokens.
    pub key: Thumbprint,
    /// The proof's id.
    pub id: String,
    /// From then on it is refused for its time alone and can be forgotten.
    pub expires_at: Instant,
}

/// Why a proof is not believed. For the log: the caller learns `invalid_dpop_proof`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a signed token of the right type, or with a key that can't be used.
    #[error("DPoP proof: not a signed token of type dpop+jwt with a public key")]
    Malformed,
    /// The signature is not that of the key in the header.
    #[error("DPoP proof: the signature does not match the key")]
    Signature,
    /// It is about another request.
    #[error("DPoP proof: htm or htu is not this request's")]
    Request,
    /// Too old, or from the future.
    #[error("DPoP proof: iat is not within the last five minutes")]
    Time,
    /// `jti` is missing, or too long.
    #[error("DPoP proof: jti must be a text of 1 to 256 bytes")]
    Id,
    /// It comes with another access token, or with one and should not.
    #[error("DPoP proof: ath is not the access token's")]
    Token,
}

impl From<ProofError> for OAuthError {
    fn from(error: ProofError) -> Self {
        Self::invalid_dpop_proof(error.to_string())
    }
}

/// Checks one proof (RFC 9449 §4.3).
pub fn verify(proof: &str, request: &ProofRequest<'_>, now: Instant) -> Result<Proof, ProofError> {
    let token = Compact::parse(proof).map_err(|_| ProofError::Malformed)?;
    let typ = token.header.get("typ").and_then(Value::as_str);
    if typ != Some(DPOP_JWT) || !ALGORITHMS.contains(&token.algorithm) {
        return Err(ProofError::Malformed);
    }
    let jwk = token.header.get("jwk").and_then(Value::as_object);
    let key = ForeignKey::from_jwk(jwk.ok_or(ProofError::Malformed)?)
        .map_err(|_| ProofError::Malformed)?;
    if !key.has_signed(&token) {
        return Err(ProofError::Signature);
    }
    let claims = token.claims().map_err(|_| ProofError::Malformed)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_here = text("htu")
        .and_then(normal)
        .is_some_and(|url| Some(url) == normal(request.url));
    if text("htm") != Some(request.method) || !is_here {
        return Err(ProofError::Request);
    }
    let issued = claims
        .get("iat")
        .and_then(seconds)
        .ok_or(ProofError::Time)?;
    let now = now.seconds();
    if issued > now.saturating_add(LEEWAY) || issued < now - WINDOW {
        return Err(ProofError::Time);
    }
    let hash = request
        .access_token
        .map(|token| encode(digest(&SHA256, token.as_bytes()).as_ref()));
    if hash.is_some() && text("ath") != hash.as_deref() {
        return Err(ProofError::Token);
    }
    let id = text("jti").filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    Ok(Proof {
        key: key.thumbprint().clone(),
        id: id.ok_or(ProofError::Id)?.to_owned(),
        expires_at: Instant::from_millis(issued.saturating_mul(1000))
            .plus(Duration::from_secs(WINDOW.unsigned_abs() + 1)),
    })
}

/// A URL for comparison (RFC 3986 §6.2.2, §6.2.3): without query and fragment, scheme and host in lower
/// case, no default port, a path at least of `/`.
fn normal(url: &str) -> Option<String> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (scheme, rest) = url.get(..end)?.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (host, path) = rest
        .split_at_checked(rest.find('/').unwrap_or(rest.len()))
        .filter(|(host, _)| !host.is_empty() && !host.contains('@'))?;
    let host = host.to_ascii_lowercase();
    let host = match scheme.as_str() {
        "https" => host.strip_suffix(":443").unwrap_or(&host),
        "http" => host.strip_suffix(":80").unwrap_or(&host),
        _ => return None,
    };
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{host}{path}"))
}
