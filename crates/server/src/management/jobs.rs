//! Import jobs as documented: the upload as a stream, and the reads. What is ours beside them
//! stands in `import_jobs` and `uploads`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::conflict::Policy;
use domain::import_job::{ImportJob, JobStatus};
use domain::{CsvMapping, FileFormat, JobId};
use engine::import::{ImportRequest, JobDetails, RowReport, Spool};
use engine::{Engine, Error};
use futures_util::stream;
use multer::Multipart;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Manager, Query, refuse_compressed};
use crate::state::AppState;

/// Largest text part of the form.
const MAX_TEXT_PART: usize = 4096;
/// Largest mapping.
const MAX_MAPPING: usize = 256 << 10;
/// Row errors read at a time.
const STEP: u32 = 1000;

/// `POST /jobs/users-imports`: spools the file durably, then accepts the job.
pub async fn post_users_imports(
    State(state): State<AppState>,
    manager: Manager,
    request: Request,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:users"])?.clone();
    refuse_compressed(request.headers())?;
    let (spool, form) = receive(&state.engine, request).await?;
    let job = state.engine.accept_import(&context, form, spool).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(&job))).into_response())
}

#[derive(Default)]
struct Form {
    connection_id: Option<String>,
    upsert: bool,
    external_id: Option<String>,
    send_completion_email: Option<bool>,
    options: domain::ImportOptions,
    idempotency_key: Option<String>,
    upload: Option<JobId>,
}

/// The form's boundary, and the caller's key when there is one.
fn read_headers(headers: &axum::http::HeaderMap) -> Result<(String, Option<String>), ApiError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = kind
        .and_then(|kind| multer::parse_boundary(kind).ok())
        .ok_or_else(bad_form)?;
    let key = headers.get("idempotency-key");
    let key = key
        .map(|value| value.to_str().map(str::to_owned))
        .transpose();
    let key = key.map_err(|_| ApiError::invalid("The header Idempotency-Key is no ASCII text."))?;
    Ok((boundary, key))
}

async fn receive(
    engine: &Arc<Engine>,
    request: Request,
) -> Result<(Spool, ImportRequest), ApiError> {
    let (boundary, key) = read_headers(request.headers())?;
    let body = axum::body::Body::from_request(request, &())
        .await
        .map_err(|_| bad_form())?;
    let mut parts = Multipart::new(body.into_data_stream(), boundary);
    let mut form = Form {
        idempotency_key: key,
        ..Form::default()
    };
    let mut spool = None;
    while let Some(part) = parts.next_field().await.map_err(|_| bad_form())? {
        match part.name().unwrap_or_default() {
            "users" if spool.is_some() => return Err(twice("users")),
            "users" => spool = Some(spool_part(engine, part).await?),
            name => {
                let name = name.to_owned();
                let most = if name == "mapping" {
                    MAX_MAPPING
                } else {
                    MAX_TEXT_PART
                };
                form.take(&name, &text_part(part, most).await?)?;
            }
        }
    }
    let missing =
        |part: &str| ApiError::invalid(format!("Must provide '{part}' as multipart part."));
    let spool = match (spool, &form.upload) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                "'users' and 'upload' exclude each other.",
            ));
        }
        (None, Some(upload)) => Some(engine.arrived_upload(upload).await?),
        (spool, None) => spool,
    };
    let spool =
        spool.ok_or_else(|| ApiError::invalid("Must provide 'users' file as multipart part."))?;
    let request = ImportRequest {
        connection: form.connection_id.ok_or_else(|| missing("connection_id"))?,
        upsert: form.upsert,
        external_id: form.external_id,
        send_completion_email: form.send_completion_email.unwrap_or(true),
        options: form.options,
        idempotency_key: form.idempotency_key,
    };
    Ok((spool, request))
}

