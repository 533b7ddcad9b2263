//! `/api/v2/tickets` and `POST /api/v2/jobs/verification-email`: one-time links.

use std::time::Duration;

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::schema::{Field, Kind, optional, required};
use domain::{ClientId, ConnectionId, EmailAddress, ImportJob, Json, UserId};
use engine::tickets::{About, TicketWish};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{JsonObject, Manager};
use crate::state::AppState;

const LIFETIME: Kind = Kind::Integer(0, 31_536_000);

/// The body of `POST /tickets/password-change`.
const PASSWORD_CHANGE: &[Field] = &[
    optional("user_id", Kind::Text(1, 300)),
    optional("connection_id", Kind::Text(1, 128)),
    optional("email", Kind::Email),
    optional("result_url", Kind::Uri),
    optional("client_id", Kind::Text(1, 128)),
    optional("ttl_sec", LIFETIME),
    optional("mark_email_as_verified", Kind::Boolean),
    optional("includeEmailInRedirect", Kind::Boolean),
];

/// The body of `POST /tickets/email-verification`.
const EMAIL_VERIFICATION: &[Field] = &[
    required("user_id", Kind::Text(1, 300)),
    optional("result_url", Kind::Uri),
    optional("client_id", Kind::Text(1, 128)),
    optional("ttl_sec", LIFETIME),
    optional("includeEmailInRedirect", Kind::Boolean),
];

/// The body of `POST /jobs/verification-email`.
const VERIFICATION_EMAIL: &[Field] = &[
    required("user_id", Kind::Text(1, 300)),
    optional("client_id", Kind::Text(1, 128)),
];

/// `POST /tickets/password-change`.
pub async fn post_password_change(
    State(state): State<AppState>,
    manager: Manager,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:user_tickets"])?;
    let wish = wish(&body.shaped(PASSWORD_CHANGE)?)?;
    let url = state.engine.password_change_ticket(context, wish).await?;
    Ok((StatusCode::CREATED, Body(json!({"ticket": url}))).into_response())
}

/// `POST /tickets/email-verification`.
pub async fn post_email_verification(
    State(state): State<AppState>,
    manager: Manager,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["create:user_tickets"])?;
    let wish = wish(&body.shaped(EMAIL_VERIFICATION)?)?;
    let url = state.engine.verification_ticket(context, wish).await?;
    Ok((StatusCode::CREATED, Body(json!({"ticket": url}))).into_response())
}

/// `POST /jobs/verification-email`. The mail is in the outbox when the answer leaves; the job says
/// `pending`, as the wire does.
pub async fn post_verification_email(
    State(state): State<AppState>,
    manager: Manager,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let context = manager.require(&["update:users"])?;
    let body = body.shaped(VERIFICATION_EMAIL)?;
    let user_id = UserId::from(text(&body, "user_id").unwrap_or_default());
    let client_id = text(&body, "client_id").map(ClientId::from);
    let id = state
        .engine
        .send_verification_mail(context, user_id, client_id.as_ref())
        .await?;
    let job = json!({
        "status": "pending", "type": "verification_email",
        "created_at": state.engine.now(), "id": id,
    });
    Ok((StatusCode::CREATED, Body(job)).into_response())
}

/// Such a job, asked for later.
pub fn shown_mail_job(job: &ImportJob) -> Json {
    let members = [
        ("status", job.status.as_str().into()),
        ("type", "verification_email".into()),
        ("created_at", job.created_at.to_string().into()),
        ("id", job.id.to_string().into()),
    ];
    members
        .into_iter()
        .map(|(name, value): (&str, Value)| (name.to_owned(), value))
        .collect()
}

fn text<'a>(body: &'a Json, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

fn wish(body: &Json) -> Result<TicketWish, ApiError> {
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let result_url = text(body, "result_url").map(str::to_owned);
    let client_id = text(body, "client_id").map(ClientId::from);
    if result_url.is_some() && client_id.is_some() {
        let message = "Cannot set both result_url and client_id.";
        return Err(ApiError::invalid(message));
    }
    if let Some(url) = &result_url
        && !is_web_address(url)
    {
        let message = "Payload validation error: 'Only http and https' on property result_url.";
        return Err(ApiError::invalid(message));
    }
    let seconds = body.get("ttl_sec").and_then(Value::as_u64);
    Ok(TicketWish {
        about: about(body)?,
        result_url,
        client_id,
        // 0 asks for the default, as documented.
        lifetime: seconds
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        proves_email: flag("mark_email_as_verified"),
        tells_email: flag("includeEmailInRedirect"),
    })
}

/// Browsers are sent there by a `Location` header, which takes visible ASCII.
fn is_web_address(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.bytes().all(|byte| byte.is_ascii_graphic())
}

fn about(body: &Json) -> Result<About, ApiError> {
    let email = text(body, "email").and_then(|email| EmailAddress::parse(email).ok());
    match (text(body, "user_id"), text(body, "connection_id"), email) {
        (Some(id), None, None) => Ok(About::User(UserId::from(id))),
        (None, Some(id), Some(email)) => Ok(About::Address(ConnectionId::from(id), email)),
        _ => Err(ApiError::invalid(
            "Payload validation error: 'Either user_id, or connection_id and email, are needed'.",
        )),
    }
}
