//! Where a login goes on.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::TransactionId;
use engine::transaction::Step;

use super::visit::guarded;

/// The page of a step.
pub const fn path_of(step: Step) -> &'static str {
    match step {
        Step::Login => "/u/login",
        Step::LoginIdentifier => "/u/login/identifier",
        Step::LoginPassword => "/u/login/password",
        Step::SignUp => "/u/signup",
        Step::Provider => "/u/login/federated",
        Step::LinkAccount => "/u/login/link",
        Step::Mfa => "/u/mfa",
        Step::PasskeyOffer => "/u/passkey-enrollment",
        Step::Device => "/u/device/confirm",
        Step::Consent => "/u/consent",
        Step::Finish | Step::ErrorToClient => "/authorize/resume",
    }
}

/// Sends the browser to the page of a step.
pub fn to_step(step: Step, id: &TransactionId, status: StatusCode) -> Response {
    redirect(path_of(step), id, status)
}

/// Sends the browser to a page of a login under way.
pub fn redirect(path: &str, id: &TransactionId, status: StatusCode) -> Response {
    let mut response = status.into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("{path}?state={id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    guarded(response)
}
