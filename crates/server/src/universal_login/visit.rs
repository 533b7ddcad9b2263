//! A browser on one of the login pages: who visits, which login under way is meant, where it goes
//! next, and what is said when it can't go on.

use std::collections::HashMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use constant_time_eq::constant_time_eq;
use domain::{BrowserToken, Json, Password, TransactionId};
use engine::sessions::Browser;
use engine::transaction::{Lost, Transaction, csrf};
use engine::{Context, Error};
use oidc::OAuthError;
use serde_json::json;

use super::page::{Page, Problem, Reader, Screen, render};
use crate::cookies::{Cookies, set_browser};
use crate::extract::Caller;
use crate::state::AppState;

/// Who visits, and what for.
pub struct Visit {
    /// The caller.
    pub context: Context,
    /// Its cookies.
    pub browser: Browser,
    /// Languages that the request asks for, best first.
    pub ui_locales: Vec<String>,
    query: HashMap<String, String>,
    is_from_here: bool,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let Ok(Caller(context)) = Caller::from_request_parts(parts, state).await;
        let Ok(Cookies(browser)) = Cookies::from_request_parts(parts, state).await;
        let query = parts.uri.query().unwrap_or_default();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        Ok(Self {
            context,
            browser,
            ui_locales: Vec::new(),
            query: query.into_iter().collect(),
            is_from_here: is_from_here(&parts.headers, state.engine.settings.issuer.as_str()),
        })
    }
}

/// Whether a form was sent by a page of ours, as far as the browser says. Old browsers say nothing:
/// the form's token stands for itself.
fn is_from_here(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => issuer
            .strip_prefix(origin)
            .is_some_and(|rest| rest.starts_with('/')),
        (None, None) => true,
    }
}

