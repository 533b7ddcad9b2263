//! Which pages of other origins may read by script what they are answered (CORS).
//!
//! Nothing here looks at a cookie: whoever may read an answer brought a token, a code or a password.
//! So no answer allows credentials. What comes with a token of its own, or is public, anybody's page
//! may read; what a client is answered, only pages of that client's origins, else a stranger's page
//! could try passwords through its visitors. Pages and the Management API are for no script of another
//! origin.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::oauth::form;
use crate::state::AppState;

/// Longest body that is looked into for its client: longer ones are no application's of one page.
const LONGEST: usize = 64 << 10;

/// What an application of one page sends beside what every form does.
const HEADERS: &str = "Authorization, Auth0-Client, Content-Type, DPoP";
const METHODS: &str = "GET, POST, DELETE";
const SHOWN: &str = "DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id";
/// How long a browser remembers what it was allowed, in seconds.
const REMEMBERED: &str = "600";
const ANYBODY: &str = "*";

/// Whose pages may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers {
    /// Everybody's.
    All,
    /// Those of the client that the body names.
    OfClient,
    /// Nobody's.
    None,
}

fn readers(path: &str) -> Readers {
    match path {
        "/userinfo" | "/.well-known/openid-configuration" | "/.well-known/jwks.json" => {
            Readers::All
        }
        "/oauth/token"
        | "/oauth/revoke"
        | "/oauth/device/code"
        | "/oauth/par"
        | "/dbconnections/signup"
        | "/dbconnections/change_password" => Readers::OfClient,
        // With an `mfa_token`, which is as good as one.
        path if path.starts_with("/mfa/") => Readers::All,
        _ => Readers::None,
    }
}

/// Answers a browser's question, and says of an answer who may read it.
pub async fn answer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let readers = readers(request.uri().path());
    let (Some(origin), Readers::All | Readers::OfClient) = (origin_of(&request), readers) else {
        return next.run(request).await;
    };
    if is_question(&request) {
        return to_question();
    }
    if readers == Readers::All {
        return shown_to(ANYBODY, next.run(request).await);
    }
    let (request, client) = looked_into(request).await;
    let response = with_each(next.run(request).await, &[(header::VARY, "Origin")]);
    let Some(client) = client else {
        return response;
    };
    if state
        .engine
        .may_be_called_from(&client.into(), &origin)
        .await
    {
        shown_to(&origin, response)
    } else {
        response
    }
}

fn origin_of(request: &Request) -> Option<String> {
    let origin = request.headers().get(header::ORIGIN)?;
    origin.to_str().ok().map(str::to_owned)
}

fn is_question(request: &Request) -> bool {
    let asks = request
        .headers()
        .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    request.method() == Method::OPTIONS && asks
}

/// A question names no client. To be allowed to ask is not to be allowed to read.
fn to_question() -> Response {
    with_each(
        StatusCode::NO_CONTENT.into_response(),
        &[
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ],
    )
}

fn shown_to(origin: &str, response: Response) -> Response {
    with_each(
        response,
        &[
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN),
        ],
    )
}

fn with_each(mut response: Response, headers: &[(HeaderName, &str)]) -> Response {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The request as it was, and the client that its body names.
async fn looked_into(request: Request) -> (Request, Option<String>) {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length > LONGEST) {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    // A body that breaks off is no request: its handler would say so of an empty one too.
    let body = to_bytes(body, LONGEST).await.unwrap_or_default();
    let client = client_of(&parts.headers, &body);
    (Request::from_parts(parts, Body::from(body)), client)
}

fn client_of(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let params = form::params(headers, body).ok()?;
    params.client_id().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_scripts_are_meant_to_read_is_listed() {
        assert_eq!(readers("/userinfo"), Readers::All);
        assert_eq!(readers("/oauth/token"), Readers::OfClient);
        for path in [
            "/",
            "/authorize",
            "/u/login",
            "/oidc/logout",
            "/api/v2/users",
            "/oauth/introspect",
            "/oauth/token/",
        ] {
            assert_eq!(readers(path), Readers::None, "{path}");
        }
    }
}
