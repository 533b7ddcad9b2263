//! Ceilings on what a foreign hash may cost to verify. Owns the numbers and their refusal.
//!
//! An import file is foreign input: `$argon2id$…m=67108864…` would ask for 64 GiB at the first
//! login. Every parser asks here before it accepts a parameter, and nothing is allocated before.

use domain::RowError;

use crate::refusal;

/// The most that one imported hash may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory of one argon2 or scrypt computation, in bytes.
    pub memory_bytes: u64,
    /// Cost (log₂ of the rounds) of bcrypt.
    pub bcrypt_cost: u32,
    /// Iterations of pbkdf2, times the digest blocks that its output length takes: `l=64` of
    /// SHA-256 is two blocks, so its iterations count twice.
    pub pbkdf2_iterations: u32,
    /// Passes of argon2 over its memory.
    pub argon2_iterations: u32,
    /// Lanes of argon2.
    pub argon2_parallelism: u32,
    /// `cost` × `blockSize` × `parallelization` of scrypt.
    pub scrypt_work: u64,
    /// Rounds of a plain digest: SHA-crypt, phpass, iterated sums of a legacy store.
    pub digest_rounds: u32,
}

impl Default for Limits {
    /// Room for every published recommendation; the slowest hash let in takes seconds, not
    /// minutes, on one core.
    fn default() -> Self {
        Self {
            memory_bytes: 256 * 1024 * 1024,
            bcrypt_cost: 16,
            pbkdf2_iterations: 10_000_000,
            argon2_iterations: 16,
            argon2_parallelism: 16,
            // Four times N=2^17, r=8, p=1.
            scrypt_work: 1 << 22,
            digest_rounds: 5_000_000,
        }
    }
}

impl Limits {
    /// For hashes that passed their ceilings when they were imported.
    pub(crate) const NONE: Self = Self {
        memory_bytes: u64::MAX,
        bcrypt_cost: u32::MAX,
        pbkdf2_iterations: u32::MAX,
        argon2_iterations: u32::MAX,
        argon2_parallelism: u32::MAX,
        scrypt_work: u64::MAX,
        digest_rounds: u32::MAX,
    };
}

/// The value as 32 bits, unless it is above the ceiling.
pub(crate) fn bounded(path: &str, what: &str, value: u64, ceiling: u32) -> Result<u32, RowError> {
    u32::try_from(value)
        .ok()
        .filter(|value| *value <= ceiling)
        .ok_or_else(|| refusal::maximum(path, what, value, u64::from(ceiling)))
}

/// Refuses a value above the ceiling.
pub(crate) fn at_most(path: &str, what: &str, value: u64, ceiling: u64) -> Result<(), RowError> {
    if value <= ceiling {
        Ok(())
    } else {
        Err(refusal::maximum(path, what, value, ceiling))
    }
}

/// Refuses a value below the floor.
pub(crate) fn at_least(path: &str, what: &str, value: u64, floor: u64) -> Result<(), RowError> {
    if value >= floor {
        Ok(())
    } else {
        Err(refusal::minimum(path, what, value, floor))
    }
}
