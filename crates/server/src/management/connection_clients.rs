//! `/api/v2/connections/{id}/clients`: which clients a connection serves.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Json;
use serde_json::Value;

use super::path_id::PathId;
use super::slices::Asked;
use crate::error::ApiError;
use crate::extract::{JsonArray, Manager, Query};
use crate::state::AppState;

/// `GET …/clients`: always in the checkpoint form.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:connections"])?;
    query.only(&["from", "take"])?;
    let asked = Asked::by_checkpoint(&query, 1000)?;
    let listed = state
        .engine
        .connection_clients(&id.into(), &asked.slice)
        .await?;
    let listed =
        listed.map(|client| Json::from_iter([("client_id".to_owned(), client.as_str().into())]));
    Ok(Body(asked.answer("clients", listed)))
}

/// `PATCH …/clients` with `[{"client_id", "status"}]`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    JsonArray(lines): JsonArray,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["update:connections"])?;
    state
        .engine
        .set_connection_clients(context, &id.into(), &lines)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
