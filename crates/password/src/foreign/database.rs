//! Accounts of databases and of Windows: PostgreSQL, `MySQL`, SQL Server, Oracle, NT and cached
//! credentials.
//!
//! Some hash the user's name too; those are names that an import has to say, and the name is kept.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::compute::{computed, hex_of_size, join, slow, utf16};
use super::{ForeignOptions, LEAST_DIGEST, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, decimal, from_base64};
use crate::limits::{Limits, at_least, bounded};
use crate::record::VALUE;

/// A password as RFC 4013 prepares it, as far as logins meet it: compatibility forms become one.
pub(super) fn normalised(password: &[u8]) -> SecretBytes {
    let text = Zeroizing::new(String::from_utf8_lossy(password).into_owned());
    let text: Zeroizing<String> = Zeroizing::new(text.nfkc().collect());
    Zeroizing::new(text.as_bytes().to_vec())
}

/// `md5` and the hex of MD5 over password and user name.
pub(super) fn postgres_md5(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let hex = text.strip_prefix("md5").unwrap_or(text);
    let hash = hex_of_size(hex, 16, "an MD5 of PostgreSQL")?;
    let name = options.username()?;
    Ok(computed(hash, move |password| {
        Digest::Md5.hash(&join(&[password, name.as_bytes()]))
    }))
}

/// `SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>`.
pub(super) fn scram_sha_256(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("SCRAM-SHA-256");
    let split = || {
        let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored, server) = keys.split_once(':')?;
        let (stored, server) = (from_base64(stored)?, from_base64(server)?);
        let complete = stored.len() == 32 && server.len() == 32;
        complete.then_some((decimal(iterations)?, from_base64(salt)?, stored))
    };
    let (iterations, salt, stored) = split().ok_or_else(malformed)?;
    let salt = Zeroizing::new(salt);
    let rounds = iterations_within(iterations, limits)?;
    Ok(slow(Zeroizing::new(stored), move |password| {
        let salted = Digest::Sha256.pbkdf2(&normalised(password), &salt, rounds, 32);
        let client = Digest::Sha256.hmac(&salted, b"Client Key");
        Digest::Sha256.hash(&client)
    }))
}

/// passlib's list of keys, one for each digest: `$scram$6400$<salt>$sha-1=…,sha-256=…`.
pub(super) fn scram_list(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("$scram$");
    let split = || {
        let mut fields = text.strip_prefix("$scram$")?.split('$');
        let rounds = decimal(fields.next()?)?;
        let salt = super::passlib::adapted(fields.next()?)?;
        let keys = fields.next()?;
        // The longest digest tells most.
        let best = [
            ("sha-512=", Digest::Sha512),
            ("sha-384=", Digest::Sha384),
            ("sha-256=", Digest::Sha256),
            ("sha-224=", Digest::Sha224),
            ("sha-1=", Digest::Sha1),
        ]
        .into_iter()
        .find_map(|(name, digest)| {
            let key = keys.split(',').find_map(|key| key.strip_prefix(name))?;
            let key = super::passlib::adapted(key)?;
            (key.len() == digest.size()).then_some((digest, key))
        })?;
        fields.next().is_none().then_some((rounds, salt, best))
    };
    let (rounds, salt, (digest, key)) = split().ok_or_else(malformed)?;
    let rounds = iterations_within(rounds, limits)?;
    let size = key.len();
    Ok(slow(key, move |password| {
        digest.pbkdf2(&normalised(password), &salt, rounds, size)
    }))
}

/// Iterations of PBKDF2 that make one block.
pub(super) fn iterations_within(iterations: u64, limits: &Limits) -> Result<u32, UnreadableHash> {
    at_least(VALUE, "iterations", iterations, 1)?;
    let most = limits.pbkdf2_iterations;
    Ok(bounded(VALUE, "iterations", iterations, most)?)
}

/// `MySQL` before 4.1: two numbers of 31 bits.
pub(super) fn mysql_323(_: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    const MASK: u32 = (1 << 31) - 1;
    let hash = hex_of_size(text, 8, "a hash of MySQL before 4.1")?;
    Ok(computed(hash, |password| {
        let (mut first, mut second, mut sum) = (1_345_345_333_u32, 0x1234_5671_u32, 7_u32);
        for byte in password.iter().filter(|byte| !matches!(byte, b' ' | b'\t')) {
            let byte = u32::from(*byte);
            let mixed = ((first & 63).wrapping_add(sum)).wrapping_mul(byte);
            first ^= mixed.wrapping_add(first << 8);
            second = second.wrapping_add(second << 8 ^ first);
            sum = sum.wrapping_add(byte);
        }
        let halves = [(first & MASK).to_be_bytes(), (second & MASK).to_be_bytes()];
        Zeroizing::new(halves.concat())
    }))
}

