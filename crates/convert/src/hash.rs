//! Hashes in the import's words. The documented `custom_password_hash` where it can say it, else the
//! product's own text as `password_hash`, which the import recognises by itself.
//!
//! A hash is a secret: nothing here prints one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use domain::Json;
use password::{Limits, PasswordHash};
use serde_json::{Value, json};

/// A password hash of an import row.
pub(crate) enum Hash {
    /// The member `password_hash`.
    Field(String),
    /// The member `custom_password_hash`.
    Custom(Json),
}

const LDAP: &[&str] = &[
    "{md5}",
    "{smd5}",
    "{sha}",
    "{sha256}",
    "{sha384}",
    "{sha512}",
    "{ssha}",
    "{ssha256}",
    "{ssha384}",
    "{ssha512}",
];

impl Hash {
    /// From a text that names its own format.
    pub fn from_text(text: String) -> Self {
        let is_documented = |cost: &str| cost == "10";
        if let Some((kind, rest)) = bcrypt_parts(&text) {
            let cost = rest.get(..2).unwrap_or_default();
            return if kind != "$2y$" && is_documented(cost) {
                Self::Field(text)
            } else {
                Self::custom(&json!({"algorithm": "bcrypt", "hash": {"value": text}}))
            };
        }
        if text.starts_with("$argon2") && text.contains("$v=") && !text.contains("keyid=") {
            return Self::custom(&json!({"algorithm": "argon2", "hash": {"value": text}}));
        }
        if text.starts_with("$pbkdf2-") && text.contains("$i=") {
            let hash = json!({"value": text, "encoding": "utf8"});
            return Self::custom(&json!({"algorithm": "pbkdf2", "hash": hash}));
        }
        let scheme = text.find('}').and_then(|end| text.get(..=end));
        if scheme.is_some_and(|scheme| LDAP.contains(&scheme.to_ascii_lowercase().as_str())) {
            let hash = json!({"value": text, "encoding": "utf8"});
            return Self::custom(&json!({"algorithm": "ldap", "hash": hash}));
        }
        Self::Field(text)
    }

    /// Why the import would refuse it, in words that repeat nothing of it.
    pub fn fault(&self) -> Option<String> {
        let limits = Limits::default();
        match self {
            Self::Field(text) => PasswordHash::from_field(text, &limits).err(),
            Self::Custom(object) => {
                let text = Value::Object(object.clone()).to_string();
                PasswordHash::from_custom(&text, &limits).err()
            }
        }
        .map(|refused| refused.message)
    }

    /// One round of a plain digest.
    pub fn digest(algorithm: &str, value: &str, encoding: &str) -> Self {
        let hash = json!({"value": value, "encoding": encoding});
        Self::custom(&json!({"algorithm": algorithm, "hash": hash}))
    }

    /// PBKDF2 from base64 parts, padded or not. `None` when one of them is no base64.
    pub fn pbkdf2(digest: &str, iterations: u64, salt: &str, derived: &str) -> Option<Self> {
        let salt = STANDARD_NO_PAD.encode(bytes(salt)?);
        let derived = bytes(derived)?;
        let (length, derived) = (derived.len(), STANDARD_NO_PAD.encode(&derived));
        let text = format!("$pbkdf2-{digest}$i={iterations},l={length}${salt}${derived}");
        (length > 0).then(|| Self::from_text(text))
    }

    /// From an object of the import's own shape.
    pub fn custom(object: &Value) -> Self {
        Self::Custom(object.as_object().cloned().unwrap_or_default())
    }
}

fn bcrypt_parts(text: &str) -> Option<(&str, &str)> {
    let is_kind = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|kind| text.starts_with(kind));
    if is_kind {
        text.split_at_checked(4)
    } else {
        None
    }
}

/// The bytes of standard base64, padded or not.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Standard base64 with padding.
pub(crate) fn padded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Whether the text is nothing but hexadecimal digits of that many.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}
