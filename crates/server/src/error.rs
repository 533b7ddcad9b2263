//! THE table: what went wrong inside → status and Auth0-shaped body.
//!
//! A 5xx body is constant; what happened goes to the log under the request's id.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Error;
use oidc::OAuthError;
use serde_json::json;

/// A refusal of the Management API.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
}

impl ApiError {
    /// A refusal with a status, a public text and the wire's `errorCode`.
    pub fn new(status: StatusCode, message: impl Into<String>, code: Option<&'static str>) -> Self {
        Self {
            status,
            message: message.into(),
            code,
        }
    }

    /// 400: the body or a parameter does not fit.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, Some("invalid_body"))
    }

    /// 400: a query parameter does not fit.
    pub fn invalid_query(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            message,
            Some("invalid_query_string"),
        )
    }

    /// 401: no valid token.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message, None)
    }

    /// 403: the token lacks the scope.
    pub fn insufficient_scope(any_of: &[&str]) -> Self {
        let message = format!("Insufficient scope, expected any of: {}", any_of.join(","));
        Self::new(StatusCode::FORBIDDEN, message, Some("insufficient_scope"))
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid { message, code } => {
                Self::new(StatusCode::BAD_REQUEST, message, Some(code))
            }
            Error::Missing { message, code } => {
                Self::new(StatusCode::NOT_FOUND, message, Some(code))
            }
            Error::Conflict { message, code } => {
                Self::new(StatusCode::CONFLICT, message, Some(code))
            }
            Error::TooMany(message) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                message,
                Some("too_many_requests"),
            ),
            Error::TooLarge(message) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, message, None),
            Error::Unavailable { detail } => {
                tracing::error!(detail, "a request met an outage");
                let message = "The service is temporarily unavailable. Please try again later.";
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    message,
                    Some("temporarily_unavailable"),
                )
            }
            Error::Internal { detail } => {
                tracing::error!(detail, "a request met a defect");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.", None)
            }
        }
    }
}

impl From<store::StoreError> for ApiError {
    fn from(error: store::StoreError) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({
            "statusCode": self.status.as_u16(),
            "error": self.status.canonical_reason().unwrap_or("Error"),
            "message": self.message,
        });
        if let (Some(code), Some(object)) = (self.code, body.as_object_mut()) {
            object.insert("errorCode".into(), code.into());
        }
        if let (StatusCode::UNAUTHORIZED, Some(object)) = (self.status, body.as_object_mut()) {
            object.insert("attributes".into(), json!({"error": self.message}));
        }
        (self.status, axum::Json(body)).into_response()
    }
}

/// A refusal of the OAuth endpoints (RFC 6749 §5.2).
pub struct OAuthRefusal(pub OAuthError);

impl From<OAuthError> for OAuthRefusal {
    fn from(error: OAuthError) -> Self {
        Self(error)
    }
}

impl IntoResponse for OAuthRefusal {
    fn into_response(self) -> Response {
        let error = self.0;
        let status =
            StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(
                code = error.code,
                detail = error.detail,
                "an OAuth request failed"
            );
        }
        let mut response = (status, axum::Json(&error)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = error.challenge() {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response
    }
}
