//! Every refusal of the OAuth endpoints: error code, text for the caller, detail for the log.
//!
//! The constructors are the table of Auth0's answers. Where Auth0's status or text could not be
//! confirmed, the constructor says what was chosen and why. The detail is never serialised.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// An error answer (RFC 6749 §5.2). Serialises to its body.
pub struct OAuthError {
    /// The `error` member.
    pub code: &'static str,
    /// The `error_description` member: public.
    pub description: String,
    /// What the operator should know: for the log only.
    pub detail: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The `mfa_token` member of `mfa_required`.
    pub mfa_token: Option<String>,
}

/// Refusals of the request itself.
impl OAuthError {
    fn new(status: u16, code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            detail: None,
            status,
            mfa_token: None,
        }
    }

    /// The same answer with a detail for the log.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// 400: the request is malformed in a way that the text tells.
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// 400: a parameter that the grant needs is absent or empty.
    pub fn missing_parameter(name: &str) -> Self {
        Self::invalid_request(format!("Missing required parameter: {name}"))
    }

    /// 400: a parameter stands twice (RFC 6749 §3.2).
    pub fn duplicate_parameter(name: &str) -> Self {
        Self::invalid_request(format!("Duplicate parameter: {}", shown(name)))
    }

    /// 400: the grant type is not one of ours.
    ///
    /// Auth0's API description lists 501 for this code, RFC 6749 §5.2 asks for 400. We answer 400:
    /// strict client libraries read an OAuth error from 4xx answers only, and a stranger's typing
    /// error should not look like our outage.
    pub fn unsupported_grant_type(grant_type: &str) -> Self {
        let description = format!("Unsupported grant type: {}", shown(grant_type));
        Self::new(400, "unsupported_grant_type", description)
    }

    /// 400: a scope is malformed or may not be asked for.
    pub fn invalid_scope(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_scope", description)
    }

    /// 400: no connection has this name or realm. Auth0's text is not known; this one is ours.
    pub fn unknown_realm(realm: &str) -> Self {
        Self::invalid_request(format!("Unknown realm: {}", shown(realm)))
    }

    /// 500: the `password` grant came without realm and the tenant has no default directory. The
    /// text is Auth0's; users report it with status 500.
    pub fn no_default_connection() -> Self {
        let description = "Authorization server not configured with default connection.";
        Self::new(500, "server_error", description)
    }
}

/// Refusals of the client.
impl OAuthError {
    /// 401: the client is unknown or did not prove itself; which of the two is for the log.
    pub fn invalid_client(detail: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", "Client authentication failed.").with_detail(detail)
    }

    /// 400: a proof of possession does not hold (RFC 9449 §5); why is for the log.
    pub fn invalid_dpop_proof(detail: impl Into<String>) -> Self {
        let description = "The DPoP proof is not valid.";
        Self::new(400, "invalid_dpop_proof", description).with_detail(detail)
    }

    /// 403: the client's `grant_types` lack the grant.
    pub fn grant_not_allowed(grant_type: &str) -> Self {
        let grant_type = shown(grant_type);
        let description = format!("Grant type '{grant_type}' not allowed for the client.");
        Self::new(403, "unauthorized_client", description)
    }

    /// 403: client credentials without an audience, and the tenant has no default one.
    pub fn audience_required() -> Self {
        Self::denied(
            "No audience parameter was provided, and no default audience has been configured",
        )
    }

    /// 403: no API has this identifier.
    pub fn unknown_audience(audience: &str) -> Self {
        Self::denied(format!("Service not found: {}", shown(audience)))
    }

    /// 403: the client has no grant for this API.
    pub fn audience_not_granted(audience: &str) -> Self {
        let audience = shown(audience);
        Self::denied(format!(
            "Client is not authorized to access \"{audience}\". Create a client grant for this API."
        ))
    }
}

/// Refusals of codes and tokens: each says as little as Auth0 does.
impl OAuthError {
    fn invalid_grant(description: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(403, "invalid_grant", description).with_detail(detail)
    }

    /// 403: a code that is unknown, used, expired, another client's, or whose login was revoked.
    pub fn invalid_code(detail: impl Into<String>) -> Self {
        Self::invalid_grant("Invalid authorization code", detail)
    }

    /// 403: the code's redirect URI is another one, or was not repeated.
    pub fn wrong_redirect_uri() -> Self {
        let description = "The redirect_uri is not the one of the authorization request.";
        Self::invalid_grant(description, "wrong redirect_uri")
    }

    /// 403: the code verifier does not fit.
    pub fn wrong_verifier(detail: impl Into<String>) -> Self {
        Self::invalid_grant("Failed to verify code verifier", detail)
    }

    /// 403: a refresh token that is unknown, used, expired, another client's, or revoked.
    pub fn invalid_refresh_token(detail: impl Into<String>) -> Self {
        Self::invalid_grant("Unknown or invalid refresh token.", detail)
    }

    /// 403: a device code that is unknown, another client's, or whose end was told before.
    pub fn invalid_device_code(detail: impl Into<String>) -> Self {
        Self::invalid_grant("Invalid or expired device code.", detail)
    }

    /// 403: nobody has answered the device yet (RFC 8628 §3.5).
    pub fn authorization_pending() -> Self {
        let description = "User has yet to authorize device code.";
        Self::new(403, "authorization_pending", description)
    }

    /// 429: the device asks too often; five seconds more from now on.
    pub fn slow_down() -> Self {
        let description = "You are polling faster than the specified interval.";
        Self::new(429, "slow_down", description)
    }

