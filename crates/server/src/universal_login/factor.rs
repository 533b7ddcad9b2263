//! Second factors and passkeys of a login under way: what the pages of `mfa` and the script of
//! `passkeys` do to its transaction.

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use domain::{AuthenticationMethod, Json};
use engine::authorize::Problem;
use engine::passkeys::{Door, KeyUse};
use engine::transaction::{Lost, Step, Transaction};
use serde_json::{Value, json};

use super::login::next;
use super::mfa::{self, Login, Mailing};
use super::onward::{path_of, redirect, to_step};
use super::page::{Page, Screen};
use super::passkeys;
use super::visit::{Visit, failure};
use crate::error::ApiError;
use crate::state::AppState;

/// `GET /u/mfa`: to the factor that is asked for first.
pub async fn first(State(state): State<AppState>, visit: Visit) -> Response {
    let (login, transaction) = match due(&state, &visit).await {
        Ok(due) => due,
        Err(response) => return response,
    };
    match mfa::next_screen(&state, &login).await {
        Ok(Some(screen)) => match mfa::path_of(screen) {
            Some(path) => redirect(path, &transaction.id, StatusCode::SEE_OTHER),
            None => visit.show(&state, &transaction, mfa::dead_end()).await,
        },
        Ok(None) => next(&state, &visit, &transaction).await,
        Err(error) => visit.lost(&state, Lost::Failed(error)).await,
    }
}

/// `GET` of a factor's page. That of a code by mail sends one when none is awaited.
pub async fn show(
    State(state): State<AppState>,
    method: Method,
    uri: Uri,
    visit: Visit,
) -> Response {
    let (login, mut transaction) = match due(&state, &visit).await {
        Ok(due) => due,
        Err(response) => return response,
    };
    let Some(screen) = mfa::screen_at(uri.path()) else {
        return next(&state, &visit, &transaction).await;
    };
    let mailing = if method == Method::HEAD {
        Mailing::Never
    } else {
        Mailing::Once
    };
    let context = visit.context_of(&transaction);
    let place = (&login, &mut transaction);
    match mfa::page(&state, &context, place, screen, mailing).await {
        Ok(page) => visit.show(&state, &transaction, page).await,
        Err(error) => visit.lost(&state, Lost::Failed(error)).await,
    }
}

/// `POST` of a factor's page, a form: `state`, `csrf`, `code`, and `oob_code` where it was sent.
pub async fn answer(
    State(state): State<AppState>,
    uri: Uri,
    visit: Visit,
    body: Bytes,
) -> Response {
    let (form, mut transaction) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let login = match lacking(&state, &transaction).await {
        Ok(Some(login)) => login,
        Ok(None) => return next(&state, &visit, &transaction).await,
        Err(error) => return visit.lost(&state, Lost::Failed(error)).await,
    };
    let Some(screen) = mfa::screen_at(uri.path()) else {
        return next(&state, &visit, &transaction).await;
    };
    if form.text("action").as_deref() == Some("resend") {
        let context = visit.context_of(&transaction);
        let place = (&login, &mut transaction);
        return match mfa::page(&state, &context, place, screen, Mailing::Anew).await {
            Ok(page) if page.status == StatusCode::OK => {
                redirect(uri.path(), &transaction.id, StatusCode::SEE_OTHER)
            }
            Ok(page) => visit.show(&state, &transaction, page).await,
            Err(error) => visit.lost(&state, Lost::Failed(error)).await,
        };
    }
    match mfa::answer(&state, &visit.context, &login, screen, &form).await {
        Ok(mfa::Step::Show(page)) => visit.show(&state, &transaction, *page).await,
        Ok(mfa::Step::Proven(method, code)) => {
            let noted = state.engine.note_factor(&mut transaction, method).await;
            if let Err(problem) = noted {
                return visit.lost(&state, lost(problem)).await;
            }
            match code {
                // Shown in the answer and nowhere else: nobody can ask for it again.
                Some(code) => {
                    let page = mfa::recovery_code_page(&code);
                    visit.show(&state, &transaction, page).await
                }
                None => next(&state, &visit, &transaction).await,
            }
        }
        Err(error) => visit.lost(&state, Lost::Failed(error)).await,
    }
}

/// `POST /u/mfa-recovery-code-enrollment`: the code was written down.
pub async fn saved(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    match visit.form(&state, &body).await {
        Ok((_, transaction)) => next(&state, &visit, &transaction).await,
        Err(response) => response,
    }
}

