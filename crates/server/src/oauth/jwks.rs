//! `GET /.well-known/jwks.json`.

use axum::Json;
use axum::extract::State;
use oidc::Jwks;

use crate::state::AppState;

/// The public keys.
pub async fn get(State(state): State<AppState>) -> Json<Jwks> {
    Json(state.engine.jwks().await)
}
