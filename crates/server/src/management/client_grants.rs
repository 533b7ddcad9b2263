//! `/api/v2/client-grants`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{ClientGrant, Json};
use engine::client_grants::GrantFilter;
use serde_json::Value;

use super::path_id::PathId;
use super::slices::{Asked, parameters};
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

const FILTERS: &[&str] = &[
    "client_id",
    "audience",
    "allow_any_organization",
    "subject_type",
];

/// `GET /client-grants`.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:client_grants"])?;
    query.only(&parameters(FILTERS))?;
    let asked = Asked::of(&query, 100)?;
    let for_any_organization = query.flag("allow_any_organization")? == Some(true);
    let filter = GrantFilter {
        client_id: query.get("client_id").map(Into::into),
        audience: query.get("audience").map(str::to_owned),
        is_impossible: for_any_organization
            || query.get("subject_type").is_some_and(|s| s != "client"),
    };
    let listed = state
        .engine
        .list_client_grants(&filter, &asked.slice)
        .await?;
    Ok(Body(asked.answer("client_grants", listed.map(render))))
}

/// `POST /client-grants`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:client_grants"])?;
    let grant = state.engine.create_client_grant(context, body).await?;
    Ok((StatusCode::CREATED, Body(render(grant))).into_response())
}

/// `GET /client-grants/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:client_grants"])?;
    Ok(Body(render(state.engine.client_grant(&id.into()).await?)))
}

/// `PATCH /client-grants/{id}`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:client_grants"])?;
    Ok(Body(render(
        state
            .engine
            .update_client_grant(context, &id.into(), body)
            .await?,
    )))
}

/// `DELETE /client-grants/{id}`: 204 whether or not there was one.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:client_grants"])?;
    state
        .engine
        .delete_client_grant(context, &id.into())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn render(grant: ClientGrant) -> Json {
    Json::from_iter([
        ("id".to_owned(), grant.id.as_str().into()),
        ("client_id".to_owned(), grant.client_id.as_str().into()),
        ("audience".to_owned(), grant.audience.into()),
        ("scope".to_owned(), grant.scope.into()),
        ("subject_type".to_owned(), "client".into()),
    ])
}
