//! `/api/v2/keys/signing`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::Json;
use engine::signing_keys::{ShownKey, shown_body};
use serde_json::{Value, json};

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::Manager;
use crate::state::AppState;

/// `GET /keys/signing`.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:signing_keys"])?;
    let keys = state.engine.signing_keys().await?;
    Ok(Body(keys.iter().map(shown_body).collect()))
}

/// `GET /keys/signing/{kid}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(kid): PathId,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:signing_keys"])?;
    let key = state.engine.signing_key(&kid.into()).await?;
    Ok(Body(shown_body(&key)))
}

/// `POST /keys/signing/rotate`: both scopes are needed, as published.
pub async fn rotate(State(state): State<AppState>, manager: Manager) -> Result<Response, ApiError> {
    manager.require(&["create:signing_keys"])?;
    let context = manager.require(&["update:signing_keys"])?;
    let next = state.engine.rotate_signing_keys(context).await?;
    Ok((StatusCode::CREATED, Body(brief(&next))).into_response())
}

/// `PUT /keys/signing/{kid}/revoke`.
pub async fn revoke(
    State(state): State<AppState>,
    manager: Manager,
    PathId(kid): PathId,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(&["update:signing_keys"])?;
    let key = state
        .engine
        .revoke_signing_key(context, &kid.into())
        .await?;
    Ok(Body(brief(&key)))
}

fn brief(shown: &ShownKey) -> Value {
    let certificate = shown.key.certificate().map(oidc::jwt::Certificate::pem);
    json!({"cert": certificate, "kid": shown.key.kid()})
}
