//! An access token in the header `Authorization`: a bearer's (RFC 6750 §2.1), or bound to a key that the
//! caller proves to hold (RFC 9449 §7.1).

use axum::http::header;
use axum::http::request::Parts;
use oidc::OAuthError;
use oidc::dpop::ProofRequest;

use crate::oauth::form::texts;
use crate::state::AppState;

/// A token, and what was proven with it.
pub struct Presented {
    token: String,
    /// Thumbprint of the key.
    key: Option<String>,
}

impl Presented {
    /// The token that a request comes with, if it does; `path` is the request's, without its first
    /// slash.
    pub async fn of(
        parts: &Parts,
        state: &AppState,
        path: &str,
    ) -> Result<Option<Self>, OAuthError> {
        if let Some(token) = of_scheme(parts, "bearer") {
            return Ok(Some(Self::bearer(token)));
        }
        let Some(token) = of_scheme(parts, "dpop") else {
            return Ok(None);
        };
        let engine = &state.engine;
        let url = engine.settings.issuer.join(path);
        let proven = ProofRequest {
            method: parts.method.as_str(),
            url: &url,
            access_token: Some(token),
        };
        let proofs = texts(&parts.headers, "dpop");
        let key = engine.dpop_key(&proofs, &proven);
        let none = || OAuthError::invalid_dpop_proof("no DPoP header");
        Ok(Some(Self {
            token: token.to_owned(),
            key: Some(key.await?.ok_or_else(none)?.as_str().to_owned()),
        }))
    }

    /// A token that came without a proof.
    pub fn bearer(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            key: None,
        }
    }

    /// The token, and the thumbprint of the key that was proven.
    pub fn shown(&self) -> (&str, Option<&str>) {
        (&self.token, self.key.as_deref())
    }
}

fn of_scheme<'a>(parts: &'a Parts, wanted: &str) -> Option<&'a str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| token.trim())
}
