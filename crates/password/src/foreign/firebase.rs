//! Firebase's scrypt: `$firescrypt$ln=14,r=8,p=1$salt$hash$separator$signer` (Ory's spelling) and
//! `$fbscrypt$v=1,n=14,r=8,p=1,ss=separator,sk=signer$salt$hash` (Supabase's).
//!
//! The key that scrypt derives is not the hash: it encrypts the project's signer key, and that is.

use aes::Aes256;
use constant_time_eq::constant_time_eq;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use zeroize::Zeroizing;

use super::{Check, LEAST_DIGEST, Reading, UnreadableHash};
use crate::encoding::{SecretBytes, decimal, from_base64};
use crate::family::scrypt::ScryptHash;
use crate::limits::Limits;

/// AES-256's key.
const KEY: usize = 32;

struct Firebase {
    scrypt: ScryptHash,
    signer: SecretBytes,
    hash: SecretBytes,
}

/// The texts of a hash, as both spellings have them.
struct Parts<'a> {
    log: &'a str,
    block_size: &'a str,
    lanes: &'a str,
    salt: &'a str,
    separator: &'a str,
    signer: &'a str,
    hash: &'a str,
}

pub(super) fn read(text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("Firebase's scrypt");
    let parts = split(text).ok_or_else(malformed)?;
    let bytes = |text: &str| from_base64(text).map(Zeroizing::new).ok_or_else(malformed);
    let number = |text: &str| decimal(text).ok_or_else(malformed);
    let log = u32::try_from(number(parts.log)?).unwrap_or(u32::MAX);
    let cost = 1_u64.checked_shl(log).unwrap_or(u64::MAX);
    let numbers = (cost, number(parts.block_size)?, number(parts.lanes)?);
    let (salt, separator) = (bytes(parts.salt)?, bytes(parts.separator)?);
    let salt = Zeroizing::new([salt.as_slice(), separator.as_slice()].concat());
    let (signer, hash) = (bytes(parts.signer)?, bytes(parts.hash)?);
    if hash.len() < LEAST_DIGEST || hash.len() != signer.len() {
        return Err(malformed());
    }
    let scrypt = ScryptHash::new(numbers, salt, Zeroizing::new(vec![0; KEY]), limits)?;
    Ok(Box::new(Firebase {
        scrypt,
        signer,
        hash,
    }))
}

fn split(text: &str) -> Option<Parts<'_>> {
    let fields: Vec<&str> = text.split('$').skip(1).collect();
    match fields.as_slice() {
        ["firescrypt", numbers, salt, hash, separator, signer] => {
            let mut numbers = numbers.split(',');
            Some(Parts {
                log: numbers.next()?.strip_prefix("ln=")?,
                block_size: numbers.next()?.strip_prefix("r=")?,
                lanes: numbers.next()?.strip_prefix("p=")?,
                salt,
                separator,
                signer,
                hash,
            })
        }
        ["fbscrypt", numbers, salt, hash] => {
            let mut numbers = numbers.strip_prefix("v=1,")?.split(',');
            Some(Parts {
                log: numbers.next()?.strip_prefix("n=")?,
                block_size: numbers.next()?.strip_prefix("r=")?,
                lanes: numbers.next()?.strip_prefix("p=")?,
                separator: numbers.next()?.strip_prefix("ss=")?,
                signer: numbers.next()?.strip_prefix("sk=")?,
                salt,
                hash,
            })
        }
        _ => None,
    }
}

impl Check for Firebase {
    fn verify(&self, password: &[u8]) -> bool {
        let Some(key) = self.scrypt.derive(password) else {
            return false;
        };
        let mut signer = self.signer.clone();
        let Ok(mut cipher) = Ctr128BE::<Aes256>::new_from_slices(&key, &[0; 16]) else {
            return false;
        };
        cipher.apply_keystream(&mut signer);
        constant_time_eq(&signer, &self.hash)
    }
}
