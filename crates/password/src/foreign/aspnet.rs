//! ASP.NET Identity: base64 of a binary record.
//!
//! Version 2 (and `Crypto.HashPassword` of SimpleMembership): `00`, 16 bytes of salt, 32 of
//! PBKDF2-SHA1 with 1000 iterations. Version 3: `01`, then pseudo-random function, iterations and
//! salt length as 32 bits each, high byte first; salt; derived key.

use zeroize::Zeroizing;

use super::{LEAST_DIGEST, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, from_base64};
use crate::family::pbkdf2::Pbkdf2Hash;
use crate::limits::Limits;

const V2_SALT: usize = 16;
const V2_LENGTH: usize = 1 + V2_SALT + 32;

/// `None` when this is not ASP.NET's.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Reading> {
    // Both versions' first bytes make the same first letter.
    if !text.starts_with('A') {
        return None;
    }
    let bytes = Zeroizing::new(from_base64(text)?);
    match bytes.split_first()? {
        (0, rest) if bytes.len() == V2_LENGTH => {
            let (salt, key) = rest.split_at_checked(V2_SALT)?;
            Some(pbkdf2(Digest::Sha1, 1000, salt, key, limits))
        }
        (1, rest) => Some(version_3(rest, limits)),
        _ => None,
    }
}

fn version_3(bytes: &[u8], limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of ASP.NET Identity version 3");
    let split = || {
        let (function, rest) = number(bytes)?;
        let (iterations, rest) = number(rest)?;
        let (length, rest) = number(rest)?;
        let (salt, key) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        Some((function, iterations, salt, key))
    };
    let (function, iterations, salt, key) = split().ok_or_else(malformed)?;
    let digest = match function {
        0 => Digest::Sha1,
        1 => Digest::Sha256,
        2 => Digest::Sha512,
        _ => return Err(malformed()),
    };
    if salt.len() < LEAST_DIGEST || key.len() < LEAST_DIGEST {
        return Err(malformed());
    }
    pbkdf2(digest, u64::from(iterations), salt, key, limits)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn pbkdf2(digest: Digest, iterations: u64, salt: &[u8], key: &[u8], limits: &Limits) -> Reading {
    let salt: SecretBytes = Zeroizing::new(salt.to_vec());
    let key = Zeroizing::new(key.to_vec());
    Ok(Box::new(Pbkdf2Hash::new(
        digest, iterations, salt, key, limits,
    )?))
}
