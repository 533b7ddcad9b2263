//! `/api/v2/branding`.

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use domain::Json;
use serde_json::{Value, json};

use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, refuse_compressed};
use crate::state::AppState;

/// `GET /branding`.
pub async fn get(State(state): State<AppState>, manager: Manager) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:branding"])?;
    Ok(Body(state.engine.branding().await?))
}

/// `PATCH /branding`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:branding"])?;
    Ok(Body(state.engine.update_branding(context, body).await?))
}

/// `GET /branding/templates/universal-login`.
pub async fn get_template(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:branding"])?;
    match state.engine.page_template().await? {
        Some(body) => Ok(Body(json!({"body": body}))),
        None => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "Template not found.",
            Some("inexistent_template"),
        )),
    }
}

/// `PUT /branding/templates/universal-login`: `text/html`, or JSON with `template`. 201 for the
/// first one, 204 for one in another's place.
pub async fn put_template(
    State(state): State<AppState>,
    manager: Manager,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["update:branding"])?;
    refuse_compressed(&headers)?;
    let text = String::from_utf8(body.into())
        .map_err(|_| ApiError::invalid("The template is not UTF-8."))?;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let template = if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let object: Value = serde_json::from_str(&text).unwrap_or_default();
        let template = object.get("template").and_then(Value::as_str);
        template
            .ok_or_else(|| ApiError::invalid("The template is missing."))?
            .to_owned()
    } else {
        text
    };
    let is_new = state.engine.set_page_template(context, &template).await?;
    Ok(if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::NO_CONTENT
    })
}

/// `DELETE /branding/templates/universal-login`: 204 whether or not there was one.
pub async fn delete_template(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:branding"])?;
    state.engine.delete_page_template(context).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /branding/themes`.
pub async fn create_theme(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:branding"])?;
    Ok(Body(state.engine.create_theme(context, body).await?))
}

/// `GET /branding/themes/{id}`; `default` names the one there is.
pub async fn get_theme(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:branding"])?;
    Ok(Body(state.engine.theme(&id).await?))
}

/// `PATCH /branding/themes/{id}`.
pub async fn update_theme(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:branding"])?;
    Ok(Body(state.engine.update_theme(context, &id, body).await?))
}

/// `DELETE /branding/themes/{id}`.
pub async fn delete_theme(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:branding"])?;
    state.engine.delete_theme(context, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
