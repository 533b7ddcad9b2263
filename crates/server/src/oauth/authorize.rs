//! `GET` and `POST /authorize`, and `/authorize/resume`, where a login comes back from its pages.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::Json;
use engine::authorize::{Answer, Finished, Outcome};
use oidc::OAuthError;
use oidc::authorize::{Response as Told, WebMessage};

use super::again;
use crate::cookies::{set_browser, set_session};
use crate::state::AppState;
use crate::universal_login::device;
use crate::universal_login::onward::to_step;
use crate::universal_login::render::{render_form_post, render_web_message};
use crate::universal_login::visit::Visit;

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
        Ok(mut pairs) => {
            let is_again = again::take_mark(&mut pairs);
            if method == Method::POST && visit.browser.token.is_none() && !is_again {
                return again::sent_round(&state, &visit, "/authorize", &pairs).await;
            }
            state
                .engine
                .authorize(&visit.context, &visit.browser, pairs)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(Outcome::Answer(answer)) => send(&state, &visit, *answer, status).await,
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
        Ok(Finished::Answer(answer)) => send(&state, &visit, *answer, StatusCode::FOUND).await,
        Ok(Finished::Device(end)) => device::ended(&state, &visit, end).await,
        Ok(Finished::Step(step)) => to_step(step, &id, StatusCode::SEE_OTHER),
        Err(lost) => visit.lost(&state, lost).await,
    }
}

/// Sends an answer to the client, through the browser; `status` is that of a redirect.
async fn send(state: &AppState, visit: &Visit, answer: Answer, status: StatusCode) -> Response {
    let mut response = match &answer.response {
        Told::Redirect(url) => redirect(url, status),
        Told::FormPost { action, fields } => {
            render_form_post(state, &visit.reader(), fields, action).await
        }
        Told::WebMessage {
            target_origin,
            message,
        } => render_web_message(state, &members(message), target_origin).await,
    };
    if let Some(token) = &answer.session {
        set_session(state, &mut response, token);
    }
    response
}

/// Nobody keeps it: it may hold a code.
fn redirect(url: &str, status: StatusCode) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn members(message: &WebMessage) -> Json {
    match serde_json::to_value(message) {
        Ok(serde_json::Value::Object(members)) => members,
        _ => Json::new(),
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
