//! `/api/v2/users` and `/api/v2/users-by-email`.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{Json, User};
use engine::Error;
use engine::users::{Search, UserList};
use serde_json::json;
use store::UserSort;

use super::fields::Fields;
use super::path_id::PathId;
use super::user_body::{self, render};
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager, Query};
use crate::state::AppState;

/// `POST /users`.
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:users"])?;
    let asked = user_body::read_new(body.shaped(user_body::CREATE)?)?;
    let user = state.engine.create_user(context, asked).await?;
    Ok((StatusCode::CREATED, Body(render(&user))).into_response())
}

/// `GET /users/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    query: Query,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["read:users", "read:user_idp_tokens"])?;
    query.only(&["fields", "include_fields"])?;
    let fields = Fields::of(&query)?;
    let user = state.engine.user(&id.into()).await?;
    Ok(Body(fields.apply(render(&user))))
}

/// `PATCH /users/{id}`. With `update:users_app_metadata` alone, `app_metadata` is all that may
/// change.
pub async fn update(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
    body: JsonObject,
) -> Result<Body<Json>, ApiError> {
    let context = manager.require(&["update:users", "update:users_app_metadata"])?;
    let body = body.shaped(user_body::UPDATE)?;
    if !user_body::is_app_metadata_only(&body) {
        manager.require(&["update:users"])?;
    }
    let change = user_body::read_change(body);
    let user = state
        .engine
        .update_user(context, &id.into(), change)
        .await?;
    Ok(Body(render(&user)))
}

/// `DELETE /users/{id}`: 204 whether or not there was one.
pub async fn delete(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<StatusCode, ApiError> {
    let context = manager.require(&["delete:users"])?;
    state.engine.delete_user(context, &id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

const LIST: &[&str] = &[
    "page",
    "per_page",
    "include_totals",
    "sort",
    "fields",
    "include_fields",
    "q",
    "search_engine",
    "connection",
    "primary_order",
];

/// `GET /users`. Of the query language, this version understands what [`Search`] does.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Response, ApiError> {
    manager.require(&["read:users"])?;
    query.only(LIST)?;
    let (page, with_totals) = query.page()?;
    // Ours is always deterministic, which is what the parameter asks for.
    query.flag("primary_order")?;
    let fields = Fields::of(&query)?;
    let (sort, descending) = sort(&query)?;
    let list = UserList {
        search: search(&query)?,
        sort,
        descending,
        page,
    };
    let listing = state.engine.list_users(list).await?;
    let users = shown(&listing.items, &fields);
    if !with_totals {
        return Ok(Body(users).into_response());
    }
    let body = json!({
        "start": page.offset(), "limit": page.size, "length": users.len(),
        "total": listing.total.unwrap_or(0), "users": users,
    });
    Ok(Body(body).into_response())
}

/// `GET /users-by-email`: letter case tells no two people apart.
pub async fn by_email(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Body<Vec<Json>>, ApiError> {
    manager.require(&["read:users"])?;
    query.only(&["email", "fields", "include_fields"])?;
    let fields = Fields::of(&query)?;
    let missing =
        || ApiError::invalid_query("Query validation error: 'Missing required property: email'.");
    let email = query.get("email").ok_or_else(missing)?;
    user_body::check_email_parameter(email)?;
    let users = state
        .engine
        .store
        .list_users_by_email(email)
        .await
        .map_err(Error::from)?;
    Ok(Body(shown(&users, &fields)))
}

fn shown(users: &[User], fields: &Fields) -> Vec<Json> {
    users
        .iter()
        .map(|user| fields.apply(render(user)))
        .collect()
}

/// `sort=field:1`, `sort=field:-1`; in the order of arrival when nothing is asked.
fn sort(query: &Query) -> Result<(UserSort, bool), ApiError> {
    let Some(text) = query.get("sort") else {
        return Ok((UserSort::Arrival, false));
    };
    let not_fitting = |problem: String| {
        ApiError::invalid_query(format!(
            "Query validation error: '{problem}' on property sort."
        ))
    };
    let (field, descending) = match text.rsplit_once(':') {
        Some((field, "1")) => (field, false),
        Some((field, "-1")) => (field, true),
        _ => {
            return Err(not_fitting(format!(
                "String does not match pattern ^.+:(1|-1)$: {text}"
            )));
        }
    };
    match UserSort::parse(field) {
        Some(sort) => Ok((sort, descending)),
        None => Err(not_fitting(format!("Users can't be sorted by {field}"))),
    }
}

fn search(query: &Query) -> Result<Search, ApiError> {
    match query.get("search_engine") {
        None | Some("v3") => {}
        Some("v1") => {
            return Err(ApiError::invalid_query(
                "You are not allowed to use search_engine=v1.",
            ));
        }
        Some("v2") => {
            return Err(ApiError::invalid_query(
                "You are not allowed to use search_engine=v2. Use search_engine=v3 instead.",
            ));
        }
        Some(other) => {
            return Err(ApiError::invalid_query(format!(
                "Query validation error: 'No enum match for: {other}' on property search_engine."
            )));
        }
    }
    if query.get("connection").is_some() {
        return Err(ApiError::invalid_query(
            "Query validation error: 'Only search_engine=v1 knows it; use \
             q=identities.connection:\"name\"' on property connection.",
        ));
    }
    let unreadable = |problem: String| {
        ApiError::invalid_query(format!(
            "Query validation error: '{problem}' on property q."
        ))
    };
    query
        .get("q")
        .map_or(Ok(Search::All), |q| Search::parse(q).map_err(unreadable))
}
