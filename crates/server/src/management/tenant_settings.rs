//! `/api/v2/tenants/settings`.

use axum::Json as Body;
use axum::extract::State;
use domain::Json;

use super::fields::Fields;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

/// `GET /tenants/settings`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:tenant_settings"])?;
    let fields = Fields::of(&query)?;
    Ok(Body(fields.apply(state.engine.tenant_settings().await?)))
}

/// `PATCH /tenants/settings`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:tenant_settings"])?;
    let settings = state.engine.update_tenant_settings(context, body).await?;
    Ok(Body(settings))
}
