//! `GET /.well-known/openid-configuration`.

use axum::Json;
use axum::extract::State;
use oidc::Discovery;

use crate::state::AppState;

/// What this server can do.
pub async fn get(State(state): State<AppState>) -> Json<Discovery> {
    Json(Discovery::new(&state.engine.settings.issuer))
}
