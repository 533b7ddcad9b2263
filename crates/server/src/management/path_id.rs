//! The `{id}` of a path, percent-decoded, with the wire's words for one that can't be read.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::state::AppState;

/// The last parameter of a path.
pub struct PathId(pub String);

/// The two parameters of a path.
pub struct PathIds(pub String, pub String);

impl FromRequestParts<AppState> for PathIds {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((one, other))) if one.contains('\0') || other.contains('\0') => {
                Err(refusal("Text must not contain the character U+0000"))
            }
            Ok(Path((one, other))) => Ok(Self(one, other)),
            Err(_) => Err(refusal("The path is not percent-encoded UTF-8")),
        }
    }
}

fn refusal(problem: &str) -> ApiError {
    let message = format!("Path validation error: '{problem}' on property id.");
    ApiError::new(StatusCode::BAD_REQUEST, message, Some("invalid_uri"))
}

impl FromRequestParts<AppState> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let problem = match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) if id.contains('\0') => "Text must not contain the character U+0000",
            Ok(Path(id)) => return Ok(Self(id)),
            Err(_) => "The path is not percent-encoded UTF-8",
        };
        Err(refusal(problem))
    }
}
