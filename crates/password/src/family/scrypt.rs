//! scrypt (RFC 7914) with its parameters as members: `keylen` required, `cost` 16384, `blockSize`
//! 8, `parallelization` 1.
//!
//! The salt's position means nothing here and is not kept; no salt is an empty salt. Refuses a
//! cost that is no power of two, a `keylen` other than the hash's length, and more memory or work
//! than the limits.

use ::scrypt::Params;
use constant_time_eq::constant_time_eq;
use domain::RowError;
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::encoding::SecretBytes;
use crate::limits::{Limits, at_least, at_most, bounded};
use crate::record::{Record, Salt, VALUE};
use crate::refusal;

const DEFAULT_COST: u64 = 16_384;
const DEFAULT_BLOCK_SIZE: u64 = 8;
/// The algorithm's own bound on `blockSize` × `parallelization`.
const MOST_LANES: u64 = (1 << 30) - 1;

pub(crate) struct ScryptHash {
    cost: u64,
    block_size: u32,
    parallelization: u32,
    salt: SecretBytes,
    hash: SecretBytes,
}

impl ScryptHash {
    pub(crate) fn read(record: Record, limits: &Limits) -> Result<Self, RowError> {
        let keylen = record
            .keylen
            .ok_or_else(|| refusal::missing("", "keylen"))?;
        let cost = record.cost.unwrap_or(DEFAULT_COST);
        let block_size = record.block_size.unwrap_or(DEFAULT_BLOCK_SIZE);
        let parallelization = record.parallelization.unwrap_or(1);
        let hash = record.binary_value()?;
        let salt = record
            .salt
            .map_or_else(SecretBytes::default, |salt| salt.bytes);
        let numbers = (cost, block_size, parallelization);
        let scrypt = Self::new(numbers, salt, hash, limits)?;
        if u64::try_from(scrypt.hash.len()) != Ok(keylen) {
            return Err(refusal::length(VALUE, "scrypt", keylen, scrypt.hash.len()));
        }
        Ok(scrypt)
    }

    /// A hash whose parts (cost, block size and lanes first) were read elsewhere, unless they are
    /// no scrypt's or exceed the limits.
    pub(crate) fn new(
        (cost, block_size, parallelization): (u64, u64, u64),
        salt: SecretBytes,
        hash: SecretBytes,
        limits: &Limits,
    ) -> Result<Self, RowError> {
        at_least("blockSize", "blockSize", block_size, 1)?;
        at_least("parallelization", "parallelization", parallelization, 1)?;
        at_least("cost", "scrypt cost", cost, 2)?;
        if !cost.is_power_of_two() {
            return Err(refusal::forbidden("cost", "Value must be a power of two"));
        }
        // The table, and one block for each lane beyond the first.
        let blocks = cost.saturating_add(parallelization - 1);
        let memory = blocks.saturating_mul(block_size).saturating_mul(128);
        let what = "bytes of memory, 128 × blockSize × (cost + parallelization - 1)";
        at_most("cost", what, memory, limits.memory_bytes)?;
        let lanes = block_size.saturating_mul(parallelization);
        at_most(
            "parallelization",
            "blockSize × parallelization",
            lanes,
            MOST_LANES,
        )?;
        let work = cost.saturating_mul(lanes);
        let what = "cost × blockSize × parallelization";
        at_most("parallelization", what, work, limits.scrypt_work)?;
        let scrypt = Self {
            cost,
            block_size: bounded("blockSize", "blockSize", block_size, u32::MAX)?,
            parallelization: bounded(
                "parallelization",
                "parallelization",
                parallelization,
                u32::MAX,
            )?,
            salt,
            hash,
        };
        // What is left for the crate to refuse is a product that overflows the machine.
        match scrypt.params() {
            Some(_) => Ok(scrypt),
            None => Err(refusal::maximum(
                "cost",
                "scrypt parameters",
                memory,
                limits.memory_bytes,
            )),
        }
    }

    fn params(&self) -> Option<Params> {
        let log = u8::try_from(self.cost.trailing_zeros()).ok()?;
        Params::new(log, self.block_size, self.parallelization).ok()
    }

    /// As many bytes as the hash has; `None` when the machine has not got the memory.
    pub(crate) fn derive(&self, password: &[u8]) -> Option<SecretBytes> {
        let mut output = Zeroizing::new(vec![0; self.hash.len()]);
        let params = self.params()?;
        ::scrypt::scrypt(password, &self.salt, &params, &mut output).ok()?;
        Some(output)
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let computed = self.derive(password);
        computed.is_some_and(|computed| constant_time_eq(&computed, &self.hash))
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let mut canonical = Canonical::new("scrypt");
        canonical.binary_hash(&self.hash);
        let salt = Salt {
            bytes: self.salt.clone(),
            suffix: false,
        };
        canonical.salt(Some(&salt));
        canonical.number("keylen", u64::try_from(self.hash.len()).unwrap_or(u64::MAX));
        canonical.number("cost", self.cost);
        canonical.number("blockSize", u64::from(self.block_size));
        canonical.number("parallelization", u64::from(self.parallelization));
        canonical
    }
}
