//! `POST /oauth/par`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use oidc::PushedRequest;

use super::form::{Form, Refusal, uncached};
use crate::state::AppState;

/// Keeps an authorization request for later.
pub async fn post(State(state): State<AppState>, form: Form) -> Result<Response, Refusal> {
    let (params, basic) = form.split();
    let request = PushedRequest::read(params, basic.as_deref())?;
    let answer = state.engine.push_request(request).await?;
    Ok(uncached((StatusCode::CREATED, Json(answer))))
}
