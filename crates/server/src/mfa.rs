//! `/mfa`: second factors for clients that log in by the token endpoint.

use axum::Json as Body;
use axum::extract::{FromRequestParts as _, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use oidc::{OAuthError, parse_mfa_challenge};

use crate::extract::{Caller, MAX_BODY, bearer, refuse_compressed};
use crate::oauth::form::{Form, Refusal, uncached};
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
    let token = bearer(&parts).ok_or_else(no_token)?;
    refuse_compressed(&parts.headers)?;
    let bytes = axum::body::to_bytes(body, MAX_BODY).await;
    let unread = || OAuthError::invalid_request("The body is not a JSON object.");
    let body = serde_json::from_slice(&bytes.map_err(|_| unread())?).map_err(|_| unread())?;
    let answer = state.engine.mfa_associate(&context, token, &body).await?;
    Ok(uncached(Body(answer)))
}

/// `GET /mfa/authenticators`.
pub async fn authenticators(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let token = bearer(&parts).ok_or_else(no_token)?;
    let list = state.engine.mfa_authenticators(token).await?;
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
    let token = bearer(&parts).ok_or_else(no_token)?;
    state
        .engine
        .delete_authenticator(&context, token, &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_token() -> OAuthError {
    OAuthError::invalid_token("no bearer token")
}
