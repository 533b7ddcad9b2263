//! Web applications with prefixes of their own: Werkzeug (Flask), `MediaWiki`, `AuthMe`, `MySQL`'s
//! accounts, and PBKDF2 between colons.

use super::bare::{self, HmacRound, Rounds};
use super::prepare::{Prepared, Step};
use super::{LEAST_DIGEST, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{TextEncoding, decimal};
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::scrypt::ScryptHash;
use crate::limits::Limits;
use crate::record::{Salt, VALUE};

/// `None` when this is nobody's.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Reading> {
    if let Some(rest) = text.strip_prefix(':') {
        return Some(media_wiki(rest, limits));
    }
    if let Some(hex) = text.strip_prefix('*') {
        return Some(mysql(hex));
    }
    if text.contains('$') {
        return werkzeug(text, limits);
    }
    let fields: Vec<&str> = text.split(':').collect();
    let [name, iterations, salt, hash] = fields.as_slice() else {
        return None;
    };
    let digest = Digest::parse(name)?;
    Some(colons(digest, iterations, salt, hash, limits))
}

/// `sha256:1000:<base64>:<base64>`.
fn colons(digest: Digest, iterations: &str, salt: &str, hash: &str, limits: &Limits) -> Reading {
    let iterations =
        decimal(iterations).ok_or_else(|| UnreadableHash::malformed("PBKDF2 between colons"))?;
    let salt = TextEncoding::Base64.decode(VALUE, salt)?;
    let hash = bare::digest_bytes(TextEncoding::Base64, hash, LEAST_DIGEST)?;
    Ok(Box::new(Pbkdf2Hash::new(
        digest, iterations, salt, hash, limits,
    )?))
}

/// `pbkdf2:sha256:1000000$salt$hex`, `scrypt:32768:8:1$salt$hex`, and before version 3
/// `sha256$salt$hex`, an HMAC whose key is the salt.
fn werkzeug(text: &str, limits: &Limits) -> Option<Reading> {
    let (method, rest) = text.split_once('$')?;
    let (salt, hex) = rest.split_once('$')?;
    let words: Vec<&str> = method.split(':').collect();
    let reading = match words.as_slice() {
        ["pbkdf2", name, iterations] => Digest::parse(name)
            .zip(decimal(iterations))
            .ok_or_else(|| UnreadableHash::malformed("a hash of Werkzeug"))
            .and_then(|(digest, iterations)| {
                let salt = TextEncoding::Utf8.decode(VALUE, salt)?;
                let hash = bare::digest_bytes(TextEncoding::Hex, hex, LEAST_DIGEST)?;
                let hash = Pbkdf2Hash::new(digest, iterations, salt, hash, limits)?;
                Ok(Box::new(hash) as Box<dyn super::Check>)
            }),
        ["scrypt", cost, block_size, lanes] => {
            let numbers = (decimal(cost)?, decimal(block_size)?, decimal(lanes)?);
            scrypt(numbers, salt, hex, limits)
        }
        [name] => hmac(Digest::parse(name)?, salt, hex),
        _ => return None,
    };
    Some(reading)
}

fn scrypt(numbers: (u64, u64, u64), salt: &str, hex: &str, limits: &Limits) -> Reading {
    let salt = TextEncoding::Utf8.decode(VALUE, salt)?;
    let hash = bare::digest_bytes(TextEncoding::Hex, hex, LEAST_DIGEST)?;
    Ok(Box::new(ScryptHash::new(numbers, salt, hash, limits)?))
}

/// Werkzeug before version 3. Its `sha1$…` and `md5$…` look like Django's, so they have to be
/// asked for.
pub(super) fn old_werkzeug(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of Werkzeug");
    werkzeug(text, limits).ok_or_else(malformed)?
}

fn hmac(digest: Digest, salt: &str, hex: &str) -> Reading {
    let hash = bare::digest_bytes(TextEncoding::Hex, hex, digest.size())?;
    let key = TextEncoding::Utf8.decode(VALUE, salt)?;
    HmacRound::boxed(digest, key, None, hash)
}

/// `A:hex`, `B:salt:hex` (MD5 over the hex of an MD5), `pbkdf2:sha512:30000:64:base64:base64`.
fn media_wiki(rest: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of MediaWiki");
    let fields: Vec<&str> = rest.split(':').collect();
    match fields.as_slice() {
        ["A", hex] => {
            let hash = bare::digest_bytes(TextEncoding::Hex, hex, Digest::Md5.size())?;
            Rounds::once(Digest::Md5, None, hash)
        }
        ["B", salt, hex] => {
            let salt = Salt {
                bytes: TextEncoding::Utf8.decode(VALUE, &format!("{salt}-"))?,
                suffix: false,
            };
            let hash = bare::digest_bytes(TextEncoding::Hex, hex, Digest::Md5.size())?;
            let outer = Rounds::once(Digest::Md5, Some(salt), hash)?;
            Ok(Prepared::boxed(Step::Hex(Digest::Md5), outer))
        }
        ["argon2", hash] => super::argon2(hash, limits),
        ["pbkdf2", name, iterations, _length, salt, hash] => {
            let digest = Digest::parse(name).ok_or_else(malformed)?;
            colons(digest, iterations, salt, hash, limits)
        }
        _ => Err(malformed()),
    }
}

/// hashcat's way to write the same: `$B$salt$hex`.
pub(super) fn media_wiki_b(text: &str) -> Reading {
    let rest = text.strip_prefix('$').unwrap_or_default().replace('$', ":");
    media_wiki(&rest, &Limits::default())
}

/// `*` and the hex of SHA-1 over SHA-1.
fn mysql(hex: &str) -> Reading {
    let hash = bare::digest_bytes(TextEncoding::Hex, hex, Digest::Sha1.size())?;
    Ok(Rounds::chain(Digest::Sha1, None, 2, hash))
}

/// `AuthMe`: `$SHA$salt$hex`, SHA-256 over the hex of SHA-256 and the salt.
pub(super) fn auth_me(text: &str) -> Reading {
    let fields: Vec<&str> = text.split('$').collect();
    let [_, _, salt, hex] = fields.as_slice() else {
        return Err(UnreadableHash::malformed("a hash of AuthMe"));
    };
    let salt = Salt {
        bytes: TextEncoding::Utf8.decode(VALUE, salt)?,
        suffix: true,
    };
    let hash = bare::digest_bytes(TextEncoding::Hex, hex, Digest::Sha256.size())?;
    let outer = Rounds::once(Digest::Sha256, Some(salt), hash)?;
    Ok(Prepared::boxed(Step::Hex(Digest::Sha256), outer))
}
