//! PBKDF2 as a PHC string: `$pbkdf2-<digest>$i=100000,l=64$<salt>$<hash>`, unpadded base64.
//!
//! `i` and `l` default to 100000 and 64; the whole field may be left out. Digests under any
//! OpenSSL name. Refuses MDC-2, a hash that is not `l` bytes long, and more work than the limits.

use constant_time_eq::constant_time_eq;
use domain::RowError;
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::digest::{Digest, is_mdc2};
use crate::encoding::{SecretBytes, decimal, from_phc, to_phc};
use crate::limits::{Limits, at_least, bounded};
use crate::record::VALUE;
use crate::refusal;

const PATTERN: &str =
    r"^\$pbkdf2-[A-Za-z0-9-]+(\$(i=\d+)?,?(l=\d+)?)?\$[A-Za-z0-9+/]*\$[A-Za-z0-9+/]+$";
const DEFAULT_ITERATIONS: u64 = 100_000;
const DEFAULT_LENGTH: u64 = 64;

pub(crate) struct Pbkdf2Hash {
    digest: Digest,
    iterations: u32,
    salt: SecretBytes,
    hash: SecretBytes,
}

/// `i` and `l`, each at most once.
fn parameters(field: &str) -> Option<(u64, u64)> {
    let (mut iterations, mut length) = (None, None);
    for parameter in field.split(',') {
        let (name, number) = parameter.split_once('=')?;
        let slot = match name {
            "i" => &mut iterations,
            "l" => &mut length,
            _ => return None,
        };
        if slot.replace(decimal(number)?).is_some() {
            return None;
        }
    }
    Some((
        iterations.unwrap_or(DEFAULT_ITERATIONS),
        length.unwrap_or(DEFAULT_LENGTH),
    ))
}

/// Digest name, iterations, length, salt, hash.
fn split(text: &str) -> Option<(&str, u64, u64, SecretBytes, SecretBytes)> {
    let mut fields = text.strip_prefix("$pbkdf2-")?.split('$');
    let name = fields.next()?;
    let second = fields.next()?;
    let third = fields.next()?;
    // `=` is no letter of unpadded base64, so three fields are digest, salt and hash.
    let (numbers, salt, hash) = match fields.next() {
        Some(fourth) => (parameters(second)?, third, fourth),
        None => ((DEFAULT_ITERATIONS, DEFAULT_LENGTH), second, third),
    };
    let complete = fields.next().is_none();
    complete.then_some((name, numbers.0, numbers.1, from_phc(salt)?, from_phc(hash)?))
}

impl Pbkdf2Hash {
    pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Self, RowError> {
        let (name, iterations, length, salt, hash) =
            split(text).ok_or_else(|| refusal::pattern(VALUE, PATTERN))?;
        if is_mdc2(name) {
            return Err(refusal::unsupported(VALUE, name, "MDC-2 is not supported"));
        }
        let digest = Digest::parse_alias(name).ok_or_else(|| refusal::no_such_word(VALUE, name))?;
        at_least(VALUE, "pbkdf2 i", iterations, 1)?;
        at_least(VALUE, "pbkdf2 l", length, 1)?;
        if u64::try_from(hash.len()) != Ok(length) {
            return Err(refusal::length(VALUE, "pbkdf2", length, hash.len()));
        }
        Self::new(digest, iterations, salt, hash, limits)
    }

    /// A hash whose parts were read elsewhere, unless it takes more work than the limits.
    pub(crate) fn new(
        digest: Digest,
        iterations: u64,
        salt: SecretBytes,
        hash: SecretBytes,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        at_least(VALUE, "pbkdf2 i", iterations, 1)?;
        let iterations = bounded(VALUE, "pbkdf2 i", iterations, limits.pbkdf2_iterations)?;
        let blocks = u64::try_from(hash.len().div_ceil(digest.size())).unwrap_or(u64::MAX);
        let work = u64::from(iterations).saturating_mul(blocks);
        bounded(
            VALUE,
            "pbkdf2 i times the blocks of l",
            work,
            limits.pbkdf2_iterations,
        )?;
        Ok(Self {
            digest,
            iterations,
            salt,
            hash,
        })
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let computed = self
            .digest
            .pbkdf2(password, &self.salt, self.iterations, self.hash.len());
        constant_time_eq(&computed, &self.hash)
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let value = Zeroizing::new(format!(
            "$pbkdf2-{}$i={},l={}${}${}",
            self.digest.name(),
            self.iterations,
            self.hash.len(),
            *to_phc(&self.salt),
            *to_phc(&self.hash),
        ));
        let mut canonical = Canonical::new("pbkdf2");
        canonical.text_hash(&value);
        canonical
    }
}
