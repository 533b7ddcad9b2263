//! `/api/v2/email-templates`.

use axum::Json as Body;
use axum::extract::State;
use domain::Json;

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

/// `POST /email-templates`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["create:email_templates"])?;
    let template = state.engine.create_email_template(context, body).await?;
    Ok(Body(template))
}

/// `GET /email-templates/{name}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(name): PathId,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:email_templates"])?;
    Ok(Body(state.engine.email_template(&name).await?))
}

/// `PUT /email-templates/{name}`.
pub async fn replace(
    State(state): State<AppState>,
    manager: Manager,
    PathId(name): PathId,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:email_templates"])?;
    let template = state
        .engine
        .replace_email_template(context, &name, body)
        .await?;
    Ok(Body(template))
}

/// `PATCH /email-templates/{name}`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(name): PathId,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:email_templates"])?;
    let template = state
        .engine
        .update_email_template(context, &name, body)
        .await?;
    Ok(Body(template))
}
