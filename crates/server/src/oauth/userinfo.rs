//! `GET` and `POST /userinfo`.

use axum::Json;
use axum::extract::{Request, State};
use oidc::OAuthError;

use crate::error::OAuthRefusal;
use crate::extract::bearer;
use crate::state::AppState;

/// What the bearer's scopes say of the person.
pub async fn get(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<domain::Json>, OAuthRefusal> {
    let (parts, _) = request.into_parts();
    let token = bearer(&parts).ok_or_else(|| OAuthError::invalid_token("no bearer token"))?;
    Ok(Json(state.engine.user_info(token, None).await?))
}
