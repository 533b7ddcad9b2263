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
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod identify;
mod import_members;
mod json;
mod known;
mod limits;
mod named;
pub mod policy;
mod recipe;
mod record;
mod refusal;
mod scheme;
mod wrapped;

use std::fmt;

use domain::{HashText, Password, RowError};
use zeroize::Zeroizing;

use crate::custom::{CUSTOM_PREFIX, Custom};
use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::BcryptHash;
pub use crate::foreign::{ForeignOptions, UnreadableHash, algorithm_names, verify_foreign};
pub use crate::import_members::ImportMember;
use crate::known::{KNOWN_PREFIX, Known};
pub use crate::limits::Limits;
pub use crate::recipe::{ImportContext, Recipe, RecipeError, Variable};
use crate::recipe::{RECIPE_PREFIX, RecipeHash, is_recipe_record};
pub use crate::scheme::{HashError, Scheme};
pub use crate::wrapped::FAST_PREFIXES;
use crate::wrapped::{FAST_PREFIX, WRAPPED_PREFIX, Wrapped};

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
    /// A fast hash of that field, put under our own scheme since.
    Wrapped(Box<Wrapped>),
    /// A hash that was imported with the recipe of how it was made.
    Recipe(Box<RecipeHash>),
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
    /// Reads what [`to_stored`](Self::to_stored) wrote: `$argon2id$…`, `$2b$…`, `known:<text>`,
    /// `custom:<json>`, `recipe:<json>` or `wrapped:<json>`, perhaps behind `fast:`. No ceilings
    /// here: they were applied at the import, and lowering one must not lock out who is already in.
    pub fn from_stored(text: &HashText) -> Result<Self, CorruptHash> {
        let text = text.expose();
        let text = text.strip_prefix(FAST_PREFIX).unwrap_or(text);
        let context = ImportContext {
            has_pepper: true,
            ..ImportContext::default()
        };
        let kind = if let Some(json) = text.strip_prefix(RECIPE_PREFIX) {
            RecipeHash::read(json, &context, &Limits::NONE)
                .map(Box::new)
                .map(Kind::Recipe)
        } else if let Some(json) = text.strip_prefix(CUSTOM_PREFIX) {
            Custom::read(json, &Owner::default(), &Limits::NONE)
                .map(Box::new)
                .map(Kind::Custom)
        } else if let Some(json) = text.strip_prefix(WRAPPED_PREFIX) {
            Wrapped::read(json, &context, &Limits::NONE)
                .map(Box::new)
                .map(Kind::Wrapped)
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

    /// The text that the store keeps. What no algorithm's name tells to be fast is marked.
    pub fn to_stored(&self) -> HashText {
        let (text, is_fast) = match &self.0 {
            Kind::Argon2(hash) => (hash.to_text(), false),
            Kind::Bcrypt(hash) => (hash.to_text(), false),
            Kind::Custom(custom) => (custom.to_text(), custom.is_fast_and_named()),
            Kind::Wrapped(wrapped) => (wrapped.to_text(), false),
            Kind::Recipe(hash) => (hash.to_text(), hash.digest().is_some()),
            Kind::Known(known) => (known.to_text(), known.is_fast()),
        };
        if !is_fast {
            return HashText::from(text);
        }
        let text = Zeroizing::new(text);
        HashText::from(format!("{FAST_PREFIX}{}", *text))
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
        let context = ImportContext {
            owner: *owner,
            ..ImportContext::default()
        };
        Self::from_import(json, &context, limits)
    }

    /// [`from_custom_of`](Self::from_custom_of) a row whose `algorithm` may also be `recipe`; the
    /// context holds what such a recipe may need of the row and its connection.
    pub fn from_import(
        json: &str,
        context: &ImportContext<'_>,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        let kind = if wrapped::is_named(json) {
            Kind::Wrapped(Box::new(Wrapped::read(json, context, limits)?))
        } else if is_recipe_record(json) {
            Kind::Recipe(Box::new(RecipeHash::read(json, context, limits)?))
        } else {
            Kind::Custom(Box::new(Custom::read(json, &context.owner, limits)?))
        };
        Ok(Self(kind))
    }

    /// Whether verifying takes the connection's pepper; without it, nothing verifies.
    pub fn needs_pepper(&self) -> bool {
        match &self.0 {
            Kind::Recipe(hash) => hash.needs_pepper(),
            Kind::Wrapped(wrapped) => wrapped.needs_pepper(),
            _ => false,
        }
    }

    /// Supplies the connection's pepper, which is never stored with a hash.
    #[must_use]
    pub fn with_pepper(mut self, pepper: &str) -> Self {
        match &mut self.0 {
            Kind::Recipe(hash) => hash.set_pepper(pepper),
            Kind::Wrapped(wrapped) => wrapped.set_pepper(pepper),
            _ => {}
        }
        self
    }

    /// Whether the password is the one behind this hash. Digests are compared in constant time.
    /// Takes as long as the hash was made to take: call it off the async threads.
    pub fn verify(&self, password: &Password) -> bool {
        match &self.0 {
            Kind::Argon2(hash) => hash.verify(password.expose().as_bytes()),
            Kind::Bcrypt(hash) => hash.verify(password.expose().as_bytes()),
            Kind::Custom(custom) => custom.verify(password.expose()),
            Kind::Wrapped(wrapped) => wrapped.verify(password.expose()),
            Kind::Recipe(hash) => hash.verify(password.expose()),
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
        matches!(self.0, Kind::Custom(_) | Kind::Recipe(_) | Kind::Wrapped(_))
    }

    /// The algorithm's name for logs and counters: `argon2id`, `bcrypt`, `pbkdf2`, `md5`, ….
    pub fn algorithm(&self) -> &'static str {
        match &self.0 {
            Kind::Argon2(hash) => hash.name(),
            Kind::Bcrypt(_) => "bcrypt",
            Kind::Custom(custom) => custom.algorithm(),
            Kind::Wrapped(wrapped) => wrapped.algorithm(),
            Kind::Recipe(_) => "recipe",
            Kind::Known(known) => known.name(),
        }
    }
}

/// Prints the algorithm only: a hash is enough to attack a password.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({})", self.algorithm())
    }
}
