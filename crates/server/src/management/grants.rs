//! `/api/v2/grants`: what people allowed clients.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::StoredConsent;

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{Manager, Query};
use crate::state::AppState;

const KNOWN: &[&str] = &[
    "user_id",
    "client_id",
    "audience",
    "page",
    "per_page",
    "include_totals",
];

/// `GET /grants`.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:grants"])?;
    query.only(KNOWN)?;
    let (page, has_totals) = query.page()?;
    let user = query.get("user_id").map(Into::into);
    let client = query.get("client_id").map(Into::into);
    let bounds = (page.offset(), i64::from(page.size));
    let (found, total) = state
        .engine
        .store
        .list_consents(
            user.as_ref(),
            client.as_ref(),
            query.get("audience"),
            bounds,
        )
        .await?;
    let grants: Vec<Value> = found.iter().map(shown).collect();
    Ok(Body(if has_totals {
        json!({"grants": grants, "start": page.offset(), "limit": page.size, "total": total})
    } else {
        grants.into()
    }))
}

/// `DELETE /grants/{id}`.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:grants"])?;
    state.engine.withdraw_consent(context, &id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /grants?user_id=`.
pub async fn delete_of_user(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:grants"])?;
    query.only(&["user_id"])?;
    let Some(user) = query.get("user_id") else {
        let message = "Query validation error: 'Missing required property: user_id'.";
        return Err(ApiError::invalid_query(message));
    };
    state
        .engine
        .withdraw_consents(context, &user.into())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(consent: &StoredConsent) -> Value {
    let scope: Vec<&str> = consent.scope.split_whitespace().collect();
    json!({
        "id": consent.id, "clientID": consent.client_id, "user_id": consent.user_id,
        "audience": consent.audience, "scope": scope,
    })
}
