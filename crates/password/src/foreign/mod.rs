//! Hashes of legacy stores, for imports and action scripts, whatever wrote them.
//!
//! Most formats say what they are by their first letters ([`recognise`]); a bare digest does not,
//! and [`ForeignOptions`] says it instead. Owns the dispatch; each file beside it owns one kin of
//! formats. Refuses what it does not recognise, what can never verify, and what would cost more
//! than the [`Limits`]; never repeats a hash in a refusal. An account *without* a password (an
//! empty text, Django's `!…`, a lone `*`) is readable: no password is right.
//!
//! What is not supported, and why, is in `docs/hash-formats.md`.

mod algorithm;
mod apps;
mod aspnet;
mod bare;
mod blank;
mod compute;
mod crypt;
mod crypt_rare;
mod database;
mod des;
mod des_crypt;
mod directory;
mod django;
mod firebase;
mod known_names;
mod kratos;
mod names;
mod options;
mod passlib;
mod phpass;
mod prepare;
mod sun_md5;
mod vendor;
mod web;

use domain::{Password, RowError, RowErrorCode};
use zeroize::Zeroizing;

pub use algorithm::algorithm_names;
pub(crate) use blank::{blanked, is_blank};
pub(crate) use known_names::known_name;
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
use crate::wrapped::Fast;

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

/// The refusal of a plain text: who has those hashes them, or creates the users by the API.
const A_PASSWORD: &str = "it is a password and no hash";

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

    /// The same taken apart, where one guess costs next to nothing. A family that does not say so is
    /// slow by itself, and stays as it came.
    fn fast(&self) -> Option<&dyn Fast> {
        None
    }
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

check!(Argon2Hash, BcryptHash, Pbkdf2Hash, ScryptHash);

impl Check for LdapHash {
    fn verify(&self, password: &[u8]) -> bool {
        Self::verify(self, password)
    }

    fn fast(&self) -> Option<&dyn Fast> {
        Some(self)
    }
}

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
    if let Some(reading) = prefixed(text, limits) {
        return reading;
    }
    django::read(text, limits)
        .or_else(|| web::read(text, limits))
        .or_else(|| aspnet::read(text, limits))
        .unwrap_or_else(|| Err(UnreadableHash::new(UNRECOGNISED)))
}

/// Reads what begins with a word of its own and no `$`.
fn prefixed(text: &str, limits: &Limits) -> Option<Reading> {
    let starts = |prefix| text.starts_with(prefix);
    Some(if starts("SCRAM-SHA-256$") {
        database::scram_sha_256(text, limits)
    } else if starts("0x0100") || starts("0x0200") {
        database::sql_server(text)
    } else if starts("S:") || starts("T:") {
        database::oracle(text, limits)
    } else if starts("grub.pbkdf2.") {
        vendor::grub(text, limits)
    } else if starts("SCRYPT:") {
        vendor::scrypt_colons(text, limits)
    } else if starts("otm_sha256:") {
        vendor::otm(text, limits)
    } else if starts("[\"") {
        vendor::logto(text, limits)
    } else if starts("_") {
        des_crypt::bsdi(text, limits)
    } else if let Some(hash) = text.strip_prefix("ipaNTHash: ") {
        database::nt_hash(hash)
    } else if let Some(hash) = text.strip_prefix("sambaNTPassword: ") {
        database::nt_hash(hash)
    } else {
        return None;
    })
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
        _ => rare(id, text, limits),
    }
}

/// The ids that fewer stores write.
fn rare(id: &str, text: &str, limits: &Limits) -> Reading {
    match id {
        "2x" => crypt_rare::sign_extended(text, limits),
        "y" | "gy" => crypt_rare::yescrypt_hash(id, text, limits),
        "7" => crypt_rare::scrypt_7(text, limits),
        "3" => database::nt_hash(text.strip_prefix("$3$$").unwrap_or_default()),
        "8" | "9" => vendor::cisco(id, text, limits),
        "scram" => database::scram_list(text, limits),
        "p5k2" => vendor::p5k2(text, limits),
        "sspr" => vendor::sspr(text, limits),
        "shiro1" => vendor::shiro(text, limits),
        "B" => web::media_wiki_b(text),
        "md5" if text.matches('$').count() == 2 || text.starts_with("$md5$pf=") => {
            kratos::template(Digest::Md5, text)
        }
        "sha1" if !text.starts_with("$sha1$pf=") && text.matches('$').count() == 4 => {
            crypt_rare::sha1_crypt(text, limits)
        }
        "sha1" => kratos::template(Digest::Sha1, text),
        "sha256" => kratos::template(Digest::Sha256, text),
        "sha512" => kratos::template(Digest::Sha512, text),
        "md5-crypt" | "sha256-crypt" | "sha512-crypt" => kratos::crypt_word(id, text, limits),
        "md5salted-suffix" | "md5salted-prefix" => kratos::passwap(id, text),
        "plaintext" | "base64" => Err(UnreadableHash::unsupported(A_PASSWORD)),
        _ if id.starts_with("hmac-") => kratos::hmac(id, text),
        _ if id == "md5" || id.starts_with("md5,") => sun_md5::read(text, limits),
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
