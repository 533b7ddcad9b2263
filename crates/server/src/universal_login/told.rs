//! What is said of a form that was not taken.

use axum::http::StatusCode;
use engine::SignUpError;
use engine::authorize::Problem;
use engine::transaction::Lost;

use super::page;
use super::unfit::unfit_password;
use super::visit::{failure, problem};

/// Status and problem of what the engine found.
pub(super) fn told(found: Problem, tells_existing: bool) -> (StatusCode, page::Problem) {
    let bad = |key| (StatusCode::BAD_REQUEST, problem(key));
    match found {
        Problem::WrongCredentials => bad("wrong-credentials"),
        Problem::Blocked => bad("user-blocked"),
        Problem::TooManyAttempts => (StatusCode::TOO_MANY_REQUESTS, problem("too-many-failures")),
        Problem::Leaked => bad("password-leaked-at-login"),
        Problem::Conflict => bad("account-conflict"),
        Problem::ProviderDenied => bad("provider-denied"),
        Problem::ProviderFailed => bad("provider-failed"),
        Problem::Refused(sentence) => sentence_of(sentence),
        Problem::SignUp(SignUpError::UserExists) if tells_existing => bad("user-exists"),
        Problem::SignUp(SignUpError::UsernameExists) if tells_existing => bad("username-taken"),
        Problem::SignUp(SignUpError::UsernameRequired) => {
            let (status, told) = bad("no-username");
            let field = Some("username");
            (status, page::Problem { field, ..told })
        }
        Problem::SignUp(SignUpError::Disabled) => bad("signup-disabled"),
        Problem::SignUp(SignUpError::UnfitPassword(unfit)) => {
            (StatusCode::BAD_REQUEST, unfit_password(&unfit, "password"))
        }
        Problem::SignUp(SignUpError::Throttled) | Problem::Throttled => {
            (StatusCode::TOO_MANY_REQUESTS, problem("too-many-requests"))
        }
        Problem::SignUp(SignUpError::Refused(refusal)) => {
            let code = refusal.code.as_deref().unwrap_or_default();
            if !tells_existing && matches!(code, "user_exists" | "username_exists") {
                bad("invalid-signup")
            } else {
                sentence_of(refusal.message)
            }
        }
        Problem::SignUp(SignUpError::DeedFailed(error) | SignUpError::Failed(error))
        | Problem::Lost(Lost::Failed(error)) => {
            let (status, key) = failure(&error);
            (status, problem(key))
        }
        Problem::SignUp(_) => bad("invalid-signup"),
        Problem::Lost(_) => bad("transaction-not-found"),
    }
}

fn sentence_of(sentence: String) -> (StatusCode, page::Problem) {
    let sentence = Some(sentence);
    let told = problem("access-denied");
    (StatusCode::BAD_REQUEST, page::Problem { sentence, ..told })
}
