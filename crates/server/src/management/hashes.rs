//! `/api/v2/ferry/…`: ours, not the wire's. What made a hash, and whether a row of an import file
//! lets its user in. Nothing is written, and nothing that is asked is logged.

use std::time::Duration;

use axum::Json as Body;
use axum::extract::State;
use domain::{ConfigurationValue, ConnectionId, HashText, Json, Password};
use engine::import::Proof;
use password::identify::{Question, Report, Sample};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

/// Samples that one request may bring.
const MOST_SAMPLES: usize = 20;
/// Seconds that a search gets, unless asked otherwise, and at most.
const SECONDS: u64 = 10;

/// `POST /ferry/hash/identify`: `samples` (each `hash` and perhaps `salt`, `username`, `email`,
/// `user_id`, `password`), perhaps `pepper` and `seconds`.
pub async fn identify(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(mut body): JsonObject,
) -> Result<Body<Report>, ApiError> {
    manager.require(&["create:users"])?;
    let seconds = match body.shift_remove("seconds") {
        None => SECONDS,
        Some(value) => value
            .as_u64()
            .filter(|seconds| (1..=SECONDS).contains(seconds))
            .ok_or_else(|| ApiError::invalid("\"seconds\" must be from 1 to 10."))?,
    };
    let pepper = text(&mut body, "pepper")?.map(ConfigurationValue::from);
    let given = match body.shift_remove("samples") {
        Some(Value::Array(given)) if (1..=MOST_SAMPLES).contains(&given.len()) => given,
        _ => return Err(ApiError::invalid("\"samples\" must be 1 to 20 objects.")),
    };
    nothing_else(&body)?;
    let samples = given.into_iter().map(sample).collect::<Result<_, _>>()?;
    let question = Question { samples, pepper };
    let time = Duration::from_secs(seconds);
    let report = state.engine.identify_hash(question, time).await?;
    Ok(Body(report))
}

fn sample(given: Value) -> Result<Sample, ApiError> {
    let Value::Object(mut given) = given else {
        return Err(ApiError::invalid("Each of \"samples\" must be an object."));
    };
    let sample = Sample {
        hash: HashText::from(required(&mut given, "hash")?),
        salt: text(&mut given, "salt")?,
        username: text(&mut given, "username")?,
        email: text(&mut given, "email")?,
        user_id: text(&mut given, "user_id")?,
        password: text(&mut given, "password")?.map(Password::from),
    };
    nothing_else(&given)?;
    Ok(sample)
}

/// `POST /ferry/imports/prove`: `connection_id`, `row` (the text of one row) and `password`.
pub async fn prove(
    State(state): State<AppState>,
    manager: Manager,
    JsonObject(mut body): JsonObject,
) -> Result<Body<Value>, ApiError> {
    manager.require(&["create:users"])?;
    let connection = ConnectionId::from(required(&mut body, "connection_id")?);
    let row = required(&mut body, "row")?;
    let password = Password::from(required(&mut body, "password")?);
    nothing_else(&body)?;
    let proof = state.engine.prove_row(&connection, &row, password).await?;
    Ok(Body(match proof {
        Proof::Verified(algorithm) => json!({"outcome": "verified", "algorithm": algorithm}),
        Proof::NoPassword => json!({"outcome": "no_password"}),
        Proof::Refused(errors) => json!({"outcome": "refused", "errors": errors}),
        Proof::Mismatch(algorithm, report) => {
            json!({"outcome": "mismatch", "algorithm": algorithm, "search": *report})
        }
    }))
}

fn text(body: &mut Json, name: &str) -> Result<Option<String>, ApiError> {
    match body.shift_remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::invalid(format!("\"{name}\" must be a text."))),
    }
}

fn required(body: &mut Json, name: &str) -> Result<String, ApiError> {
    text(body, name)?.ok_or_else(|| ApiError::invalid(format!("\"{name}\" is missing.")))
}

fn nothing_else(body: &Json) -> Result<(), ApiError> {
    match body.keys().next() {
        None => Ok(()),
        Some(name) => Err(ApiError::invalid(format!("Unknown member: {name:?}."))),
    }
}
