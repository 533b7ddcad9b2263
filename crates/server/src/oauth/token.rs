//! `POST /oauth/token`, form or JSON.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use engine::TokenCall;
use oidc::dpop::ProofRequest;
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
    let dpop_key = dpop_key(&state, &form).await?;
    let (params, basic) = form.split();
    let (authentication, request) = parse_token_request(params, basic.as_deref())?;
    let call = TokenCall {
        authentication,
        request,
        forwarded_for,
        dpop_key,
    };
    let tokens = state.engine.token(&context, call).await?;
    Ok(uncached(Json(tokens)))
}

/// The key that the caller proves to hold, when it brings a proof (RFC 9449 §5).
async fn dpop_key(state: &AppState, form: &Form) -> Result<Option<String>, Refusal> {
    let url = state.engine.settings.issuer.join("oauth/token");
    let request = ProofRequest {
        method: "POST",
        url: &url,
        access_token: None,
    };
    let key = state
        .engine
        .dpop_key(&form.headers("dpop"), &request)
        .await?;
    Ok(key.map(|key| key.as_str().to_owned()))
}
