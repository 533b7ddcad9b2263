//! `/oidc/logout`, `/v2/logout`, and the page between: whether the person wants it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use engine::logout::{LoggedOut, LogoutRequest};

use crate::cookies::{clear_session, set_browser};
use crate::state::AppState;
use crate::universal_login::page::{Page, Screen};
use crate::universal_login::visit::Visit;

/// The name of the form that confirms, for its token.
const FORM: &str = "logout";

/// `GET` and `POST /oidc/logout` (OpenID Connect RP-Initiated Logout 1.0).
pub async fn oidc(
    State(state): State<AppState>,
    method: Method,
    visit: Visit,
    body: Bytes,
) -> Response {
    let sent: Vec<(String, String)> = if method == Method::POST {
        serde_urlencoded::from_bytes(&body).unwrap_or_default()
    } else {
        Vec::new()
    };
    let text = |name: &str| {
        let sent = sent.iter().find(|(sent, _)| sent == name);
        let sent = sent.map(|(_, value)| value.clone());
        sent.filter(|value| !value.is_empty() && !value.contains('\0'))
            .or_else(|| visit.parameter(name))
    };
    let request = LogoutRequest {
        client_id: text("client_id").map(Into::into),
        return_to: text("post_logout_redirect_uri"),
        state: text("state"),
        id_token_hint: text("id_token_hint"),
        is_confirmed: false,
    };
    log_out(&state, visit, request).await
}

/// `GET /v2/logout`: asks nobody, as Auth0's does not.
pub async fn v2(State(state): State<AppState>, visit: Visit) -> Response {
    let request = LogoutRequest {
        client_id: visit.parameter("client_id").map(Into::into),
        return_to: visit.parameter("returnTo"),
        is_confirmed: true,
        ..LogoutRequest::default()
    };
    log_out(&state, visit, request).await
}

/// `POST /u/logout`: the person said so.
pub async fn confirm(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let form = match visit.loose_form(&state, &body, FORM).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let request = LogoutRequest {
        client_id: form.text("client_id").map(Into::into),
        return_to: form.text("post_logout_redirect_uri"),
        state: form.text("state"),
        id_token_hint: None,
        is_confirmed: true,
    };
    log_out(&state, visit, request).await
}

async fn log_out(state: &AppState, mut visit: Visit, request: LogoutRequest) -> Response {
    let asked = [
        (
            "client_id",
            request.client_id.as_ref().map(ToString::to_string),
        ),
        ("post_logout_redirect_uri", request.return_to.clone()),
        ("state", request.state.clone()),
    ];
    let done = state
        .engine
        .log_out(&visit.context, &visit.browser, request);
    match done.await {
        Ok(LoggedOut::Done(target)) => {
            let mut response = match target.as_deref().map(HeaderValue::from_str) {
                Some(Ok(target)) => {
                    let mut response = StatusCode::FOUND.into_response();
                    response.headers_mut().insert(header::LOCATION, target);
                    response
                }
                _ => {
                    visit
                        .show_loose(state, Page::new(Screen::LogoutComplete))
                        .await
                }
            };
            clear_session(state, &mut response);
            response
        }
        Ok(LoggedOut::Ask) => {
            let mut page = Page::new(Screen::Logout);
            let new = visit.browser.token.is_none();
            if new {
                visit.browser.token = Some(state.engine.new_browser_token());
            }
            page.hidden.push(("csrf", visit.csrf(FORM)));
            let known = asked
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            page.hidden.extend(known);
            let mut response = visit.show_loose(state, page).await;
            if let Some(token) = visit.browser.token.as_ref().filter(|_| new) {
                set_browser(state, &mut response, token);
            }
            response
        }
        Err(error) => visit.refused(state, error).await,
    }
}