/// SQL Server: `0x0100` and SHA-1 (the second digest of 2000, of capitals, is left aside), or
/// `0x0200` and SHA-512; four bytes of salt.
pub(super) fn sql_server(text: &str) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of SQL Server");
    let bytes = text.get(2..).and_then(|hex| hex::decode(hex).ok());
    let bytes = Zeroizing::new(bytes.ok_or_else(malformed)?);
    let (digest, rest) = match bytes.split_first_chunk::<2>() {
        Some(([1, 0], rest)) if rest.len() == 24 || rest.len() == 44 => (Digest::Sha1, rest),
        Some(([2, 0], rest)) if rest.len() == 68 => (Digest::Sha512, rest),
        _ => return Err(malformed()),
    };
    let (salt, hashes) = rest.split_at_checked(4).ok_or_else(malformed)?;
    let hash = hashes.get(..digest.size()).ok_or_else(malformed)?;
    let salt = Zeroizing::new(salt.to_vec());
    Ok(computed(Zeroizing::new(hash.to_vec()), move |password| {
        digest.hash(&join(&[&utf16(password), &salt]))
    }))
}

/// Oracle 11 and 12: `S:` and SHA-1, `T:` and PBKDF2-SHA512, of which the second is preferred.
pub(super) fn oracle(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of Oracle");
    let part = |prefix| text.split(';').find_map(|part| part.strip_prefix(prefix));
    let halves = |hex: &str, size: usize, salt: usize| {
        let bytes = hex::decode(hex)
            .ok()
            .filter(|bytes| bytes.len() == size + salt)?;
        let (hash, salt) = bytes.split_at_checked(size)?;
        Some((Zeroizing::new(hash.to_vec()), Zeroizing::new(salt.to_vec())))
    };
    if let Some(hex) = part("T:") {
        let (hash, salt) = halves(hex, 64, 16).ok_or_else(malformed)?;
        let rounds = iterations_within(4096, limits)?;
        return Ok(slow(hash, move |password| {
            let long = join(&[&salt, b"AUTH_PBKDF2_SPEEDY_KEY"]);
            let key = Digest::Sha512.pbkdf2(password, &long, rounds, 64);
            Digest::Sha512.hash(&join(&[&key, &salt]))
        }));
    }
    let (hash, salt) = part("S:")
        .and_then(|hex| halves(hex, 20, 10))
        .ok_or_else(malformed)?;
    Ok(computed(hash, move |password| {
        Digest::Sha1.hash(&join(&[password, &salt]))
    }))
}

fn nt(password: &[u8]) -> SecretBytes {
    Digest::Md4.hash(&utf16(password))
}

/// The NT hash, in hex (FreeBSD's `$3$$`, Samba) or base64 (`FreeIPA`).
pub(super) fn nt_hash(text: &str) -> Reading {
    let bytes = if text.len() == 32 {
        hex::decode(text).ok()
    } else {
        from_base64(text)
    };
    let hash = bytes.filter(|bytes| bytes.len() == LEAST_DIGEST);
    let hash = hash.ok_or_else(|| UnreadableHash::malformed("an NT hash"))?;
    Ok(computed(Zeroizing::new(hash), nt))
}

fn lower_name(options: &ForeignOptions) -> Result<SecretBytes, UnreadableHash> {
    Ok(utf16(options.username()?.to_lowercase().as_bytes()))
}

/// Cached domain credentials of Windows before Vista.
pub(super) fn cached_1(options: &ForeignOptions, text: &str, _: &Limits) -> Reading {
    let hash = hex_of_size(text, 16, "cached domain credentials")?;
    let name = lower_name(options)?;
    Ok(computed(hash, move |password| {
        Digest::Md4.hash(&join(&[&nt(password), &name]))
    }))
}

/// Those since Vista: `iterations` are 10240 where nobody changed them.
pub(super) fn cached_2(options: &ForeignOptions, text: &str, limits: &Limits) -> Reading {
    let hash = hex_of_size(text, 16, "cached domain credentials")?;
    let name = lower_name(options)?;
    let rounds = iterations_within(options.iterations.unwrap_or(10_240), limits)?;
    Ok(slow(hash, move |password| {
        let first = Digest::Md4.hash(&join(&[&nt(password), &name]));
        Digest::Sha1.pbkdf2(&first, &name, rounds, 16)
    }))
}
