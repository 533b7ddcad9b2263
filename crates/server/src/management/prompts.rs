//! `/api/v2/prompts`.

use axum::Json as Body;
use axum::extract::{Path, State};
use domain::Json;

use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

/// `GET /prompts`.
pub async fn get(State(state): State<AppState>, manager: Manager) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:prompts"])?;
    Ok(Body(state.engine.prompts().await?))
}

/// `PATCH /prompts`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:prompts"])?;
    Ok(Body(state.engine.update_prompts(context, body).await?))
}

/// `GET /prompts/{prompt}/custom-text/{language}`.
pub async fn get_texts(
    State(state): State<AppState>,
    manager: Manager,
    Path((prompt, language)): Path<(String, String)>,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:prompts"])?;
    Ok(Body(state.engine.custom_texts(&prompt, &language).await?))
}

/// `PUT /prompts/{prompt}/custom-text/{language}`.
pub async fn put_texts(
    State(state): State<AppState>,
    manager: Manager,
    Path((prompt, language)): Path<(String, String)>,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:prompts"])?;
    let texts = state
        .engine
        .set_custom_texts(context, &prompt, &language, body)
        .await?;
    Ok(Body(texts))
}
