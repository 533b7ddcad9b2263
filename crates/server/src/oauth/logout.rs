//! `/oidc/logout`, `/v2/logout`, and the page between: whether the person wants it.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::ClientId;
use engine::logout::LoggedOut;
use oidc::logout::{EndSessionRequest, PlainLogoutRequest};
use oidc::{OAuthError, Params};

use super::again;
use crate::cookies::clear_session;
use crate::state::AppState;
use crate::universal_login::page::{Page, Screen};
use crate::universal_login::visit::Visit;

/// The name of the form that confirms, for its token.
const FORM: &str = "logout";

/// How a request to sign out came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// By a link.
    Linked,
    /// By a form, perhaps another site's.
    Posted,
    /// By the form of ours, in which the person said yes.
    Confirmed,
}

/// `GET` and `POST /oidc/logout` (OpenID Connect RP-Initiated Logout 1.0).
pub async fn oidc(
    State(state): State<AppState>,
    method: Method,
    visit: Visit,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    let sent: &[u8] = if method == Method::POST {
        &body
    } else {
        query.as_bytes()
    };
    match params(sent).and_then(EndSessionRequest::read) {
        Ok(request) => {
            let asking = if method == Method::POST {
                Asking::Posted
            } else {
                Asking::Linked
            };
            end_session(&state, visit, request, asking).await
        }
        Err(error) => visit.refused(&state, error).await,
    }
}

/// `GET /v2/logout`: asks nobody, as Auth0's does not.
pub async fn v2(
    State(state): State<AppState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let done = match params(query.as_bytes()).and_then(PlainLogoutRequest::read) {
        Ok(request) => {
            let engine = &state.engine;
            engine
                .end_session_unasked(&visit.context, &visit.browser, &request)
                .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(target) => signed_out(&state, &visit, target).await,
        Err(error) => visit.refused(&state, error).await,
    }
}

/// `POST /u/logout`: the person answered.
pub async fn confirm(State(state): State<AppState>, mut visit: Visit, body: Bytes) -> Response {
    let form = match visit.loose_form(&state, &body, FORM).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let locales = form.text("ui_locales").unwrap_or_default();
    let request = EndSessionRequest {
        id_token_hint: None,
        logout_hint: None,
        post_logout_redirect_uri: form.text("post_logout_redirect_uri"),
        client_id: form.text("client_id").map(ClientId::from),
        state: form.exact("state"),
        ui_locales: locales
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect(),
        federated: false,
    };
    if form.text("action").as_deref() == Some("cancel") {
        visit.ui_locales = request.ui_locales;
        let page = Page::new(Screen::LogoutAborted);
        return visit.show_loose(&state, page).await;
    }
    end_session(&state, visit, request, Asking::Confirmed).await
}

fn params(text: &[u8]) -> Result<Params, OAuthError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text)
        .map_err(|_| OAuthError::invalid_request("The parameters could not be read"))?;
    Ok(Params::from_query(pairs))
}

async fn end_session(
    state: &AppState,
    mut visit: Visit,
    request: EndSessionRequest,
    asking: Asking,
) -> Response {
    visit.ui_locales.clone_from(&request.ui_locales);
    let is_confirmed = asking == Asking::Confirmed;
    let done = state
        .engine
        .end_session(&visit.context, &visit.browser, &request, is_confirmed);
    match done.await {
        Ok(LoggedOut::Done(target)) => signed_out(state, &visit, target).await,
        Ok(LoggedOut::Ask { client_id }) => ask(state, visit, request, (asking, client_id)).await,
        Err(error) => visit.refused(state, error).await,
    }
}

async fn signed_out(state: &AppState, visit: &Visit, target: Option<String>) -> Response {
    let target = target.as_deref().map(HeaderValue::from_str);
    let mut response = if let Some(Ok(target)) = target {
        let mut response = StatusCode::FOUND.into_response();
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, target);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    } else {
        let page = Page::new(Screen::LogoutComplete);
        visit.show_loose(state, page).await
    };
    clear_session(state, &mut response);
    response
}

/// Shows the page that asks. Its form carries on what was asked for, not what proved nothing; so
/// does the way round of what another site posted, without the cookie that the form is bound to.
async fn ask(
    state: &AppState,
    mut visit: Visit,
    request: EndSessionRequest,
    (asking, client_id): (Asking, Option<ClientId>),
) -> Response {
    let mut page = Page::new(Screen::Logout);
    let locales = request.ui_locales.join(" ");
    let known = [
        ("client_id", client_id.map(|id| id.to_string())),
        ("post_logout_redirect_uri", request.post_logout_redirect_uri),
        ("state", request.state),
        ("ui_locales", Some(locales).filter(|text| !text.is_empty())),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    page.hidden.extend(known);
    if asking == Asking::Posted && visit.browser.token.is_none() {
        let pairs = page.hidden.iter();
        let pairs: Vec<(String, String)> = pairs
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        if let Some(response) = again::by_link("/oidc/logout", &pairs) {
            return response;
        }
    }
    visit.show_form(state, page, FORM).await
}
