//! Whether the process lives, and whether it should get requests.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::state::AppState;

/// `GET /health/live`: the process answers.
pub async fn live() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /health/ready`: the database answers and no drain has begun. Says how well script workers
/// are held, which is `null` when they cannot run.
pub async fn ready(State(state): State<AppState>) -> Response {
    if state.draining.is_cancelled() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "draining"})),
        )
            .into_response();
    }
    match state.engine.store.ping().await {
        Ok(()) => {
            let body = json!({
                "status": "ok",
                "database": state.engine.store.database(),
                "script_isolation": state.isolation,
            });
            Json(body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            let body = Json(json!({"status": "database unavailable"}));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
