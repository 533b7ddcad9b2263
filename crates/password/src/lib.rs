//! Foreign and own password hashes: read once, kept as text, verified on the CPU.
//!
//! Pure: no I/O, no clock, and no randomness but [`domain::Entropy`]. What a hash may cost is
//! checked when it is read ([`Limits`]), so verifying never meets a hash that asks for more than
//! the operator grants. Everything that can never verify is refused at that moment too, with a
//! [`domain::RowError`] that names the member and never repeats a secret.
//!
//! The formats, with what each was verified against, are in `docs/hash-formats.md`.

mod algorithm;
mod canonical;
mod custom;
mod digest;
mod encoding;
mod family;
mod foreign;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod json;
mod known;
mod limits;
mod named;
mod record;
mod refusal;
mod scheme;

use std::fmt;

use domain::{HashText, Password, RowError};

use crate::custom::{CUSTOM_PREFIX, Custom};
use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::BcryptHash;
pub use crate::foreign::{ForeignOptions, UnreadableHash, algorithm_names, verify_foreign};
use crate::known::{KNOWN_PREFIX, Known};
pub use crate::limits::Limits;
pub use crate::scheme::{HashError, Scheme};

/// Gives back the memory that this thread's last Argon2 computation worked in. It is kept from one
/// computation to the next; a thread that computes no more should not hold on to it.
pub fn release_memory() {
    family::argon2::release_memory();
}

/// One password hash, read and checked.
pub struct PasswordHash(Kind);

/// Where a hash came from decides how it is stored, and whether it may stay.
enum Kind {
    /// Our own scheme.
    Argon2(Argon2Hash),
    /// Our own scheme too, and the `password_hash` field of an import.
    Bcrypt(BcryptHash),
    /// The `custom_password_hash` field of an import. Boxed: the rare and large case.
    Custom(Box<Custom>),
    /// A text that names its own format, in the `password_hash` field of an import.
    Known(Box<Known>),
}

/// What an import row says of the user, for hashes that need it: it is frozen into the stored text,
/// since names and addresses change later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// The username, as the row has it.
    pub username: Option<&'a str>,
    /// The e-mail address, as the row has it.
    pub email: Option<&'a str>,
    /// The id, without the provider in front.
    pub user_id: Option<&'a str>,
}

/// A stored hash that cannot be read: the store was changed by other hands than ours.
#[derive(Debug, thiserror::Error)]
#[error("the stored password hash cannot be read: {0}")]
pub struct CorruptHash(String);

impl PasswordHash {
    /// Reads what [`to_stored`](Self::to_stored) wrote: `$argon2id$…`, `$2b$…`, `known:<text>` or
    /// `custom:<json>`. No ceilings here: they were applied at the import, and lowering one must
    /// not lock out who is already in.
    pub fn from_stored(text: &HashText) -> Result<Self, CorruptHash> {
        let text = text.expose();
        let kind = if let Some(json) = text.strip_prefix(CUSTOM_PREFIX) {
            Custom::read(json, &Owner::default(), &Limits::NONE)
                .map(Box::new)
                .map(Kind::Custom)
        } else if let Some(known) = text.strip_prefix(KNOWN_PREFIX) {
            Known::read(known, &Limits::NONE)
                .map(Box::new)
                .map(Kind::Known)
                .map_err(RowError::from)
        } else if text.starts_with("$argon2id$") {
            Argon2Hash::parse(text, &Limits::NONE).map(Kind::Argon2)
        } else if text.starts_with("$2") {
            BcryptHash::parse(text, &Limits::NONE).map(Kind::Bcrypt)
        } else {
            return Err(CorruptHash("unknown prefix".to_owned()));
        };
        kind.map(Self)
            .map_err(|refused| CorruptHash(refused.message))
    }

    /// The text that the store keeps.
    pub fn to_stored(&self) -> HashText {
        match &self.0 {
            Kind::Argon2(hash) => HashText::from(hash.to_text()),
            Kind::Bcrypt(hash) => HashText::from(hash.to_text()),
            Kind::Custom(custom) => HashText::from(custom.to_text()),
            Kind::Known(known) => HashText::from(known.to_text()),
        }
    }

    /// Reads the documented form of `password_hash` alone: bcrypt of cost 10.
    pub fn from_bcrypt_field(text: &str) -> Result<Self, RowError> {
        BcryptHash::parse_field(text).map(|hash| Self(Kind::Bcrypt(hash)))
    }

    /// Reads the `password_hash` field of an import row: bcrypt of cost 10, as documented, or any
    /// text that names its own format. `None` is an account without a password (`!…`, `*`).
    ///
    /// # Errors
    /// The format is not known, can never verify, or exceeds the limits. Never repeats the text.
    pub fn from_field(text: &str, limits: &Limits) -> Result<Option<Self>, RowError> {
        Ok(known::read_field(text, limits)?.map(Self))
    }

    /// Reads any text that names its own format, as [`verify_foreign`] recognises it.
    ///
    /// # Errors
    /// As [`from_field`](Self::from_field).
    pub fn from_known(text: &str, limits: &Limits) -> Result<Self, UnreadableHash> {
        known::read(text, limits).map(Self)
    }

    /// Reads the `custom_password_hash` member from its raw JSON text. Paths in the refusal are
    /// relative to that member: the caller adds `.under("custom_password_hash")`.
    pub fn from_custom(json: &str, limits: &Limits) -> Result<Self, RowError> {
        Self::from_custom_of(json, &Owner::default(), limits)
    }

    /// The same, with what the row says of its user.
    pub fn from_custom_of(
        json: &str,
        owner: &Owner<'_>,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        Custom::read(json, owner, limits).map(|custom| Self(Kind::Custom(Box::new(custom))))
    }

    /// Whether the password is the one behind this hash. Digests are compared in constant time.
    /// Takes as long as the hash was made to take: call it off the async threads.
    pub fn verify(&self, password: &Password) -> bool {
        match &self.0 {
            Kind::Argon2(hash) => hash.verify(password.expose().as_bytes()),
            Kind::Bcrypt(hash) => hash.verify(password.expose().as_bytes()),
            Kind::Custom(custom) => custom.verify(password.expose()),
            Kind::Known(known) => known.verify(password.expose().as_bytes()),
        }
    }

    /// Whether the hash is what `scheme` would make today. `false` asks for a new hash after the
    /// next successful login; an imported custom hash is never current.
    pub fn is_current(&self, scheme: &Scheme) -> bool {
        match (&self.0, *scheme) {
            (
                Kind::Argon2(hash),
                Scheme::Argon2id {
                    memory_kib,
                    iterations,
                    parallelism,
                },
            ) => hash.is_own(memory_kib, iterations, parallelism),
            (Kind::Bcrypt(hash), Scheme::Bcrypt { cost }) => hash.is_own(cost),
            _ => false,
        }
    }

    /// Whether this is an imported `custom_password_hash`, which a later import may still replace.
    pub fn is_custom(&self) -> bool {
        matches!(self.0, Kind::Custom(_))
    }

    /// The algorithm's name for logs and counters: `argon2id`, `bcrypt`, `pbkdf2`, `md5`, ….
    pub fn algorithm(&self) -> &'static str {
        match &self.0 {
            Kind::Argon2(hash) => hash.name(),
            Kind::Bcrypt(_) => "bcrypt",
            Kind::Custom(custom) => custom.algorithm(),
            Kind::Known(_) => "known",
        }
    }
}

/// Prints the algorithm only: a hash is enough to attack a password.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({})", self.algorithm())
    }
}
