//! The token endpoint's good answer.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The body (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Serialize)]
pub struct TokenResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    expires_in: u64,
    /// Follows the recovery code that was just used; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_code: Option<String>,
    token_type: &'static str,
}

impl TokenResponse {
    /// An answer with an access token.
    pub fn new(access_token: String, lifetime: Duration) -> Self {
        Self {
            access_token: Some(access_token),
            ..Self::without_access_token(lifetime)
        }
    }

    /// An answer that will have an ID token alone, from the authorization endpoint.
    pub fn without_access_token(lifetime: Duration) -> Self {
        let expires_in = lifetime.as_secs();
        Self {
            access_token: None,
            refresh_token: None,
            id_token: None,
            scope: None,
            expires_in,
            recovery_code: None,
            token_type: "Bearer",
        }
    }

    /// The access token.
    pub fn access_token(&self) -> Option<&str> {
        self.access_token.as_deref()
    }

    /// The ID token.
    pub fn id_token(&self) -> Option<&str> {
        self.id_token.as_deref()
    }

    /// How the access token is shown: as a bearer's, or with a proof of a key.
    pub const fn token_type(&self) -> &'static str {
        self.token_type
    }

    /// Seconds that the access token is good.
    pub const fn expires_in(&self) -> u64 {
        self.expires_in
    }

    /// The same answer with an ID token.
    #[must_use]
    pub fn with_id_token(mut self, id_token: String) -> Self {
        self.id_token = Some(id_token);
        self
    }

    /// The same answer with the next recovery code.
    #[must_use]
    pub fn with_recovery_code(mut self, code: String) -> Self {
        self.recovery_code = Some(code);
        self
    }

    /// The same answer with a refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: Option<String>) -> Self {
        self.refresh_token = refresh_token;
        self
    }

    /// The same answer, whose access token is bound to a key (RFC 9449 §5).
    #[must_use]
    pub fn bound_to_key(mut self) -> Self {
        self.token_type = "DPoP";
        self
    }

    /// The same answer with the granted scopes. Where some were asked for and none was granted, it
    /// says so (RFC 6749 §5.1).
    #[must_use]
    pub fn with_scope(mut self, granted: &crate::scopes::Scopes, were_asked: bool) -> Self {
        self.scope = (were_asked || !granted.is_empty()).then(|| granted.to_string());
        self
    }
}

/// Tokens are credentials and stay out of logs.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenResponse(…)")
    }
}
