//! What comes of a login: how somebody proved who they are, and what one client may do for them.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::id::{AuthorizationId, ClientId, ConnectionId, SessionId, UserId};
use crate::user::UserRow;

/// A way in which somebody proved who they are, as RFC 8176 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// A password, here or in the legacy store.
    Password,
    /// A code of an authenticator application.
    Otp,
    /// A code sent by mail or text message.
    OutOfBand,
    /// A code from the list of recovery codes.
    RecoveryCode,
    /// A passkey, or a security key as second factor.
    WebAuthn,
    /// Another identity provider's word.
    Federated,
}

impl AuthenticationMethod {
    /// The value of the `amr` claim.
    pub const fn as_amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Otp => "otp",
            Self::OutOfBand => "oob",
            Self::RecoveryCode => "rcv",
            Self::WebAuthn => "phr",
            Self::Federated => "fed",
        }
    }

    /// Whether it is a second factor beside a password.
    pub const fn is_second_factor(self) -> bool {
        matches!(
            self,
            Self::Otp | Self::OutOfBand | Self::RecoveryCode | Self::WebAuthn
        )
    }
}

/// Who is there and how that was proven: what a login ends with and a session remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The store's number.
    pub user: UserRow,
    /// The public id.
    pub user_id: UserId,
    /// Where the credential lives.
    pub connection: Option<ConnectionId>,
    /// The browser session, when there is one: the `sid` claim.
    pub session: Option<SessionId>,
    /// When it was proven: the `auth_time` claim.
    pub at: Instant,
    /// How, in order.
    pub methods: Vec<AuthenticationMethod>,
}

/// What one login allowed one client: the root of its code, its access tokens and its refresh
/// tokens. Whoever revokes it ends them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Its id; also the first part of the `jti` of its access tokens.
    pub id: AuthorizationId,
    /// The client.
    pub client_id: ClientId,
    /// Who allowed it, and how that was proven.
    pub authentication: Authentication,
    /// The API, if one was named.
    pub audience: Option<String>,
    /// What was allowed, split by spaces.
    pub scope: String,
    /// Thumbprint of the key that its tokens are bound to (RFC 9449 §6).
    pub dpop_key: Option<String>,
    /// When it came to be.
    pub created_at: Instant,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}
