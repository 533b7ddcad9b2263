//! `/mfa`: second factors for clients that log in by the token endpoint.

use axum::Json as Body;
use axum::extract::{FromRequestParts as _, Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use oidc::{OAuthError, parse_mfa_challenge};

use crate::extract::{Caller, MAX_BODY, refuse_compressed};
use crate::oauth::form::{Form, Refusal, uncached};
use crate::presented::Presented;
use crate::state::AppState;

/// `POST /mfa/challenge`.
pub async fn challenge(
    State(state): State<AppState>,
    Caller(context): Caller,
    form: Form,
) -> Result<Response, Refusal> {
    let (params, basic) = form.split();
    let (client, request) = parse_mfa_challenge(params, basic.as_deref())?;
    let answer = state
        .engine
        .mfa_challenge(&context, &client, &request)
        .await?;
    Ok(uncached(Body(answer)))
}

/// `POST /mfa/associate`.
pub async fn associate(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let Ok(Caller(context)) = Caller::from_request_parts(&mut parts, &state).await;
    let presented = presented(&parts, &state).await?;
    refuse_compressed(&parts.headers)?;
    let bytes = axum::body::to_bytes(body, MAX_BODY).await;
    let unread = || OAuthError::invalid_request("The body is not a JSON object.");
    let body = serde_json::from_slice(&bytes.map_err(|_| unread())?).map_err(|_| unread())?;
    let answer = state
        .engine
        .mfa_associate(&context, presented.shown(), &body);
    let answer = answer.await?;
    Ok(uncached(Body(answer)))
}

/// `GET /mfa/authenticators`.
pub async fn authenticators(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let presented = presented(&parts, &state).await?;
    let list = state.engine.mfa_authenticators(presented.shown()).await?;
    Ok(uncached(Body(list)))
}

/// `DELETE /mfa/authenticators/{id}`.
pub async fn delete_authenticator(
    State(state): State<AppState>,
    Caller(context): Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let (parts, _) = request.into_parts();
    let presented = presented(&parts, &state).await?;
    state
        .engine
        .delete_authenticator(&context, presented.shown(), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn presented(parts: &Parts, state: &AppState) -> Result<Presented, OAuthError> {
    let path = parts.uri.path().trim_start_matches('/');
    let presented = Presented::of(parts, state, path).await?;
    presented.ok_or_else(|| OAuthError::invalid_token("no bearer token"))
}
