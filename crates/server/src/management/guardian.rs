//! `/api/v2/guardian`: which factors there are, and who must have one.

use axum::Json as Body;
use axum::extract::State;
use domain::schema::{Field, Kind, required};
use serde_json::{Value, json};

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{JsonArray, JsonObject, Manager};
use crate::state::AppState;

const SWITCH: &[Field] = &[required("enabled", Kind::Boolean)];

/// `GET /guardian/factors`.
pub async fn factors(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:guardian_factors"])?;
    let guardian = state.engine.guardian().await?;
    let list = guardian
        .factors()
        .map(|(name, on)| json!({"name": name, "enabled": on, "trial_expired": false}));
    Ok(Body(list.collect()))
}

/// `PUT /guardian/factors/{name}`.
pub async fn switch_factor(
    State(state): State<AppState>,
    manager: Manager,
    PathId(name): PathId,
    body: JsonObject,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(&["update:guardian_factors"])?;
    let body = body.shaped(SWITCH)?;
    let on = body.get("enabled").and_then(Value::as_bool) == Some(true);
    state.engine.switch_factor(context, &name, on).await?;
    Ok(Body(json!({"enabled": on})))
}

/// `GET /guardian/policies`.
pub async fn policies(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:mfa_policies"])?;
    Ok(Body(json!(state.engine.guardian().await?.policies())))
}

/// `PUT /guardian/policies`.
pub async fn set_policies(
    State(state): State<AppState>,
    manager: Manager,
    JsonArray(body): JsonArray,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(&["update:mfa_policies"])?;
    let texts: Option<Vec<String>> = body
        .iter()
        .map(|element| element.as_str().map(str::to_owned))
        .collect();
    let texts = texts.ok_or_else(|| {
        ApiError::invalid("Payload validation error: 'Expected an array of policies'.")
    })?;
    state.engine.set_mfa_policies(context, &texts).await?;
    Ok(Body(Value::from(body)))
}
