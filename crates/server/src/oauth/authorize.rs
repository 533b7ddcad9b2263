//! `GET` and `POST /authorize`, and `/authorize/resume`, where a login comes back from its pages.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use engine::authorize::{Finished, Outcome};
use oidc::OAuthError;

use super::answer;
use crate::cookies::set_browser;
use crate::state::AppState;
use crate::universal_login::visit::{Visit, to_step};

/// Longest form that is read.
const LONGEST: usize = 64 << 10;

/// A session answers at once, or a login begins.
pub async fn authorize(
    State(state): State<AppState>,
    method: Method,
    visit: Visit,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let (pairs, status) = if method == Method::POST {
        (form(&headers, &body), StatusCode::SEE_OTHER)
    } else {
        let query = query.unwrap_or_default();
        (pairs(query.as_bytes()), StatusCode::FOUND)
    };
    let outcome = match pairs {
        Ok(pairs) => {
            state
                .engine
                .authorize(&visit.context, &visit.browser, pairs)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(Outcome::Answer(answer)) => answer::send(&state, *answer, status),
        Ok(Outcome::Page {
            transaction,
            step,
            browser,
        }) => {
            let mut response = to_step(step, &transaction, status);
            if let Some(token) = &browser {
                set_browser(&state, &mut response, token);
            }
            response
        }
        Err(error) => visit.refused(&state, error).await,
    }
}

/// Back to the client, when nothing is left to be done.
pub async fn resume(State(state): State<AppState>, visit: Visit) -> Response {
    let Some(id) = visit.state() else {
        return visit.lost(&state, engine::transaction::Lost::Unknown).await;
    };
    let resumed = state.engine.resume(&visit.context, &visit.browser, &id);
    match resumed.await {
        Ok(Finished::Answer(answer)) => answer::send(&state, *answer, StatusCode::FOUND),
        Ok(Finished::Step(step)) => to_step(step, &id, StatusCode::SEE_OTHER),
        Err(lost) => visit.lost(&state, lost).await,
    }
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, OAuthError> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if body.len() > LONGEST || !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let message = "The body must be application/x-www-form-urlencoded and not too long";
        return Err(OAuthError::invalid_request(message));
    }
    pairs(body)
}

fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, OAuthError> {
    serde_urlencoded::from_bytes(text)
        .map_err(|_| OAuthError::invalid_request("The parameters could not be read"))
}
