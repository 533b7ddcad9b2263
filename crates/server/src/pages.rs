//! The pages behind one-time links: plain HTML, no scripts, nothing loaded from anywhere.
//!
//! `GET /u/reset-verify` shows a form and changes nothing; its `POST` sets the password.
//! `GET /u/email-verification` proves the address. Where a link was made with a `result_url`, the
//! browser is sent there with `success`, `message` and, when asked for, `email`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Password;
use engine::tickets::{Landing, Problem};

use crate::error::ApiError;
use crate::extract::{Caller, Query, refuse_compressed};
use crate::state::AppState;

/// Longest password that is taken, in bytes.
const LONGEST: usize = 4096;

const CHANGED: &str = "You can now login to the application with the new password.";
const VERIFIED: &str = "Your email was verified. You can continue using the application.";

/// `GET /u/reset-verify?ticket=`.
pub async fn password_form(
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let token = query.get("ticket").unwrap_or_default();
    let landing = state.engine.look_at_password_link(token).await;
    Ok(match landing.problem {
        None => form(StatusCode::OK, token, None),
        Some(_) => end(landing, CHANGED),
    })
}

/// `POST /u/reset-verify`, a form: `ticket`, `newPassword`, `confirmNewPassword`.
pub async fn reset_password(
    State(state): State<AppState>,
    Caller(context): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    refuse_compressed(&headers)?;
    let form_body = NewPassword::read(&body)
        .ok_or_else(|| ApiError::invalid("The form body could not be read."))?;
    let token = form_body.ticket.as_str();
    let again = |message: &str| Ok(form(StatusCode::BAD_REQUEST, token, Some(message)));
    let password = form_body.password.expose();
    if password != form_body.confirmation.expose() {
        return again("The two passwords are not the same.");
    }
    if password.is_empty() || password.len() > LONGEST || password.contains('\0') {
        return again("This password cannot be used.");
    }
    let password = Arc::new(form_body.password);
    let landing = state
        .engine
        .reset_password(&context, token, &password)
        .await;
    if let Some(Problem::UnfitPassword(unfit)) = landing.problem {
        return again(&unfit.policy);
    }
    Ok(end(landing, CHANGED))
}

/// `GET /u/email-verification?ticket=`. A `HEAD`, as mail scanners send one, uses nothing up.
pub async fn verify_email(
    State(state): State<AppState>,
    Caller(context): Caller,
    method: Method,
    query: Query,
) -> Result<Response, ApiError> {
    if method == Method::HEAD {
        return Ok(page(StatusCode::OK, ""));
    }
    let token = query.get("ticket").unwrap_or_default();
    let landing = state.engine.verify_email(&context, token).await;
    Ok(end(landing, VERIFIED))
}

struct NewPassword {
    ticket: String,
    password: Password,
    confirmation: Password,
}

impl NewPassword {
    fn read(body: &[u8]) -> Option<Self> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
        let mut read = Self {
            ticket: String::new(),
            password: Password::from(""),
            confirmation: Password::from(""),
        };
        for (name, value) in pairs {
            match name.as_str() {
                "ticket" => read.ticket = value,
                "newPassword" => read.password = Password::from(value),
                "confirmNewPassword" => read.confirmation = Password::from(value),
                _ => {}
            }
        }
        Some(read)
    }
}

/// The last page, or the way to the operator's own.
fn end(landing: Landing, success: &str) -> Response {
    let (status, message) = match &landing.problem {
        None => (StatusCode::OK, success.to_owned()),
        Some(problem) => told(problem),
    };
    let is_done = landing.problem.is_none();
    if let Some(url) = &landing.result_url
        && let Some(response) = redirect(url, landing.email.as_deref(), is_done, &message)
    {
        return response;
    }
    page(status, &format!("<p>{}</p>", escaped(&message)))
}

fn told(problem: &Problem) -> (StatusCode, String) {
    let (status, message) = match problem {
        Problem::Unknown => (StatusCode::BAD_REQUEST, "This link is not valid."),
        Problem::Used => (StatusCode::BAD_REQUEST, "This URL can be used only once."),
        Problem::Expired => (StatusCode::BAD_REQUEST, "Access expired."),
        Problem::Refused(message) => (StatusCode::BAD_REQUEST, message.as_str()),
        Problem::NotChanged | Problem::UnfitPassword(_) => (
            StatusCode::BAD_REQUEST,
            "Nothing was changed. Please try again.",
        ),
        Problem::Failed(error) => {
            tracing::error!(%error, "a one-time link met an outage");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The service is temporarily unavailable. Please try again later.",
            )
        }
    };
    (status, message.to_owned())
}

/// The `result_url` with what came of it; `None` when it can't be a header.
fn redirect(url: &str, email: Option<&str>, is_done: bool, message: &str) -> Option<Response> {
    let mut pairs = Vec::new();
    pairs.extend(email.map(|email| ("email", email)));
    pairs.push(("success", if is_done { "true" } else { "false" }));
    pairs.push(("message", message));
    let pairs = serde_urlencoded::to_string(pairs).ok()?;
    let (address, fragment) = url
        .split_once('#')
        .map_or((url, None), |(a, f)| (a, Some(f)));
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    let location = HeaderValue::from_str(&format!("{address}{joint}{pairs}{fragment}")).ok()?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    guard(&mut response);
    Some(response)
}

fn form(status: StatusCode, token: &str, message: Option<&str>) -> Response {
    let message = message.map_or_else(String::new, |message| {
        format!("<p role=\"alert\">{}</p>", escaped(message))
    });
    let token = escaped(token);
    page(
        status,
        &format!(
            "<h1>Change your password</h1>{message}\
             <form method=\"post\" action=\"reset-verify\">\
             <input type=\"hidden\" name=\"ticket\" value=\"{token}\">\
             <p><label>New password<br><input type=\"password\" name=\"newPassword\" required \
             autocomplete=\"new-password\"></label></p>\
             <p><label>Once more<br><input type=\"password\" name=\"confirmNewPassword\" required \
             autocomplete=\"new-password\"></label></p>\
             <p><button>Change password</button></p></form>"
        ),
    )
}

fn page(status: StatusCode, content: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Account</title></head>\
         <body>{content}</body></html>\n"
    );
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (status, kind, html).into_response();
    guard(&mut response);
    response
}

/// The URL holds a secret: nothing keeps it, nothing loads beside it, nobody frames it.
fn guard(response: &mut Response) {
    let headers: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_url_keeps_what_it_had() {
        for (url, expected) in [
            ("https://x", "https://x?success=true&message=a+b"),
            ("https://x?", "https://x?success=true&message=a+b"),
            (
                "https://x/?y=1#z",
                "https://x/?y=1&success=true&message=a+b#z",
            ),
        ] {
            let response = redirect(url, None, true, "a b").unwrap();
            assert_eq!(response.headers()["location"], expected);
        }
        assert!(redirect("https://x\n", None, true, "m").is_none());
    }

    #[test]
    fn nothing_of_a_text_becomes_markup() {
        assert_eq!(escaped("<a b=\"'&"), "&lt;a b=&quot;&#39;&amp;");
    }
}
