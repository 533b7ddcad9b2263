//! The screens of second factors: which one comes next in a login, what it shows, what an answer
//! does. The login's transaction is the caller's: here it is a name that challenges are bound to, and
//! remembers the code by mail that is awaited.
//!
//! A screen is shown under [`path_of`] and its form posts to the same path.

use axum::http::StatusCode;
use domain::{AuthenticationMethod, Json, RecoveryCode};
use engine::authorize::ProvenLogin;
use engine::mfa::{Answer, ChallengeKind, FactorError, FactorNeed, Person, TotpEnrolment};
use engine::transaction::Transaction;
use engine::{Context, Error};
use serde_json::json;

use super::page::{Page, Problem, Screen};
use super::visit::Form;
use crate::state::AppState;

/// A login as far as it was proven, and the `state` of its pages.
pub struct Login {
    /// The login.
    pub proven: ProvenLogin,
    /// Its transaction's name.
    pub state: String,
}

/// What an answer did.
pub enum Step {
    /// The factor was proven: the method goes to the login's methods. A recovery code is to be shown
    /// once, on the page of [`recovery_code_page`].
    Proven(AuthenticationMethod, Option<RecoveryCode>),
    /// The page again, or another one.
    Show(Box<Page>),
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
        Screen::MfaWebAuthnEnrollment,
        "/u/mfa-webauthn-roaming-enrollment",
    ),
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

/// The ways that a login may go on, the best first: each by the name that the message files have,
/// and its screen.
type Ways = Vec<(&'static str, Screen)>;

/// When the page of a code by mail sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailing {
    /// Not at all: `HEAD` shows nobody a page.
    Never,
    /// When none is awaited.
    Once,
    /// Whether or not: the person asked for another.
    Anew,
}

/// The screen of a login that lacks a second factor; none when it lacks nothing. Where nothing can
/// be asked for, and nothing be enrolled, it is [`Screen::Error`].
pub async fn next_screen(state: &AppState, login: &Login) -> Result<Option<Screen>, Error> {
    let ways = ways(state, login).await?;
    Ok(ways.map(|ways| ways.first().map_or(Screen::Error, |(_, screen)| *screen)))
}

/// Whether a screen is one of a login's ways.
pub async fn may_see(state: &AppState, login: &Login, screen: Screen) -> Result<bool, Error> {
    let ways = ways(state, login).await?.unwrap_or_default();
    Ok(ways.iter().any(|(_, known)| *known == screen))
}

