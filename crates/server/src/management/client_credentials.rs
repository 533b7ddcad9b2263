//! `/api/v2/clients/{id}/credentials`: public keys by which a client proves itself.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{ClientCredential, Json};

use super::path_id::{PathId, PathIds};
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

/// `GET /clients/{id}/credentials`.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    PathId(client): PathId,
) -> Result<Body<Vec<Json>>, ApiError> {
    manager.require(&["read:client_credentials"])?;
    let credentials = state.engine.client_credentials(&client.into()).await?;
    Ok(Body(credentials.iter().map(render).collect()))
}

/// `POST /clients/{id}/credentials`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    PathId(client): PathId,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:client_credentials"])?;
    let credential = state
        .engine
        .create_client_credential(context, &client.into(), body)
        .await?;
    Ok((StatusCode::CREATED, Body(render(&credential))).into_response())
}

/// `GET /clients/{id}/credentials/{credential}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathIds(client, credential): PathIds,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:client_credentials"])?;
    let credential = state
        .engine
        .client_credential(&client.into(), &credential.into())
        .await?;
    Ok(Body(render(&credential)))
}

/// `PATCH /clients/{id}/credentials/{credential}`: answers 201, as published.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathIds(client, credential): PathIds,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["update:client_credentials"])?;
    let credential = state
        .engine
        .update_client_credential(context, &client.into(), &credential.into(), body)
        .await?;
    Ok((StatusCode::CREATED, Body(render(&credential))).into_response())
}

/// `DELETE /clients/{id}/credentials/{credential}`: 204 whether or not there was one.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathIds(client, credential): PathIds,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:client_credentials"])?;
    state
        .engine
        .delete_client_credential(context, &client.into(), &credential.into())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn render(credential: &ClientCredential) -> Json {
    let mut body = Json::new();
    body.insert("id".into(), credential.id.as_str().into());
    if let Some(name) = &credential.name {
        body.insert("name".into(), name.as_str().into());
    }
    body.insert("kid".into(), credential.kid.as_str().into());
    body.insert("alg".into(), credential.algorithm.as_str().into());
    body.insert("credential_type".into(), "public_key".into());
    body.insert(
        "created_at".into(),
        credential.created_at.to_string().into(),
    );
    body.insert(
        "updated_at".into(),
        credential.updated_at.to_string().into(),
    );
    if let Some(end) = credential.expires_at {
        body.insert("expires_at".into(), end.to_string().into());
    }
    body
}
