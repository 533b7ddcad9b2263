//! The words of `algorithm` beyond the documented ones, and what each stands for.

use super::names::{self, Format};
use crate::digest::Digest;

/// The names beyond the documented algorithms; of those that take a digest, `sha256` stands for all.
pub fn algorithm_names() -> impl Iterator<Item = &'static str> + Clone {
    const WITHOUT_A_TABLE: [&str; 14] = [
        "known",
        "wordpress",
        "django",
        "werkzeug",
        "symfony",
        "symfony-sha256",
        "nt",
        "sha224",
        "sha384",
        "ripemd160",
        "whirlpool",
        "hmac-sha256",
        "pbkdf2-sha256",
        "iterated-sha256",
    ];
    let table = names::NAMES.iter().map(|format| format.name);
    WITHOUT_A_TABLE.into_iter().chain(table)
}

/// What has to be said, since the text does not.
#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    /// The text says itself what it is.
    Known,
    /// Bare MD5 sums, and passwords trimmed at login.
    WordPress,
    /// Bare MD5 sums.
    Django,
    /// `sha1$` and `md5$` are HMACs.
    Werkzeug,
    Plain(Digest),
    Hmac(Digest),
    Pbkdf2(Digest),
    Scrypt,
    Symfony(Digest),
    /// One of the table.
    Format(&'static Format),
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(format) = names::find(name) {
            return Some(Self::Format(format));
        }
        let digest_after = |prefix| name.strip_prefix(prefix).map(Digest::parse);
        match name {
            "known" => Some(Self::Known),
            "wordpress" => Some(Self::WordPress),
            "django" => Some(Self::Django),
            "werkzeug" => Some(Self::Werkzeug),
            "scrypt" => Some(Self::Scrypt),
            "symfony" => Some(Self::Symfony(Digest::Sha512)),
            "nt" => Some(Self::Plain(Digest::Md4)),
            _ => {
                if let Some(digest) = digest_after("hmac-") {
                    digest.map(Self::Hmac)
                } else if let Some(digest) = digest_after("pbkdf2-") {
                    digest.map(Self::Pbkdf2)
                } else if let Some(digest) = digest_after("symfony-") {
                    digest.map(Self::Symfony)
                } else if let Some(digest) = digest_after("iterated-") {
                    digest.map(Self::Plain)
                } else {
                    Digest::parse(name).map(Self::Plain)
                }
            }
        }
    }
}
