//! The last mails, for a developer: one-time links and all. Only where the configuration asks for it,
//! which it may only on a machine of one's own (`mail.viewer`); elsewhere there are no such pages.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use engine::mail_view::SentMail;
use serde_json::json;

use crate::state::AppState;
use crate::universal_login::render;

const PAGE: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                    frame-ancestors 'none'";

/// Nothing of a mail runs, and nothing of it is this server's.
const MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; \
                    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                    sandbox allow-popups allow-top-navigation-by-user-activation";

/// `GET /ferry/mail`.
pub async fn list(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let Some(mails) = seen(&state, &headers) else {
        return missing();
    };
    let mails: Vec<_> = mails.iter().map(shown).collect();
    let values = json!({"mails": mails});
    guarded(render::mail_viewer(&state, values), PAGE)
}

/// `GET /ferry/mail/{id}`.
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match one(&state, &headers, &id) {
        Some(mail) => {
            let values = json!({"mail": shown(&mail)});
            guarded(render::mail_viewer(&state, values), PAGE)
        }
        None => missing(),
    }
}

/// `GET /ferry/mail/{id}/html`.
pub async fn html(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match one(&state, &headers, &id).and_then(|mail| mail.html) {
        Some(html) => guarded(html, MAIL),
        None => missing(),
    }
}

fn one(state: &AppState, headers: &HeaderMap, id: &str) -> Option<SentMail> {
    let mails = seen(state, headers)?;
    mails.into_iter().find(|mail| mail.id == id)
}

/// The mails, for whoever calls this server by its own name: a page of another name that leads here
/// is no developer's.
fn seen(state: &AppState, headers: &HeaderMap) -> Option<Vec<SentMail>> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let is_ours = host == state.engine.settings.issuer.host();
    state.engine.sent_mails().filter(|_| is_ours)
}

fn shown(mail: &SentMail) -> serde_json::Value {
    let is_link = |line: &&str| line.starts_with("https://") || line.starts_with("http://");
    let lines: Vec<_> = mail
        .text
        .lines()
        .map(|line| json!({"text": line, "is_link": is_link(&line)}))
        .collect();
    json!({
        "id": mail.id, "at": mail.at.to_string(), "from": mail.from, "recipient": mail.recipient,
        "subject": mail.subject, "lines": lines, "has_html": mail.html.is_some(),
    })
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "Not Found\n").into_response()
}

fn guarded(html: String, policy: &'static str) -> Response {
    let mut response = Html(html).into_response();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
