//! Signing in, signing up and consent. A `GET` shows a page and changes nothing; a `POST` changes the
//! login under way and sends the browser to whatever comes next then. A page that is out of date
//! (the back button, a form sent twice, another tab) leads to the page of the next step.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{EmailAddress, Json, Username};
use engine::SignUpError;
use engine::authorize::{Problem, SignUpForm};
use engine::tickets::RequestError;
use engine::transaction::{Lost, Step, Transaction};
use password::policy::PasswordPolicy;
use serde_json::Value;

use super::federated;
use super::onward::to_step;
use super::page::{Page, Screen};
use super::told::told;
use super::visit::{Form, Visit, failure, problem};
use crate::state::AppState;

/// Longest name that is taken, in characters, and longest password, in bytes.
const LONGEST_NAME: usize = 320;
const LONGEST_PASSWORD: usize = 4096;

/// `GET /u/login`.
pub async fn login(State(state): State<AppState>, visit: Visit) -> Response {
    show(&state, &visit, Step::Login).await
}

/// `GET /u/login/identifier`.
pub async fn identifier(State(state): State<AppState>, visit: Visit) -> Response {
    show(&state, &visit, Step::LoginIdentifier).await
}

/// `GET /u/login/password`.
pub async fn password(State(state): State<AppState>, visit: Visit) -> Response {
    show(&state, &visit, Step::LoginPassword).await
}

/// `GET /u/signup`.
pub async fn sign_up(State(state): State<AppState>, visit: Visit) -> Response {
    show(&state, &visit, Step::SignUp).await
}

/// `GET /u/consent`.
pub async fn consent(State(state): State<AppState>, visit: Visit) -> Response {
    show(&state, &visit, Step::Consent).await
}