async fn spool_part(engine: &Arc<Engine>, mut part: multer::Field<'_>) -> Result<Spool, ApiError> {
    let mut spool = engine.open_spool().await?;
    while let Some(chunk) = part.chunk().await.map_err(|_| bad_form())? {
        spool.write(chunk).await?;
    }
    Ok(spool)
}

async fn text_part(mut part: multer::Field<'_>, most: usize) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|_| bad_form())? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(bad_form());
        }
    }
    String::from_utf8(bytes).map_err(|_| bad_form())
}

impl Form {
    fn take(&mut self, name: &str, text: &str) -> Result<(), ApiError> {
        let flag = || match text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ApiError::invalid(format!(
                "Payload validation error: 'Expected type boolean but found type string' on property {name}."
            ))),
        };
        match name {
            "connection_id" => self.connection_id = Some(text.to_owned()),
            "external_id" => self.external_id = Some(text.to_owned()),
            "upsert" => self.upsert = flag()?,
            "dry_run" => self.options.dry_run = flag()?,
            "policy" => {
                let policy = Policy::parse(text).map_err(|error| {
                    let error = error.under("policy");
                    ApiError::invalid(format!("Payload validation error: '{error}'."))
                })?;
                self.options.policy = Some(policy);
            }
            "send_completion_email" => self.send_completion_email = Some(flag()?),
            "idempotency_key" => self.idempotency_key = Some(text.to_owned()),
            "upload" => self.upload = Some(text.trim().into()),
            "format" => self.options.format = Some(format_named(text)?),
            "mapping" => self.options.mapping = Some(mapping(text)?),
            _ => {
                return Err(ApiError::invalid(format!(
                    "Payload validation error: 'Additional properties not allowed: {name}'."
                )));
            }
        }
        Ok(())
    }
}

fn format_named(text: &str) -> Result<FileFormat, ApiError> {
    match text.trim() {
        "json" => Ok(FileFormat::Json),
        "csv" => Ok(FileFormat::Csv),
        _ => Err(ApiError::invalid(
            "Payload validation error: 'Expected json or csv' on property format.",
        )),
    }
}

fn mapping(text: &str) -> Result<CsvMapping, ApiError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        ApiError::invalid(format!(
            "Payload validation error: 'Object didn't pass validation for format json: {error}' \
             on property mapping."
        ))
    })?;
    CsvMapping::parse(&value).map_err(|error| Error::payload(&error.under("mapping")).into())
}

fn bad_form() -> ApiError {
    ApiError::invalid("Payload validation error: 'Invalid multipart payload format'.")
}

fn twice(name: &str) -> ApiError {
    ApiError::invalid(format!(
        "Payload validation error: 'Given more than once' on property {name}."
    ))
}

/// A job as the wire shows it.
pub fn shown(job: &ImportJob) -> domain::Json {
    let mut body = domain::Json::new();
    let mut put = |name: &str, value: serde_json::Value| drop(body.insert(name.to_owned(), value));
    // The wire knows three states; a job that a worker holds is still pending to its caller.
    let status = if job.status == JobStatus::Processing {
        "pending"
    } else {
        job.status.as_str()
    };
    put("status", status.into());
    put("type", "users_import".into());
    put("created_at", job.created_at.to_string().into());
    put("id", job.id.to_string().into());
    put("connection_id", job.connection.to_string().into());
    put("upsert", job.upsert.into());
    put("send_completion_email", job.send_completion_email.into());
    if job.options.dry_run {
        put("dry_run", true.into());
    }
    if let Some(policy) = &job.options.policy {
        put("policy", policy.clone().into());
    }
    if let Some(external_id) = &job.external_id {
        put("external_id", external_id.clone().into());
    }
    if let Some(details) = &job.status_details {
        put("status_details", details.clone().into());
    }
    if job.started_at.is_some() {
        let counters = job.counters;
        put("percentage_done", percentage(job).into());
        put("processed_bytes", processed(job).into());
        put("total_bytes", job.size.into());
        if let Some(rate) = job.rate() {
            put("rate", rate.into());
        }
        if let Some(seconds) = job.seconds_left() {
            put("time_left_seconds", seconds.into());
        }
        put(
            "summary",
            json!({
                "failed": counters.failed, "updated": counters.updated,
                "inserted": counters.inserted, "total": counters.total,
            }),
        );
    }
    body
}

