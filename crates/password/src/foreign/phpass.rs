//! The portable hashes of phpass: `$P$` (`WordPress`, Joomla), `$H$` (`phpBB`), `$S$` (Drupal 7).
//!
//! One letter of count (log₂ of the rounds), eight of salt, then the digest; Drupal cuts the whole
//! text off at 55 letters.

use constant_time_eq::constant_time_eq;
use zeroize::Zeroizing;

use super::crypt::{letters, value_of};
use super::{Check, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::limits::{Limits, bounded};
use crate::record::VALUE;

struct Phpass {
    digest: Digest,
    rounds: u32,
    salt: String,
    letters: Zeroizing<String>,
}

pub(super) fn read(id: &str, text: &str, limits: &Limits) -> Reading {
    let malformed = || UnreadableHash::malformed("phpass");
    let (digest, length) = match id {
        "S" => (Digest::Sha512, 55),
        _ => (Digest::Md5, 34),
    };
    if text.len() != length || !text.is_ascii() {
        return Err(malformed());
    }
    let rest = text.get(3..).ok_or_else(malformed)?;
    let log = rest
        .bytes()
        .next()
        .and_then(value_of)
        .ok_or_else(malformed)?;
    let (salt, written) = rest
        .get(1..)
        .and_then(|rest| rest.split_at_checked(8))
        .ok_or_else(malformed)?;
    let rounds = 1_u64.checked_shl(log).unwrap_or(u64::MAX);
    if rounds < 1 << 7 {
        return Err(malformed());
    }
    Ok(Box::new(Phpass {
        digest,
        rounds: bounded(VALUE, "phpass rounds", rounds, limits.digest_rounds)?,
        salt: salt.to_owned(),
        letters: Zeroizing::new(written.to_owned()),
    }))
}

impl Check for Phpass {
    fn verify(&self, password: &[u8]) -> bool {
        let message = Zeroizing::new([self.salt.as_bytes(), password].concat());
        let mut digest = self.digest.hash(&message);
        for _ in 0..self.rounds {
            let message = Zeroizing::new([digest.as_slice(), password].concat());
            digest = self.digest.hash(&message);
        }
        let computed = letters(&digest);
        let computed = computed.get(..self.letters.len()).unwrap_or_default();
        constant_time_eq(computed.as_bytes(), self.letters.as_bytes())
    }
}
