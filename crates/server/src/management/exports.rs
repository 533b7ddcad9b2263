//! Export jobs: the request, the job as the wire shows it, and the file behind its link.

use axum::Json as Body;
use axum::body::Body as Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::schema::{Field, Kind, optional, required};
use domain::{ExportField, ExportFormat, ExportJob, ExportRequest, JobStatus, Json};
use engine::export::{ExportAsk, ExportFile};
use futures_util::stream;
use serde_json::Value;

use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

/// The scope that credentials need beside `read:users`. Ours.
const CREDENTIALS: &str = "export:credentials";

const FIELD: Kind = Kind::Object(&[
    required("name", Kind::Text(1, 100)),
    optional("export_as", Kind::Text(1, 100)),
]);

const SHAPE: &[Field] = &[
    optional("connection_id", Kind::Text(1, 100)),
    optional("format", Kind::Enum(&["json", "csv"])),
    optional("limit", Kind::Integer(1, i64::MAX)),
    optional("fields", Kind::Array(&FIELD, 0, 1000)),
    optional(
        "credentials",
        Kind::Object(&[required("recipient", Kind::Text(1, 100_000))]),
    ),
];

/// `POST /jobs/users-exports`.
pub async fn post(
    State(state): State<AppState>,
    manager: Manager,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["read:users"])?;
    let body = body.shaped(SHAPE)?;
    if body.contains_key("credentials") {
        manager.require(&[CREDENTIALS])?;
    }
    let job = state.engine.accept_export(context, ask(&body)).await?;
    Ok(Body(shown(&job, None)).into_response())
}

/// The request, whose shape was checked.
fn ask(body: &Json) -> ExportAsk {
    let text = |object: &Json, name: &str| {
        let value = object.get(name).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    let fields = body.get("fields").and_then(Value::as_array);
    let fields = fields
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(|field| ExportField {
            name: text(field, "name").unwrap_or_default(),
            export_as: text(field, "export_as"),
        });
    let credentials = body.get("credentials").and_then(Value::as_object);
    ExportAsk {
        connection: text(body, "connection_id"),
        request: ExportRequest {
            format: text(body, "format")
                .and_then(|word| ExportFormat::parse(&word))
                .unwrap_or_default(),
            limit: body.get("limit").and_then(Value::as_i64),
            fields: fields.collect(),
            recipient: credentials.and_then(|object| text(object, "recipient")),
        },
    }
}

/// `GET /jobs/{id}` of an export. The link is for who may read users.
pub async fn shown_now(
    state: &AppState,
    manager: &Manager,
    job: &ExportJob,
) -> Result<Json, ApiError> {
    let location = if manager.may("read:users") {
        state.engine.export_location(job).await?
    } else {
        None
    };
    let mut body = shown(job, location);
    let is_over = job.status == JobStatus::Completed && !job.is_available(state.engine.now());
    if is_over {
        body.insert("status_details".into(), "The file's time is over.".into());
    }
    Ok(body)
}

/// An export job as the wire shows it.
fn shown(job: &ExportJob, location: Option<String>) -> Json {
    let mut body = Json::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    // The wire knows three states; a job that a worker holds is still pending to its caller.
    let status = match job.status {
        JobStatus::Processing => JobStatus::Pending,
        other => other,
    };
    put("status", status.as_str().into());
    put("type", "users_export".into());
    put("created_at", job.created_at.to_string().into());
    put("id", job.id.to_string().into());
    if let Some(connection) = &job.connection {
        put("connection_id", connection.to_string().into());
    }
    put("format", job.request.format.as_str().into());
    if let Some(limit) = job.request.limit {
        put("limit", limit.into());
    }
    if !job.request.fields.is_empty() {
        let fields = serde_json::to_value(&job.request.fields);
        put("fields", fields.unwrap_or_default());
    }
    if let Some(details) = &job.status_details {
        put("status_details", details.clone().into());
    }
    if job.started_at.is_some() {
        let done = match job.status {
            JobStatus::Completed => 100,
            _ => (job.written * 100 / job.expected.max(1)).min(99),
        };
        put("percentage_done", done.into());
        put("summary", serde_json::json!({"total": job.written}));
    }
    if let Some(location) = location {
        put("location", location.into());
    }
    body
}

/// `GET /exports/{id}/{link}`: the file, for whoever has the link.
pub async fn download(
    State(state): State<AppState>,
    Path((id, link)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let file = state.engine.open_export(&id.into(), &link).await?;
    let ExportFile {
        name,
        kind,
        size,
        bytes,
    } = file;
    let body = stream::unfold(Some(bytes), async |bytes| {
        let mut bytes = bytes?;
        match bytes.next().await {
            Ok(Some(part)) => Some((Ok(part), Some(bytes))),
            Ok(None) => None,
            // The answer has begun: cutting it off is the only way left to say so.
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    let head = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((head, Bytes::from_stream(body)).into_response())
}
