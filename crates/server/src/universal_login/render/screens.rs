//! TABLE: every screen's prompt and name, as Auth0 calls them, and its template.

use crate::universal_login::page::Screen;

/// Names of a screen.
#[derive(Clone, Copy)]
pub struct Names {
    /// The prompt that it belongs to.
    pub prompt: &'static str,
    /// Its own name: a section of the message files.
    pub screen: &'static str,
    /// Its template.
    pub template: &'static str,
}

const fn named(prompt: &'static str, screen: &'static str, template: &'static str) -> Names {
    Names {
        prompt,
        screen,
        template,
    }
}

/// The names of a screen.
pub const fn names(screen: Screen) -> Names {
    use Screen as S;
    const RESET: &str = "reset-password";
    const DEVICE: &str = "device-flow";
    const RECOVERY: &str = "mfa-recovery-code";
    const BLOCK: &str = "brute-force-protection";
    match screen {
        S::Login => named("login", "login", "login.html"),
        S::LoginId => named("login-id", "login-id", "login-id.html"),
        S::LoginPassword => named("login-password", "login-password", "login-password.html"),
        S::Signup => named("signup", "signup", "signup.html"),
        S::ResetPasswordRequest => named(
            RESET,
            "reset-password-request",
            "reset-password-request.html",
        ),
        S::ResetPasswordEmail => named(RESET, "reset-password-email", "reset-password-email.html"),
        S::ResetPassword => named(RESET, "reset-password", "reset-password.html"),
        S::ResetPasswordSuccess => named(RESET, "reset-password-success", "notice.html"),
        S::ResetPasswordError => named(RESET, "reset-password-error", "notice.html"),
        S::EmailVerificationResult => named(
            "email-verification",
            "email-verification-result",
            "notice.html",
        ),
        S::MfaOtpChallenge => named("mfa-otp", "mfa-otp-challenge", "mfa-code.html"),
        S::MfaEmailChallenge => named("mfa-email", "mfa-email-challenge", "mfa-code.html"),
        S::MfaRecoveryCodeChallenge => {
            named(RECOVERY, "mfa-recovery-code-challenge", "mfa-code.html")
        }
        S::MfaWebAuthnChallenge => named(
            "mfa-webauthn",
            "mfa-webauthn-roaming-challenge",
            "mfa-webauthn.html",
        ),
        S::MfaWebAuthnEnrollment => named(
            "mfa-webauthn",
            "mfa-webauthn-roaming-enrollment",
            "mfa-webauthn.html",
        ),
        S::MfaOptions => named("mfa", "mfa-login-options", "mfa-login-options.html"),
        S::MfaOtpEnrollment => named(
            "mfa-otp",
            "mfa-otp-enrollment-qr",
            "mfa-otp-enrollment-qr.html",
        ),
        S::MfaRecoveryCodeEnrollment => named(
            RECOVERY,
            "mfa-recovery-code-enrollment",
            "mfa-recovery-code-enrollment.html",
        ),
        S::PasskeyEnrollment => named("passkeys", "passkey-enrollment", "mfa-webauthn.html"),
        S::Consent => named("consent", "consent", "consent.html"),
        S::DeviceActivation => named(
            DEVICE,
            "device-code-activation",
            "device-code-activation.html",
        ),
        S::DeviceConfirmation => named(
            DEVICE,
            "device-code-confirmation",
            "device-code-confirmation.html",
        ),
        S::DeviceAllowed => named(DEVICE, "device-code-activation-allowed", "notice.html"),
        S::DeviceDenied => named(DEVICE, "device-code-activation-denied", "notice.html"),
        S::Logout => named("logout", "logout", "logout.html"),
        S::LogoutComplete => named("logout", "logout-complete", "notice.html"),
        S::LogoutAborted => named("logout", "logout-aborted", "notice.html"),
        S::AccountBlocked => named(BLOCK, "account-blocked", "notice.html"),
        S::AccountUnblock => named(BLOCK, "brute-force-protection-unblock", "unblock.html"),
        S::AccountUnblocked => named(
            BLOCK,
            "brute-force-protection-unblock-success",
            "notice.html",
        ),
        S::LinkAccount => named("link-account", "link-account", "link-account.html"),
        S::Error => named("common", "error", "notice.html"),
    }
}
