//! `POST /oauth/token`, form or JSON.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use oidc::{OAuthError, Params, parse_token_request};

use crate::error::{ApiError, OAuthRefusal};
use crate::extract::{Caller, refuse_compressed};
use crate::state::AppState;

/// Issues tokens.
pub async fn post(
    State(state): State<AppState>,
    Caller(context): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    refuse_compressed(&headers)?;
    let params = params(&headers, &body)?;
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let (authentication, request) = parse_token_request(params, basic)?;
    let tokens = state
        .engine
        .token(&context, authentication, request)
        .await?;
    let mut response = Json(tokens).into_response();
    // RFC 6749 §5.1
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The parameters of a form or a JSON body.
pub fn params(headers: &HeaderMap, body: &[u8]) -> Result<Params, OAuthError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Params::from_json(body);
    }
    if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let message = "The body must be application/x-www-form-urlencoded or application/json";
        return Err(OAuthError::invalid_request(message));
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
        .map_err(|_| OAuthError::invalid_request("The form body could not be read"))?;
    Params::from_pairs(pairs)
}

/// Either world's refusal.
pub enum Refusal {
    /// The protocol's.
    OAuth(OAuthRefusal),
    /// That of the transport.
    Transport(ApiError),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error.into())
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Transport(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::OAuth(refusal) => refusal.into_response(),
            Self::Transport(refusal) => refusal.into_response(),
        }
    }
}
