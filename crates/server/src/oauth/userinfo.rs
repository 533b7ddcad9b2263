//! `GET` and `POST /userinfo`: the token comes as a bearer's, or bound to a key that the caller
//! proves to hold (RFC 9449 §7.1).

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use oidc::OAuthError;
use oidc::dpop::ProofRequest;

use super::form::texts;
use crate::error::OAuthRefusal;
use crate::extract::bearer;
use crate::state::AppState;

/// What the token's scopes say of the person.
pub async fn get(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<domain::Json>, OAuthRefusal> {
    let (parts, _) = request.into_parts();
    let engine = &state.engine;
    let Some(token) = bound(&parts) else {
        let token = bearer(&parts).ok_or_else(|| OAuthError::invalid_token("no bearer token"))?;
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

/// The token of `Authorization: DPoP`.
fn bound(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("dpop").then(|| token.trim())
}
