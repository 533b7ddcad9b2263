//! `POST /oauth/token`, form or JSON.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use engine::TokenCall;
use oidc::parse_token_request;

use super::form::{Form, Refusal, uncached};
use crate::extract::Caller;
use crate::state::AppState;

/// Issues tokens.
pub async fn post(
    State(state): State<AppState>,
    Caller(context): Caller,
    form: Form,
) -> Result<Response, Refusal> {
    let forwarded_for = form.header("auth0-forwarded-for").map(str::to_owned);
    let (params, basic) = form.split();
    let (authentication, request) = parse_token_request(params, basic.as_deref())?;
    let call = TokenCall {
        authentication,
        request,
        forwarded_for,
        dpop_key: None,
    };
    let tokens = state.engine.token(&context, call).await?;
    Ok(uncached(Json(tokens)))
}
