//! `/api/v2/sessions` and `/api/v2/users/{id}/sessions`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ClientId;
use serde_json::{Value, json};
use store::StoredSession;

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{Manager, Query};
use crate::state::AppState;

/// `GET /sessions/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:sessions"])?;
    let (session, clients) = state.engine.session(&id.into()).await?;
    Ok(Body(shown(&session, &clients)))
}

/// `DELETE /sessions/{id}`.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:sessions"])?;
    state.engine.revoke_session(context, &id.into()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /users/{id}/sessions`: `take` after `from`.
pub async fn of_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:sessions"])?;
    query.only(&["from", "take", "include_totals"])?;
    let take = query.number("take", 1, 100)?.unwrap_or(50);
    let from = query.get("from").unwrap_or_default();
    let sessions = state
        .engine
        .sessions_of_user(&id.into(), from, take)
        .await?;
    let full = usize::try_from(take).is_ok_and(|take| sessions.len() == take);
    let next = sessions.last().filter(|_| full);
    let next = next.map(|(session, _)| session.id.to_string());
    let listed: Vec<Value> = sessions
        .iter()
        .map(|(s, clients)| shown(s, clients))
        .collect();
    let mut body = json!({"sessions": listed});
    if let (Some(next), Some(body)) = (next, body.as_object_mut()) {
        body.insert("next".into(), next.into());
    }
    Ok(Body(body))
}

/// `DELETE /users/{id}/sessions`.
pub async fn delete_of_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:sessions"])?;
    state
        .engine
        .revoke_sessions_of_user(context, &id.into())
        .await?;
    Ok(StatusCode::ACCEPTED)
}

fn shown(session: &StoredSession, clients: &[ClientId]) -> Value {
    let authentication = &session.authentication;
    let methods = authentication.methods.iter();
    let methods: Vec<Value> = methods
        .map(|method| json!({"name": method.as_amr(), "timestamp": authentication.at}))
        .collect();
    let clients: Vec<Value> = clients.iter().map(|id| json!({"client_id": id})).collect();
    json!({
        "id": session.id,
        "user_id": authentication.user_id,
        "created_at": session.created_at,
        "updated_at": session.touched_at,
        "authenticated_at": authentication.at,
        "idle_expires_at": session.idle_expires_at,
        "expires_at": session.expires_at,
        "last_interacted_at": session.touched_at,
        "device": {"last_ip": session.ip, "last_user_agent": session.user_agent},
        "clients": clients,
        "authentication": {"methods": methods},
    })
}
