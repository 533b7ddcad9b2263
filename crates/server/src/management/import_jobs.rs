//! What is ours around import jobs: a list, pause, resume and cancel, events, failed rows.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::{ConnectionId, JobId};
use engine::Engine;
use engine::import::{JobCommand, JobDetails};
use futures_util::{Stream, stream};
use tokio_util::sync::CancellationToken;

use super::jobs::{shown, shown_details};
use crate::error::ApiError;
use crate::extract::{Manager, Query};
use crate::state::AppState;

/// How often a job is looked at for who watches it; any server may be at work on it.
const LOOK: Duration = Duration::from_millis(500);
/// Failed rows read at a time: each may be as large as a row is allowed to be.
const STEP: u32 = 50;

/// `GET /jobs`: import jobs, the newest first.
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    query: Query,
) -> Result<Json<Vec<domain::Json>>, ApiError> {
    manager.require(&["create:users", "read:users"])?;
    query.only(&["page", "per_page", "connection_id"])?;
    let connection = query.get("connection_id").map(ConnectionId::from);
    let page = query.page()?.0;
    let jobs = state
        .engine
        .list_import_jobs(connection.as_ref(), page)
        .await?;
    Ok(Json(jobs.iter().map(shown).collect()))
}

/// `POST /jobs/{id}/pause`: puts a job aside where it stands.
pub async fn pause(
    state: State<AppState>,
    manager: Manager,
    id: Path<String>,
) -> Result<Json<domain::Json>, ApiError> {
    command(state, manager, id, JobCommand::Pause).await
}

/// `POST /jobs/{id}/resume`: lets it go on.
pub async fn resume(
    state: State<AppState>,
    manager: Manager,
    id: Path<String>,
) -> Result<Json<domain::Json>, ApiError> {
    command(state, manager, id, JobCommand::Resume).await
}

/// `POST /jobs/{id}/cancel`: gives it up; what it has written stays.
pub async fn cancel(
    state: State<AppState>,
    manager: Manager,
    id: Path<String>,
) -> Result<Json<domain::Json>, ApiError> {
    command(state, manager, id, JobCommand::Cancel).await
}

async fn command(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
    command: JobCommand,
) -> Result<Json<domain::Json>, ApiError> {
    let context = manager.require(&["create:users"])?;
    let job = state
        .engine
        .control_import(context, &id.into(), command)
        .await?;
    Ok(Json(shown(&job)))
}

/// `GET /jobs/{id}/events`: the job as `GET /jobs/{id}` shows it, at once and at each change, until
/// it ends.
pub async fn events(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    manager.require(&["create:users", "read:users"])?;
    let first = state.engine.find_job_details(&id.into()).await?;
    let watch = Watch {
        id: first.job.id.clone(),
        engine: Arc::clone(&state.engine),
        draining: state.draining.clone(),
        next: Some(first),
        shown: None,
    };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.event().await?;
        Some((Ok(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// One reader of a job's events.
struct Watch {
    id: JobId,
    engine: Arc<Engine>,
    draining: CancellationToken,
    /// What is known and not told yet.
    next: Option<JobDetails>,
    /// What was told last; the end is told once.
    shown: Option<(domain::Json, bool)>,
}

impl Watch {
    async fn event(&mut self) -> Option<Event> {
        if self.shown.as_ref().is_some_and(|(_, is_end)| *is_end) {
            return None;
        }
        loop {
            let details = match self.next.take() {
                Some(details) => details,
                None => self.look().await?,
            };
            let body = shown_details(&details);
            let is_news = self.shown.as_ref().is_none_or(|(last, _)| *last != body);
            if is_news {
                let text = serde_json::to_string(&body).ok()?;
                self.shown = Some((body, details.job.status.is_final()));
                return Some(Event::default().event("job").data(text));
            }
        }
    }

    /// Looks again after a while; `None` when the server ends, or the job can't be found.
    async fn look(&mut self) -> Option<JobDetails> {
        // A reader that stays on must not hold up the end of the server.
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = self.draining.cancelled() => return None,
        }
        self.engine.find_job_details(&self.id).await.ok()
    }
}

/// `GET /jobs/{id}/failed-rows`: the failed rows as they were sent, hashes included, as a file that
/// can be imported again.
pub async fn failed_rows(
    State(state): State<AppState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:users"])?;
    let id = JobId::from(id);
    state.engine.note_failed_rows_read(context, &id).await?;
    let engine = Arc::clone(&state.engine);
    let lines = stream::unfold(Some(0), move |after| {
        let (engine, id) = (Arc::clone(&engine), id.clone());
        async move {
            match engine.list_failed_rows_after(&id, after?, STEP).await {
                Ok(None) => None,
                Ok(Some((lines, last))) => Some((Ok(lines), Some(last))),
                // The answer has begun: cutting it off is the only way left to say so.
                Err(error) => Some((Err(std::io::Error::other(error)), None)),
            }
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}
