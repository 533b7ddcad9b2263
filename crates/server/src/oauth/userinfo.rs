//! `GET` and `POST /userinfo`: the token comes as a bearer's, in one of the three ways of RFC 6750 §2,
//! or bound to a key that the caller proves to hold (RFC 9449 §7.1).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use oidc::OAuthError;

use super::form::uncached;
use crate::error::OAuthRefusal;
use crate::presented::Presented;
use crate::state::AppState;

/// What the token's scopes say of the person.
pub async fn get(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, OAuthRefusal> {
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &state).await;
    let body = body.map_err(|_| OAuthError::invalid_request("The body could not be read"))?;
    let sent = sent(&parts, &body)?;
    let presented = Presented::of(&parts, &state, "userinfo").await?;
    let presented = match (presented, &sent) {
        (Some(_), Some(_)) => return Err(twice().into()),
        (Some(presented), None) => presented,
        (None, Some(token)) => Presented::bearer(token),
        (None, None) => return Err(OAuthError::invalid_token("no bearer token").into()),
    };
    let (token, key) = presented.shown();
    let info = state.engine.user_info(token, key).await?;
    Ok(uncached(Json(info)))
}

/// The token of a form, or of the query: OpenID's conformance tests send the one, passport-auth0
/// knows nothing but the other.
fn sent(parts: &Parts, body: &[u8]) -> Result<Option<String>, OAuthError> {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let body = if parts.method == Method::POST && is_form {
        body
    } else {
        &[]
    };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let mut tokens = Vec::new();
    for text in [body, query] {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text)
            .map_err(|_| OAuthError::invalid_request("The parameters could not be read"))?;
        let named = pairs.into_iter().filter(|(name, _)| name == "access_token");
        tokens.extend(
            named
                .map(|(_, token)| token)
                .filter(|token| !token.is_empty()),
        );
    }
    let token = tokens.pop();
    if tokens.is_empty() {
        Ok(token)
    } else {
        Err(twice())
    }
}

fn twice() -> OAuthError {
    OAuthError::invalid_request("The access token was sent more than once")
}
