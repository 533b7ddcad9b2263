//! A page as handlers describe it: which screen, what its form sends on, what it shows, what went
//! wrong. How it looks and in which language it speaks is decided where it is rendered.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use domain::Json;

use crate::state::AppState;

/// The screens, by the names that Auth0 gives their texts (`prompt` and `screen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Screen {
    /// Identifier and password on one page.
    Login,
    /// Identifier first.
    LoginId,
    /// Then the password.
    LoginPassword,
    /// Sign-up on one page.
    Signup,
    /// Ask for the address to send a link to.
    ResetPasswordRequest,
    /// The link is on its way, whoever asked.
    ResetPasswordEmail,
    /// The new password.
    ResetPassword,
    /// It was changed.
    ResetPasswordSuccess,
    /// The link does nothing.
    ResetPasswordError,
    /// What became of a link that proves an address.
    EmailVerificationResult,
    /// A code of the authenticator application.
    MfaOtpChallenge,
    /// A code by mail.
    MfaEmailChallenge,
    /// A recovery code.
    MfaRecoveryCodeChallenge,
    /// A security key as second factor.
    MfaWebAuthnChallenge,
    /// Which second factor.
    MfaOptions,
    /// QR code and secret of a new authenticator application.
    MfaOtpEnrollment,
    /// New recovery codes, shown once.
    MfaRecoveryCodeEnrollment,
    /// An offer to make a passkey.
    PasskeyEnrollment,
    /// Whether the client may.
    Consent,
    /// The code that a device shows.
    DeviceActivation,
    /// Whether this is the device.
    DeviceConfirmation,
    /// The device may go on.
    DeviceAllowed,
    /// The device may not.
    DeviceDenied,
    /// Whether to log out.
    Logout,
    /// Logged out.
    LogoutComplete,
    /// The account is blocked after failures.
    AccountBlocked,
    /// What became of a link that lifts a block.
    AccountUnblocked,
    /// Nothing can be done here.
    Error,
    /// Not logged out after all.
    LogoutAborted,
    /// Whether to lift a block.
    AccountUnblock,
    /// Whether an account that is here already is the same person's.
    LinkAccount,
    /// A security key to be made a second factor.
    MfaWebAuthnEnrollment,
}

/// A page to be shown.
#[derive(Debug)]
pub struct Page {
    /// The status line.
    pub status: StatusCode,
    /// Which screen.
    pub screen: Screen,
    /// What the form sends on: hidden fields such as `state` and `csrf`.
    pub hidden: Vec<(&'static str, String)>,
    /// What is shown, as the screen's template names it. Never a secret that somebody typed.
    pub shown: Json,
    /// What went wrong: a key of the screen's messages, and the field it is about.
    pub problem: Option<Problem>,
}

/// What went wrong, for the person to mend.
#[derive(Debug)]
pub struct Problem {
    /// A key of the message files: `wrong-credentials`.
    pub key: &'static str,
    /// The name of the input that it is about; none for the whole form.
    pub field: Option<&'static str>,
    /// What the message's placeholders stand for.
    pub values: Json,
    /// A sentence from elsewhere that is shown as it is: an action script's.
    pub sentence: Option<String>,
}

/// For whom a page is rendered.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// `ui_locales` of the authorization request, best first.
    pub ui_locales: Vec<String>,
    /// The browser's `Accept-Language`.
    pub accept_language: Option<String>,
    /// The application that sent the person here, by name and logo.
    pub client: Option<(String, Option<String>)>,
}

impl Reader {
    /// Whoever sent a request, as far as its headers tell.
    pub fn of(headers: &HeaderMap) -> Self {
        let language = headers.get(header::ACCEPT_LANGUAGE);
        Self {
            accept_language: language
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            ..Self::default()
        }
    }
}

impl Problem {
    /// What went wrong, by its key, and the field that it is about.
    pub fn new(key: &'static str, field: Option<&'static str>) -> Self {
        Self {
            key,
            field,
            values: Json::new(),
            sentence: None,
        }
    }
}

impl Page {
    /// A page without form fields and without a problem.
    pub fn new(screen: Screen) -> Self {
        Self {
            status: StatusCode::OK,
            screen,
            hidden: Vec::new(),
            shown: Json::new(),
            problem: None,
        }
    }
}

/// Renders a page with the headers that guard it.
pub async fn render(state: &AppState, reader: &Reader, page: Page) -> Response {
    super::render::respond(state, reader, page).await
}
