//! The token endpoint's good answer.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The body (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
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
        let expires_in = lifetime.as_secs();
        Self {
            access_token,
            id_token: None,
            scope: None,
            expires_in,
            recovery_code: None,
            token_type: "Bearer",
        }
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

    /// The same answer with the granted scopes; required when they differ from those asked for.
    #[must_use]
    pub fn with_scope(mut self, scope: &crate::scopes::Scopes) -> Self {
        self.scope = (!scope.is_empty()).then(|| scope.to_string());
        self
    }
}

/// Tokens are credentials and stay out of logs.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenResponse(…)")
    }
}
