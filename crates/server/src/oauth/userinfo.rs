//! `GET` and `POST /userinfo`: the token comes as a bearer's, in the header or in a form (RFC 6750
//! §2.2), or bound to a key that the caller proves to hold (RFC 9449 §7.1).

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use oidc::OAuthError;
use oidc::dpop::ProofRequest;

use super::form::texts;
use crate::error::OAuthRefusal;
use crate::extract::bearer;
use crate::state::AppState;

/// Longest form that is read.
const LONGEST: usize = 64 << 10;

/// What the token's scopes say of the person.
pub async fn get(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<domain::Json>, OAuthRefusal> {
    let (parts, body) = request.into_parts();
    let engine = &state.engine;
    let Some(token) = bound(&parts) else {
        let sent = sent(&parts, body).await;
        let token = match (bearer(&parts), sent.as_deref()) {
            (Some(token), None) | (None, Some(token)) => token,
            (None, None) => return Err(OAuthError::invalid_token("no bearer token").into()),
            (Some(_), Some(_)) => {
                let text = "The access token came in two ways.";
                return Err(OAuthError::invalid_request(text).into());
            }
        };
        return Ok(Json(engine.user_info(token, None).await?));
    };
    let url = engine.settings.issuer.join("userinfo");
    let proven = ProofRequest {
        method: parts.method.as_str(),
        url: &url,
        access_token: Some(token),
    };
    let proofs = texts(&parts.headers, "dpop");
    let key = engine.dpop_key(&proofs, &proven).await?;
    let key = key.ok_or_else(|| OAuthError::invalid_dpop_proof("no DPoP header"))?;
    Ok(Json(engine.user_info(token, Some(key.as_str())).await?))
}

/// The token of a form.
async fn sent(parts: &Parts, body: Body) -> Option<String> {
    let kind = parts.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if parts.method != Method::POST || !is_form {
        return None;
    }
    let body = to_bytes(body, LONGEST).await.ok()?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).ok()?;
    let mut tokens = pairs.into_iter().filter(|(name, _)| name == "access_token");
    tokens.next().map(|(_, token)| token)
}

/// The token of `Authorization: DPoP`.
fn bound(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("dpop").then(|| token.trim())
}
