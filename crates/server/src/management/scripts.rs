//! `/api/v2/connections/{id}/scripts`: ours, not the wire's. Try a script, watch scripts at work.
//!
//! A trial runs the script for real: `create` adds a user to the legacy store and `delete` removes
//! one. Nothing is written here. What is watched is this server's part: behind several servers,
//! watch each.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json as Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::{ConnectionId, Json};
use engine::trial::{Prospect, TrialReport, TrialRequest};
use futures_util::Stream;
use script::{Happening, LogLine, Said, ScriptEvent, ScriptName};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::path_id::PathId;
use super::user_body;
use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

/// The connection and the script of a path.
pub struct ScriptPath {
    connection: ConnectionId,
    script: ScriptName,
}

impl FromRequestParts<AppState> for ScriptPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let missing =
            |message| ApiError::new(StatusCode::NOT_FOUND, message, Some("inexistent_script"));
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Ok(Path((connection, name))) = path else {
            return Err(missing("The path is not percent-encoded UTF-8".to_owned()));
        };
        match ScriptName::parse(&name) {
            Some(script) => Ok(Self {
                connection: connection.into(),
                script,
            }),
            None => Err(missing(format!("There is no script named {name:?}."))),
        }
    }
}

/// `POST /connections/{id}/scripts/{name}/try`: the script's arguments by name, and `source` for a
/// text that is not saved yet.
pub async fn attempt(
    State(state): State<AppState>,
    manager: Manager,
    path: ScriptPath,
    JsonObject(mut body): JsonObject,
) -> Result<Body<Json>, ApiError> {
    manager.require(&["update:connections"])?;
    let source = match body.shift_remove("source") {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => return Err(ApiError::invalid("\"source\" must be a text.")),
    };
    let request = TrialRequest {
        script: path.script,
        arguments: body,
        source,
    };
    let report = state.engine.try_script(&path.connection, request).await?;
    Ok(Body(render(report)))
}

/// `GET /connections/{id}/scripts/logs`: server-sent events, until the reader goes away.
pub async fn logs(
    State(state): State<AppState>,
    manager: Manager,
    PathId(id): PathId,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    manager.require(&["read:logs"])?;
    let connection = ConnectionId::from(id);
    state.engine.require_connection(&connection).await?;
    let watch = Watch {
        trials: ConnectionId::from(format!("{connection}/trial")),
        connection,
        news: state.engine.scripts.watch(),
    };
    let draining = state.draining.clone();
    let events = futures_util::stream::unfold((watch, draining), |(mut watch, draining)| async {
        // A reader that stays on must not hold up the end of the server.
        let event = tokio::select! {
            event = watch.next() => event?,
            () = draining.cancelled() => return None,
        };
        Some((Ok(event), (watch, draining)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// One reader of a connection's events.
struct Watch {
    connection: ConnectionId,
    trials: ConnectionId,
    news: Receiver<Arc<ScriptEvent>>,
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        loop {
            match self.news.recv().await {
                Ok(event) if event.connection == self.connection => {
                    return Some(shown(&event.what, false));
                }
                Ok(event) if event.connection == self.trials => {
                    return Some(shown(&event.what, true));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(count)) => {
                    return Some(Event::default().event("lost").data(count.to_string()));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn shown(what: &Happening, is_trial: bool) -> Event {
    let (kind, mut data) = match what {
        Happening::Line { script, line } => (
            "line",
            json!({"script": script.as_str(), "level": line.level.as_str(), "text": line.message}),
        ),
        Happening::Stray(line) => (
            "line",
            json!({"level": line.level.as_str(), "text": line.message, "late": true}),
        ),
        Happening::Late { how, error } => ("late", json!({"how": how, "error": error})),
        Happening::Ended {
            script,
            how,
            detail,
            took,
        } => (
            "ended",
            json!({"script": script.as_str(), "how": how, "detail": detail, "took_ms": took.as_millis()}),
        ),
        Happening::CircuitOpened { reason, pause } => (
            "circuit_opened",
            json!({"reason": reason, "pause_ms": pause.as_millis()}),
        ),
        Happening::CircuitClosed => ("circuit_closed", json!({})),
    };
    if let (true, Value::Object(data)) = (is_trial, &mut data) {
        data.insert("trial".into(), true.into());
    }
    Event::default().event(kind).data(data.to_string())
}

fn render(report: TrialReport) -> Json {
    let (outcome, detail) = report.outcome.in_words();
    let mut body = Json::new();
    body.insert("script".into(), report.script.as_str().into());
    body.insert("runtime".into(), report.runtime.into());
    body.insert("outcome".into(), outcome.into());
    if let Some(detail) = detail {
        body.insert("detail".into(), detail.into());
    }
    match report.said {
        Said::Value(value) => drop(body.insert("value".into(), value)),
        Said::Error {
            name,
            message,
            code,
            at,
        } => {
            let error = json!({"name": name, "message": message, "code": code, "at": at});
            body.insert("error".into(), error);
        }
        Said::Nothing => {}
    }
    match report.profile {
        Some(Ok(profile)) => {
            let user = user_body::render_arriving(&profile);
            body.insert("profile".into(), user.into());
        }
        // What a login would take for an outage.
        Some(Err(fault)) => {
            body.insert("outcome".into(), "failed".into());
            body.insert("detail".into(), fault.into());
        }
        None => {}
    }
    if let Some(prospect) = report.prospect {
        body.insert("would".into(), would(&prospect));
    }
    let console: Vec<Value> = report.console.iter().map(console_line).collect();
    body.insert("console".into(), console.into());
    let took = u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX);
    body.insert("took_ms".into(), took.into());
    body
}

fn console_line(line: &LogLine) -> Value {
    json!({"level": line.level.as_str(), "text": line.message})
}

fn would(prospect: &Prospect) -> Value {
    match prospect {
        Prospect::Create => json!({"do": "create"}),
        Prospect::Update(user) => json!({"do": "update", "user_id": user}),
        Prospect::Settled(user) => json!({
            "do": "nothing", "user_id": user,
            "reason": "the user is here with a password: the script would not be asked",
        }),
        Prospect::Refuse { key, held_by } => json!({
            "do": "refuse", "reason": format!("another user holds this {}", key.as_str()),
            "held_by": held_by,
        }),
    }
}
