//! Hashes of legacy stores, for action scripts: verified where they lie, whatever wrote them.
//!
//! Most formats say what they are by their first letters ([`recognise`]); a bare digest does not,
//! and [`ForeignOptions`] says it instead. Owns the dispatch; each file beside it owns one kin of
//! formats. Refuses what it does not recognise, what can never verify, and what would cost more
//! than the [`Limits`]; never repeats a hash in a refusal. An account *without* a password (an
//! empty text, Django's `!…`, a lone `*`) is readable: no password is right.
//!
//! Not here, since nobody maintains them in Rust: yescrypt (`$y$`), DES crypt, Sun MD5.

mod aspnet;
mod bare;
mod crypt;
mod directory;
mod django;
mod firebase;
mod options;
mod passlib;
mod phpass;
mod prepare;
mod web;

use domain::{Password, RowError, RowErrorCode};
use zeroize::Zeroizing;

pub use options::ForeignOptions;
use prepare::{Prepared, Step};

use crate::digest::Digest;
use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::BcryptHash;
use crate::family::ldap::LdapHash;
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::scrypt::ScryptHash;
use crate::limits::Limits;
use crate::record::VALUE;

/// The fewest bytes of digest that can tell one password from another. A shorter one was cut off,
/// and an empty one would equal everything.
const LEAST_DIGEST: usize = 16;

/// The longest password that is hashed at all, in bytes: `WordPress`, Symfony and passlib stop there
/// too. Some formats take time by the square of it.
pub(crate) const LONGEST_PASSWORD: usize = 4096;

/// Whether a password is the one behind a hash that a legacy store holds, in any of the formats of
/// `docs/hash-formats.md`. As slow as the hash was made to be: call it off the async threads.
///
/// # Errors
/// The text is in no known format, can never verify, or exceeds the limits; or the options do not
/// fit it. A wrong password is `Ok(false)`.
pub fn verify_foreign(
    password: &Password,
    stored: &str,
    options: &ForeignOptions,
    limits: &Limits,
) -> Result<bool, UnreadableHash> {
    let check = options.read(stored, limits)?;
    if password.expose().len() > LONGEST_PASSWORD {
        return Ok(false);
    }
    Ok(check.verify(&options.password_encoding.encode(password.expose())))
}

const UNRECOGNISED: &str = "its format is not recognised";

/// Whether the text says itself what hash it is, and can be verified within the limits.
pub(crate) fn check_known(stored: &str, limits: &Limits) -> Result<(), UnreadableHash> {
    recognise(stored, limits).map(drop)
}

/// Whether bytes, which a recipe made of a password, are behind such a text.
pub(crate) fn verify_known(stored: &str, password: &[u8]) -> bool {
    recognise(stored, &Limits::NONE).is_ok_and(|check| check.verify(password))
}

/// Why a stored hash cannot be verified; holds no part of the hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored password hash cannot be verified: {}", shown(.0))]
pub struct UnreadableHash(RowError);

fn shown(refused: &RowError) -> String {
    match refused.path.as_str() {
        "" | VALUE => refused.message.clone(),
        path => format!("{path}: {}", refused.message),
    }
}

impl UnreadableHash {
    fn new(why: impl Into<String>) -> Self {
        Self(RowError::new(RowErrorCode::Pattern, VALUE, why))
    }

    fn malformed(format: &str) -> Self {
        Self::new(format!(
            "it begins like {format} and does not go on like it"
        ))
    }

    /// An option without which the hash says too little.
    fn missing(member: &str) -> Self {
        let why = format!("the option {member} is missing");
        Self(RowError::new(
            RowErrorCode::ObjectMissingRequiredProperty,
            "",
            why,
        ))
    }

    /// A format that is known and that nothing here computes.
    fn unsupported(why: impl Into<String>) -> Self {
        Self(RowError::new(RowErrorCode::EnumMismatch, VALUE, why))
    }

    /// Whether the text looks like no format that is known.
    pub(crate) fn is_unrecognised(&self) -> bool {
        self.0.message == UNRECOGNISED
    }