    /// 403: nobody answered the device in time.
    pub fn expired_device_code() -> Self {
        let description = "Expired token. Please start a new authorization request.";
        Self::new(403, "expired_token", description)
    }

    /// 400: the token is bound to a key, and the request proves none or another one.
    pub fn wrong_key() -> Self {
        let description = "The request does not prove the key that the token is bound to.";
        Self::new(400, "invalid_dpop_proof", description)
    }

    /// 400: a JSON Web Token can't be taken back alone (RFC 7009 §2.2.1).
    pub fn unsupported_token_type() -> Self {
        let description = "Access tokens of this kind can't be revoked one by one.";
        Self::new(400, "unsupported_token_type", description)
    }
}

/// Refusals of the person.
impl OAuthError {
    /// 403: the one answer to a wrong password, an unknown user and a user without password, so
    /// that nobody learns who exists.
    pub fn wrong_credentials() -> Self {
        Self::new(403, "invalid_grant", "Wrong email or password.")
    }

    /// 429: this account is blocked after failures in a row.
    pub fn too_many_attempts() -> Self {
        Self::new(
            429,
            "too_many_attempts",
            "Your account has been blocked after multiple consecutive login attempts. We've sent \
             you an email with instructions on how to unblock it.",
        )
    }

    /// 429: this address tried too often. The code is Auth0's, the text ours.
    pub fn too_many_requests() -> Self {
        Self::new(
            429,
            "too_many_requests",
            "Too many login attempts. Try again later.",
        )
    }

    /// 403: an administrator blocked the user. Code and text are Auth0's; its status here is not
    /// documented, and the refresh grant was seen to answer 403 with the same text.
    pub fn user_blocked() -> Self {
        Self::unauthorized("user is blocked")
    }

    /// 403: the login script or a rule refused with a message for the person.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(403, "unauthorized", message)
    }

    /// 403: access was denied for the reason given.
    pub fn denied(reason: impl Into<String>) -> Self {
        Self::new(403, "access_denied", reason)
    }

    /// 403: a second factor is due. The token is what its later request must bring.
    pub fn mfa_required(mfa_token: Option<String>) -> Self {
        let error = Self::new(403, "mfa_required", "Multifactor authentication required");
        Self { mfa_token, ..error }
    }

    /// 403: a wrong code, in Auth0's words: `Invalid otp_code.`
    pub fn wrong_code(name: &str) -> Self {
        Self::new(403, "invalid_grant", format!("Invalid {name}."))
    }

    /// 401: the token of an interrupted login is unknown, used up or too old.
    pub fn mfa_token_expired() -> Self {
        Self::new(401, "expired_token", "mfa_token is expired")
    }

    /// 429: too many wrong codes. Auth0's code for logins; text and status ours.
    pub fn too_many_codes() -> Self {
        Self::new(
            429,
            "too_many_attempts",
            "Too many wrong codes. Try again later.",
        )
    }

    /// 400: the person has no authenticator of the kind that was asked for. The code is Auth0's.
    pub fn unsupported_challenge_type(description: impl Into<String>) -> Self {
        Self::new(400, "unsupported_challenge_type", description)
    }

    /// 403: the password is known from a breach. Code from Auth0, status and text ours.
    pub fn password_leaked() -> Self {
        Self::new(
            403,
            "password_leaked",
            "This password was leaked elsewhere. Reset it to log in.",
        )
    }

    /// 401: the bearer token of the userinfo endpoint is not good (RFC 6750 §3.1).
    pub fn invalid_token(detail: impl Into<String>) -> Self {
        Self::new(401, "invalid_token", "Unauthorized").with_detail(detail)
    }
}

/// Our own failures.
impl OAuthError {
    /// 503: the legacy store behind a connection did not answer. Never a wrong password: the person
    /// may well be right, and must be told to come back.
    pub fn temporarily_unavailable(detail: impl Into<String>) -> Self {
        let description = "The login is temporarily unavailable. Try again later.";
        Self::new(503, "temporarily_unavailable", description).with_detail(detail)
    }

    /// 500: something broke. The text is constant, whatever it was.
    pub fn server_error(detail: impl Into<String>) -> Self {
        Self::new(500, "server_error", "Internal error.").with_detail(detail)
    }

    /// The `WWW-Authenticate` header that goes with the answer: RFC 6749 §5.2 asks for one with
    /// `invalid_client`, RFC 6750 §3 with `invalid_token`.
    pub fn challenge(&self) -> Option<&'static str> {
        match self.code {
            "invalid_client" => Some(r#"Basic realm="oauth/token", charset="UTF-8""#),
            "invalid_token" => Some(r#"Bearer error="invalid_token""#),
            _ => None,
        }
    }
}

/// The caller's own text inside a description: at most 100 characters of those that RFC 6749 §5.2
/// allows there.
pub fn shown(text: &str) -> String {
    let is_allowed = |c: char| matches!(c, '\x20'..='\x7e') && c != '"' && c != '\\';
    text.chars()
        .take(100)
        .map(|c| if is_allowed(c) { c } else { '?' })
        .collect()
}

impl Serialize for OAuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = 2 + usize::from(self.mfa_token.is_some());
        let mut body = serializer.serialize_struct("OAuthError", members)?;
        body.serialize_field("error", self.code)?;
        body.serialize_field("error_description", &self.description)?;
        if let Some(token) = &self.mfa_token {
            body.serialize_field("mfa_token", token)?;
        }
        body.end()
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

/// Leaves the MFA token out: it is a credential.
impl fmt::Debug for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthError")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("description", &self.description)
            .field("detail", &self.detail)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for OAuthError {}
