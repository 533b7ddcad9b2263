//! `/api/v2/users/{id}/identities`: identities linked and parted.

use axum::Json as Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::schema::{Field, Kind, optional};
use domain::{Identity, Json, UserId};
use engine::federation::LinkRequest;
use serde_json::Value;

use super::path_id::PathId;
use super::user_body;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

const LINK: &[Field] = &[
    optional("provider", Kind::Text(1, 128)),
    optional("connection_id", Kind::Text(1, 128)),
    optional("user_id", Kind::Text(1, 512)),
    optional("link_with", Kind::Text(1, 65_536)),
];

/// Tokens of the Management API name clients, not users: `update:current_user_identities` is of no
/// use here.
const SCOPES: &[&str] = &["update:users"];

/// `POST /users/{id}/identities`: 201 and all identities.
pub async fn link(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(SCOPES)?;
    let request = read(body.shaped(LINK)?)?;
    let user = UserId::from(id);
    let identities = state.engine.link_identity(context, &user, request).await?;
    Ok((StatusCode::CREATED, Body(shown(&identities))).into_response())
}

fn read(mut body: Json) -> Result<LinkRequest, ApiError> {
    let mut text = |name: &str| match body.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    match (text("link_with"), text("provider"), text("user_id")) {
        (Some(token), None, None) => Ok(LinkRequest::Token(token)),
        (None, Some(provider), Some(user_id)) => Ok(LinkRequest::Account {
            provider,
            user_id,
            connection_id: text("connection_id"),
        }),
        _ => Err(ApiError::invalid(
            "Payload validation error: 'Expected either link_with or provider and user_id'.",
        )),
    }
}

/// An identity in a path.
pub struct Place {
    user: String,
    provider: String,
    identity: String,
}

impl FromRequestParts<AppState> for Place {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let read = Path::<(String, String, String)>::from_request_parts(parts, state).await;
        let has_nul = |text: &String| text.contains('\0');
        match read {
            Ok(Path((user, provider, identity)))
                if ![&user, &provider, &identity].into_iter().any(has_nul) =>
            {
                Ok(Self {
                    user,
                    provider,
                    identity,
                })
            }
            _ => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "Path validation error: 'The path can't be read' on property id.",
                Some("invalid_uri"),
            )),
        }
    }
}

/// `DELETE /users/{id}/identities/{provider}/{user_id}`: what is left.
pub async fn part(
    State(state): State<AppState>,
    manager: Manager,
    place: Place,
) -> Result<Body<Value>, ApiError> {
    let context = manager.require(SCOPES)?;
    let user = UserId::from(place.user);
    let left = state
        .engine
        .part_identity(context, &user, &place.provider, &place.identity)
        .await?;
    Ok(Body(shown(&left)))
}

fn shown(identities: &[Identity]) -> Value {
    identities.iter().map(user_body::identity).collect()
}