/// Bytes of the upload that are read and committed. What a packed file ends with is no row's.
fn processed(job: &ImportJob) -> i64 {
    if job.status == JobStatus::Completed {
        job.size
    } else {
        job.consumed
    }
}

fn percentage(job: &ImportJob) -> i64 {
    processed(job) * 100 / job.size.max(1)
}

/// A job with its errors by code, as the reads of one job show it.
pub fn shown_details(details: &JobDetails) -> domain::Json {
    let mut body = shown(&details.job);
    if !details.errors.is_empty() {
        body.insert("error_codes".to_owned(), json!(details.errors));
    }
    body
}

/// `GET /jobs/{id}`.
pub async fn get(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<domain::Json>, ApiError> {
    manager.require(&["create:users", "read:users"])?;
    let id: JobId = id.into();
    if let Some(export) = state.engine.find_export(&id).await? {
        let shown = super::exports::shown_now(&state, &manager, &export).await?;
        return Ok(Json(shown));
    }
    if state.engine.store.is_mail_job(&id).await? {
        let job = state.engine.find_job(&id).await?;
        return Ok(Json(super::tickets::shown_mail_job(&job)));
    }
    let details = state.engine.find_job_details(&id).await?;
    Ok(Json(shown_details(&details)))
}

/// `GET /jobs/{id}/errors`: failed rows, the failed job itself, or 204. `page` and `per_page` are
/// ours; without them all rows are sent.
pub async fn errors(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    manager.require(&["create:users", "read:users"])?;
    query.only(&["page", "per_page"])?;
    let id: JobId = id.into();
    let job = state
        .engine
        .find_job(&id)
        .await
        .map_err(|error| match error {
            Error::Missing { code, .. } => Error::Missing {
                message: "The job does not exist".into(),
                code,
            },
            other => other,
        })?;
    if query.get("per_page").is_some() || query.get("page").is_some() {
        let rows = state.engine.list_row_errors(&id, query.page()?.0).await?;
        return Ok(Json(rows).into_response());
    }
    let rows = state.engine.list_row_errors_after(&id, 0, STEP).await?;
    if !rows.is_empty() {
        return Ok(report(state.engine, id, rows));
    }
    if job.status == JobStatus::Failed {
        if let Some(export) = state.engine.find_export(&id).await? {
            let shown = super::exports::shown_now(&state, &manager, &export).await?;
            return Ok(Json(shown).into_response());
        }
        let body = json!({
            "status": "failed", "type": "users_import", "created_at": job.created_at,
            "id": job.id, "connection_id": job.connection, "status_details": job.status_details,
        });
        return Ok(Json(body).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// All failed rows as one JSON array, read and sent step by step: a report may be long.
fn report(engine: Arc<Engine>, id: JobId, first: Vec<RowReport>) -> Response {
    let rest = stream::unfold(Some((first, "[")), move |step| {
        let (engine, id) = (Arc::clone(&engine), id.clone());
        async move {
            let (rows, head) = step?;
            let Some(last) = rows.last().map(|row| row.row) else {
                return Some((Ok("]".to_owned()), None));
            };
            let texts: Result<Vec<String>, _> = rows.iter().map(serde_json::to_string).collect();
            let text = texts.map(|texts| format!("{head}{}", texts.join(",")));
            match engine.list_row_errors_after(&id, last, STEP).await {
                Ok(next) => Some((text.map_err(std::io::Error::other), Some((next, ",")))),
                // The answer has begun: cutting it off is the only way left to say so.
                Err(error) => Some((Err(std::io::Error::other(error)), None)),
            }
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, Body::from_stream(rest)).into_response()
}