    /// The same as a fault of an import row; its path is `hash.value` or the member at fault.
    pub fn into_row_error(self) -> RowError {
        self.0
    }
}

impl From<RowError> for UnreadableHash {
    fn from(refused: RowError) -> Self {
        Self(refused)
    }
}

/// A hash, read and within its limits.
pub(crate) trait Check: Send + Sync {
    fn verify(&self, password: &[u8]) -> bool;
}

pub(crate) type Reading = Result<Box<dyn Check>, UnreadableHash>;

/// An account that has no password.
struct Nobody;

impl Check for Nobody {
    fn verify(&self, _: &[u8]) -> bool {
        false
    }
}

macro_rules! check {
    ($($family:ty),+) => {
        $(impl Check for $family {
            fn verify(&self, password: &[u8]) -> bool {
                <$family>::verify(self, password)
            }
        })+
    };
}

check!(Argon2Hash, BcryptHash, LdapHash, Pbkdf2Hash, ScryptHash);

/// Whether this marks an account that has no password: Django's `!…`, `shadow`'s `!` and `*`.
pub(crate) fn is_nobody(text: &str) -> bool {
    text.starts_with('!') || text == "*"
}

/// Reads a hash that says itself what it is.
pub(crate) fn recognise(text: &str, limits: &Limits) -> Reading {
    if text.is_empty() || is_nobody(text) {
        return Ok(Box::new(Nobody));
    }
    if text.starts_with('$') {
        return modular(text, limits);
    }
    if text.starts_with('{') {
        return directory::read(text, limits);
    }
    if let Some(upgraded) = text.strip_prefix('U').filter(|rest| rest.starts_with('$')) {
        // Drupal hashed the MD5 sums of its version 6 once more.
        let inner = modular(upgraded, limits)?;
        return Ok(Prepared::boxed(Step::Hex(Digest::Md5), inner));
    }
    django::read(text, limits)
        .or_else(|| web::read(text, limits))
        .or_else(|| aspnet::read(text, limits))
        .unwrap_or_else(|| Err(UnreadableHash::new(UNRECOGNISED)))
}

/// Reads `$id$…`.
fn modular(text: &str, limits: &Limits) -> Reading {
    let id = text.split('$').nth(1).unwrap_or_default();
    match id {
        "2" | "2a" | "2b" | "2y" => bcrypt(text, limits),
        "wp" => {
            // WordPress 6.8: `$wp` in front of the bcrypt of what fits bcrypt's 72 bytes.
            let inner = bcrypt(text.strip_prefix("$wp").unwrap_or_default(), limits)?;
            let hmac = Prepared::boxed(
                Step::Base64Hmac(Digest::Sha384, Zeroizing::new(b"wp-sha384".to_vec())),
                inner,
            );
            Ok(Prepared::boxed(Step::TrimPhp, hmac))
        }
        "argon2d" | "argon2i" | "argon2id" => argon2(text, limits),
        "1" | "apr1" | "5" | "6" => crypt::read(id, text, limits),
        "P" | "H" | "S" => phpass::read(id, text, limits),
        "scrypt" | "bcrypt-sha256" | "pbkdf2" | "ml" => passlib::read(id, text, limits),
        _ if id.starts_with("pbkdf2-") => passlib::read(id, text, limits),
        "firescrypt" | "fbscrypt" => firebase::read(text, limits),
        "SHA" => web::auth_me(text),
        "y" | "gy" | "7" | "2x" | "md5" | "sha1" | "3" => Err(UnreadableHash::unsupported(
            format!("${id}$ hashes are not supported"),
        )),
        _ => Err(UnreadableHash::new(UNRECOGNISED)),
    }
}

fn bcrypt(text: &str, limits: &Limits) -> Reading {
    Ok(Box::new(BcryptHash::parse(text, limits)?))
}

fn argon2(text: &str, limits: &Limits) -> Reading {
    let hash = Argon2Hash::parse(text, limits)?;
    Ok(Box::new(hash))
}
