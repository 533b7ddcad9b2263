//! To another provider and back, and the page that asks whether two accounts are one person's.
//!
//! A provider may answer by a form that its own page posts. Such a form comes from another site, and
//! browsers send the cookie that binds a login only with forms of ours: so it is handed back to the
//! browser to be posted once more, from here.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::Json;
use engine::Engine;
use engine::authorize::Problem;
use engine::transaction::{Lost, Step, Transaction};
use oidc::relying_party::Returned;
use serde_json::{Value, json};

use super::login::{next, page_of};
use super::page::{Page, Reader, Screen};
use super::render::render_form_post;
use super::told::told;
use super::visit::Visit;
use crate::state::AppState;

/// Says that a form was posted from here.
const AGAIN: &str = "ferry_again";

/// Parameters of an answer that are handed on.
const ANSWERS: [&str; 6] = [
    "state",
    "iss",
    "code",
    "id_token",
    "error",
    "error_description",
];

/// Longest password, in bytes.
const LONGEST_PASSWORD: usize = 4096;

/// `GET /u/login/federated`: to the provider that was chosen, or to the one that the login goes to
/// anyway. Changes nothing.
pub async fn depart(State(state): State<AppState>, visit: Visit) -> Response {
    let login = match visit.transaction(&state).await {
        Ok(login) => login,
        Err(response) => return response,
    };
    if login.progress.is_answered() {
        return next(&state, &visit, &login).await;
    }
    let Some(browser) = &visit.browser.token else {
        return visit.lost(&state, Lost::Unknown).await;
    };
    let chosen = visit.parameter("connection");
    let engine = &state.engine;
    let departed = engine.depart(&visit.context, &login, browser, chosen.as_deref());
    match departed.await {
        Ok(url) => redirect(&url),
        Err(found) => unwelcome(&state, &visit, &login, found).await,
    }
}

