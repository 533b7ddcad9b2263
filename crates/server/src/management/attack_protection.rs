//! `/api/v2/attack-protection/{shield}` and `/api/v2/user-blocks`.

use axum::Json as Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::Json;
use engine::protection::{Block, Shield};
use serde_json::{Value, json};

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

/// `GET /attack-protection/{shield}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    Path(name): Path<String>,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:attack_protection"])?;
    Ok(Body(state.engine.attack_protection(shield(&name)?).await?))
}

/// `PATCH /attack-protection/{shield}`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    Path(name): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:attack_protection"])?;
    let shield = shield(&name)?;
    let changed = state.engine.update_attack_protection(context, shield, body);
    Ok(Body(changed.await?))
}

fn shield(name: &str) -> Result<Shield, ApiError> {
    let missing = || ApiError::new(StatusCode::NOT_FOUND, "Not Found", None);
    Shield::parse(name).ok_or_else(missing)
}

/// `GET /user-blocks?identifier=`.
pub async fn blocks(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:users"])?;
    let blocks = state.engine.list_blocks(identifier(&query)?).await?;
    Ok(Body(render(blocks)))
}

/// `DELETE /user-blocks?identifier=`.
pub async fn release(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["update:users"])?;
    state.engine.unblock(context, identifier(&query)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /user-blocks/{id}`.
pub async fn blocks_of_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:users"])?;
    let blocks = state.engine.list_user_blocks(&id.into()).await?;
    Ok(Body(render(blocks)))
}

/// `DELETE /user-blocks/{id}`.
pub async fn release_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["update:users"])?;
    state.engine.unblock_user(context, &id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn identifier(query: &Query) -> Result<&str, ApiError> {
    query.only(&["identifier", "consider_brute_force_enablement"])?;
    let message = "Query validation error: 'Missing required property: identifier'.";
    query
        .get("identifier")
        .filter(|text| !text.is_empty())
        .ok_or_else(|| ApiError::invalid(message))
}

fn render(blocks: Vec<Block>) -> Value {
    let blocked_for: Vec<Value> = blocks
        .into_iter()
        .map(|block| {
            let mut shown = json!({
                "identifier": block.identifier, "connection": block.connection,
            });
            if let (Some(ip), Some(shown)) = (block.ip, shown.as_object_mut()) {
                shown.insert("ip".into(), ip.into());
            }
            shown
        })
        .collect();
    json!({"blocked_for": blocked_for})
}
