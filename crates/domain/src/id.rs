//! Identifiers as the wire spells them. All are opaque text; the prefix tells what they name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entropy::{Entropy, alphanumeric, hexadecimal};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// `con_` and 16 letters or digits.
    ConnectionId
}
text_id! {
    /// 32 letters or digits.
    ClientId
}
text_id! {
    /// `cgr_` and 16 letters or digits.
    GrantId
}
text_id! {
    /// `cred_` and 22 letters or digits.
    CredentialId
}
text_id! {
    /// 24 hexadecimal digits.
    ResourceServerId
}
text_id! {
    /// `job_` and 16 letters or digits.
    JobId
}
text_id! {
    /// A log event's id: it sorts by time.
    LogId
}
text_id! {
    /// A signing key's `kid`: 21 letters or digits.
    KeyId
}
text_id! {
    /// A person, as tokens and the Management API name one: `auth0|42`.
    UserId
}
text_id! {
    /// A user's id inside its provider, without the prefix: the immutable key of a legacy record.
    ForeignId
}
text_id! {
    /// A browser session's id.
    SessionId
}
text_id! {
    /// `aut_` and 22 letters or digits: what one login allowed one client.
    AuthorizationId
}
text_id! {
    /// A login under way: 32 letters or digits, the `state` of its pages.
    TransactionId
}
text_id! {
    /// What a person allowed a client: 24 hexadecimal digits, a "grant" on the wire.
    ConsentId
}

/// The provider of all database connections: they share one space of user ids.
pub const AUTH0: &str = "auth0";

/// The provider of connections to somebody else's OpenID provider.
pub const OIDC: &str = "oidc";

impl ConnectionId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(format!("con_{}", alphanumeric(entropy, 16)))
    }

    /// Whether the text has the documented shape `^con_[A-Za-z0-9]{16}$`.
    pub fn is_well_formed(text: &str) -> bool {
        text.strip_prefix("con_")
            .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    }
}

impl AuthorizationId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(format!("aut_{}", alphanumeric(entropy, 22)))
    }
}

impl ClientId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, 32))
    }
}

impl GrantId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(format!("cgr_{}", alphanumeric(entropy, 16)))
    }
}

impl CredentialId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(format!("cred_{}", alphanumeric(entropy, 22)))
    }
}

impl ResourceServerId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(hexadecimal(entropy, 24))
    }
}

impl JobId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(format!("job_{}", alphanumeric(entropy, 16)))
    }
}

impl KeyId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, 21))
    }
}

impl SessionId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, 32))
    }
}

impl TransactionId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, 32))
    }
}

impl ConsentId {
    /// A new random id.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(hexadecimal(entropy, 24))
    }
}

impl LogId {
    /// A new id: later milliseconds sort later, and so do later events of one process within a
    /// millisecond, which its `sequence` counts.
    pub fn generate(entropy: &dyn Entropy, now: crate::clock::Instant, sequence: u32) -> Self {
        let within = sequence % 1_000_000;
        Self(format!(
            "90020{:015}{within:06}{}",
            now.millis(),
            hexadecimal(entropy, 14)
        ))
    }
}

impl ForeignId {
    /// A new random id in the documented shape: 24 hexadecimal digits.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(hexadecimal(entropy, 24))
    }

    /// The user whose first identity this is: `auth0|` and the id.
    ///
    /// An id that already starts with `auth0|` is not prefixed twice: exports print the prefix and
    /// people feed exports back.
    pub fn user_id(&self) -> UserId {
        UserId(format!("{AUTH0}|{}", self.0))
    }

    /// Strips one `auth0|` prefix, as a script or file may send it.
    pub fn unprefixed(text: &str) -> Self {
        Self(text.strip_prefix("auth0|").unwrap_or(text).to_owned())
    }
}

impl UserId {
    /// The user whose first identity this is.
    pub fn of(provider: &str, id: &ForeignId) -> Self {
        Self(format!("{provider}|{id}"))
    }

    /// The provider and the id inside it; `None` when there is no `|`.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.0.split_once('|')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_never_doubled() {
        assert_eq!(
            ForeignId::unprefixed("auth0|42").user_id().as_str(),
            "auth0|42"
        );
        assert_eq!(ForeignId::unprefixed("42").user_id().as_str(), "auth0|42");
    }
}
