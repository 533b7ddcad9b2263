//! A user's second factors: `/api/v2/users/{id}/authentication-methods`, `/enrollments`,
//! `/multifactor/{provider}`, `/recovery-code-regeneration`.

use axum::Json as Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::UserId;
use domain::schema::{Field, Kind, optional, required};
use serde_json::{Value, json};

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{JsonArray, JsonObject, Manager};
use crate::state::AppState;

/// The body of `POST /users/{id}/authentication-methods`.
const NEW: &[Field] = &[
    required("type", Kind::Enum(&["totp", "phone", "email"])),
    optional("name", Kind::Text(1, 20)),
    optional("totp_secret", Kind::Text(1, 256)),
    optional("phone_number", Kind::Text(1, 30)),
    optional("email", Kind::Email),
    optional("preferred_authentication_method", Kind::Enum(&["sms"])),
];

const CHANGE: &[Field] = &[
    optional("name", Kind::Text(1, 20)),
    optional("preferred_authentication_method", Kind::Enum(&["sms"])),
];

/// Lists.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:authentication_methods"])?;
    let methods = state.engine.authentication_methods(&user.into()).await?;
    let total = methods.len();
    Ok(Body(json!({
        "authenticators": methods, "start": 0, "limit": total, "total": total,
    })))
}

/// Adds one.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:authentication_methods"])?;
    let body = body.shaped(NEW)?;
    let method = state
        .engine
        .add_authentication_method(context, &user.into(), &body)
        .await?;
    Ok((StatusCode::CREATED, Body(method)).into_response())
}

/// Replaces all.
pub async fn replace(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
    JsonArray(bodies): JsonArray,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(&["update:authentication_methods"])?;
    for body in &bodies {
        let object = body.as_object().cloned().unwrap_or_default();
        JsonObject(object).shaped(NEW)?;
    }
    let methods = state
        .engine
        .replace_authentication_methods(context, &user.into(), &bodies)
        .await?;
    Ok(Body(Value::from(methods)))
}

/// Deletes all.
pub async fn delete_all(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:authentication_methods"])?;
    state
        .engine
        .delete_authentication_methods(context, &user.into())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /users/{id}/authenticators`: the same under another scope.
pub async fn delete_authenticators(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:guardian_enrollments"])?;
    state
        .engine
        .delete_authentication_methods(context, &user.into())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows one.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    Path((user, id)): Path<(String, String)>,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:authentication_methods"])?;
    let user = UserId::from(user);
    Ok(Body(state.engine.authentication_method(&user, &id).await?))
}

/// Renames one.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    Path((user, id)): Path<(String, String)>,
    body: JsonObject,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(&["update:authentication_methods"])?;
    let body = body.shaped(CHANGE)?;
    let user = UserId::from(user);
    let name = body.get("name").and_then(Value::as_str);
    let method = state
        .engine
        .name_authentication_method(context, (&user, &id), name)
        .await?;
    Ok(Body(method))
}

/// Deletes one.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    Path((user, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:authentication_methods"])?;
    state
        .engine
        .delete_authentication_method(context, &user.into(), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /users/{id}/multifactor/{provider}`.
pub async fn delete_multifactor(
    State(state): State<AppState>,
    manager: Manager,
    Path((user, provider)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["update:users"])?;
    state
        .engine
        .delete_multifactor(context, &user.into(), &provider)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /users/{id}/recovery-code-regeneration`.
pub async fn regenerate_recovery_code(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(&["update:users"])?;
    let code = state
        .engine
        .regenerate_recovery_code(context, &user.into())
        .await?;
    Ok(Body(json!({"recovery_code": code.expose()})))
}

/// `GET /users/{id}/enrollments`: the factors that Guardian knows.
pub async fn enrollments(
    State(state): State<AppState>,
    manager: Manager,
    PathId(user): PathId,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:users"])?;
    let methods = state.engine.authentication_methods(&user.into()).await?;
    let list = methods.iter().filter_map(|method| {
        let (kind, name) = match method.get("type")?.as_str()? {
            "totp" => ("authenticator", None),
            "phone" => ("sms", method.get("phone_number")),
            "email" => ("email", method.get("email")),
            "webauthn-roaming" => ("webauthn-roaming", method.get("name")),
            _ => return None,
        };
        let mut json = json!({
            "id": method.get("id"), "status": "confirmed", "type": kind, "auth_method": kind,
            "enrolled_at": method.get("created_at"), "last_auth": method.get("last_auth_at"),
        });
        if let (Some(name), Some(object)) = (name, json.as_object_mut()) {
            object.insert("name".into(), name.clone());
        }
        Some(json)
    });
    Ok(Body(list.collect()))
}
