//! Django: `algorithm$…`, from version 1.0's `sha1$salt$hex` to today's hashers.
//!
//! Salts are text and used as such. Refuses `crypt$…` (DES).

use super::bare::{self, Rounds};
use super::prepare::{Prepared, Step};
use super::{LEAST_DIGEST, Reading, UnreadableHash, argon2, bcrypt};
use crate::digest::Digest;
use crate::encoding::{TextEncoding, decimal};
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::scrypt::ScryptHash;
use crate::limits::Limits;
use crate::record::{Salt, VALUE};

/// `None` when this is not Django's.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Reading> {
    let (algorithm, rest) = text.split_once('$')?;
    let reading = match algorithm {
        "pbkdf2_sha256" => pbkdf2(Digest::Sha256, rest, limits),
        "pbkdf2_sha1" => pbkdf2(Digest::Sha1, rest, limits),
        "argon2" => argon2(&format!("${rest}"), limits),
        "bcrypt" => bcrypt(rest, limits),
        "bcrypt_sha256" => {
            bcrypt(rest, limits).map(|inner| Prepared::boxed(Step::Hex(Digest::Sha256), inner))
        }
        "scrypt" => scrypt(rest, limits),
        "sha1" => salted(Digest::Sha1, rest),
        "md5" => salted(Digest::Md5, rest),
        // `crypt$$<13 letters>`; the salt's own field has been empty since 1.0.
        "crypt" => super::des_crypt::traditional(rest.rsplit('$').next().unwrap_or_default()),
        _ => return None,
    };
    Some(reading)
}

/// Django 1.0 and before: 32 letters of hex are an MD5 without a salt.
pub(super) fn read_bare(text: &str) -> Option<Reading> {
    let is_md5 = text.len() == 32 && text.bytes().all(|letter| letter.is_ascii_hexdigit());
    is_md5.then(|| salted(Digest::Md5, &format!("${text}")))
}

fn malformed() -> UnreadableHash {
    UnreadableHash::malformed("a hash of Django")
}

fn pbkdf2(digest: Digest, rest: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = rest.split('$').collect();
    let [iterations, salt, hash] = fields.as_slice() else {
        return Err(malformed());
    };
    let iterations = decimal(iterations).ok_or_else(malformed)?;
    let salt = TextEncoding::Utf8.decode(VALUE, salt)?;
    let hash = bare::digest_bytes(TextEncoding::Base64, hash, LEAST_DIGEST)?;
    Ok(Box::new(Pbkdf2Hash::new(
        digest, iterations, salt, hash, limits,
    )?))
}

/// `N$salt$r$p$base64`.
fn scrypt(rest: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = rest.split('$').collect();
    let [cost, salt, block_size, lanes, hash] = fields.as_slice() else {
        return Err(malformed());
    };
    let number = |text: &str| decimal(text).ok_or_else(malformed);
    let hash = bare::digest_bytes(TextEncoding::Base64, hash, LEAST_DIGEST)?;
    let salt = TextEncoding::Utf8.decode(VALUE, salt)?;
    let numbers = (number(cost)?, number(block_size)?, number(lanes)?);
    Ok(Box::new(ScryptHash::new(numbers, salt, hash, limits)?))
}

/// `salt$hex`: one round, the salt in front.
fn salted(digest: Digest, rest: &str) -> Reading {
    let (salt, hex) = rest.split_once('$').ok_or_else(malformed)?;
    let salt = Salt {
        bytes: TextEncoding::Utf8.decode(VALUE, salt)?,
        suffix: false,
    };
    let hash = bare::digest_bytes(TextEncoding::Hex, hex, digest.size())?;
    Rounds::once(digest, Some(salt), hash)
}
