//! `/api/v2/connections`.
//!
//! Options have scopes of their own: without `read:connections_options` they are left out, without
//! `update:connections_options` they can't be changed.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::connection::Strategy;
use domain::{ClientId, ConnectionId, EmailAddress, Json};
use engine::connections::{ConnectionFilter, ConnectionView};
use serde_json::{Value, json};

use super::fields::Fields;
use super::path_id::PathId;
use super::slices::{Asked, parameters};
use super::user_body;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

/// `GET /connections`.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["read:connections"])?;
    query.only(&parameters(&[
        "strategy",
        "name",
        "fields",
        "include_fields",
    ]))?;
    let asked = Asked::of(&query, 100)?;
    let fields = Fields::of(&query)?;
    let strategies = query
        .get("strategy")
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    let filter = ConnectionFilter {
        name: query.get("name").map(str::to_owned),
        strategies: strategies
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    let listed = state.engine.list_connections(&filter, &asked.slice).await?;
    let listed = listed.map(|view| fields.apply(render(view, &manager)));
    Ok(Body(asked.answer("connections", listed)))
}

/// `POST /connections`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:connections"])?;
    let view = state.engine.create_connection(context, body).await?;
    Ok((StatusCode::CREATED, Body(render(view, &manager))).into_response())
}

/// `GET /connections/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:connections"])?;
    query.only(&["fields", "include_fields"])?;
    let fields = Fields::of(&query)?;
    let view = state.engine.connection(&id.into()).await?;
    Ok(Body(fields.apply(render(view, &manager))))
}

/// `PATCH /connections/{id}`: `options` are replaced whole.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:connections"])?;
    if body.contains_key("options") {
        manager.require(&["update:connections_options"])?;
    }
    let view = state
        .engine
        .update_connection(context, &id.into(), body)
        .await?;
    Ok(Body(render(view, &manager)))
}

/// `DELETE /connections/{id}`: 202, or 204 when there was none.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Response, ApiError> {
    let context = manager.require(&["delete:connections"])?;
    Ok(
        match state.engine.delete_connection(context, &id.into()).await? {
            Some(when) => (StatusCode::ACCEPTED, Body(json!({"deleted_at": when}))).into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        },
    )
}

/// `DELETE /connections/{id}/users?email=`.
pub async fn delete_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:users"])?;
    query.only(&["email"])?;
    let missing =
        || ApiError::invalid_query("Query validation error: 'Missing required property: email'.");
    let email = query.get("email").ok_or_else(missing)?;
    user_body::check_email_parameter(email)?;
    let email =
        EmailAddress::parse(email).map_err(|error| ApiError::invalid_query(error.to_string()))?;
    let id = ConnectionId::from(id);
    state.engine.require_connection(&id).await?;
    state
        .engine
        .delete_user_by_email(context, &id, &email)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A connection as the wire shows it. The plain configuration never leaves.
fn render(view: ConnectionView, manager: &Manager) -> Json {
    let ConnectionView {
        connection,
        ciphertexts,
    } = view;
    let strategy = connection.strategy();
    let mut body = Json::new();
    body.insert("id".into(), connection.id.as_str().into());
    body.insert("name".into(), connection.name.into());
    if let Some(display_name) = connection.display_name {
        body.insert("display_name".into(), display_name.into());
    }
    body.insert("strategy".into(), strategy.as_str().into());
    if manager.may("read:connections_options") {
        let mut options = connection.options;
        // The secret by which we prove ourselves to a provider is not read back in any form.
        if !ciphertexts.is_empty() && strategy == Strategy::Database {
            options.insert("configuration".into(), json!(ciphertexts));
        }
        body.insert("options".into(), options.into());
    }
    body.insert("realms".into(), connection.realms.into());
    let clients: Vec<&str> = connection
        .enabled_clients
        .iter()
        .map(ClientId::as_str)
        .collect();
    body.insert("enabled_clients".into(), json!(clients));
    body.insert("is_domain_connection".into(), false.into());
    body.insert("authentication".into(), json!({"active": true}));
    body.insert("connected_accounts".into(), json!({"active": false}));
    body.insert("metadata".into(), connection.metadata.into());
    body.extend(connection.attributes);
    body
}
