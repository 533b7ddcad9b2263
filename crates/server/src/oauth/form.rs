//! What the OAuth endpoints take: a form or a JSON object, with the client's proof in it or in the
//! `Authorization` header. What they answer is never kept by a cache (RFC 6749 §5.1).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use oidc::{OAuthError, Params};

use crate::error::{ApiError, OAuthRefusal};
use crate::extract::refuse_compressed;
use crate::state::AppState;

/// The parameters of a request and its headers.
pub struct Form {
    /// The parameters.
    pub params: Params,
    /// The headers.
    pub headers: HeaderMap,
}

impl Form {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers of a name; one that is no text counts as an empty one.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        texts(&self.headers, name)
    }

    /// The parameters, and the header that may prove the client.
    pub fn split(self) -> (Params, Option<String>) {
        let basic = self.header("authorization").map(str::to_owned);
        (self.params, basic)
    }
}

impl FromRequest<AppState> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        refuse_compressed(&headers)?;
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text(), None))?;
        let params = params(&headers, &body)?;
        Ok(Self { params, headers })
    }
}

/// All headers of a name; one that is no text counts as an empty one.
pub fn texts<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap_or("")).collect()
}

/// The parameters of a body.
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

/// An answer that no cache keeps.
pub fn uncached(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
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
