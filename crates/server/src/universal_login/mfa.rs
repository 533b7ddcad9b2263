//! The screens of second factors: which one comes next in a login, what it shows, what an answer
//! does. The login's transaction is the caller's: here it is a name that challenges are bound to.
//!
//! A screen is shown under [`path_of`] and its form posts to the same path.

use std::collections::HashMap;

use axum::http::StatusCode;
use domain::{Authentication, AuthenticationMethod, Json, RecoveryCode, User};
use engine::mfa::{Answer, ChallengeKind, FactorError, FactorNeed, Person, TotpEnrolment};
use engine::{Context, Error};
use serde_json::json;

use super::page::{Page, Problem, Screen};
use crate::state::AppState;

/// A login as far as it was proven.
pub struct ProvenLogin {
    /// Who.
    pub user: User,
    /// How, so far.
    pub authentication: Authentication,
    /// The name of the login's transaction: the `state` of its pages.
    pub state: String,
    /// Whether the application asked for a second factor (`acr_values`).
    pub demanded: bool,
}

/// What an answer did.
pub enum Step {
    /// The factor was proven: the method goes to the login's methods. A recovery code is to be shown
    /// once, on the page of [`recovery_code_page`].
    Proven(AuthenticationMethod, Option<RecoveryCode>),
    /// The page again, or another one.
    Show(Page),
}

/// TABLE: the paths of the screens, as Auth0 has them.
const PATHS: &[(Screen, &str)] = &[
    (Screen::MfaOtpChallenge, "/u/mfa-otp-challenge"),
    (Screen::MfaEmailChallenge, "/u/mfa-email-challenge"),
    (
        Screen::MfaRecoveryCodeChallenge,
        "/u/mfa-recovery-code-challenge",
    ),
    (
        Screen::MfaWebAuthnChallenge,
        "/u/mfa-webauthn-roaming-challenge",
    ),
    (Screen::MfaOptions, "/u/mfa-login-options"),
    (Screen::MfaOtpEnrollment, "/u/mfa-otp-enrollment-qr"),
    (
        Screen::MfaRecoveryCodeEnrollment,
        "/u/mfa-recovery-code-enrollment",
    ),
    (Screen::PasskeyEnrollment, "/u/passkey-enrollment"),
];

/// Where a screen of second factors is shown.
pub fn path_of(screen: Screen) -> Option<&'static str> {
    let found = PATHS.iter().find(|(known, _)| *known == screen);
    found.map(|(_, path)| *path)
}

/// Which screen is shown under a path.
pub fn screen_at(path: &str) -> Option<Screen> {
    let found = PATHS.iter().find(|(_, known)| *known == path);
    found.map(|(screen, _)| *screen)
}

/// The screen of a login that lacks a second factor; none when it lacks nothing.
pub async fn next_screen(state: &AppState, login: &ProvenLogin) -> Result<Option<Screen>, Error> {
    let need = state
        .engine
        .required_factor(&login.user, &login.authentication, login.demanded);
    Ok(match need.await? {
        FactorNeed::None => None,
        FactorNeed::Enrol => Some(Screen::MfaOtpEnrollment),
        FactorNeed::Challenge(kinds) => kinds.first().map(|kind| screen_of(*kind)),
    })
}

const fn screen_of(kind: ChallengeKind) -> Screen {
    match kind {
        ChallengeKind::Otp => Screen::MfaOtpChallenge,
        ChallengeKind::WebAuthn => Screen::MfaWebAuthnChallenge,
        ChallengeKind::Email => Screen::MfaEmailChallenge,
        ChallengeKind::RecoveryCode => Screen::MfaRecoveryCodeChallenge,
        ChallengeKind::Phone => Screen::Error,
    }
}

/// A screen as it is shown first. The one for a code by mail sends the mail. A screen that the
/// person has no factor for is an error page: nobody chooses another way by its address.
pub async fn page(
    state: &AppState,
    context: &Context,
    login: &ProvenLogin,
    screen: Screen,
) -> Result<Page, Error> {
    let need = state
        .engine
        .required_factor(&login.user, &login.authentication, login.demanded);
    let kinds = match need.await? {
        FactorNeed::Challenge(kinds) => kinds,
        FactorNeed::Enrol if screen == Screen::MfaOtpEnrollment => {
            return enrolment_page(state, context, login).await;
        }
        FactorNeed::Enrol | FactorNeed::None => Vec::new(),
    };
    let is_one = kinds.iter().any(|kind| screen_of(*kind) == screen);
    if screen != Screen::MfaOptions && !is_one {
        return Ok(dead_end());
    }
    let mut page = blank(login, screen);
    page.shown.insert("options".into(), options(&kinds));
    match screen {
        Screen::MfaEmailChallenge => return send(state, context, login, page).await,
        Screen::MfaWebAuthnChallenge => {
            let options = state
                .engine
                .begin_key_challenge(&login.user, &login.state)
                .await?;
            page.shown.insert("publicKey".into(), options);
        }
        Screen::Error => return Ok(dead_end()),
        _ => {}
    }
    Ok(page)
}

