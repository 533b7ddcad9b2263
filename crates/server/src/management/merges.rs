//! What an import job did to users who were here already.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::JobId;
use engine::Error;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Manager, Query};
use crate::state::AppState;

/// Records in one answer.
const STEP: u32 = 1000;

/// `GET /jobs/{id}/merges`: what the rows of a job with a policy of its own did to users who were
/// here, in file order. Ours. `after` is the last row number seen, `per_page` at most 1000.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    manager.require(&["create:users", "read:users"])?;
    query.only(&["after", "per_page"])?;
    let id: JobId = id.into();
    state.engine.find_job(&id).await?;
    let after = query.get("after").map_or(Ok(0), str::parse::<i64>);
    let after = after.map_err(|_| ApiError::invalid("after must be a row number"))?;
    let limit = query.get("per_page").map_or(Ok(STEP), str::parse::<u32>);
    let limit = limit.ok().filter(|limit| (1..=STEP).contains(limit));
    let limit = limit.ok_or_else(|| ApiError::invalid("per_page must be from 1 to 1000"))?;
    let merges = state
        .engine
        .store
        .list_merges_after(&id, after, limit)
        .await;
    let merges = merges.map_err(Error::from)?;
    let shown = merges.iter().map(|merge| {
        json!({
            "row": merge.row, "user_id": merge.user_id, "kept": merge.trail.kept,
            "taken": merge.trail.taken, "left_over": merge.trail.left_over,
        })
    });
    Ok(Json(shown.collect::<Vec<_>>()).into_response())
}
