//! Uploads in parts, ours, in the manner of the resumable uploads of the IETF and of tus: begun by a
//! POST, carried on by a PATCH each that says at which byte it begins, looked at by HEAD. A finished one
//! is named as `upload` in the form of `POST /jobs/users-imports`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::JobId;
use futures_util::StreamExt as _;
use serde_json::json;
use store::Upload;

use crate::error::ApiError;
use crate::extract::{Manager, refuse_compressed};
use crate::state::AppState;

const OFFSET: &str = "upload-offset";
const LENGTH: &str = "upload-length";

/// `POST /jobs/uploads`: begins one; the header `Upload-Length` may say how large it will be.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    manager.require(&["create:users"])?;
    let size = number(&headers, LENGTH)?;
    let upload = state.engine.create_upload(size).await?;
    let mut answer = shown(&upload, StatusCode::CREATED);
    let location = format!("/api/v2/jobs/uploads/{}", upload.id);
    if let Ok(location) = HeaderValue::from_str(&location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    Ok(answer)
}

/// `GET` and `HEAD /jobs/uploads/{id}`: how far it came.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    manager.require(&["create:users"])?;
    let upload = state.engine.find_upload(&id.into()).await?;
    Ok(shown(&upload, StatusCode::OK))
}

/// `PATCH /jobs/uploads/{id}`: more bytes, from the byte that the header `Upload-Offset` names. What
/// arrived of a request that breaks off is kept.
pub async fn append(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    manager.require(&["create:users"])?;
    refuse_compressed(&headers)?;
    let offset = number(&headers, OFFSET)?
        .ok_or_else(|| ApiError::invalid("The header Upload-Offset is missing."))?;
    let id = JobId::from(id);
    let mut part = state.engine.continue_upload(&id, offset).await?;
    let mut bytes = body.into_data_stream();
    let mut broken = false;
    while let Some(chunk) = bytes.next().await {
        let Ok(chunk) = chunk else {
            broken = true;
            break;
        };
        part.write(chunk).await?;
    }
    let upload = part.finish().await?;
    if broken {
        return Err(ApiError::invalid("The request body could not be read."));
    }
    Ok(shown(&upload, StatusCode::OK))
}

/// `DELETE /jobs/uploads/{id}`: forgets it.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    manager.require(&["create:users"])?;
    state.engine.delete_upload(&id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(upload: &Upload, status: StatusCode) -> Response {
    let body = json!({
        "id": upload.id, "received": upload.received, "size": upload.size,
        "created_at": upload.created_at,
    });
    let mut answer = (status, Json(body)).into_response();
    let headers = answer.headers_mut();
    headers.insert(OFFSET, upload.received.into());
    if let Some(size) = upload.size {
        headers.insert(LENGTH, size.into());
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A header that counts bytes.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    match number {
        Some(number) if number >= 0 => Ok(Some(number)),
        _ => Err(ApiError::invalid(format!(
            "The header {name} is no number of bytes."
        ))),
    }
}