/// What a person typed on a screen.
pub async fn answer(
    state: &AppState,
    context: &Context,
    login: &ProvenLogin,
    screen: Screen,
    form: &HashMap<String, String>,
) -> Result<Step, Error> {
    let typed = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let person = person(login);
    let engine = &state.engine;
    if screen == Screen::MfaOtpEnrollment {
        if next_screen(state, login).await? != Some(screen) {
            return Ok(Step::Show(dead_end()));
        }
        let code = (login.state.as_str(), typed("code"));
        let done = engine.confirm_totp_enrolment(context, person, code, |_| {});
        return match done.await {
            Ok(proven) => Ok(Step::Proven(proven.method, proven.next_recovery_code)),
            Err(error) => {
                let page = enrolment_page(state, context, login).await?;
                refused(page, error, "code")
            }
        };
    }
    let (answer, field) = match screen {
        Screen::MfaOtpChallenge => (Answer::Otp(typed("code")), "code"),
        Screen::MfaRecoveryCodeChallenge => (Answer::RecoveryCode(typed("code")), "code"),
        Screen::MfaEmailChallenge => {
            let (oob_code, code) = (typed("oob_code"), typed("code"));
            (Answer::Mailed { oob_code, code }, "code")
        }
        _ => return Ok(Step::Show(dead_end())),
    };
    let done = engine.prove_factor(context, person, &answer, |_| {});
    match done.await {
        Ok(proven) => Ok(Step::Proven(proven.method, proven.next_recovery_code)),
        Err(error) => {
            let mut page = blank(login, screen);
            if let Answer::Mailed { oob_code, .. } = answer {
                page.hidden.push(("oob_code", oob_code.to_owned()));
                show_address(state, login, &mut page).await?;
            }
            let need = engine.required_factor(&login.user, &login.authentication, login.demanded);
            if let FactorNeed::Challenge(kinds) = need.await? {
                page.shown.insert("options".into(), options(&kinds));
            }
            refused(page, error, field)
        }
    }
}

/// Shows a new recovery code, once.
pub fn recovery_code_page(login: &ProvenLogin, code: &RecoveryCode) -> Page {
    let mut page = blank(login, Screen::MfaRecoveryCodeEnrollment);
    page.shown
        .insert("recovery_code".into(), code.expose().into());
    page
}

async fn enrolment_page(
    state: &AppState,
    context: &Context,
    login: &ProvenLogin,
) -> Result<Page, Error> {
    let (engine, person) = (&state.engine, person(login));
    // The same secret again for whoever looks twice: their application may hold it already.
    let pending = engine.pending_totp_enrolment(person, &login.state).await?;
    let enrolment: TotpEnrolment = match pending {
        Some(enrolment) => enrolment,
        None => {
            engine
                .begin_totp_enrolment(context, person, &login.state)
                .await?
        }
    };
    let mut page = blank(login, Screen::MfaOtpEnrollment);
    page.shown
        .insert("qr_svg".into(), enrolment.qr_svg.as_str().into());
    page.shown
        .insert("secret".into(), enrolment.secret.expose().into());
    page.shown
        .insert("uri".into(), enrolment.uri.as_str().into());
    Ok(page)
}

async fn send(
    state: &AppState,
    context: &Context,
    login: &ProvenLogin,
    mut page: Page,
) -> Result<Page, Error> {
    match state.engine.mail_code(context, person(login)).await {
        Ok(oob_code) => {
            page.hidden.push(("oob_code", oob_code));
            show_address(state, login, &mut page).await?;
            Ok(page)
        }
        Err(FactorError::TooMany) => Ok(with_problem(page, "too-many-codes", None)),
        Err(FactorError::Wrong) => Ok(dead_end()),
        Err(FactorError::Failed(error)) => Err(error),
    }
}

async fn show_address(state: &AppState, login: &ProvenLogin, page: &mut Page) -> Result<(), Error> {
    let enrolled = state.engine.enrolled(login.user.row).await?;
    if let Some(address) = enrolled.address(&login.user) {
        let veiled = engine::mfa::veiled(&address);
        page.shown.insert("address".into(), veiled.into());
    }
    Ok(())
}

const fn person(login: &ProvenLogin) -> Person<'_> {
    Person {
        user: &login.user,
        client: None,
    }
}

fn blank(login: &ProvenLogin, screen: Screen) -> Page {
    let mut page = Page::new(screen);
    page.hidden.push(("state", login.state.clone()));
    page
}

/// The other ways: their paths.
fn options(kinds: &[ChallengeKind]) -> serde_json::Value {
    let paths = kinds.iter().filter_map(|kind| {
        let path = path_of(screen_of(*kind))?;
        Some(json!({"kind": format!("{kind:?}"), "path": path}))
    });
    paths.collect()
}

/// There is a factor, and no way to ask for it.
fn dead_end() -> Page {
    let mut page = with_problem(Page::new(Screen::Error), "mfa-no-way", None);
    page.status = StatusCode::FORBIDDEN;
    page
}

fn with_problem(mut page: Page, key: &'static str, field: Option<&'static str>) -> Page {
    page.status = StatusCode::BAD_REQUEST;
    page.problem = Some(Problem {
        key,
        field,
        values: Json::new(),
        sentence: None,
    });
    page
}

fn refused(page: Page, error: FactorError, field: &'static str) -> Result<Step, Error> {
    match error {
        FactorError::Wrong => Ok(Step::Show(with_problem(page, "wrong-code", Some(field)))),
        FactorError::TooMany => {
            let mut page = with_problem(page, "too-many-codes", None);
            page.status = StatusCode::TOO_MANY_REQUESTS;
            Ok(Step::Show(page))
        }
        FactorError::Failed(error) => Err(error),
    }
}
