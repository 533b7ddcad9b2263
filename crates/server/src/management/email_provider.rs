//! `/api/v2/emails/provider`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Json;

use super::fields::Fields;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

/// `GET /emails/provider`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:email_provider"])?;
    query.only(&["fields", "include_fields"])?;
    let fields = Fields::of(&query)?;
    Ok(Body(fields.apply(state.engine.email_provider().await?)))
}

/// `POST /emails/provider`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<(StatusCode, Body<Json>), ApiError> {
    let context = manager.require(&["create:email_provider"])?;
    let created = state.engine.create_email_provider(context, body).await?;
    Ok((StatusCode::CREATED, Body(created)))
}

/// `PATCH /emails/provider`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:email_provider"])?;
    let changed = state.engine.update_email_provider(context, body).await?;
    Ok(Body(changed))
}

/// `DELETE /emails/provider`.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:email_provider"])?;
    state.engine.delete_email_provider(context).await?;
    Ok(StatusCode::NO_CONTENT)
}
