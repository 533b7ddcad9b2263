//! Words in braces: LDAP's `userPassword` (RFC 2307 and what servers added), Spring Security's
//! delegating encoder, Atlassian.
//!
//! Refuses `{plaintext}`, `{noop}` and the like: that is a password and no hash.

use super::passlib::adapted;
use super::{LEAST_DIGEST, Reading, UnreadableHash, recognise, vendor};
use crate::digest::Digest;
use crate::encoding::{decimal, from_base64};
use crate::family::ldap::LdapHash;
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::limits::Limits;
use zeroize::Zeroizing;

pub(super) fn read(text: &str, limits: &Limits) -> Reading {
    let split = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let (scheme, rest) = split.ok_or_else(|| UnreadableHash::malformed("a scheme in braces"))?;
    match scheme.to_ascii_uppercase().as_str() {
        // Behind these words stands a hash with a prefix of its own.
        "CRYPT" | "ARGON2" | "BCRYPT" | "BLF-CRYPT" | "MD5-CRYPT" | "SHA256-CRYPT"
        | "SHA512-CRYPT"
            if rest.starts_with('$') =>
        {
            recognise(rest, limits)
        }
        "CRYPT" if rest.starts_with('_') => recognise(rest, limits),
        "CRYPT" => super::des_crypt::traditional(rest),
        "ARGON2@SPRINGSECURITY_V5_8" | "YESCRYPT" | "LDAP" if !rest.is_empty() => {
            recognise(rest, limits)
        }
        "SCRYPT" | "SCRYPT@SPRINGSECURITY_V5_8" => vendor::spring_scrypt(rest, limits),
        "PBKDF2" if !rest.contains('$') => vendor::spring_pbkdf2(false, rest, limits),
        "PBKDF2@SPRINGSECURITY_V5_8" => vendor::spring_pbkdf2(true, rest, limits),
        "SHA256" if rest.len() == 80 => vendor::spring_standard(rest, limits),
        word if word.starts_with("FSHP") => vendor::fshp(text, limits),
        "PBKDF2" | "PBKDF2-SHA1" => passlib(Digest::Sha1, rest, limits),
        "PBKDF2-SHA256" => passlib(Digest::Sha256, rest, limits),
        "PBKDF2-SHA512" => passlib(Digest::Sha512, rest, limits),
        "PBKDF2_SHA256" => port_389(Digest::Sha256, rest, limits),
        "PKCS5S2" => atlassian(rest, limits),
        "CLEAR" | "CLEARTEXT" | "PLAINTEXT" | "PLAIN" | "NOOP" => {
            Err(UnreadableHash::unsupported(super::A_PASSWORD))
        }
        _ => simple(scheme, rest, text, limits),
    }
}

/// A word that is a digest: AEM's rounds, Spring's hex, or LDAP's base64.
fn simple(scheme: &str, rest: &str, text: &str, limits: &Limits) -> Reading {
    let name = scheme.to_ascii_lowercase().replace('-', "");
    let digest = Digest::parse(if name == "sha" { "sha1" } else { &name });
    let known = digest.and_then(|digest| {
        let aem = vendor::aem(digest, rest, limits);
        aem.or_else(|| vendor::spring_digest(digest, rest))
    });
    match known {
        Some(reading) => reading,
        None => Ok(Box::new(LdapHash::parse(text)?)),
    }
}

/// `OpenLDAP`'s module: `10000$salt$hash`, `.` for `+`, no padding.
fn passlib(digest: Digest, rest: &str, limits: &Limits) -> Reading {
    let split = || {
        let (iterations, rest) = rest.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        Some((decimal(iterations)?, adapted(salt)?, adapted(hash)?))
    };
    let split = split().filter(|(.., hash)| hash.len() >= LEAST_DIGEST);
    let (iterations, salt, hash) = split.ok_or_else(|| UnreadableHash::malformed("{PBKDF2}"))?;
    Ok(Box::new(Pbkdf2Hash::new(
        digest, iterations, salt, hash, limits,
    )?))
}

/// 389 Directory Server: iterations in 4 bytes, 64 of salt, the rest is the key.
fn port_389(digest: Digest, rest: &str, limits: &Limits) -> Reading {
    let bytes = Zeroizing::new(from_base64(rest).unwrap_or_default());
    let split = || {
        let (iterations, rest) = bytes.split_first_chunk::<4>()?;
        let (salt, key) = rest.split_at_checked(64)?;
        let long_enough = key.len() >= LEAST_DIGEST;
        long_enough.then_some((u32::from_be_bytes(*iterations), salt, key))
    };
    let (iterations, salt, key) =
        split().ok_or_else(|| UnreadableHash::malformed("{PBKDF2_SHA256}"))?;
    let (salt, key) = (Zeroizing::new(salt.to_vec()), Zeroizing::new(key.to_vec()));
    Ok(Box::new(Pbkdf2Hash::new(
        digest,
        u64::from(iterations),
        salt,
        key,
        limits,
    )?))
}

/// 16 bytes of salt and 32 of PBKDF2-SHA1, ten thousand iterations.
fn atlassian(rest: &str, limits: &Limits) -> Reading {
    let bytes = Zeroizing::new(from_base64(rest).unwrap_or_default());
    let split = bytes
        .split_at_checked(16)
        .filter(|(_, key)| key.len() == 32);
    let (salt, key) = split.ok_or_else(|| UnreadableHash::malformed("{PKCS5S2}"))?;
    let (salt, key) = (Zeroizing::new(salt.to_vec()), Zeroizing::new(key.to_vec()));
    Ok(Box::new(Pbkdf2Hash::new(
        Digest::Sha1,
        10_000,
        salt,
        key,
        limits,
    )?))
}
