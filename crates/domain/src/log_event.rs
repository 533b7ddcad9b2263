//! The tenant log: who did what to whom, under the documented codes.

use serde_json::Value;

use crate::clock::Instant;
use crate::id::{ClientId, ConnectionId, LogId, UserId};
use crate::metadata::Json;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// What happened, under its documented code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind { $($(#[$doc])* $variant,)+ }

        impl EventKind {
            /// The code on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

kinds! {
    /// Success login.
    Login = "s",
    /// Failed login, for a reason that is not the person's.
    LoginFailed = "f",
    /// Wrong password.
    WrongPassword = "fp",
    /// Unknown user.
    UnknownUser = "fu",
    /// Too many failures on one account from one address.
    AccountBlocked = "limit_wc",
    /// Too many failures from one address.
    AddressBlocked = "limit_mu",
    /// A leaked password at a login.
    LeakedPassword = "pwd_leak",
    /// A leaked password at a sign-up.
    LeakedPasswordAtSignUp = "signup_pwd_leak",
    /// A leaked password at a change.
    LeakedPasswordAtReset = "reset_pwd_leak",
    /// A block was released.
    Unblocked = "ublkdu",
    /// Success sign-up.
    SignUp = "ss",
    /// Failed sign-up.
    SignUpFailed = "fs",
    /// Tokens for a client.
    ClientCredentials = "seccft",
    /// No tokens for a client.
    ClientCredentialsFailed = "feccft",
    /// Tokens for a code.
    CodeExchanged = "seacft",
    /// No tokens for a code.
    CodeExchangeFailed = "feacft",
    /// Tokens for a refresh token.
    RefreshTokenExchanged = "sertft",
    /// No tokens for a refresh token.
    RefreshTokenExchangeFailed = "fertft",
    /// A refresh token came back after it was replaced: its family was revoked.
    RefreshTokenReused = "ferrt",
    /// A client gave a refresh token back.
    RefreshTokenRevoked = "srrt",
    /// Tokens for a device.
    DeviceCodeExchanged = "sede",
    /// No tokens for a device.
    DeviceCodeExchangeFailed = "fede",
    /// A code of a device that is not right.
    DeviceActivationFailed = "fdeac",
    /// A person refused a device.
    DeviceDenied = "fdecc",
    /// A Management API write.
    Management = "sapi",
    /// An import job ended.
    UsersImported = "sui",
    /// An import job failed.
    ImportFailed = "fui",
    /// Ferry's own: somebody asked for users with their credentials.
    CredentialsExported = "ferry_exp",
    /// A user was deleted.
    UserDeleted = "sdu",
    /// Failed user deletion.
    UserDeletionFailed = "fdu",
    /// Success change password.
    PasswordChanged = "scp",
    /// Failed change password.
    PasswordChangeFailed = "fcp",
    /// Success change password request.
    PasswordChangeRequested = "scpr",
    /// Failed change password request.
    PasswordChangeRequestFailed = "fcpr",
    /// Success change email.
    EmailChanged = "sce",
    /// Failed change email.
    EmailChangeFailed = "fce",
    /// Success change username.
    UsernameChanged = "scu",
    /// Failed change username.
    UsernameChangeFailed = "fcu",
    /// Success change phone number.
    PhoneNumberChanged = "scpn",
    /// Failed change phone number.
    PhoneNumberChangeFailed = "fcpn",
    /// Success verification email: the address was proven.
    EmailVerified = "sv",
    /// Failed verification email.
    EmailVerificationFailed = "fv",
    /// Success verification email request.
    VerificationRequested = "svr",
    /// Failed verification email request.
    VerificationRequestFailed = "fvr",
    /// Success silent authentication: a session answered for the person.
    SilentLogin = "ssa",
    /// Failed silent authentication.
    SilentLoginFailed = "fsa",
    /// Success logout.
    Logout = "slo",
    /// Failed logout.
    LogoutFailed = "flo",
    /// Failed pushed authorization request.
    PushedRequestFailed = "fpar",
    /// A client was told that a session ended.
    BackchannelLogout = "oidc_backchannel_logout_succeeded",
    /// A client could not be told that a session ended.
    BackchannelLogoutFailed = "oidc_backchannel_logout_failed",
    /// Ferry's own: a browser session began or was renewed by a login.
    SessionBegan = "ferry_session",
    /// A second factor is due.
    MfaRequired = "mfar",
    /// A second factor was proven.
    MfaSucceeded = "gd_auth_succeed",
    /// A second factor was not proven.
    MfaFailed = "gd_auth_failed",
    /// Too many wrong codes.
    MfaLimited = "gd_otp_rate_limit_exceed",
    /// A recovery code let its owner in.
    RecoverySucceeded = "gd_recovery_succeed",
    /// A wrong recovery code.
    RecoveryFailed = "gd_recovery_failed",
    /// A mail could not be sent and is not tried any more.
    NotificationFailed = "fn",
    /// A code was sent by mail.
    MfaMailSent = "gd_send_email",
    /// An enrolment of a second factor began.
    MfaEnrolmentStarted = "gd_start_enroll",
    /// A second factor was enrolled.
    MfaEnrolled = "gd_enrollment_complete",
    /// A second factor was taken away.
    MfaUnenrolled = "gd_unenroll",
    /// Ferry's own: a legacy user arrived. Auth0 has no code for it.
    UserMigrated = "ferry_sum",
    /// Ferry's own: a legacy user proved who it is, yet could not be written here.
    MigrationFailed = "ferry_fum",
    /// Ferry's own: a person linked another provider's identity to their account.
    IdentityLinked = "ferry_link",
    /// Console lines and warnings of an action script.
    ScriptConsole = "ferry_script",
    /// Ferry's own: a breaker opened or closed, since a legacy store went away or came back.
    Circuit = "ferry_circuit",
}

/// The detail that names the strategy of a connection that is no database; shown beside the others.
pub const STRATEGY: &str = "strategy";

/// One event, as it is stored and shown.
#[derive(Clone, Debug)]
pub struct LogEvent {
    /// Its id; sorts by time.
    pub log_id: LogId,
    /// When.
    pub date: Instant,
    /// What.
    pub kind: EventKind,
    /// A sentence.
    pub description: Option<String>,
    /// Through which connection: id and name.
    pub connection: Option<(ConnectionId, String)>,
    /// By which client: id and name.
    pub client: Option<(ClientId, String)>,
    /// The user concerned.
    pub user_id: Option<UserId>,
    /// The name typed or known.
    pub user_name: Option<String>,
    /// The caller's address.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
    /// Everything else.
    pub details: Json,
}

impl LogEvent {
    /// The event as the Management API shows it.
    pub fn to_json(&self) -> Json {
        let mut json = Json::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(text) = value {
                json.insert(name.to_owned(), Value::String(text));
            }
        };
        put("date", Some(self.date.to_string()));
        put("type", Some(self.kind.code().to_owned()));
        put("description", self.description.clone());
        put(
            "connection_id",
            self.connection.as_ref().map(|(id, _)| id.to_string()),
        );
        put(
            "connection",
            self.connection.as_ref().map(|(_, name)| name.clone()),
        );
        put(
            "client_id",
            self.client.as_ref().map(|(id, _)| id.to_string()),
        );
        put(
            "client_name",
            self.client.as_ref().map(|(_, name)| name.clone()),
        );
        put("ip", self.ip.clone());
        put("user_agent", self.user_agent.clone());
        put("user_id", self.user_id.as_ref().map(ToString::to_string));
        put("user_name", self.user_name.clone());
        put("log_id", Some(self.log_id.to_string()));
        put("_id", Some(self.log_id.to_string()));
        let mut details = self.details.clone();
        let strategy = details.shift_remove(STRATEGY);
        if self.connection.is_some() {
            let kind = match &strategy {
                Some(_) => "enterprise",
                None => "database",
            };
            let strategy = strategy.unwrap_or_else(|| crate::id::AUTH0.into());
            json.insert("strategy".into(), strategy);
            json.insert("strategy_type".into(), kind.into());
        }
        if !details.is_empty() {
            json.insert("details".into(), Value::Object(details));
        }
        json
    }
}
