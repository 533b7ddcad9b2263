//! The eleven words of `custom_password_hash.algorithm`, and which members each of them takes.

use crate::digest::Digest;

/// A family of imported hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Argon2,
    Bcrypt,
    Hmac,
    Ldap,
    /// One round of a hash function.
    Plain(Digest),
    Pbkdf2,
    Scrypt,
}

impl Algorithm {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "argon2" => Some(Self::Argon2),
            "bcrypt" => Some(Self::Bcrypt),
            "hmac" => Some(Self::Hmac),
            "ldap" => Some(Self::Ldap),
            "pbkdf2" => Some(Self::Pbkdf2),
            "scrypt" => Some(Self::Scrypt),
            "md4" | "md5" | "sha1" | "sha256" | "sha512" => Digest::parse(name).map(Self::Plain),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Argon2 => "argon2",
            Self::Bcrypt => "bcrypt",
            Self::Hmac => "hmac",
            Self::Ldap => "ldap",
            Self::Plain(digest) => digest.name(),
            Self::Pbkdf2 => "pbkdf2",
            Self::Scrypt => "scrypt",
        }
    }

    /// Whether `salt` may be given; the others carry their salt inside `hash.value`.
    pub(crate) fn takes_salt(self) -> bool {
        !matches!(self, Self::Argon2 | Self::Ldap | Self::Pbkdf2)
    }

    /// Whether `hash.digest` and `hash.key` may be given.
    pub(crate) fn takes_key(self) -> bool {
        self == Self::Hmac
    }

    /// Whether `keylen`, `cost`, `blockSize` and `parallelization` may be given.
    pub(crate) fn takes_cost(self) -> bool {
        self == Self::Scrypt
    }
}
