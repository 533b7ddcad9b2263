//! `POST /oauth/revoke`.

use axum::extract::State;
use axum::response::Response;
use oidc::PresentedToken;

use super::form::{Form, Refusal, uncached};
use crate::extract::Caller;
use crate::state::AppState;

/// Takes a token back: `OK`, also for one that is not known.
pub async fn post(
    State(state): State<AppState>,
    Caller(context): Caller,
    form: Form,
) -> Result<Response, Refusal> {
    let (params, basic) = form.split();
    let request = PresentedToken::read(params, basic.as_deref())?;
    state.engine.revoke(&context, &request).await?;
    Ok(uncached("OK"))
}
