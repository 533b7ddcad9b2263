//! How access tokens are spelled. What they say is decided beside.

/// How an API wants its access tokens spelled: the `token_dialect` of a resource server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// By RFC 9068, not in Auth0's own way.
    pub is_rfc9068: bool,
    /// With the claim `permissions`.
    pub has_permissions: bool,
}

impl Dialect {
    /// Reads the member; Auth0's own way unless it says otherwise.
    pub fn parse(text: Option<&str>) -> Self {
        let text = text.unwrap_or_default();
        Self {
            is_rfc9068: text.starts_with("rfc9068"),
            has_permissions: text.ends_with("_authz"),
        }
    }

    /// The `typ` header.
    pub const fn token_type(self) -> &'static str {
        if self.is_rfc9068 {
            crate::jwt::AT_JWT
        } else {
            crate::jwt::JWT
        }
    }
}
