//! Modular strings of passlib and their relatives: `$pbkdf2$`, `$pbkdf2-sha256$`, `$scrypt$`,
//! `$bcrypt-sha256$`, and macOS's `$ml$`.
//!
//! passlib writes rounds as a bare number and base64 with `.` for `+`; the PHC form (`i=…,l=…`)
//! goes to the family that imports use. In `$scrypt$`, `ln` is log₂ of the cost; a number too large
//! for that (Ory Kratos) is the cost itself.

use zeroize::Zeroizing;

use super::prepare::{Prepared, Step};
use super::{LEAST_DIGEST, Reading, UnreadableHash, bcrypt};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, decimal, from_base64};
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::family::scrypt::ScryptHash;
use crate::limits::Limits;

/// passlib's base64 and the standard one, padded or not.
pub(super) fn adapted(text: &str) -> Option<SecretBytes> {
    let standard = Zeroizing::new(text.replace('.', "+"));
    from_base64(&standard).map(Zeroizing::new)
}

pub(super) fn read(id: &str, text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    match (id, fields.as_slice()) {
        ("pbkdf2", [rounds, salt, hash]) => pbkdf2(Digest::Sha1, rounds, salt, hash, limits),
        ("scrypt", [numbers, salt, hash]) => scrypt(numbers, salt, hash, limits),
        ("bcrypt-sha256", [numbers, salt, hash]) => bcrypt_sha256(numbers, salt, hash, limits),
        ("ml", [rounds, salt, hash]) => mac_os(rounds, salt, hash, limits),
        (id, [rounds, salt, hash]) if decimal(rounds).is_some() => {
            let digest = id.strip_prefix("pbkdf2-").and_then(Digest::parse_alias);
            let digest = digest.ok_or_else(|| UnreadableHash::malformed("$pbkdf2-…$"))?;
            pbkdf2(digest, rounds, salt, hash, limits)
        }
        (id, _) if id.starts_with("pbkdf2-") => {
            let hash = Pbkdf2Hash::parse(text, limits)?;
            Ok(Box::new(hash))
        }
        _ => Err(UnreadableHash::malformed(&format!("${id}$"))),
    }
}

fn pbkdf2(digest: Digest, rounds: &str, salt: &str, hash: &str, limits: &Limits) -> Reading {
    let split = || Some((decimal(rounds)?, adapted(salt)?, adapted(hash)?));
    let split = split().filter(|(.., hash)| hash.len() >= LEAST_DIGEST);
    let (rounds, salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("$pbkdf2$"))?;
    Ok(Box::new(Pbkdf2Hash::new(
        digest, rounds, salt, hash, limits,
    )?))
}

fn scrypt(numbers: &str, salt: &str, hash: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$scrypt$");
    let split = || {
        let mut numbers = numbers.split(',');
        let log = decimal(numbers.next()?.strip_prefix("ln=")?)?;
        let block_size = decimal(numbers.next()?.strip_prefix("r=")?)?;
        let lanes = decimal(numbers.next()?.strip_prefix("p=")?)?;
        let cost = if log < 63 { 1 << log } else { log };
        let complete = numbers.next().is_none();
        complete.then_some(((cost, block_size, lanes), adapted(salt)?, adapted(hash)?))
    };
    let split = split().filter(|(.., hash)| hash.len() >= LEAST_DIGEST);
    let (numbers, salt, hash) = split.ok_or_else(malformed)?;
    Ok(Box::new(ScryptHash::new(numbers, salt, hash, limits)?))
}

/// Version 2: `v=2,t=2b,r=12`, bcrypt of an HMAC keyed with bcrypt's salt. Version 1: `2b,12`,
/// bcrypt of a digest.
fn bcrypt_sha256(numbers: &str, salt: &str, hash: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$bcrypt-sha256$");
    let fields: Vec<&str> = numbers.split(',').collect();
    let (version, cost, step) = match fields.as_slice() {
        ["v=2", version, cost] => {
            let key = Zeroizing::new(salt.as_bytes().to_vec());
            let version = version.strip_prefix("t=").ok_or_else(malformed)?;
            let cost = cost.strip_prefix("r=").ok_or_else(malformed)?;
            (version, cost, Step::Base64Hmac(Digest::Sha256, key))
        }
        [version, cost] => (*version, *cost, Step::Base64(Digest::Sha256)),
        _ => return Err(malformed()),
    };
    let inner = Zeroizing::new(format!("${version}${cost:0>2}${salt}{hash}"));
    Ok(Prepared::boxed(step, bcrypt(&inner, limits)?))
}

/// macOS 10.8: PBKDF2-SHA512, salt and hash in hex.
fn mac_os(rounds: &str, salt: &str, hash: &str, limits: &Limits) -> Reading {
    let bytes = |text: &str| hex::decode(text).ok().map(Zeroizing::new);
    let split = || Some((decimal(rounds)?, bytes(salt)?, bytes(hash)?));
    let split = split().filter(|(.., hash)| hash.len() >= LEAST_DIGEST);
    let (rounds, salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("$ml$"))?;
    Ok(Box::new(Pbkdf2Hash::new(
        Digest::Sha512,
        rounds,
        salt,
        hash,
        limits,
    )?))
}
