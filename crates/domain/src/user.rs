//! A user: the person, with the identities that prove who it is.

use std::borrow::Cow;

use crate::clock::Instant;
use crate::email::EmailAddress;
use crate::id::{ConnectionId, ForeignId, JobId, UserId};
use crate::metadata::Json;
use crate::mfa_factor::MfaFactor;
use crate::profile_data;
use crate::secret::HashText;
use crate::username::Username;

/// What is known of a person, apart from keys and counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// The address, if there is one.
    pub email: Option<EmailAddress>,
    /// Whether the address was proven.
    pub email_verified: bool,
    /// The username, if there is one.
    pub username: Option<Username>,
    /// E.164.
    pub phone_number: Option<String>,
    /// Whether the number was proven; absent when never said.
    pub phone_verified: Option<bool>,
    /// Full name. The wire shows the e-mail address when absent.
    pub name: Option<String>,
    /// Nickname. The wire shows the local part when absent.
    pub nickname: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Picture URL. The wire shows a gravatar when absent.
    pub picture: Option<String>,
    /// Whether an administrator (or the legacy store) barred the user.
    pub blocked: Option<bool>,
    /// Root attributes that the schema does not know, as a legacy store sent them.
    pub extra: Json,
    /// What the user may change.
    pub user_metadata: Option<Json>,
    /// What only administrators may change.
    pub app_metadata: Option<Json>,
}

/// How a user came to be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Signed up or was created here.
    Native,
    /// Arrived at a first login through an action script.
    Login,
    /// Arrived by an import job.
    Import,
    /// Is a copy of a legacy profile; the legacy store stays the authority.
    Cached,
}

impl Origin {
    /// The word in the store and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Login => "login",
            Self::Import => "import",
            Self::Cached => "cached",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Native, Self::Login, Self::Import, Self::Cached]
            .into_iter()
            .find(|origin| origin.as_str() == text)
    }
}

/// A password hash and where it is from.
#[derive(Debug)]
pub struct Credential {
    /// In the stored form of the `password` crate.
    pub hash: HashText,
    /// Brought by an import and not yet proven by a login.
    pub is_imported: bool,
}

/// One user's record in one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The connection.
    pub connection: ConnectionId,
    /// The connection's name, as the wire prints it.
    pub connection_name: String,
    /// `auth0` for database connections.
    pub provider: String,
    /// The id inside the provider.
    pub foreign_id: ForeignId,
    /// How it came.
    pub origin: Origin,
    /// When it arrived here from a legacy store; absent for natives and cached copies.
    pub migrated_at: Option<Instant>,
    /// Whether this is the identity that the user is named after.
    pub is_primary: bool,
    /// Profile of a secondary identity.
    pub profile_data: Option<Json>,
}

/// The store's number of a user row: internal, dense, never shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserRow(pub i64);

/// A stored user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The store's number.
    pub row: UserRow,
    /// The public id.
    pub user_id: UserId,
    /// Optimistic version: grows at each change.
    pub version: i64,
    /// What is known of the person.
    pub attributes: Attributes,
    /// One or several, the primary first.
    pub identities: Vec<Identity>,
    /// Creation time.
    pub created_at: Instant,
    /// Last change.
    pub updated_at: Instant,
    /// Last login.
    pub last_login: Option<Instant>,
    /// Address of the last login.
    pub last_ip: Option<String>,
    /// Logins so far.
    pub logins_count: i64,
    /// When the password was last set here.
    pub last_password_reset: Option<Instant>,
    /// When an administrator last ended all sessions.
    pub sessions_revoked_at: Option<Instant>,
    /// Kinds of enrolled second factors.
    pub factors: Vec<String>,
}

impl User {
    /// Whether the user may not sign in.
    pub fn is_blocked(&self) -> bool {
        self.attributes.blocked == Some(true)
    }

    /// Whether a proof of who they are that was given at a moment still counts: none does that is not
    /// younger than the password and than the last end of all sessions.
    pub fn accepts_proof_of(&self, at: Instant) -> bool {
        let ends = [self.last_password_reset, self.sessions_revoked_at];
        ends.into_iter().flatten().all(|end| end < at)
    }

    /// What the identity in a connection says of the person: the account's attributes, or a linked
    /// identity's own ones. Those are not the account's, nor the account's its.
    pub fn attributes_in(&self, connection: &ConnectionId) -> Cow<'_, Attributes> {
        if !self.is_linked_in(connection) {
            return Cow::Borrowed(&self.attributes);
        }
        let identity = self.identity_in(connection);
        let profile = identity.and_then(|identity| identity.profile_data.as_ref());
        Cow::Owned(profile.map(profile_data::to_attributes).unwrap_or_default())
    }

    /// Whether the account is named after another identity than the one in a connection.
    pub fn is_linked_in(&self, connection: &ConnectionId) -> bool {
        self.identity_in(connection)
            .is_some_and(|identity| !identity.is_primary)
    }

    /// The identity in a connection.
    pub fn identity_in(&self, connection: &ConnectionId) -> Option<&Identity> {
        self.identities
            .iter()
            .find(|identity| identity.connection == *connection)
    }
}

/// A user about to be written with its first identity.
#[derive(Debug)]
pub struct NewUser {
    /// The store's number, reserved beforehand.
    pub row: UserRow,
    /// The connection of the first identity.
    pub connection: ConnectionId,
    /// Its id inside the provider.
    pub foreign_id: ForeignId,
    /// What is known of the person.
    pub attributes: Attributes,
    /// The password hash, if one is known.
    pub credential: Option<Credential>,
    /// Enrolled second factors.
    pub factors: Vec<MfaFactor>,
    /// How the user came.
    pub origin: Origin,
    /// The import job that brought it.
    pub import_job: Option<JobId>,
    /// Creation time.
    pub created_at: Instant,
}
