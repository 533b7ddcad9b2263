//! `POST /oauth/introspect`.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use oidc::PresentedToken;

use super::form::{Form, Refusal, uncached};
use crate::state::AppState;

/// Says what a token means.
pub async fn post(State(state): State<AppState>, form: Form) -> Result<Response, Refusal> {
    let (params, basic) = form.split();
    let request = PresentedToken::read(params, basic.as_deref())?;
    let answer = state.engine.introspect(&request).await?;
    Ok(uncached(Json(answer)))
}
