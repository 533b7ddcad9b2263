//! The pages behind one-time links.
//!
//! `GET /u/reset-verify` shows a form and changes nothing; its `POST` sets the password.
//! `GET /u/email-verification` proves the address. `GET /u/unblock` asks whether a block shall be lifted,
//! its `POST` lifts it. Where a link was made with a `result_url`, the
//! browser is sent there with `success`, `message` and, when asked for, `email`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Password;
use engine::tickets::{Landing, Problem};

use crate::error::ApiError;
use crate::extract::{Caller, Query, refuse_compressed};
use crate::state::AppState;
use crate::universal_login::page::{self, Page, Reader, Screen};
use crate::universal_login::unfit::unfit_password;

/// Longest password that is taken, in bytes.
const LONGEST: usize = 4096;

const CHANGED: &str = "You can now login to the application with the new password.";
const UNBLOCKED: &str = "Your account has been unblocked.";
const VERIFIED: &str = "Your email was verified. You can continue using the application.";

/// `GET /u/reset-verify?ticket=`.
pub async fn password_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    let visitor = Visitor::of(&state, &headers);
    let token = query.get("ticket").unwrap_or_default();
    let landing = state.engine.look_at_password_link(token).await;
    Ok(match landing.problem {
        None => visitor.form(token, None).await,
        Some(_) => visitor.end(landing, &PASSWORD).await,
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
    let visitor = Visitor::of(&state, &headers);
    let form = NewPassword::read(&body)
        .ok_or_else(|| ApiError::invalid("The form body could not be read."))?;
    let token = form.ticket.as_str();
    let password = form.password.expose();
    if password != form.confirmation.expose() {
        let problem = page::Problem::new("password-mismatch", Some("confirmNewPassword"));
        return Ok(visitor.form(token, Some(problem)).await);
    }
    if password.is_empty() || password.len() > LONGEST || password.contains('\0') {
        let problem = page::Problem::new("invalid-password", Some("newPassword"));
        return Ok(visitor.form(token, Some(problem)).await);
    }
    let password = Arc::new(form.password);
    let landing = state
        .engine
        .reset_password(&context, token, &password)
        .await;
    if let Some(Problem::UnfitPassword(unfit)) = &landing.problem {
        let problem = unfit_password(unfit, "newPassword");
        return Ok(visitor.form(token, Some(problem)).await);
    }
    Ok(visitor.end(landing, &PASSWORD).await)
}

/// `GET /u/email-verification?ticket=`. A `HEAD`, as mail scanners send one, uses nothing up.
pub async fn verify_email(
    State(state): State<AppState>,
    Caller(context): Caller,
    method: Method,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    if method == Method::HEAD {
        let mut response = StatusCode::OK.into_response();
        guard(&mut response);
        return Ok(response);
    }
    let token = query.get("ticket").unwrap_or_default();
    let landing = state.engine.verify_email(&context, token).await;
    Ok(Visitor::of(&state, &headers).end(landing, &EMAIL).await)
}

/// `GET /u/unblock?ticket=`.
pub async fn unblock_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    let visitor = Visitor::of(&state, &headers);
    let token = query.get("ticket").unwrap_or_default();
    let landing = state.engine.look_at_unblock_link(token).await;
    if landing.problem.is_some() {
        return Ok(visitor.end(landing, &UNBLOCK).await);
    }
    let mut page = Page::new(Screen::AccountUnblock);
    page.hidden.push(("ticket", token.to_owned()));
    Ok(visitor.show(page).await)
}

/// `POST /u/unblock`, a form: `ticket`.
pub async fn unblock(
    State(state): State<AppState>,
    Caller(context): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    refuse_compressed(&headers)?;
    let form = NewPassword::read(&body)
        .ok_or_else(|| ApiError::invalid("The form body could not be read."))?;
    let landing = state.engine.unblock_by_link(&context, &form.ticket).await;
    Ok(Visitor::of(&state, &headers).end(landing, &UNBLOCK).await)
}

/// How a kind of link ends: on which screens, and in which words of the wire.
struct Ending {
    done: Screen,
    failed: Screen,
    message: &'static str,
}

const PASSWORD: Ending = Ending {
    done: Screen::ResetPasswordSuccess,
    failed: Screen::ResetPasswordError,
    message: CHANGED,
};
const EMAIL: Ending = Ending {
    done: Screen::EmailVerificationResult,
    failed: Screen::EmailVerificationResult,
    message: VERIFIED,
};

const UNBLOCK: Ending = Ending {
    done: Screen::AccountUnblocked,
    failed: Screen::AccountUnblocked,
    message: UNBLOCKED,
};

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

/// Whoever followed a link.
struct Visitor<'a> {
    state: &'a AppState,
    reader: Reader,
}

impl<'a> Visitor<'a> {
    fn of(state: &'a AppState, headers: &HeaderMap) -> Self {
        let reader = Reader::of(headers);
        Self { state, reader }
    }

    async fn show(&self, page: Page) -> Response {
        let mut response = page::render(self.state, &self.reader, page).await;
        guard(&mut response);
        response
    }

    async fn form(&self, token: &str, problem: Option<page::Problem>) -> Response {
        let mut page = Page::new(Screen::ResetPassword);
        if problem.is_some() {
            page.status = StatusCode::BAD_REQUEST;
        }
        page.hidden.push(("ticket", token.to_owned()));
        page.problem = problem;
        self.show(page).await
    }

    /// The last page, or the way to the operator's own.
    async fn end(&self, landing: Landing, ending: &Ending) -> Response {
        let Some(problem) = &landing.problem else {
            return self
                .leave(&landing, ending.message, Page::new(ending.done))
                .await;
        };
        let (key, message) = told(problem);
        let mut shown = page::Problem::new(key, None);
        if let Problem::Refused(sentence) = problem {
            shown.sentence = Some(sentence.clone());
        }
        let mut page = Page::new(ending.failed);
        page.status = match problem {
            Problem::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        page.problem = Some(shown);
        self.leave(&landing, message, page).await
    }

    async fn leave(&self, landing: &Landing, message: &str, page: Page) -> Response {
        let is_done = landing.problem.is_none();
        let away = landing.result_url.as_ref();
        let away = away.and_then(|url| redirect(url, landing.email.as_deref(), is_done, message));
        match away {
            Some(response) => response,
            None => self.show(page).await,
        }
    }
}

/// A problem's key on our own pages, and the sentence that a `result_url` is told.
fn told(problem: &Problem) -> (&'static str, &str) {
    match problem {
        Problem::Unknown => ("link-unknown", "This link is not valid."),
        Problem::Used => ("link-used", "This URL can be used only once."),
        Problem::Expired => ("link-expired", "Access expired."),
        Problem::Refused(message) => ("something-went-wrong", message.as_str()),
        Problem::Conflict => (
            "account-conflict",
            "Another account has these details already. Please contact the administrator.",
        ),
        Problem::NotChanged | Problem::UnfitPassword(_) => {
            ("nothing-changed", "Nothing was changed. Please try again.")
        }
        Problem::Failed(error) => {
            tracing::error!(%error, "a one-time link met an outage");
            (
                "temporarily-unavailable",
                "The service is temporarily unavailable. Please try again later.",
            )
        }
    }
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

/// The URL holds a secret: it goes nowhere.
fn guard(response: &mut Response) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
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
}