/// A form of ours that came back.
pub struct Form(HashMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Option<Self> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
        (!pairs.iter().any(|(_, value)| value.contains('\0')))
            .then(|| Self(pairs.into_iter().collect()))
    }

    /// A field, without what is around it; none when it is empty.
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A field as it was sent; empty when there is none.
    pub fn raw(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A field as it was sent; none when it is empty.
    pub fn exact(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    /// A password, as it was typed.
    pub fn password(&mut self, name: &str) -> Password {
        Password::from(self.0.remove(name).unwrap_or_default())
    }
}

impl Visit {
    /// The login under way that the address names.
    pub fn state(&self) -> Option<TransactionId> {
        let state = self.query.get("state")?;
        (!state.is_empty() && !state.contains('\0')).then(|| state.as_str().into())
    }

    /// The login under way, and the token of its browser.
    pub async fn transaction(&self, state: &AppState) -> Result<Transaction, Response> {
        self.open(state, self.state()).await
    }

    async fn open(
        &self,
        state: &AppState,
        id: Option<TransactionId>,
    ) -> Result<Transaction, Response> {
        let opened = match id {
            Some(id) => {
                let token = self.browser.token.as_ref();
                state.engine.open_transaction(&id, token).await
            }
            None => Err(Lost::Unknown),
        };
        match opened {
            Ok(transaction) => Ok(transaction),
            Err(lost) => Err(self.lost(state, lost).await),
        }
    }

    /// A form of a login under way: from a page of ours, in this browser, for this login.
    pub async fn form(
        &self,
        state: &AppState,
        body: &[u8],
    ) -> Result<(Form, Transaction), Response> {
        let Some(form) = Form::read(body) else {
            return Err(self
                .error(state, StatusCode::BAD_REQUEST, "form-expired")
                .await);
        };
        let id = form.text("state").map(TransactionId::from);
        let transaction = self.open(state, id.or_else(|| self.state())).await?;
        let expected = self.csrf(transaction.id.as_str());
        let sent = form.text("csrf").unwrap_or_default();
        let is_ours = constant_time_eq(expected.as_bytes(), sent.as_bytes());
        if self.is_from_here && is_ours {
            Ok((form, transaction))
        } else {
            Err(self
                .error(state, StatusCode::FORBIDDEN, "form-expired")
                .await)
        }
    }

    /// What a script of a page of ours sends for a login under way: a JSON object.
    pub async fn message(
        &self,
        state: &AppState,
        body: &[u8],
    ) -> Result<(Json, Transaction), Response> {
        let refused = |status: StatusCode, problem: &str| {
            (status, axum::Json(json!({"problem": problem}))).into_response()
        };
        let Ok(message) = serde_json::from_slice::<Json>(body) else {
            return Err(refused(StatusCode::BAD_REQUEST, "form-expired"));
        };
        let text = |name: &str| message.get(name).and_then(serde_json::Value::as_str);
        let id: TransactionId = text("state").unwrap_or_default().into();
        let expected = self.csrf(id.as_str());
        let sent = text("csrf").unwrap_or_default();
        if !self.is_from_here || !constant_time_eq(expected.as_bytes(), sent.as_bytes()) {
            return Err(refused(StatusCode::FORBIDDEN, "form-expired"));
        }
        let token = self.browser.token.as_ref();
        match state.engine.open_transaction(&id, token).await {
            Ok(transaction) => Ok((message, transaction)),
            Err(Lost::Failed(error)) => {
                let (status, problem) = failure(&error);
                Err(refused(status, problem))
            }
            Err(_) => Err(refused(StatusCode::BAD_REQUEST, "transaction-not-found")),
        }
    }

    /// A form of a page that belongs to no login under way.
    pub async fn loose_form(
        &self,
        state: &AppState,
        body: &[u8],
        name: &str,
    ) -> Result<Form, Response> {
        let form = Form::read(body);
        let expected = self.csrf(name);
        let is_ours = |form: &Form| {
            let sent = form.text("csrf").unwrap_or_default();
            self.browser.token.is_some()
                && self.is_from_here
                && constant_time_eq(expected.as_bytes(), sent.as_bytes())
        };
        match form.filter(is_ours) {
            Some(form) => Ok(form),
            None => Err(self
                .error(state, StatusCode::FORBIDDEN, "form-expired")
                .await),
        }
    }

    /// A page that belongs to no login under way.
    pub async fn show_loose(&self, state: &AppState, page: Page) -> Response {
        guarded(render(state, &self.reader(), page).await)
    }

    /// The same with a form of that name, which only this browser can send.
    pub async fn show_form(&mut self, state: &AppState, mut page: Page, name: &str) -> Response {
        let is_new = self.browser.token.is_none();
        if is_new {
            self.browser.token = Some(state.engine.new_browser_token());
        }
        page.hidden.push(("csrf", self.csrf(name)));
        let mut response = self.show_loose(state, page).await;
        if let Some(token) = self.browser.token.as_ref().filter(|_| is_new) {
            set_browser(state, &mut response, token);
        }
        response
    }

    /// A parameter of the address.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let text = self.query.get(name).filter(|text| !text.is_empty());
        text.filter(|text| !text.contains('\0')).cloned()
    }

    /// The caller, with the languages that a login under way asks for.
    pub fn context_of(&self, login: &Transaction) -> Context {
        Context {
            ui_locales: login.request.ui_locales.clone(),
            ..self.context.clone()
        }
    }

    /// What a form of this browser must bring back.
    pub fn csrf(&self, form: &str) -> String {
        let nobody = BrowserToken::from("");
        csrf(self.browser.token.as_ref().unwrap_or(&nobody), form)
    }

    /// Shows a page of a login under way.
    pub async fn show(&self, state: &AppState, login: &Transaction, mut page: Page) -> Response {
        page.hidden.push(("state", login.id.to_string()));
        page.hidden.push(("csrf", self.csrf(login.id.as_str())));
        let client = state.engine.client_of(login).await.ok();
        let client = client.map(|client| {
            let logo = client.attributes.get("logo_uri");
            let logo = logo.and_then(serde_json::Value::as_str).map(str::to_owned);
            (client.name, logo)
        });
        let reader = Reader {
            ui_locales: login.request.ui_locales.clone(),
            client,
            ..self.reader()
        };
        guarded(render(state, &reader, page).await)
    }

    /// For whom pages are rendered that belong to no login under way.
    pub fn reader(&self) -> Reader {
        Reader {
            ui_locales: self.ui_locales.clone(),
            accept_language: self.context.accept_language.clone(),
            ..Reader::default()
        }
    }

    /// Says that a login can't go on.
    pub async fn lost(&self, state: &AppState, lost: Lost) -> Response {
        let (status, key) = match lost {
            Lost::Unknown => (StatusCode::BAD_REQUEST, "transaction-not-found"),
            Lost::Expired => (StatusCode::BAD_REQUEST, "transaction-expired"),
            Lost::Finished => (StatusCode::BAD_REQUEST, "transaction-finished"),
            Lost::Failed(error) => failure(&error),
        };
        self.error(state, status, key).await
    }

    /// Says why `/authorize` begins nothing.
    pub async fn refused(&self, state: &AppState, error: OAuthError) -> Response {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        if status.is_server_error() {
            tracing::error!(
                code = error.code,
                detail = error.detail,
                "no login could begin"
            );
        }
        // A client that is not known is no lack of a password of the browser's.
        let status = match status {
            StatusCode::UNAUTHORIZED => StatusCode::BAD_REQUEST,
            other => other,
        };
        let mut page = Page::new(Screen::Error);
        page.status = status;
        page.shown.insert("error".into(), error.code.into());
        page.shown
            .insert("error_description".into(), error.description.into());
        page.problem = Some(problem("invalid-request"));
        guarded(render(state, &self.reader(), page).await)
    }

    /// A page that only says what is wrong.
    pub async fn error(&self, state: &AppState, status: StatusCode, key: &'static str) -> Response {
        let mut page = Page::new(Screen::Error);
        page.status = status;
        page.problem = Some(problem(key));
        guarded(render(state, &self.reader(), page).await)
    }
}

/// A problem of the whole form.
pub fn problem(key: &'static str) -> Problem {
    Problem {
        key,
        field: None,
        values: Json::new(),
        sentence: None,
    }
}

/// What is said of a failure that is not the person's.
pub fn failure(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Unavailable { detail } => {
            tracing::error!(detail, "a login met an outage");
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily-unavailable")
        }
        Error::Internal { detail } => {
            tracing::error!(detail, "a login met a defect");
            (StatusCode::INTERNAL_SERVER_ERROR, "something-went-wrong")
        }
        _ => (StatusCode::BAD_REQUEST, "invalid-request"),
    }
}

/// Nobody keeps these pages, frames them or learns their address. What the renderer said itself
/// stays.
pub(super) fn guarded(mut response: Response) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: with it, browsers send our own forms with the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in headers {
        let entry = response.headers_mut().entry(name);
        entry.or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_told_by_the_browser() {
        let issuer = "https://login.example.com/";
        for (site, origin, expected) in [
            (Some("same-origin"), Some("null"), true),
            (Some("cross-site"), Some("https://login.example.com"), false),
            (Some("same-site"), None, false),
            (None, Some("https://login.example.com"), true),
            (None, Some("https://login.example.co"), false),
            (None, Some("https://evil.example.com"), false),
            (None, Some("null"), false),
            (None, None, true),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(
                is_from_here(&headers, issuer),
                expected,
                "{site:?} {origin:?}"
            );
        }
    }
}
