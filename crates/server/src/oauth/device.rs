//! `POST /oauth/device/code`.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use oidc::DeviceRequest;

use super::form::{Form, Refusal, uncached};
use crate::state::AppState;

/// Gives a device its two codes.
pub async fn post(State(state): State<AppState>, form: Form) -> Result<Response, Refusal> {
    let (params, basic) = form.split();
    let request = DeviceRequest::read(params, basic.as_deref())?;
    Ok(uncached(Json(state.engine.start_device(request).await?)))
}
