//! `/api/v2/clients`. Secrets are shown to who just made one, and with `read:client_keys`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{Client, Json};
use engine::clients::ClientFilter;
use serde_json::{Value, json};

use super::fields::Fields;
use super::path_id::PathId;
use super::slices::{Asked, parameters};
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

const READ: &[&str] = &["read:clients", "read:client_keys"];
const FILTERS: &[&str] = &[
    "is_global",
    "is_first_party",
    "app_type",
    "fields",
    "include_fields",
];

/// `GET /clients`.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Value>, ApiError> {
    manager.require(READ)?;
    query.only(&parameters(FILTERS))?;
    let asked = Asked::of(&query, 100)?;
    let fields = Fields::of(&query)?;
    let app_types = query
        .get("app_type")
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    let filter = ClientFilter {
        is_global: query.flag("is_global")?,
        is_first_party: query.flag("is_first_party")?,
        app_types: app_types
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    let with_secret = manager.may("read:client_keys");
    let listed = state.engine.list_clients(&filter, &asked.slice).await?;
    let listed = listed.map(|client| fields.apply(render(client, with_secret)));
    Ok(Body(asked.answer("clients", listed)))
}

/// `POST /clients`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:clients"])?;
    let client = state.engine.create_client(context, body).await?;
    Ok((StatusCode::CREATED, Body(render(client, true))).into_response())
}

/// `GET /clients/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Json>, ApiError> {
    manager.require(READ)?;
    query.only(&["fields", "include_fields"])?;
    let fields = Fields::of(&query)?;
    let client = state.engine.client(&id.into()).await?;
    Ok(Body(
        fields.apply(render(client, manager.may("read:client_keys"))),
    ))
}

/// `PATCH /clients/{id}`. A secret needs `update:client_keys`, everything else `update:clients`.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:clients", "update:client_keys"])?;
    if body.contains_key("client_secret") {
        manager.require(&["update:client_keys"])?;
    }
    if body.keys().any(|name| name != "client_secret") {
        manager.require(&["update:clients"])?;
    }
    let client = state
        .engine
        .update_client(context, &id.into(), body)
        .await?;
    Ok(Body(render(client, manager.may("read:client_keys"))))
}

/// `DELETE /clients/{id}`: 204 whether or not there was one.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:clients"])?;
    state.engine.delete_client(context, &id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /clients/{id}/rotate-secret`.
pub async fn rotate_secret(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:client_keys"])?;
    let client = state
        .engine
        .rotate_client_secret(context, &id.into())
        .await?;
    Ok(Body(render(client, true)))
}

/// A client as the wire shows it: what was set, over the defaults.
fn render(client: Client, with_secret: bool) -> Json {
    let defaults = defaults(&client);
    let mut body = Json::new();
    body.insert("tenant".into(), "ferry".into());
    body.insert("global".into(), false.into());
    body.insert("client_id".into(), client.client_id.as_str().into());
    if with_secret {
        body.insert("client_secret".into(), client.secret.expose().into());
    }
    body.insert("name".into(), client.name.into());
    // `client_authentication_methods` stands in its place.
    if client.auth != domain::TokenEndpointAuth::PrivateKeyJwt {
        body.insert(
            "token_endpoint_auth_method".into(),
            client.auth.as_str().into(),
        );
    }
    body.insert("grant_types".into(), client.grant_types.into());
    if let Value::Object(defaults) = defaults {
        body.extend(defaults);
    }
    for (name, value) in client.attributes {
        match (body.get_mut(&name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => under.extend(over),
            (_, value) => {
                body.insert(name, value);
            }
        }
    }
    body
}

fn defaults(client: &Client) -> Value {
    json!({
        "is_first_party": true,
        "is_token_endpoint_ip_header_trusted": false,
        "oidc_conformant": false,
        "sso_disabled": false,
        "cross_origin_authentication": false,
        "custom_login_page_on": true,
        "jwt_configuration": {"secret_encoded": false, "lifetime_in_seconds": 36000},
        "refresh_token": refresh_token(client),
    })
}

/// What the token endpoint does when the client says nothing: see `docs/tokens.md`.
fn refresh_token(client: &Client) -> Value {
    let is_public = client.auth == domain::TokenEndpointAuth::None;
    let said = client.attributes.get("refresh_token");
    let said = said.and_then(|member| member.get("expiration_type"));
    let expires = said.map_or(is_public, |text| text == "expiring");
    json!({
        "rotation_type": if is_public { "rotating" } else { "non-rotating" },
        "expiration_type": if expires { "expiring" } else { "non-expiring" },
        "leeway": 0,
        "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000,
        "infinite_token_lifetime": !expires, "infinite_idle_token_lifetime": !expires,
    })
}
