//! Applications, the APIs they call, and the grants between the two.

use crate::clock::Instant;
use crate::id::{ClientId, CredentialId, GrantId, ResourceServerId};
use crate::metadata::Json;
use crate::secret::ClientSecret;

/// How a client proves itself at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEndpointAuth {
    /// Not at all: a public client.
    None,
    /// Secret in the body.
    ClientSecretPost,
    /// Secret in the `Authorization` header.
    ClientSecretBasic,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
}

impl TokenEndpointAuth {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::None,
            Self::ClientSecretPost,
            Self::ClientSecretBasic,
            Self::PrivateKeyJwt,
        ]
        .into_iter()
        .find(|method| method.as_str() == text)
    }
}

/// An application.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its public name in the protocol.
    pub client_id: ClientId,
    /// Its name for people.
    pub name: String,
    /// What it proves itself with. Public clients have one too, unused.
    pub secret: ClientSecret,
    /// How it proves itself.
    pub auth: TokenEndpointAuth,
    /// Grant types that it may use, as spelled on the wire.
    pub grant_types: Vec<String>,
    /// All other members of the wire, as they were set.
    pub attributes: Json,
    /// Optimistic version.
    pub version: i64,
    /// Creation time.
    pub created_at: Instant,
}

impl Client {
    /// Whether the client may use a grant type.
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|allowed| allowed == grant_type)
    }
}

/// A public key by which a client proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredential {
    /// Its id in the Management API.
    pub id: CredentialId,
    /// The client.
    pub client_id: ClientId,
    /// Its name for people.
    pub name: Option<String>,
    /// The key's name: its thumbprint.
    pub kid: String,
    /// The one algorithm that it is for.
    pub algorithm: String,
    /// The public key.
    pub pem: String,
    /// Creation time.
    pub created_at: Instant,
    /// Last change.
    pub updated_at: Instant,
    /// When it is believed no longer.
    pub expires_at: Option<Instant>,
}

/// An API that tokens are issued for.
#[derive(Clone, Debug)]
pub struct ResourceServer {
    /// Its id in the Management API.
    pub id: ResourceServerId,
    /// The audience.
    pub identifier: String,
    /// Its name for people.
    pub name: String,
    /// The scopes that it knows: value and description.
    pub scopes: Vec<(String, Option<String>)>,
    /// Seconds that a token for it lives.
    pub token_lifetime: i64,
    /// The Management API itself: neither changed nor deleted.
    pub is_system: bool,
    /// All other members of the wire, as they were set.
    pub attributes: Json,
    /// Optimistic version.
    pub version: i64,
}

impl ResourceServer {
    /// Seconds that a token for it lives which travels through a browser. Where it does not say,
    /// Auth0's default, and never longer than others.
    pub fn token_lifetime_for_web(&self) -> i64 {
        const DEFAULT: i64 = 7200;
        let said = self.attributes.get("token_lifetime_for_web");
        said.and_then(serde_json::Value::as_i64)
            .unwrap_or(DEFAULT.min(self.token_lifetime))
    }
}

/// A client's right to ask for tokens of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientGrant {
    /// Its id.
    pub id: GrantId,
    /// The client.
    pub client_id: ClientId,
    /// The API's identifier.
    pub audience: String,
    /// The scopes it may have.
    pub scope: Vec<String>,
}
