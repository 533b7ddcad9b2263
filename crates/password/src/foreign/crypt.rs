//! crypt(3): `$1$` (MD5-crypt), `$apr1$` (Apache's spelling of it), `$5$` and `$6$` (SHA-crypt).
//!
//! MD5-crypt has no maintained crate; its thousand fixed rounds are written out here, after
//! Poul-Henning Kamp's.

use constant_time_eq::constant_time_eq;
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use zeroize::Zeroizing;

use super::{Check, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, decimal};
use crate::limits::{Limits, bounded};
use crate::record::VALUE;

/// The longest passphrase of crypt(3) in bytes, as libxcrypt has it: SHA-crypt hashes as many copies
/// of a password as it has bytes.
const LONGEST: usize = 512;

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Bytes in the letters of crypt(3) and phpass: three to four, lowest bits first.
pub(super) fn letters(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for chunk in bytes.chunks(3) {
        let mut value = chunk
            .iter()
            .rev()
            .fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        for _ in 0..=chunk.len() {
            let letter = usize::try_from(value & 63)
                .ok()
                .and_then(|at| LETTERS.get(at));
            text.push(char::from(*letter.unwrap_or(&b'.')));
            value >>= 6;
        }
    }
    text
}

/// What a letter stands for.
pub(super) fn value_of(letter: u8) -> Option<u32> {
    let at = LETTERS.iter().position(|known| *known == letter)?;
    u32::try_from(at).ok()
}

fn is_letters(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|letter| LETTERS.contains(&letter))
}

pub(super) fn read(id: &str, text: &str, limits: &Limits) -> Reading {
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    match (id, fields.as_slice()) {
        ("1" | "apr1", [salt, digest]) if salt.len() <= 8 && is_letters(digest, 22) => {
            Ok(Box::new(Md5Crypt {
                magic: format!("${id}$"),
                salt: (*salt).to_owned(),
                letters: Zeroizing::new((*digest).to_owned()),
            }))
        }
        ("5", fields) => sha_crypt(text, fields, 43, limits),
        ("6", fields) => sha_crypt(text, fields, 86, limits),
        _ => Err(UnreadableHash::malformed("MD5-crypt")),
    }
}

fn sha_crypt(text: &str, fields: &[&str], length: usize, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("SHA-crypt");
    let (rounds, salt, digest) = match fields {
        [salt, digest] => (5000, salt, digest),
        [rounds, salt, digest] => {
            let rounds = rounds.strip_prefix("rounds=").and_then(decimal);
            (rounds.ok_or_else(malformed)?, salt, digest)
        }
        _ => return Err(malformed()),
    };
    bounded(VALUE, "SHA-crypt rounds", rounds, limits.digest_rounds)?;
    // Implementations write at least a thousand rounds, and letters only.
    if rounds < 1000
        || salt.len() > 16
        || !is_letters(salt, salt.len())
        || !is_letters(digest, length)
    {
        return Err(malformed());
    }
    Ok(Box::new(ShaCryptHash(Zeroizing::new(text.to_owned()))))
}

struct ShaCryptHash(Zeroizing<String>);

impl Check for ShaCryptHash {
    fn verify(&self, password: &[u8]) -> bool {
        let verified = || ShaCrypt::default().verify_password(password, self.0.as_str());
        password.len() <= LONGEST && verified().is_ok()
    }
}

struct Md5Crypt {
    /// `$1$` or `$apr1$`: part of what is hashed.
    magic: String,
    salt: String,
    letters: Zeroizing<String>,
}

impl Md5Crypt {
    fn first(&self, password: &[u8]) -> SecretBytes {
        let salt = self.salt.as_bytes();
        let alternate = Digest::Md5.hash(&Zeroizing::new([password, salt, password].concat()));
        let mut message = Zeroizing::new([password, self.magic.as_bytes(), salt].concat());
        message.extend(alternate.iter().cycle().take(password.len()));
        let mut bits = password.len();
        while bits > 0 {
            // The original meant a byte of the digest here and took a zero: now it is the format.
            let byte = if bits & 1 == 1 {
                0
            } else {
                password.first().copied().unwrap_or(0)
            };
            message.push(byte);
            bits >>= 1;
        }
        Digest::Md5.hash(&message)
    }

    fn compute(&self, password: &[u8]) -> SecretBytes {
        let salt = self.salt.as_bytes();
        let mut digest = self.first(password);
        for round in 0..1000 {
            let mut message = Zeroizing::new(Vec::with_capacity(64 + 2 * password.len()));
            let odd = round % 2 == 1;
            message.extend_from_slice(if odd { password } else { &digest });
            if round % 3 != 0 {
                message.extend_from_slice(salt);
            }
            if round % 7 != 0 {
                message.extend_from_slice(password);
            }
            message.extend_from_slice(if odd { &digest } else { password });
            digest = Digest::Md5.hash(&message);
        }
        digest
    }
}

impl Check for Md5Crypt {
    fn verify(&self, password: &[u8]) -> bool {
        const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];
        if password.len() > LONGEST {
            return false;
        }
        let digest = self.compute(password);
        let ordered = ORDER.iter().filter_map(|at| digest.get(*at).copied());
        let ordered: SecretBytes = Zeroizing::new(ordered.collect());
        constant_time_eq(letters(&ordered).as_bytes(), self.letters.as_bytes())
    }
}
