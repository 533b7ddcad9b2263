//! `/api/v2/refresh-tokens`, those of a user, and the older `/api/v2/device-credentials`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Json;
use serde_json::{Value, json};
use store::RefreshFamily;

use super::path_id::PathId;
use super::slices::{Asked, parameters};
use crate::error::ApiError;
use crate::extract::{Manager, Query};
use crate::state::AppState;

/// `GET /refresh-tokens/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:refresh_tokens"])?;
    let family = state.engine.refresh_token(&id.as_str().into()).await?;
    Ok(Body(render(&family)))
}

/// `DELETE /refresh-tokens/{id}`.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:refresh_tokens"])?;
    let id = id.as_str().into();
    state.engine.delete_refresh_token(context, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /users/{id}/refresh-tokens`.
pub async fn of_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:refresh_tokens"])?;
    query.only(&["from", "take", "include_totals"])?;
    let asked = Asked::by_checkpoint(&query, 100)?;
    let listed = state
        .engine
        .refresh_tokens_of(&id.as_str().into(), &asked.slice)
        .await?;
    Ok(Body(
        asked.answer("tokens", listed.map(|family| render(&family))),
    ))
}

/// `DELETE /users/{id}/refresh-tokens`.
pub async fn delete_of_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:refresh_tokens"])?;
    let id = id.as_str().into();
    state.engine.delete_refresh_tokens_of(context, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /device-credentials?user_id=`.
pub async fn devices(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:device_credentials"])?;
    let own = ["user_id", "client_id", "type", "fields", "include_fields"];
    query.only(&parameters(&own))?;
    let asked = Asked::of(&query, 100)?;
    let Some(user) = query.get("user_id") else {
        let message = "Query validation error: 'Missing required property: user_id'.";
        return Err(ApiError::invalid_query(message));
    };
    let mut listed = state
        .engine
        .refresh_tokens_of(&user.into(), &asked.slice)
        .await?;
    let kind = query.get("type").unwrap_or("public_key");
    listed.items.retain(|family| {
        let client = query.get("client_id");
        kind == "refresh_token"
            && client.is_none_or(|client| family.authorization.client_id.as_str() == client)
    });
    let answer = listed.map(|family| device(&family));
    Ok(Body(asked.answer("device_credentials", answer)))
}

/// `DELETE /device-credentials/{id}`: 204 whether or not there was one.
pub async fn delete_device(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:device_credentials"])?;
    let id = id.as_str().into();
    match state.engine.delete_refresh_token(context, &id).await {
        Ok(()) | Err(engine::Error::Missing { .. }) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error.into()),
    }
}

fn render(family: &RefreshFamily) -> Json {
    let authorization = &family.authorization;
    let api = json!({
        "audience": authorization.audience,
        "scopes": authorization.scope,
    });
    object(json!({
        "id": authorization.id,
        "user_id": authorization.authentication.user_id,
        "created_at": authorization.created_at,
        "idle_expires_at": family.idle_expires_at,
        "expires_at": family.expires_at,
        "client_id": authorization.client_id,
        "session_id": authorization.authentication.session,
        "rotating": family.was_rotated,
        "resource_servers": [api],
        "last_exchanged_at": family.touched_at,
    }))
}

fn device(family: &RefreshFamily) -> Json {
    object(json!({
        "id": family.authorization.id,
        "device_name": "",
        "type": "refresh_token",
        "user_id": family.authorization.authentication.user_id,
        "client_id": family.authorization.client_id,
    }))
}

fn object(value: Value) -> Json {
    match value {
        Value::Object(object) => object,
        _ => Json::new(),
    }
}
