//! `GET /ferry/password-hashes`: how many hashes are fast to guess, and how many were. Ours.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::Manager;
use crate::state::AppState;

/// Counts; reads all identities.
pub async fn get(State(state): State<AppState>, manager: Manager) -> Result<Json<Value>, ApiError> {
    manager.require(&["read:users"])?;
    let found = state.engine.count_fast_hashes().await?;
    Ok(Json(json!({
        "fast": found.fast,
        "wrapped": found.wrapped,
        "wrap_imported": state.engine.settings.wrap_imported,
    })))
}