/// The ways of a login that lacks a second factor; none when it lacks nothing.
async fn ways(state: &AppState, login: &Login) -> Result<Option<Ways>, Error> {
    let user = &login.proven.user;
    let need =
        state
            .engine
            .required_factor(user, &login.proven.authentication, login.proven.demanded);
    Ok(match need.await? {
        FactorNeed::None => None,
        FactorNeed::Challenge(kinds) => {
            let ways = kinds.iter().map(|kind| (name_of(*kind), screen_of(*kind)));
            Some(ways.collect())
        }
        FactorNeed::Enrol => {
            let guardian = state.engine.guardian().await?;
            let mut ways = vec![
                ("otp", Screen::MfaOtpEnrollment),
                ("webauthn-roaming", Screen::MfaWebAuthnEnrollment),
            ];
            if user.attributes.email.is_some() {
                ways.push(("email", Screen::MfaEmailChallenge));
            }
            ways.retain(|(name, _)| guardian.allows(name));
            Some(ways)
        }
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

/// A screen as it is shown. The one for a code by mail sends the mail, when `mailing` says so. A
/// screen that the person has no factor for is an error page: nobody chooses another way by its
/// address.
pub async fn page(
    state: &AppState,
    context: &Context,
    (login, transaction): (&Login, &mut Transaction),
    screen: Screen,
    mailing: Mailing,
) -> Result<Page, Error> {
    let ways = ways(state, login).await?.unwrap_or_default();
    let is_one = ways.iter().any(|(_, known)| *known == screen);
    let lists = screen == Screen::MfaOptions && !ways.is_empty();
    if screen == Screen::Error || !(lists || is_one) {
        return Ok(dead_end());
    }
    let mut page = match screen {
        Screen::MfaOtpEnrollment => enrolment_page(state, context, login).await?,
        Screen::MfaEmailChallenge => send(state, context, (login, transaction), mailing).await?,
        _ => Page::new(screen),
    };
    show_options(login, &ways, &mut page);
    Ok(page)
}

/// What a person typed on a screen.
pub async fn answer(
    state: &AppState,
    context: &Context,
    login: &Login,
    screen: Screen,
    form: &Form,
) -> Result<Step, Error> {
    let typed = |name: &str| form.raw(name);
    let person = person(login);
    let engine = &state.engine;
    if screen == Screen::MfaOtpEnrollment {
        let ways = ways(state, login).await?.unwrap_or_default();
        if !ways.iter().any(|(_, known)| *known == screen) {
            return Ok(Step::Show(Box::new(dead_end())));
        }
        let code = (login.state.as_str(), typed("code"));
        let proven = (login.proven.user.row, login.proven.authentication.at);
        let done = engine.confirm_totp_enrolment(context, person, code, |write| {
            write.require_proof(proven.0, proven.1);
        });
        return match done.await {
            Ok(proven) => Ok(Step::Proven(proven.method, proven.next_recovery_code)),
            Err(error) => {
                let mut page = enrolment_page(state, context, login).await?;
                show_options(login, &ways, &mut page);
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
        _ => return Ok(Step::Show(Box::new(dead_end()))),
    };
    let done = engine.prove_factor(context, person, &answer, |_| {});
    match done.await {
        Ok(proven) => Ok(Step::Proven(proven.method, proven.next_recovery_code)),
        Err(error) => {
            let mut page = Page::new(screen);
            if let Answer::Mailed { oob_code, .. } = answer {
                page.hidden.push(("oob_code", oob_code.to_owned()));
                show_address(state, login, &mut page).await?;
            }
            let ways = ways(state, login).await?;
            show_options(login, &ways.unwrap_or_default(), &mut page);
            refused(page, error, field)
        }
    }
}

/// Shows a new recovery code, once.
pub fn recovery_code_page(code: &RecoveryCode) -> Page {
    let mut page = Page::new(Screen::MfaRecoveryCodeEnrollment);
    page.shown.insert("code".into(), code.expose().into());
    page
}

async fn enrolment_page(state: &AppState, context: &Context, login: &Login) -> Result<Page, Error> {
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
    let mut page = Page::new(Screen::MfaOtpEnrollment);
    page.shown
        .insert("qr".into(), enrolment.qr_svg.as_str().into());
    page.shown
        .insert("secret".into(), enrolment.secret.expose().into());
    page.shown
        .insert("uri".into(), enrolment.uri.as_str().into());
    Ok(page)
}

/// The page for a code by mail. The code that is awaited stays good when the page is shown again.
async fn send(
    state: &AppState,
    context: &Context,
    (login, transaction): (&Login, &mut Transaction),
    mailing: Mailing,
) -> Result<Page, Error> {
    let (engine, person) = (&state.engine, person(login));
    let mut page = Page::new(Screen::MfaEmailChallenge);
    let awaited = engine.awaited_code(person, transaction).await?;
    let is_sent = awaited.is_some() && mailing == Mailing::Once;
    let oob_code = if is_sent || mailing == Mailing::Never {
        awaited
    } else {
        match engine.mail_login_code(context, person, transaction).await {
            Ok(oob_code) => Some(oob_code),
            Err(FactorError::TooMany) => {
                page = with_problem(page, "too-many-code-attempts", None);
                page.status = StatusCode::TOO_MANY_REQUESTS;
                awaited
            }
            Err(FactorError::Wrong) => return Ok(dead_end()),
            Err(FactorError::Failed(error)) => return Err(error),
        }
    };
    if let Some(oob_code) = oob_code {
        page.hidden.push(("oob_code", oob_code));
    }
    show_address(state, login, &mut page).await?;
    Ok(page)
}

async fn show_address(state: &AppState, login: &Login, page: &mut Page) -> Result<(), Error> {
    let user = &login.proven.user;
    let enrolled = state.engine.enrolled(user.row).await?;
    let own = || user.attributes.email.as_ref().map(ToString::to_string);
    if let Some(address) = enrolled.address(user).or_else(own) {
        let veiled = engine::mfa::veiled(&address);
        page.shown.insert("email".into(), veiled.into());
    }
    Ok(())
}

const fn person(login: &Login) -> Person<'_> {
    Person {
        user: &login.proven.user,
        client: Some(&login.proven.client),
    }
}

/// The other ways: on their own page as a list, elsewhere as a link to it.
fn show_options(login: &Login, ways: &[(&str, Screen)], page: &mut Page) {
    if page.screen == Screen::MfaOptions {
        let factors = ways.iter().filter_map(|(name, screen)| {
            let url = format!("{}?state={}", path_of(*screen)?, login.state);
            Some(json!({"name": name, "url": url}))
        });
        page.shown.insert("factors".into(), factors.collect());
        let back_url = format!("/u/mfa?state={}", login.state);
        page.shown.insert("back_url".into(), back_url.into());
    } else if ways.len() > 1
        && let Some(path) = path_of(Screen::MfaOptions)
    {
        let url = format!("{path}?state={}", login.state);
        page.shown.insert("options_url".into(), url.into());
    }
}

/// The name that the message files have.
const fn name_of(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Otp => "otp",
        ChallengeKind::WebAuthn => "webauthn-roaming",
        ChallengeKind::Email => "email",
        ChallengeKind::RecoveryCode => "recovery-code",
        ChallengeKind::Phone => "phone",
    }
}

/// There is a factor and no way to ask for it, or none and no way to enrol one.
pub fn dead_end() -> Page {
    let mut page = with_problem(Page::new(Screen::Error), "no-factor", None);
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
        FactorError::Wrong => Ok(Step::Show(Box::new(with_problem(
            page,
            "invalid-code",
            Some(field),
        )))),
        FactorError::TooMany => {
            let mut page = with_problem(page, "too-many-code-attempts", None);
            page.status = StatusCode::TOO_MANY_REQUESTS;
            Ok(Step::Show(Box::new(page)))
        }
        FactorError::Failed(error) => Err(error),
    }
}
