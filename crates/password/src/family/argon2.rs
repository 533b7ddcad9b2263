//! Argon2 as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
//!
//! All three variants, version 19 and 16 (16 when `v` is left out, as the reference does), any
//! output length from 4 bytes, salts from 8 bytes. Refuses `keyid` and `data`, which would need
//! values that no record carries, and parameters in another order than the reference writes.

use std::cell::RefCell;

use ::argon2::{Algorithm, Argon2, Block, Params, Version};
use constant_time_eq::constant_time_eq;
use domain::RowError;
use zeroize::Zeroizing;

use crate::encoding::{SecretBytes, decimal, from_phc, to_phc};
use crate::limits::{Limits, at_least, at_most, bounded};
use crate::record::VALUE;
use crate::{HashError, refusal};

const PATTERN: &str =
    r"^\$argon2(id|i|d)(\$v=(16|19))?\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{6,}$";
/// Output bytes of our own hashes.
const OUTPUT: usize = 32;

thread_local! {
    /// What the thread's last computation worked in. Fresh pages cost a third of a computation:
    /// the system must clear them first.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Gives back what this thread keeps.
pub(crate) fn release_memory() {
    MEMORY.take();
}

pub(crate) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
    salt: SecretBytes,
    digest: SecretBytes,
}

/// The pieces of the string, before their values are judged.
struct Pieces {
    algorithm: Algorithm,
    version: Version,
    memory_kib: u64,
    iterations: u64,
    parallelism: u64,
    salt: SecretBytes,
    digest: SecretBytes,
}

impl Pieces {
    fn split(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix('$')?.split('$');
        let algorithm = match fields.next()? {
            "argon2d" => Algorithm::Argon2d,
            "argon2i" => Algorithm::Argon2i,
            "argon2id" => Algorithm::Argon2id,
            _ => return None,
        };
        let mut field = fields.next()?;
        let version = match field {
            "v=16" => Version::V0x10,
            "v=19" => Version::V0x13,
            // Written before version 19 existed, when there was nothing to tell apart.
            _ if field.starts_with("m=") => Version::V0x10,
            _ => return None,
        };
        if !field.starts_with("m=") {
            field = fields.next()?;
        }
        let mut numbers = field.split(',');
        let pieces = Self {
            algorithm,
            version,
            memory_kib: decimal(numbers.next()?.strip_prefix("m=")?)?,
            iterations: decimal(numbers.next()?.strip_prefix("t=")?)?,
            parallelism: decimal(numbers.next()?.strip_prefix("p=")?)?,
            salt: from_phc(fields.next()?)?,
            digest: from_phc(fields.next()?)?,
        };
        let complete = numbers.next().is_none() && fields.next().is_none();
        let long_enough = pieces.salt.len() >= ::argon2::MIN_SALT_LEN
            && pieces.digest.len() >= Params::MIN_OUTPUT_LEN;
        (complete && long_enough).then_some(pieces)
    }
}

impl Argon2Hash {
    pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Self, RowError> {
        let pieces = Pieces::split(text).ok_or_else(|| refusal::pattern(VALUE, PATTERN))?;
        let Pieces {
            memory_kib,
            iterations,
            parallelism,
            ..
        } = pieces;
        at_least(VALUE, "argon2 t", iterations, 1)?;
        at_least(VALUE, "argon2 p", parallelism, 1)?;
        at_most(
            VALUE,
            "argon2 m, in KiB",
            memory_kib,
            limits.memory_bytes / 1024,
        )?;
        let iterations = bounded(VALUE, "argon2 t", iterations, limits.argon2_iterations)?;
        let lanes = limits.argon2_parallelism.min(Params::MAX_P_COST);
        let parallelism = bounded(VALUE, "argon2 p", parallelism, lanes)?;
        at_least(
            VALUE,
            "argon2 m, 8 for each p",
            memory_kib,
            8 * u64::from(parallelism),
        )?;
        Ok(Self {
            algorithm: pieces.algorithm,
            version: pieces.version,
            memory_kib: bounded(VALUE, "argon2 m, in KiB", memory_kib, u32::MAX)?,
            iterations,
            parallelism,
            salt: pieces.salt,
            digest: pieces.digest,
        })
    }

    /// A new hash of our own.
    pub(crate) fn create(
        password: &[u8],
        salt: &[u8],
        memory_kib: u32,
        iterations: u32,
        parallelism: u32,
    ) -> Result<Self, HashError> {
        // The crate multiplies lanes before it compares them, and that product must fit.
        if parallelism > Params::MAX_P_COST {
            return Err(HashError::Parameters("argon2 parallelism".to_owned()));
        }
        let mut hash = Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            memory_kib,
            iterations,
            parallelism,
            salt: Zeroizing::new(salt.to_vec()),
            digest: Zeroizing::new(vec![0; OUTPUT]),
        };
        let params = hash
            .params()
            .map_err(|error| HashError::Parameters(error.to_string()))?;
        hash.digest = hash
            .compute(params, password)
            .map_err(|error| HashError::Failed(error.to_string()))?;
        Ok(hash)
    }

    fn params(&self) -> Result<Params, ::argon2::Error> {
        Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(self.digest.len()),
        )
    }

    fn compute(&self, params: Params, password: &[u8]) -> Result<SecretBytes, ::argon2::Error> {
        let mut output = Zeroizing::new(vec![0; self.digest.len()]);
        let count = params.block_count();
        let argon2 = Argon2::new(self.algorithm, self.version, params);
        MEMORY.with_borrow_mut(|memory| {
            let missing = count.saturating_sub(memory.len());
            let had = memory.try_reserve_exact(missing);
            had.map_err(|_| ::argon2::Error::OutOfMemory)?;
            memory.resize(memory.len() + missing, Block::new());
            let blocks = memory.get_mut(..count).unwrap_or_default();
            argon2.hash_password_into_with_memory(password, &self.salt, &mut output, blocks)
        })?;
        Ok(output)
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let computed = self
            .params()
            .and_then(|params| self.compute(params, password));
        computed.is_ok_and(|digest| constant_time_eq(&digest, &self.digest))
    }

    /// Whether our own scheme with these parameters would make such a hash.
    pub(crate) fn is_own(&self, memory_kib: u32, iterations: u32, parallelism: u32) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.digest.len() == OUTPUT
            && (self.memory_kib, self.iterations, self.parallelism)
                == (memory_kib, iterations, parallelism)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.algorithm.as_str()
    }

    pub(crate) fn to_text(&self) -> String {
        format!(
            "${}$v={}$m={},t={},p={}${}${}",
            self.name(),
            u32::from(self.version),
            self.memory_kib,
            self.iterations,
            self.parallelism,
            *to_phc(&self.salt),
            *to_phc(&self.digest),
        )
    }
}
