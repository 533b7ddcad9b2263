//! `/api/v2/resource-servers`. An API is addressed by its id or by its identifier.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{Json, ResourceServer};
use serde_json::{Value, json};

use super::fields::Fields;
use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

/// `GET /resource-servers`: by page only.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:resource_servers"])?;
    query.only(&[
        "page",
        "per_page",
        "include_totals",
        "include_fields",
        "fields",
    ])?;
    let (page, with_totals) = query.page()?;
    let fields = Fields::of(&query)?;
    let listing = state.engine.list_resource_servers(page).await?;
    let shown: Vec<Json> = listing
        .items
        .into_iter()
        .map(|api| fields.apply(render(api)))
        .collect();
    Ok(Body(if with_totals {
        json!({
            "total": listing.total.unwrap_or(0), "start": page.offset(), "limit": page.size,
            "resource_servers": shown,
        })
    } else {
        json!(shown)
    }))
}

/// `POST /resource-servers`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:resource_servers"])?;
    let api = state.engine.create_resource_server(context, body).await?;
    Ok((StatusCode::CREATED, Body(render(api))).into_response())
}

/// `GET /resource-servers/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:resource_servers"])?;
    query.only(&["include_fields", "fields"])?;
    let fields = Fields::of(&query)?;
    Ok(Body(
        fields.apply(render(state.engine.resource_server(&id).await?)),
    ))
}

/// `PATCH /resource-servers/{id}`: answers 201, as published.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["update:resource_servers"])?;
    let api = state
        .engine
        .update_resource_server(context, &id, body)
        .await?;
    Ok((StatusCode::CREATED, Body(render(api))).into_response())
}

/// `DELETE /resource-servers/{id}`: 204 whether or not there was one.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:resource_servers"])?;
    state.engine.delete_resource_server(context, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn render(api: ResourceServer) -> Json {
    let scope = |(value, description): &(String, Option<String>)| match description {
        Some(description) => json!({"value": value, "description": description}),
        None => json!({"value": value}),
    };
    let scopes: Vec<Value> = api.scopes.iter().map(scope).collect();
    let for_web = api.token_lifetime_for_web();
    let mut body = Json::new();
    body.insert("id".into(), api.id.as_str().into());
    if !api.name.is_empty() {
        body.insert("name".into(), api.name.into());
    }
    body.insert("identifier".into(), api.identifier.into());
    body.insert("is_system".into(), api.is_system.into());
    body.insert("scopes".into(), scopes.into());
    body.insert("signing_alg".into(), "RS256".into());
    body.insert("token_lifetime".into(), api.token_lifetime.into());
    body.insert("token_lifetime_for_web".into(), for_web.into());
    body.insert("allow_offline_access".into(), false.into());
    body.insert(
        "skip_consent_for_verifiable_first_party_clients".into(),
        false.into(),
    );
    body.extend(api.attributes);
    body
}
