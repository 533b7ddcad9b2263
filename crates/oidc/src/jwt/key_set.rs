//! The keys of a server and their rotation. A key lives three lives: `next` is published so that
//! clients learn it before it signs, `current` signs, and a retired key is still believed until the
//! last token that it signed has run out.

use std::sync::Arc;

use domain::Instant;
use serde::Serialize;
use serde_json::{Map, Value};

use super::key::{Jwk, SigningKey, VerifyingKey};
use super::{Algorithm, Compact};
use crate::error::OAuthError;

/// How far two nodes' clocks may stand apart, in seconds.
const LEEWAY: i64 = 60;

/// A key that signs no longer.
#[derive(Clone, Debug)]
pub struct RetiredKey {
    /// Its public half.
    pub key: VerifyingKey,
    /// From when on its signatures are worth nothing.
    pub until: Instant,
}

/// All keys whose signatures are believed.
#[derive(Clone, Debug)]
pub struct KeySet {
    current: Arc<SigningKey>,
    next: Option<Arc<SigningKey>>,
    previous: Vec<RetiredKey>,
}

/// The body of `/.well-known/jwks.json` (RFC 7517 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

impl Jwks {
    /// The same without the keys of an algorithm.
    #[must_use]
    pub fn without(mut self, algorithm: Algorithm) -> Self {
        self.keys.retain(|key| key.algorithm() != algorithm);
        self
    }
}

/// Why a token is not believed. For the log: callers learn no more than `invalid_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a compact JWS with a JSON header, JSON claims and the claims that we always write.
    #[error("the token is malformed")]
    Malformed,
    /// The header names another algorithm than the key's, or asks for an extension (`crit`).
    #[error("the token's algorithm is not that of its key")]
    Algorithm,
    /// No key has this id, or that key's time is over.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature does not match.
    #[error("the token's signature does not match")]
    Signature,
    /// Another server issued it.
    #[error("the token has another issuer")]
    Issuer,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
}

impl From<TokenError> for OAuthError {
    fn from(error: TokenError) -> Self {
        Self::invalid_token(error.to_string())
    }
}

impl KeySet {
    /// A set of keys.
    pub fn new(
        current: Arc<SigningKey>,
        next: Option<Arc<SigningKey>>,
        previous: Vec<RetiredKey>,
    ) -> Self {
        Self {
            current,
            next,
            previous,
        }
    }

    /// The key that signs.
    pub fn current(&self) -> &Arc<SigningKey> {
        &self.current
    }

    /// What the world needs to verify our tokens: the current key first, for RS256.
    pub fn jwks(&self, now: Instant) -> Jwks {
        Jwks {
            keys: self.believed(now).flat_map(VerifyingKey::jwks).collect(),
        }
    }

    /// The next key is believed although it signs nothing here: another node may have rotated
    /// first.
    fn believed(&self, now: Instant) -> impl Iterator<Item = &VerifyingKey> {
        let signing = std::iter::once(&self.current).chain(&self.next);
        let retired = self
            .previous
            .iter()
            .filter(move |retired| now < retired.until);
        signing
            .map(|key| key.verifying_key())
            .chain(retired.map(|retired| &retired.key))
    }

    /// Checks a token (RFC 7519 §7.2) and returns its claims. For whom the token is, the caller
    /// checks with [`audience_contains`](crate::claims::audience_contains): this is also what tells
    /// an ID token from an access token.
    pub fn verify(
        &self,
        token: &str,
        now: Instant,
        expected_issuer: &str,
    ) -> Result<Map<String, Value>, TokenError> {
        let claims = self.signed_by_us(token, now, expected_issuer)?;
        check_times(&claims, now.seconds())?;
        Ok(claims)
    }

    /// Checks an ID token that comes back as a hint (`id_token_hint`): its time may be over. It says
    /// who somebody was, and allows nothing.
    pub fn verify_hint(
        &self,
        token: &str,
        now: Instant,
        expected_issuer: &str,
    ) -> Result<Map<String, Value>, TokenError> {
        self.signed_by_us(token, now, expected_issuer)
    }

    fn signed_by_us(
        &self,
        token: &str,
        now: Instant,
        expected_issuer: &str,
    ) -> Result<Map<String, Value>, TokenError> {
        let token = Compact::parse(token)?;
        let kid = token.kid().ok_or(TokenError::UnknownKey)?;
        let mut keys = self.believed(now).flat_map(VerifyingKey::published);
        let key = keys.find(|key| key.kid().as_str() == kid);
        let key = key.ok_or(TokenError::UnknownKey)?;
        if key.algorithm() != token.algorithm {
            return Err(TokenError::Algorithm);
        }
        if !key.has_signed(token.signed.as_bytes(), &token.signature) {
            return Err(TokenError::Signature);
        }
        let claims = token.claims()?;
        check_issuer(&claims, expected_issuer)?;
        Ok(claims)
    }
}

fn check_issuer(claims: &Map<String, Value>, expected: &str) -> Result<(), TokenError> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    if issuer == Some(expected) {
        Ok(())
    } else {
        Err(TokenError::Issuer)
    }
}

/// `exp` is required and strict: we issued the token and know when it ends. The clock of the node
/// that issued it may be ahead, hence the leeway on the start.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), TokenError> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(TokenError::Malformed),
    };
    let expires = time("exp")?.ok_or(TokenError::Malformed)?;
    if now >= expires {
        return Err(TokenError::Expired);
    }
    let begins = time("nbf")?.max(time("iat")?);
    if begins.is_some_and(|begins| begins > now.saturating_add(LEEWAY)) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}
