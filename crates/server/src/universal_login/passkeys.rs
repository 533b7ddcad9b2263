//! What the script of the pages (`login/assets/passkeys.js`) asks for and sends back: options for
//! the browser's `navigator.credentials`, and its answers. The login's transaction and the browser
//! that it belongs to are the caller's to check; here the transaction is a name that challenges are
//! bound to.

use axum::Json as Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Authentication, AuthenticationMethod, User};
use engine::Context;
use engine::passkeys::{CredentialResponse, Door, KeyUse, PasskeyError};
use serde_json::{Value, json};

use super::mfa::Login;
use crate::error::ApiError;
use crate::state::AppState;

/// `POST /u/passkey/sign-in/options`.
pub async fn sign_in_options(state: &AppState, bound_to: &str) -> Result<Response, ApiError> {
    let options = state.engine.begin_passkey_sign_in(bound_to).await?;
    Ok(unstored(json!({"publicKey": options})))
}

/// `POST /u/passkey/sign-in`: who signed in, or what to answer.
pub async fn sign_in(
    state: &AppState,
    context: &Context,
    door: &Door<'_>,
    body: Value,
) -> Result<(User, Authentication), Response> {
    let response = read(body).map_err(refusal)?;
    let done = state
        .engine
        .finish_passkey_sign_in(context, door, &response);
    done.await.map_err(refusal)
}

/// `POST /u/passkey/challenge/options`.
pub async fn challenge_options(
    state: &AppState,
    login: &Login,
    bound_to: &str,
) -> Result<Response, ApiError> {
    let user = &login.proven.user;
    let options = state.engine.begin_key_challenge(user, bound_to).await?;
    Ok(unstored(json!({"publicKey": options})))
}

/// `POST /u/passkey/challenge`: the second factor, or what to answer.
pub async fn challenge(
    state: &AppState,
    context: &Context,
    (user, bound_to): (&User, &str),
    body: Value,
) -> Result<AuthenticationMethod, Response> {
    let response = read(body).map_err(refusal)?;
    let done = state
        .engine
        .finish_key_challenge(context, (user, bound_to), &response, |_| {});
    done.await.map_err(refusal)
}

/// `POST /u/passkey/enrollment/options`.
pub async fn enrolment_options(
    state: &AppState,
    user: &User,
    bound_to: &str,
    purpose: KeyUse,
) -> Result<Response, ApiError> {
    let options = state
        .engine
        .begin_passkey_enrolment(user, bound_to, purpose)
        .await?;
    Ok(unstored(json!({"publicKey": options})))
}

/// `POST /u/passkey/enrollment`.
pub async fn enrol(
    state: &AppState,
    context: &Context,
    place: (&User, &str, KeyUse),
    body: Value,
) -> Result<(), Response> {
    let response = read(body).map_err(refusal)?;
    let done = state
        .engine
        .finish_passkey_enrolment(context, place, &response, None);
    done.await.map(drop).map_err(refusal)
}

fn read(body: Value) -> Result<CredentialResponse, PasskeyError> {
    serde_json::from_value(body).map_err(|_| PasskeyError::Refused)
}

/// The script shows the page's own sentence for the key.
fn refusal(error: PasskeyError) -> Response {
    let (status, key) = match error {
        PasskeyError::Refused => (StatusCode::FORBIDDEN, "passkey-failed"),
        PasskeyError::Blocked => (StatusCode::FORBIDDEN, "user-blocked"),
        PasskeyError::Failed(error) => return ApiError::from(error).into_response(),
    };
    (status, Body(json!({"problem": key}))).into_response()
}

fn unstored(answer: Value) -> Response {
    let mut response = Body(answer).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