/// `GET /u/passkey-enrollment`.
pub async fn offer(State(state): State<AppState>, visit: Visit) -> Response {
    let transaction = match visit.transaction(&state).await {
        Ok(transaction) => transaction,
        Err(response) => return response,
    };
    match state.engine.step_of(&transaction).await {
        Ok(Step::PasskeyOffer) => {
            let page = Page::new(Screen::PasskeyEnrollment);
            visit.show(&state, &transaction, page).await
        }
        Ok(step) => to_step(step, &transaction.id, StatusCode::SEE_OTHER),
        Err(error) => visit.lost(&state, Lost::Failed(error)).await,
    }
}

/// `POST /u/passkey-enrollment`, a form: rather not.
pub async fn decline(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let mut transaction = match visit.form(&state, &body).await {
        Ok((_, transaction)) => transaction,
        Err(response) => return response,
    };
    match state.engine.end_passkey_offer(&mut transaction).await {
        Ok(()) => next(&state, &visit, &transaction).await,
        Err(problem) => visit.lost(&state, lost(problem)).await,
    }
}

/// `POST /u/passkey/{purpose}/options`: what the browser is to ask its authenticators for.
pub async fn key_options(
    State(state): State<AppState>,
    uri: Uri,
    visit: Visit,
    body: Bytes,
) -> Response {
    let (_, transaction) = match visit.message(&state, &body).await {
        Ok(message) => message,
        Err(response) => return response,
    };
    let bound_to = transaction.id.as_str();
    let options = match purpose(uri.path()) {
        "sign-in" => passkeys::sign_in_options(&state, bound_to).await,
        "challenge" => match lacking(&state, &transaction).await {
            Ok(Some(login)) => passkeys::challenge_options(&state, &login, bound_to).await,
            Ok(None) => return onward(&state, &transaction).await,
            Err(error) => Err(error.into()),
        },
        "security-key" => match enrolling(&state, &transaction).await {
            Ok(Some(user)) => {
                passkeys::enrolment_options(&state, &user, bound_to, KeyUse::SecurityKey).await
            }
            Ok(None) => return onward(&state, &transaction).await,
            Err(error) => Err(error.into()),
        },
        _ => match offered(&state, &transaction).await {
            Ok(Some(user)) => {
                passkeys::enrolment_options(&state, &user, bound_to, KeyUse::Passkey).await
            }
            Ok(None) => return onward(&state, &transaction).await,
            Err(error) => Err(error.into()),
        },
    };
    options.unwrap_or_else(ApiError::into_response)
}

/// `POST /u/passkey/{purpose}`: what the authenticator said.
pub async fn key_answer(
    State(state): State<AppState>,
    uri: Uri,
    visit: Visit,
    body: Bytes,
) -> Response {
    let (mut message, mut transaction) = match visit.message(&state, &body).await {
        Ok(message) => message,
        Err(response) => return response,
    };
    let credential = credential(&mut message);
    let done = match purpose(uri.path()) {
        "sign-in" => sign_in(&state, &visit, &mut transaction, credential).await,
        "challenge" => challenge(&state, &visit, &mut transaction, credential).await,
        "security-key" => enrol_factor(&state, &visit, &mut transaction, credential).await,
        _ => enrol(&state, &visit, &mut transaction, credential).await,
    };
    match done {
        Ok(()) => onward(&state, &transaction).await,
        Err(response) => response,
    }
}

async fn sign_in(
    state: &AppState,
    visit: &Visit,
    transaction: &mut Transaction,
    credential: Value,
) -> Result<(), Response> {
    // A script that is out of date proves nothing: the login goes on as it stands.
    if transaction.progress.is_answered() {
        return Ok(());
    }
    let client = state.engine.client_of(transaction).await.map_err(api)?;
    let door = Door {
        bound_to: transaction.id.as_str(),
        client: &client,
        connection: transaction.request.connection.as_deref(),
    };
    let signed_in = passkeys::sign_in(state, &visit.context, &door, credential);
    let (_, authentication) = signed_in.await?;
    let noted = state.engine.note_passkey(transaction, &authentication);
    noted.await.map_err(said)
}

