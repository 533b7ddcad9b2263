//! `GET /.well-known/jwks.json`.

use axum::Json;
use axum::extract::State;
use oidc::Jwks;

use crate::state::AppState;

/// The public keys: those that sign, will sign, or signed what is still alive.
pub async fn get(State(state): State<AppState>) -> Json<Jwks> {
    let now = state.engine.now();
    Json(state.engine.keys.current().jwks(now))
}
