//! `POST /oauth/par`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use oidc::PushedRequest;
use oidc::dpop::ProofRequest;

use super::form::{Form, Refusal, uncached};
use crate::extract::Caller;
use crate::state::AppState;

/// Keeps an authorization request for later.
pub async fn post(
    State(state): State<AppState>,
    Caller(context): Caller,
    form: Form,
) -> Result<Response, Refusal> {
    let url = state.engine.settings.issuer.join("oauth/par");
    let proven = ProofRequest {
        method: "POST",
        url: &url,
        access_token: None,
    };
    let proofs = form.headers("dpop");
    let proof = state.engine.dpop_proof(&proofs, &proven)?;
    let (params, basic) = form.split();
    let request = PushedRequest::read(params, basic.as_deref())?;
    let answer = state.engine.push_request(&context, request, proof).await?;
    Ok(uncached((StatusCode::CREATED, Json(answer))))
}
