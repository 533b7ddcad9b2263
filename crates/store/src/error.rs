//! What can go wrong in the store, in its own words. HTTP is decided elsewhere.

/// A unique key of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `(provider, foreign_id)` of an identity.
    ForeignId,
    /// An e-mail address within a connection.
    Email,
    /// A username within a connection.
    Username,
    /// A phone number within a connection.
    PhoneNumber,
    /// An id by which a connection's legacy store knows a user.
    LegacyId,
    /// A user's internal number.
    UserRow,
    /// A connection's name.
    ConnectionName,
    /// A realm.
    Realm,
    /// An API's identifier.
    ResourceServerIdentifier,
    /// A client's grant for an audience.
    ClientGrant,
    /// The state of a signing key: one current, one next.
    SigningKeyState,
    /// The hash of a session token.
    SessionToken,
    /// A client being enabled twice for a connection.
    ConnectionClient,
    /// A caller's key for one import job of a connection.
    IdempotencyKey,
    /// The code that a person types for a device.
    UserCode,
    /// A random id that exists already.
    Id,
}

/// How each database names a violated key: PostgreSQL gives the constraint, SQLite the columns.
/// The conformance suite provokes every row.
pub(crate) const KEYS: &[(Key, &str, &str)] = &[
    (
        Key::ForeignId,
        "identities_pkey",
        "identities.provider, identities.foreign_id",
    ),
    (
        Key::Email,
        "identities_email",
        "identities.connection_id, identities.email_key",
    ),
    (
        Key::Username,
        "identities_username",
        "identities.connection_id, identities.username_key",
    ),
    (
        Key::PhoneNumber,
        "identities_phone",
        "identities.connection_id, identities.phone_key",
    ),
    (
        Key::LegacyId,
        "legacy_ids_pkey",
        "legacy_ids.connection_id, legacy_ids.foreign_id",
    ),
    (Key::UserRow, "users_pkey", "users.id"),
    (Key::ConnectionName, "connections_name", "connections.name"),
    (
        Key::Realm,
        "connection_realms_pkey",
        "connection_realms.realm",
    ),
    (
        Key::ResourceServerIdentifier,
        "resource_servers_identifier",
        "resource_servers.identifier",
    ),
    (
        Key::ClientGrant,
        "client_grants_pair",
        "client_grants.client_id, client_grants.audience",
    ),
    (
        Key::SigningKeyState,
        "signing_keys_state",
        "signing_keys.state",
    ),
    (Key::SessionToken, "sessions_token", "sessions.token_hash"),
    (
        Key::UserCode,
        "device_codes_user_code",
        "device_codes.user_code",
    ),
    (
        Key::ConnectionClient,
        "connection_clients_pkey",
        "connection_clients.connection_id, connection_clients.client_id",
    ),
    (
        Key::IdempotencyKey,
        "jobs_idempotency",
        "jobs.connection_id, jobs.idempotency_key",
    ),
];

/// A failed store operation. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken.
    #[error("conflict on {0:?}")]
    Conflict(Key),
    /// A statement that must touch one row touched none: the version moved on, or the row is gone.
    #[error("stale: statement {statement} of the batch touched {affected} rows")]
    Stale {
        /// Its place in the batch.
        statement: usize,
        /// Rows that it touched.
        affected: u64,
    },
    /// The database can't be reached or gave up; trying again later may help.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A stored value is not what the code wrote.
    #[error("corrupt value in column {column}: {problem}")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The schema is not the one this binary knows.
    #[error("schema: {0}")]
    Schema(String),
    /// The statement itself is wrong: a defect of ours.
    #[error("statement failed: {0}")]
    Statement(String),
}

/// The store's result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// Whether this is a conflict on the key.
    pub fn is_conflict_on(&self, key: Key) -> bool {
        matches!(self, Self::Conflict(found) if *found == key)
    }
}