/// `POST /u/login`, a form: `state`, `csrf`, `username`, `password`.
pub async fn post_login(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (mut form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let typed = form.text("username").unwrap_or_default();
    let outcome = submit_password(&state, &visit, &mut login, &typed, &mut form).await;
    after(&state, &visit, login, outcome, (Step::Login, &typed)).await
}

/// `POST /u/login/identifier`, a form: `state`, `csrf`, `username`.
pub async fn post_identifier(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let typed = form.text("username").unwrap_or_default();
    let outcome = if is_name(&typed) {
        state
            .engine
            .submit_identifier(&visit.context, &mut login, typed.clone())
            .await
    } else {
        Err(Problem::WrongCredentials)
    };
    after(
        &state,
        &visit,
        login,
        outcome,
        (Step::LoginIdentifier, &typed),
    )
    .await
}

/// `POST /u/login/password`, a form: `state`, `csrf`, `password`. The name is the one that was
/// stored; a form from before another was typed is not taken for it.
pub async fn post_password(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (mut form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let stored = login.progress.identifier.clone().unwrap_or_default();
    let is_same = form.text("username").is_none_or(|shown| shown == stored);
    if !is_same || stored.is_empty() {
        return next(&state, &visit, &login).await;
    }
    let outcome = submit_password(&state, &visit, &mut login, &stored, &mut form).await;
    after(
        &state,
        &visit,
        login,
        outcome,
        (Step::LoginPassword, &stored),
    )
    .await
}

/// `POST /u/signup`, a form: `state`, `csrf`, `email`, `username`, `password`.
pub async fn post_sign_up(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (mut form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let typed = form.text("email").unwrap_or_default();
    let email = EmailAddress::parse(&typed).ok();
    let username = form.text("username");
    let parsed = username.as_deref().and_then(Username::parse);
    let password = form.password("password");
    let is_fit = !password.is_empty() && password.expose().len() <= LONGEST_PASSWORD;
    let outcome = match email {
        Some(email) if is_fit && parsed.is_some() == username.is_some() => {
            let form = SignUpForm {
                email,
                username: parsed,
                password: Arc::new(password),
            };
            let context = visit.context_of(&login);
            let engine = &state.engine;
            engine.submit_sign_up(&context, &mut login, form).await
        }
        _ => Err(Problem::SignUp(SignUpError::UnknownConnection)),
    };
    after(&state, &visit, login, outcome, (Step::SignUp, &typed)).await
}

/// `POST /u/consent`, a form: `state`, `csrf`, `action` (`accept` or anything else).
pub async fn post_consent(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let is_allowed = form.text("action").as_deref() == Some("accept");
    let outcome = state.engine.submit_consent(&mut login, is_allowed).await;
    after(&state, &visit, login, outcome, (Step::Consent, "")).await
}

/// `GET /u/reset-password/request/{connection}`.
pub async fn reset(State(state): State<AppState>, visit: Visit) -> Response {
    match visit.transaction(&state).await {
        Ok(login) => {
            let mut page = Page::new(Screen::ResetPasswordRequest);
            let hint = login.progress.identifier.clone();
            page.shown = shown(&state, &login, &hint.unwrap_or_default()).await;
            visit.show(&state, &login, page).await
        }
        Err(response) => response,
    }
}

/// `POST /u/reset-password/request/{connection}`, a form: `state`, `csrf`, `email`. The answer comes
/// before anybody is looked for: it is the same for everybody. Who is in the legacy store only gets
/// the mail too.
pub async fn post_reset(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (form, login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let typed = form.text("email").or_else(|| form.text("username"));
    let typed = typed.filter(|typed| is_name(typed)).unwrap_or_default();
    let mut page = Page::new(Screen::ResetPasswordRequest);
    page.shown = shown(&state, &login, &typed).await;
    let accepted = match state.engine.sign_in_through(&login).await {
        Ok((client, connection)) if !typed.is_empty() => {
            let (id, name) = (client.client_id, connection.name);
            state
                .engine
                .accept_password_request(&id, &name, typed)
                .await
        }
        Ok(_) => Err(RequestError::UnknownConnection),
        Err(found) => {
            let (status, problem) = told(found, false);
            (page.status, page.problem) = (status, Some(problem));
            return visit.show(&state, &login, page).await;
        }
    };
    match accepted {
        Ok(request) => {
            page.screen = Screen::ResetPasswordEmail;
            let (engine, context) = (Arc::clone(&state.engine), visit.context_of(&login));
            tokio::spawn(async move { engine.send_password_link(&context, request).await });
        }
        Err(refused) => {
            let (status, key) = match &refused {
                RequestError::Failed(error) => failure(error),
                _ => (StatusCode::BAD_REQUEST, "invalid-request"),
            };
            (page.status, page.problem) = (status, Some(problem(key)));
        }
    }
    visit.show(&state, &login, page).await
}

async fn submit_password(
    state: &AppState,
    visit: &Visit,
    login: &mut Transaction,
    name: &str,
    form: &mut Form,
) -> Result<(), Problem> {
    let password = form.password("password");
    let is_fit = !password.is_empty() && password.expose().len() <= LONGEST_PASSWORD;
    if !is_name(name) || !is_fit {
        return Err(Problem::WrongCredentials);
    }
    let password = Arc::new(password);
    let engine = &state.engine;
    engine
        .submit_password(&visit.context, login, name.to_owned(), password)
        .await
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_NAME
}

/// The page of a step, when it is a page that may be seen now.
pub(super) async fn show(state: &AppState, visit: &Visit, wanted: Step) -> Response {
    let login = match visit.transaction(state).await {
        Ok(login) => login,
        Err(response) => return response,
    };
    let step = match state.engine.step_of(&login).await {
        Ok(step) => step,
        Err(error) => return visit.lost(state, Lost::Failed(error)).await,
    };
    if !may_see(wanted, step) {
        return to_step(step, &login.id, StatusCode::SEE_OTHER);
    }
    let typed = login.progress.identifier.clone();
    let hint = typed.or_else(|| login.request.login_hint.clone());
    let page = page_of(state, &login, wanted, &hint.unwrap_or_default()).await;
    visit.show(state, &login, page).await
}

/// Before somebody proved who they are, the pages for that may be walked to and fro.
fn may_see(wanted: Step, step: Step) -> bool {
    use Step::{Login, LoginIdentifier, LoginPassword, Provider, SignUp};
    wanted == step
        || match step {
            Login | LoginIdentifier => wanted == SignUp,
            LoginPassword => matches!(wanted, LoginIdentifier | SignUp),
            SignUp => matches!(wanted, Login | LoginIdentifier),
            // Back to the name, which led to another provider.
            Provider => wanted == LoginIdentifier,
            _ => false,
        }
}

/// Where a login goes on.
pub(super) async fn next(state: &AppState, visit: &Visit, login: &Transaction) -> Response {
    match state.engine.step_of(login).await {
        Ok(step) => to_step(step, &login.id, StatusCode::SEE_OTHER),
        Err(error) => visit.lost(state, Lost::Failed(error)).await,
    }
}

/// The next page; or the same once more, with what is wrong.
async fn after(
    state: &AppState,
    visit: &Visit,
    login: Transaction,
    outcome: Result<(), Problem>,
    (step, typed): (Step, &str),
) -> Response {
    let found = match outcome {
        Ok(()) => return next(state, visit, &login).await,
        // A login that is over says so on a page of its own.
        Err(Problem::Lost(lost @ (Lost::Unknown | Lost::Expired | Lost::Finished))) => {
            return visit.lost(state, lost).await;
        }
        Err(found) => found,
    };
    let mut page = page_of(state, &login, step, typed).await;
    let (status, told) = told(found, state.engine.settings.signup_tells_existing);
    page.status = status;
    page.problem = Some(told);
    visit.show(state, &login, page).await
}

pub(super) async fn page_of(
    state: &AppState,
    login: &Transaction,
    step: Step,
    typed: &str,
) -> Page {
    let screen = match step {
        Step::LoginIdentifier => Screen::LoginId,
        Step::LoginPassword => Screen::LoginPassword,
        Step::SignUp => Screen::Signup,
        Step::Consent => Screen::Consent,
        Step::Device => Screen::DeviceConfirmation,
        _ => Screen::Login,
    };
    let mut page = Page::new(screen);
    page.shown = shown(state, login, typed).await;
    page
}

/// What the pages show. Links carry the login under way on.
async fn shown(state: &AppState, login: &Transaction, typed: &str) -> Json {
    let mut shown = Json::new();
    let id = &login.id;
    shown.insert("identifier".into(), typed.into());
    // Back from a new password leads to the sign-in too.
    for name in ["login_url", "back_url"] {
        shown.insert(name.into(), format!("/u/login?state={id}").into());
    }
    // Beside a name that was typed on the page before.
    let edit_url = format!("/u/login/identifier?state={id}");
    shown.insert("edit_url".into(), edit_url.into());
    if let Ok((client, connection)) = state.engine.sign_in_through(login).await {
        shown.insert("client_name".into(), client.name.into());
        shown.insert("connection".into(), connection.name.clone().into());
        shown.insert(
            "username_required".into(),
            connection.requires_username().into(),
        );
        shown.insert("no_password".into(), (!connection.is_database()).into());
        shown.insert("passkey".into(), connection.has_passkeys().into());
        let least = PasswordPolicy::of(&connection).min_length();
        if least > 1 {
            shown.insert("min_length".into(), least.into());
        }
        if connection.is_database() && !connection.is_signup_disabled() {
            shown.insert("signup_url".into(), format!("/u/signup?state={id}").into());
        }
        if connection.is_database() && !connection.is_password_change_disabled() {
            let url = format!("/u/reset-password/request/{}?state={id}", connection.name);
            shown.insert("reset_url".into(), url.into());
        }
    }
    shown.insert("connections".into(), federated::buttons(state, login).await);
    let scopes = login.request.scope.iter().map(Value::from);
    shown.insert("scopes".into(), scopes.collect());
    if let Some(device) = &login.progress.device {
        shown.insert("user_code".into(), device.user_code.as_str().into());
    }
    let audience = login.request.audience.clone();
    shown.insert("audience".into(), audience.into());
    shown
}
