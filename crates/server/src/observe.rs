//! One log line a request, a request id, and the answers for what is not there.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::error::ApiError;

/// Logs the request under its id. Neither query nor body is logged: both may carry secrets.
pub async fn request(request: Request, next: Next) -> Response {
    let id = request_id();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = %id);
    let started = std::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    span.in_scope(|| {
        let status = response.status().as_u16();
        tracing::info!(%method, route, status, micros = took.as_micros(), "answered");
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

fn request_id() -> String {
    let mut bytes = [0_u8; 8];
    // An id that can't be random is still an id.
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// What no route knows.
pub async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/api/v2/") {
        return ApiError::new(StatusCode::NOT_FOUND, "Not Found", None).into_response();
    }
    (StatusCode::NOT_FOUND, "Not Found\n").into_response()
}

/// A route that does not know the method.
pub async fn method_not_allowed(method: Method) -> Response {
    let message = format!("Method {method} is not allowed here.");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message, None).into_response()
}