/// `GET /login/callback` and `/login/callback/{connection}`: back from a provider.
pub async fn callback(
    State(state): State<AppState>,
    through: Option<Path<String>>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Response {
    let pairs = read(query.unwrap_or_default().as_bytes());
    let through = through.as_ref().map(|Path(name)| name.as_str());
    come_back(&state, &visit, through, pairs).await
}

/// `POST` of the same: by a form.
pub async fn post_callback(
    State(state): State<AppState>,
    through: Option<Path<String>>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut pairs = read(&body);
    let is_again = pairs.iter().any(|(name, _)| name == AGAIN);
    pairs.retain(|(name, _)| name != AGAIN);
    let through = through.as_ref().map(|Path(name)| name.as_str());
    // What names no connection is no address of ours, and nothing is posted there.
    let is_name = through.is_none_or(domain::connection::is_name);
    if visit.browser.token.is_some() || is_again || !is_name {
        return come_back(&state, &visit, through, pairs).await;
    }
    let of_ours = |(name, value): (String, String)| {
        let known = ANSWERS.into_iter().find(|known| *known == name)?;
        Some((known, value))
    };
    let mut fields: Vec<(&str, String)> = pairs.into_iter().filter_map(of_ours).collect();
    fields.push((AGAIN, "1".to_owned()));
    let target = state.engine.federation_callback(through);
    render_form_post(&state, &Reader::of(&headers), &fields, &target).await
}

async fn come_back(
    state: &AppState,
    visit: &Visit,
    through: Option<&str>,
    pairs: Vec<(String, String)>,
) -> Response {
    let returned = match Returned::read(pairs) {
        Ok(returned) => returned,
        Err(error) => {
            tracing::debug!(%error, "an answer of a provider can't be read");
            return visit
                .error(state, StatusCode::BAD_REQUEST, "provider-failed")
                .await;
        }
    };
    let id = Engine::login_of_state(&returned.state);
    let (Some(id), Some(browser)) = (id, &visit.browser.token) else {
        return visit.lost(state, Lost::Unknown).await;
    };
    let mut login = match state.engine.open_transaction(&id, Some(browser)).await {
        Ok(login) => login,
        Err(lost) => return visit.lost(state, lost).await,
    };
    let come = state
        .engine
        .come_back(&visit.context, &mut login, browser, (through, returned));
    match come.await {
        Ok(()) => next(state, visit, &login).await,
        Err(found) => unwelcome(state, visit, &login, found).await,
    }
}

/// `GET /u/login/link`: is this account yours?
pub async fn link(State(state): State<AppState>, visit: Visit) -> Response {
    let login = match visit.transaction(&state).await {
        Ok(login) => login,
        Err(response) => return response,
    };
    match link_page(&login) {
        Some(page) => visit.show(&state, &login, page).await,
        None => next(&state, &visit, &login).await,
    }
}

/// `POST /u/login/link`, a form: `state`, `csrf`, `action` (`separate`, or else `password` too).
pub async fn post_link(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (mut form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let (engine, context) = (&state.engine, &visit.context);
    let outcome = if form.text("action").as_deref() == Some("separate") {
        engine.decline_link(context, &mut login).await
    } else {
        let password = form.password("password");
        if password.is_empty() || password.expose().len() > LONGEST_PASSWORD {
            Err(Problem::WrongCredentials)
        } else {
            let password = Arc::new(password);
            engine.accept_link(context, &mut login, password).await
        }
    };
    match (outcome, link_page(&login)) {
        (Ok(()), _) | (_, None) => next(&state, &visit, &login).await,
        (Err(Problem::Lost(lost @ (Lost::Unknown | Lost::Expired | Lost::Finished))), _) => {
            visit.lost(&state, lost).await
        }
        (Err(found), Some(mut page)) => {
            let (status, said) = told(found, true);
            (page.status, page.problem) = (status, Some(said));
            visit.show(&state, &login, page).await
        }
    }
}

fn link_page(login: &Transaction) -> Option<Page> {
    let is_open = login.progress.proven.is_none();
    let newcomer = login.progress.newcomer.as_ref().filter(|_| is_open)?;
    let mut page = Page::new(Screen::LinkAccount);
    let email = newcomer.email.as_str();
    page.shown.insert("email".into(), email.into());
    let name = newcomer.provider_name.as_str();
    page.shown.insert("providerName".into(), name.into());
    Some(page)
}

/// The buttons of a login page: one for each provider that may be chosen.
pub(super) async fn buttons(state: &AppState, login: &Transaction) -> Value {
    let choices = state.engine.federated_choices(login).await;
    let choices = choices.unwrap_or_else(|error| {
        // The page is of use without them.
        tracing::warn!(%error, "no provider is offered");
        Vec::new()
    });
    let button = |choice: engine::federation::Choice| {
        let query = [
            ("state", login.id.as_str()),
            ("connection", choice.connection.as_str()),
        ];
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        json!({
            "name": choice.name, "icon": choice.icon, "url": format!("/u/login/federated?{query}"),
        })
    };
    choices.into_iter().map(button).collect()
}

/// What is said when a provider let nobody in: on the page on which one can sign in another way, or
/// on one from which the same can be tried once more.
async fn unwelcome(
    state: &AppState,
    visit: &Visit,
    login: &Transaction,
    found: Problem,
) -> Response {
    if let Problem::Lost(lost @ (Lost::Unknown | Lost::Expired | Lost::Finished)) = found {
        return visit.lost(state, lost).await;
    }
    let (status, said) = told(found, true);
    let typed = login.progress.identifier.clone().unwrap_or_default();
    let step = match state.engine.step_of(login).await {
        // A name that was typed led there; another one may be typed.
        Ok(Step::Provider) if !typed.is_empty() => Some(Step::LoginIdentifier),
        Ok(step @ (Step::Login | Step::LoginIdentifier | Step::LoginPassword | Step::SignUp)) => {
            Some(step)
        }
        _ => None,
    };
    let mut page = if let Some(step) = step {
        page_of(state, login, step, &typed).await
    } else {
        let mut page = Page::new(Screen::Error);
        let url = format!("/u/login/federated?state={}", login.id);
        page.shown = Json::from_iter([("retry_url".to_owned(), url.into())]);
        page
    };
    page.status = status;
    page.problem = Some(said);
    visit.show(state, login, page).await
}

fn read(text: &[u8]) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(text).unwrap_or_default()
}

fn redirect(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // The provider learns nothing of our addresses.
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
