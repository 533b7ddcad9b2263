//! `POST /oauth/token`, form or JSON.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use engine::TokenCall;
use oidc::dpop::{Proof, ProofRequest};
use oidc::{OAuthError, parse_token_request};

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
    let dpop_proof = dpop_proof(&state, &form)?;
    let (params, basic) = form.split();
    let (authentication, request) = parse_token_request(params, basic.as_deref())?;
    let call = TokenCall {
        authentication,
        request,
        forwarded_for,
        dpop_proof,
    };
    let tokens = state.engine.token(&context, call).await?;
    Ok(uncached(Json(tokens)))
}

/// The proof of a key that the caller may bring (RFC 9449 §5).
fn dpop_proof(state: &AppState, form: &Form) -> Result<Option<Proof>, OAuthError> {
    let url = state.engine.settings.issuer.join("oauth/token");
    let request = ProofRequest {
        method: "POST",
        url: &url,
        access_token: None,
    };
    state.engine.dpop_proof(&form.headers("dpop"), &request)
}