async fn challenge(
    state: &AppState,
    visit: &Visit,
    transaction: &mut Transaction,
    credential: Value,
) -> Result<(), Response> {
    let login = lacking(state, transaction).await.map_err(api)?;
    let Some(login) = login else {
        return Ok(());
    };
    let whose = (&login.proven.user, login.state.as_str());
    let method = passkeys::challenge(state, &visit.context, whose, credential).await?;
    let noted = state.engine.note_factor(transaction, method);
    noted.await.map_err(said)
}

async fn enrol(
    state: &AppState,
    visit: &Visit,
    transaction: &mut Transaction,
    credential: Value,
) -> Result<(), Response> {
    let user = offered(state, transaction).await.map_err(api)?;
    let Some(user) = user else {
        return Ok(());
    };
    let bound_to = transaction.id.to_string();
    let place = (&user, bound_to.as_str(), KeyUse::Passkey);
    passkeys::enrol(state, &visit.context, place, credential).await?;
    let ended = state.engine.end_passkey_offer(transaction);
    ended.await.map_err(said)
}

/// A security key as first second factor: who could make it could prove it.
async fn enrol_factor(
    state: &AppState,
    visit: &Visit,
    transaction: &mut Transaction,
    credential: Value,
) -> Result<(), Response> {
    let user = enrolling(state, transaction).await.map_err(api)?;
    let Some(user) = user else {
        return Ok(());
    };
    let bound_to = transaction.id.to_string();
    let place = (&user, bound_to.as_str(), KeyUse::SecurityKey);
    passkeys::enrol(state, &visit.context, place, credential).await?;
    let method = AuthenticationMethod::WebAuthn;
    let noted = state.engine.note_factor(transaction, method);
    noted.await.map_err(said)
}

/// The login that the address names, when a second factor is due; else where it goes on.
async fn due(state: &AppState, visit: &Visit) -> Result<(Login, Transaction), Response> {
    let transaction = visit.transaction(state).await?;
    match lacking(state, &transaction).await {
        Ok(Some(login)) => Ok((login, transaction)),
        Ok(None) => Err(next(state, visit, &transaction).await),
        Err(error) => Err(visit.lost(state, Lost::Failed(error)).await),
    }
}

/// The login, when a second factor is what it lacks now.
async fn lacking(
    state: &AppState,
    transaction: &Transaction,
) -> Result<Option<Login>, engine::Error> {
    if state.engine.step_of(transaction).await? != Step::Mfa {
        return Ok(None);
    }
    let proven = state.engine.proven_login(transaction).await?;
    Ok(proven.map(|proven| Login {
        proven,
        state: transaction.id.to_string(),
    }))
}

/// Who must enrol a factor now, and may a security key.
async fn enrolling(
    state: &AppState,
    transaction: &Transaction,
) -> Result<Option<domain::User>, engine::Error> {
    let Some(login) = lacking(state, transaction).await? else {
        return Ok(None);
    };
    let may = mfa::may_see(state, &login, Screen::MfaWebAuthnEnrollment);
    Ok(may.await?.then_some(login.proven.user))
}

/// Who is offered a passkey now.
async fn offered(
    state: &AppState,
    transaction: &Transaction,
) -> Result<Option<domain::User>, engine::Error> {
    if state.engine.step_of(transaction).await? != Step::PasskeyOffer {
        return Ok(None);
    }
    let proven = state.engine.proven_login(transaction).await?;
    Ok(proven.map(|login| login.user))
}

/// Tells the script where the login goes on.
async fn onward(state: &AppState, transaction: &Transaction) -> Response {
    match state.engine.step_of(transaction).await {
        Ok(step) => {
            let location = format!("{}?state={}", path_of(step), transaction.id);
            Body(json!({"location": location})).into_response()
        }
        Err(error) => api(error),
    }
}

fn purpose(path: &str) -> &str {
    let rest = path.trim_start_matches("/u/passkey/");
    rest.trim_end_matches("/options")
}

fn credential(message: &mut Json) -> Value {
    message.remove("credential").unwrap_or_default()
}

fn api(error: engine::Error) -> Response {
    ApiError::from(error).into_response()
}

fn lost(problem: Problem) -> Lost {
    match problem {
        Problem::Lost(lost) => lost,
        _ => Lost::Unknown,
    }
}

fn said(problem: Problem) -> Response {
    let (status, key) = match lost(problem) {
        Lost::Failed(error) => failure(&error),
        _ => (StatusCode::BAD_REQUEST, "transaction-not-found"),
    };
    (status, Body(json!({"problem": key}))).into_response()
}
