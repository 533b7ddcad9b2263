//! `/api/v2/logs` and `/api/v2/users/{id}/logs`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Json, Page, UserId};
use serde_json::json;

use super::fields::Fields;
use super::path_id::PathId;
use crate::error::ApiError;
use crate::extract::{Manager, Query};
use crate::state::AppState;

const SCOPES: &[&str] = &["read:logs", "read:logs_users"];

/// The documented end of lists by page; checkpoints go further.
const WINDOW: i64 = 1000;

/// `GET /logs`, by page or by checkpoint.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Response, ApiError> {
    manager.require(SCOPES)?;
    if query.get("from").is_some() || query.get("take").is_some() {
        return checkpoint(&state, &query).await;
    }
    query.only(&[
        "page",
        "per_page",
        "sort",
        "include_totals",
        "fields",
        "include_fields",
    ])?;
    let fields = Fields::of(&query)?;
    let (page, with_totals) = page(&query)?;
    let store = &state.engine.store;
    let logs = store.list_logs(page, is_ascending(&query)?).await?;
    let total = if with_totals {
        Some(store.count_logs().await?)
    } else {
        None
    };
    Ok(render(page, logs, &fields, total))
}

/// Events after `from`, oldest first; the `Link` header leads to those that follow.
async fn checkpoint(state: &AppState, query: &Query) -> Result<Response, ApiError> {
    query.only(&["from", "take", "fields", "include_fields"])?;
    let fields = Fields::of(query)?;
    let take = query.number("take", 1, 100)?.unwrap_or(50);
    let from = query.get("from").unwrap_or_default();
    let logs = state.engine.store.list_logs_after(from, take).await?;
    let last = logs
        .last()
        .and_then(|log| log.get("log_id"))
        .and_then(|id| id.as_str());
    let next = last.map(|id| {
        let base = state.engine.settings.issuer.join("api/v2/logs");
        let kept = kept_parameters(query);
        format!("<{base}?from={id}&take={take}{kept}>; rel=\"next\"")
    });
    let body: Vec<_> = logs.into_iter().map(|log| fields.apply(log)).collect();
    let mut response = Body(body).into_response();
    if let Some(Ok(link)) = next.map(|next| HeaderValue::from_str(&next)) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// What the next page must be asked for alike.
fn kept_parameters(query: &Query) -> String {
    let names = ["fields", "include_fields"];
    let pairs: Vec<_> = names
        .into_iter()
        .filter_map(|name| Some((name, query.get(name)?)))
        .collect();
    match serde_urlencoded::to_string(pairs) {
        Ok(text) if !text.is_empty() => format!("&{text}"),
        _ => String::new(),
    }
}

/// `GET /logs/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Body<Json>, ApiError> {
    manager.require(SCOPES)?;
    let found = state.engine.store.find_log(&id).await?;
    let missing = || {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "Log not found.",
            Some("inexistent_log"),
        )
    };
    Ok(Body(found.ok_or_else(missing)?))
}

/// `GET /users/{id}/logs`. What happened to a user stays readable after the user is gone.
pub async fn of_user(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Response, ApiError> {
    manager.require(SCOPES)?;
    query.only(&["page", "per_page", "sort", "include_totals"])?;
    let (page, with_totals) = page(&query)?;
    let (user, store) = (UserId::from(id), &state.engine.store);
    let logs = store
        .list_user_logs(&user, page, is_ascending(&query)?)
        .await?;
    let total = if with_totals {
        Some(store.count_user_logs(&user).await?)
    } else {
        None
    };
    Ok(render(page, logs, &Fields::of(&query)?, total))
}

fn render(page: Page, logs: Vec<Json>, fields: &Fields, total: Option<i64>) -> Response {
    let logs: Vec<_> = logs.into_iter().map(|log| fields.apply(log)).collect();
    let Some(total) = total else {
        return Body(logs).into_response();
    };
    let body = json!({
        "start": page.offset(), "limit": page.size, "length": logs.len(), "total": total,
        "logs": logs,
    });
    Body(body).into_response()
}

fn page(query: &Query) -> Result<(Page, bool), ApiError> {
    let (page, with_totals) = query.page()?;
    if page.offset() + i64::from(page.size) > WINDOW {
        return Err(ApiError::invalid_query(
            "You can only page through the first 1000 records. Use from and take to read on.",
        ));
    }
    Ok((page, with_totals))
}

/// `sort=date:1` or `sort=date:-1`; newest first when nothing is asked.
fn is_ascending(query: &Query) -> Result<bool, ApiError> {
    match query.get("sort") {
        None | Some("date:-1") => Ok(false),
        Some("date:1") => Ok(true),
        Some(other) => Err(ApiError::invalid_query(format!(
            "Query validation error: 'No enum match for: {other}' on property sort."
        ))),
    }
}
