//! A client that proves itself by a signed assertion, `private_key_jwt` (RFC 7523 §3, OpenID Connect
//! Core §9). This module checks what the assertion says; which keys are the client's, and whether
//! the assertion was seen before, the caller knows.

use std::fmt;
use std::time::Duration;

use domain::{ClientId, Instant};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::OAuthError;
use crate::issuer::Issuer;
use crate::jwt::{Algorithm, Compact, ForeignKey, TokenError, foreign};

/// The one `client_assertion_type`.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Algorithms of assertions.
pub const ALGORITHMS: [Algorithm; 8] = Algorithm::ALL;

/// An assertion may not live longer: each must be remembered until its end.
const LONGEST: i64 = 5 * 60;

/// How far the client's clock may be from ours.
const LEEWAY: i64 = 60;

/// The longest `jti`.
const LONGEST_ID: usize = 256;

/// An assertion that nobody has checked.
#[derive(Clone)]
pub struct ClientAssertion(Zeroizing<String>);

/// An assertion that holds, unless it was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// Its id, which the client uses once.
    pub id: String,
    /// From then on it is refused for its time alone and can be forgotten.
    pub expires_at: Instant,
}

/// Why an assertion is not believed. For the log: the caller learns `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Not a signed token, or not signed by a key of the client.
    #[error("client assertion: {0}")]
    Token(#[from] TokenError),
    /// `iss` or `sub` is not the client.
    #[error("client assertion: iss and sub must be the client_id")]
    Client,
    /// `aud` is not this server alone.
    #[error(
        "client assertion: aud must be the issuer, the token endpoint or the endpoint for pushed \
         requests, and nothing else"
    )]
    Audience,
    /// `exp` is missing, past or too far away.
    #[error("client assertion: exp must be at most five minutes away")]
    Expiry,
    /// `iat` or `nbf` is no time, in the future or long past.
    #[error("client assertion: iat or nbf does not fit")]
    Begin,
    /// `jti` is missing, or too long.
    #[error("client assertion: jti must be a text of 1 to 256 bytes")]
    Id,
}

impl From<AssertionError> for OAuthError {
    fn from(error: AssertionError) -> Self {
        Self::invalid_client(error.to_string())
    }
}

impl ClientAssertion {
    /// Takes the two parameters of a request; `None` when it has neither.
    pub fn read(
        assertion_type: Option<String>,
        assertion: Option<String>,
    ) -> Result<Option<Self>, OAuthError> {
        match (assertion_type, assertion) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(OAuthError::missing_parameter("client_assertion_type")),
            (Some(_), None) => Err(OAuthError::missing_parameter("client_assertion")),
            (Some(kind), Some(_)) if kind != JWT_BEARER => Err(OAuthError::invalid_request(
                "The client_assertion_type is not supported.",
            )),
            (Some(_), Some(assertion)) => Ok(Some(Self(Zeroizing::new(assertion)))),
        }
    }

    /// Whose it says to be. Nothing is proven: this only tells whose keys to look for, where the
    /// request has no `client_id` (RFC 7521 §4.2).
    pub fn subject(&self) -> Option<String> {
        let claims = Compact::parse(&self.0).ok()?.claims().ok()?;
        let subject = claims.get("sub")?.as_str()?;
        (!subject.is_empty() && !subject.contains('\0')).then(|| subject.to_owned())
    }

    /// Checks signature and claims.
    pub fn verify(
        &self,
        client: &ClientId,
        keys: &[ForeignKey],
        issuer: &Issuer,
        now: Instant,
    ) -> Result<Asserted, AssertionError> {
        let signed = foreign::verify(&self.0, keys, &ALGORITHMS)?;
        check(&signed.claims, client, issuer, now.seconds())
    }
}

impl fmt::Debug for ClientAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAssertion(…)")
    }
}

fn check(
    claims: &Map<String, Value>,
    client: &ClientId,
    issuer: &Issuer,
    now: i64,
) -> Result<Asserted, AssertionError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(client.as_str()) || text("sub") != Some(client.as_str()) {
        return Err(AssertionError::Client);
    }
    if !is_for(claims.get("aud"), issuer) {
        return Err(AssertionError::Audience);
    }
    let expires = claims.get("exp").and_then(seconds);
    let expires = expires.ok_or(AssertionError::Expiry)?;
    if expires.saturating_add(LEEWAY) <= now || expires > now + LONGEST + LEEWAY {
        return Err(AssertionError::Expiry);
    }
    for name in ["iat", "nbf"] {
        if let Some(value) = claims.get(name) {
            let begin = seconds(value).ok_or(AssertionError::Begin)?;
            if begin > now + LEEWAY {
                return Err(AssertionError::Begin);
            }
        }
    }
    let id = text("jti").filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    let id = id.ok_or(AssertionError::Id)?;
    let end = expires.saturating_add(LEEWAY).saturating_mul(1000);
    Ok(Asserted {
        id: id.to_owned(),
        expires_at: Instant::from_millis(end).plus(Duration::from_secs(1)),
    })
}

/// Names of this server, and no other: an assertion that several servers take could be carried from
/// one to the other. The endpoint for pushed requests takes all three (RFC 9126 §2), and so do its
/// neighbours.
fn is_for(audience: Option<&Value>, issuer: &Issuer) -> bool {
    let is_us = |text: &str| {
        let endpoints = ["oauth/token", "oauth/par"];
        text == issuer.as_str() || endpoints.iter().any(|path| text == issuer.join(path))
    };
    match audience {
        Some(Value::String(text)) => is_us(text),
        Some(Value::Array(texts)) => {
            !texts.is_empty() && texts.iter().all(|text| text.as_str().is_some_and(is_us))
        }
        _ => false,
    }
}

/// A number of seconds; fractions are allowed (RFC 7519 §2), and cut off.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    const FAR: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.abs() < FAR)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "smaller than 2^53, and fractions are to be cut off"
        )]
        Some(number as i64)
    })
}
