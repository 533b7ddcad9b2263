//! `POST /dbconnections/signup` and `/change_password`, with the error bodies of that family.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::schema::{Field, Kind, optional, required};
use domain::user::Attributes;
use domain::{EmailAddress, Password, Username};
use engine::tickets::RequestError;
use engine::{SignUp, SignUpError, signed_up_body};
use password::policy::Fault;
use script::ScriptRefusal;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{Caller, JsonObject};
use crate::state::AppState;

const SHAPE: &[Field] = &[
    required("client_id", Kind::Text(1, 128)),
    required("email", Kind::Email),
    required("password", Kind::Text(1, 4096)),
    required("connection", Kind::Text(1, 128)),
    optional(
        "username",
        Kind::Pattern(domain::username::PATTERN, domain::username::is_well_formed),
    ),
    optional("given_name", Kind::Text(1, 150)),
    optional("family_name", Kind::Text(1, 150)),
    optional("name", Kind::Text(1, 300)),
    optional("nickname", Kind::Text(1, 300)),
    optional("picture", Kind::Uri),
    optional("user_metadata", Kind::MapOf(&Kind::Text(0, 500))),
];

const CHANGE_PASSWORD: &[Field] = &[
    required("client_id", Kind::Text(1, 128)),
    required("connection", Kind::Text(1, 128)),
    optional("email", Kind::Email),
    optional("username", Kind::Text(1, 128)),
];

/// Mails a link that sets a new password, when there is somebody to mail it to. The answer comes
/// first and is the same for everybody.
pub async fn change_password(
    State(state): State<AppState>,
    Caller(context): Caller,
    body: JsonObject,
) -> Result<Response, Response> {
    let body = body
        .shaped(CHANGE_PASSWORD)
        .map_err(IntoResponse::into_response)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let named = text("email").or_else(|| text("username"));
    let named = named.map(str::trim).filter(|name| !name.is_empty());
    let Some(identifier) = named else {
        let message = "Payload validation error: 'Missing required property: email'.";
        return Err(ApiError::invalid(message).into_response());
    };
    let client_id = text("client_id").unwrap_or_default().into();
    let connection = text("connection").unwrap_or_default();
    let request = state
        .engine
        .accept_password_request(&client_id, connection, identifier.to_owned())
        .await
        .map_err(request_refusal)?;
    tokio::spawn(async move { state.engine.send_password_link(&context, request).await });
    Ok("We've just sent you an email to reset your password.".into_response())
}

fn request_refusal(error: RequestError) -> Response {
    let body = match error {
        RequestError::UnknownConnection => bad_request("invalid_request", "Unknown connection"),
        RequestError::Disabled => bad_request(
            "change_password_disabled",
            "Passwords of this connection cannot be changed here",
        ),
        RequestError::Failed(error) => return ApiError::from(error).into_response(),
    };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// Signs a person up.
pub async fn signup(
    State(state): State<AppState>,
    Caller(context): Caller,
    body: JsonObject,
) -> Result<Response, Response> {
    let sign_up = read(body).map_err(IntoResponse::into_response)?;
    let tells_existing = state.engine.settings.signup_tells_existing;
    match state.engine.sign_up(&context, sign_up).await {
        Ok(user) => Ok(Json(signed_up_body(&user)).into_response()),
        Err(error) => Err(refusal(error, tells_existing)),
    }
}

fn read(body: JsonObject) -> Result<SignUp, ApiError> {
    let mut body = body.shaped(SHAPE)?;
    let metadata = match body.shift_remove("user_metadata") {
        Some(Value::Object(metadata)) => Some(metadata),
        _ => None,
    };
    if metadata
        .as_ref()
        .is_some_and(|m| m.len() > 10 || m.keys().any(|k| k.chars().count() > 100))
    {
        let message =
            "user_metadata takes at most 10 properties with keys of at most 100 characters";
        return Err(ApiError::invalid(format!(
            "Payload validation error: '{message}'."
        )));
    }
    let mut take = |name: &str| match body.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let email = EmailAddress::parse(&take("email").unwrap_or_default())
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(SignUp {
        client_id: take("client_id").unwrap_or_default().into(),
        connection: take("connection").unwrap_or_default(),
        email,
        password: Arc::new(Password::from(take("password").unwrap_or_default())),
        username: take("username").and_then(|name| Username::parse(&name)),
        attributes: Attributes {
            given_name: take("given_name"),
            family_name: take("family_name"),
            name: take("name"),
            nickname: take("nickname"),
            picture: take("picture"),
            user_metadata: metadata,
            ..Attributes::default()
        },
    })
}

fn refusal(error: SignUpError, tells_existing: bool) -> Response {
    let (code, description) = match error {
        SignUpError::UserExists if tells_existing => ("user_exists", "The user already exists."),
        SignUpError::UsernameExists if tells_existing => (
            "username_exists",
            "The username provided is in use already.",
        ),
        SignUpError::UsernameRequired => ("bad.username", "A username is required."),
        SignUpError::UsernameUnwanted => ("bad.username", "This connection has no usernames."),
        SignUpError::Throttled => return throttled(),
        SignUpError::Disabled => ("public_signup_disabled", "Public signup is disabled"),
        SignUpError::UserExists | SignUpError::UsernameExists | SignUpError::UnknownConnection => {
            ("invalid_signup", "Invalid sign up")
        }
        SignUpError::UnfitPassword(unfit) => return unfit_password(unfit),
        SignUpError::Refused(refusal) => return refused(refusal, tells_existing),
        SignUpError::DeedFailed(error) | SignUpError::Failed(error) => {
            return ApiError::from(error).into_response();
        }
    };
    let body = bad_request(code, description);
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// A script's own words (wire section 2.3). Where nobody may learn who exists, the documented codes
/// for that are told like every other refusal.
fn refused(refusal: ScriptRefusal, tells_existing: bool) -> Response {
    let code = refusal.code.unwrap_or_else(|| "unauthorized".into());
    let body = if !tells_existing && matches!(&*code, "user_exists" | "username_exists") {
        bad_request("invalid_signup", "Invalid sign up")
    } else {
        json!({
            "message": refusal.message, "code": code, "description": refusal.message,
            "name": refusal.name,
        })
    };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn throttled() -> Response {
    let body = json!({
        "name": "TooManyRequestsError", "code": "too_many_requests",
        "description": "Too many sign-ups from this address. Please try again later.",
        "statusCode": 429,
    });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

fn bad_request(code: &str, description: &str) -> Value {
    json!({
        "name": "BadRequestError", "code": code, "description": description, "statusCode": 400,
    })
}

/// The wire's body for each way in which a password may not be (wire section 5).
fn unfit_password(unfit: engine::Unfit) -> Response {
    let (name, message) = (unfit.fault.name(), unfit.fault.message());
    let code = match unfit.fault {
        Fault::Weak(assessment) => {
            let body = json!({
                "name": name, "message": message, "code": "invalid_password",
                "description": assessment, "policy": unfit.policy, "statusCode": 400,
            });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
        Fault::Common => "password_dictionary_error",
        Fault::Personal => "password_no_user_info_error",
        Fault::Leaked => "password_leaked",
        Fault::Used => "password_history_error",
    };
    let body = json!({
        "name": name, "code": code, "description": message, "statusCode": 400,
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
