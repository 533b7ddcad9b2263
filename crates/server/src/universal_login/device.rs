//! `/activate`, where a person types the code that a device shows (RFC 8628 §3.3), and the page that
//! asks, after the login, whether the device is theirs. A code in the address is only filled in:
//! whoever was sent a link still sees what it is about, and says so.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::Error;
use engine::authorize::{DeviceEnd, Outcome};
use engine::transaction::Step;

use super::login::{next, show};
use super::onward::to_step;
use super::page::{Page, Problem, Screen};
use super::visit::{Visit, failure};
use crate::cookies::{set_browser, set_session};
use crate::state::AppState;

/// The name of the form that takes a code, for its token.
const FORM: &str = "device";

/// Longest code that is shown again.
const LONGEST: usize = 40;

/// `GET /activate`.
pub async fn activate(State(state): State<AppState>, visit: Visit) -> Response {
    let code = visit.parameter("user_code").unwrap_or_default();
    ask(&state, visit, &code, None).await
}

/// `POST /activate`, a form: `csrf`, `user_code`.
pub async fn post_code(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let form = match visit.loose_form(&state, &body, FORM).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let Some(code) = form.text("user_code") else {
        let problem = (StatusCode::BAD_REQUEST, "no-code");
        return ask(&state, visit, "", Some(problem)).await;
    };
    let engine = &state.engine;
    let begun = engine.begin_device_login(&visit.context, &visit.browser, &code);
    let problem = match begun.await {
        Ok(Some(Outcome::Page {
            transaction,
            step,
            browser,
        })) => {
            let mut response = to_step(step, &transaction, StatusCode::SEE_OTHER);
            if let Some(token) = &browser {
                set_browser(&state, &mut response, token);
            }
            return response;
        }
        Ok(_) => (StatusCode::BAD_REQUEST, "invalid-expired-code"),
        Err(Error::TooMany(_)) => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"),
        Err(error) => failure(&error),
    };
    ask(&state, visit, &code, Some(problem)).await
}

/// `GET /u/device/confirm`.
pub async fn confirm(State(state): State<AppState>, visit: Visit) -> Response {
    show(&state, &visit, Step::Device).await
}

/// `POST /u/device/confirm`, a form: `state`, `csrf`, `action` (`confirm` or anything else).
pub async fn post_confirm(State(state): State<AppState>, visit: Visit, body: Bytes) -> Response {
    let (form, mut login) = match visit.form(&state, &body).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let is_theirs = form.text("action").as_deref() == Some("confirm");
    match state.engine.submit_device(&mut login, is_theirs).await {
        Ok(()) => next(&state, &visit, &login).await,
        Err(lost) => visit.lost(&state, lost).await,
    }
}

/// Tells the person what became of the device.
pub async fn ended(state: &AppState, visit: &Visit, end: DeviceEnd) -> Response {
    let screen = match end {
        DeviceEnd::Allowed { .. } => Screen::DeviceAllowed,
        DeviceEnd::Denied => Screen::DeviceDenied,
        DeviceEnd::Gone => {
            let key = "invalid-expired-code";
            return visit.error(state, StatusCode::BAD_REQUEST, key).await;
        }
    };
    let mut response = visit.show_loose(state, Page::new(screen)).await;
    if let DeviceEnd::Allowed {
        session: Some(token),
    } = &end
    {
        set_session(state, &mut response, token);
    }
    response
}

/// Shows the page that asks for a code.
async fn ask(
    state: &AppState,
    mut visit: Visit,
    code: &str,
    problem: Option<(StatusCode, &'static str)>,
) -> Response {
    let mut page = Page::new(Screen::DeviceActivation);
    let code: String = code.chars().take(LONGEST).collect();
    page.shown.insert("user_code".into(), code.into());
    if let Some((status, key)) = problem {
        page.status = status;
        page.problem = Some(Problem::new(key, Some("user_code")));
    }
    visit.show_form(state, page, FORM).await
}
