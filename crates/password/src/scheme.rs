//! How Ferry itself hashes a password: argon2id, or bcrypt by setting.

use domain::{Entropy, Password};

use crate::family::argon2::Argon2Hash;
use crate::family::bcrypt::BcryptHash;
use crate::{Kind, PasswordHash};

/// The scheme of new hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Argon2id, version 19, 16 bytes of salt, 32 of output.
    Argon2id {
        /// Memory in KiB, at least 8 for each lane.
        memory_kib: u32,
        /// Passes over the memory, at least 1.
        iterations: u32,
        /// Lanes, at least 1.
        parallelism: u32,
    },
    /// bcrypt `$2b$`. It sees the first 72 bytes of a password only.
    Bcrypt {
        /// log₂ of the rounds, 4 to 31.
        cost: u32,
    },
}

impl Default for Scheme {
    /// Argon2id with 19 MiB, two passes, one lane (OWASP's first recommendation).
    fn default() -> Self {
        Self::Argon2id {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        }
    }
}

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The scheme's parameters are outside what its algorithm takes.
    #[error("the password scheme's parameters are out of range: {0}")]
    Parameters(String),
    /// The algorithm could not run, for want of memory.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

impl Scheme {
    /// Hashes a password with a new salt. As slow as the scheme says: call it off the async
    /// threads.
    pub fn hash(
        &self,
        password: &Password,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, HashError> {
        let password = password.expose().as_bytes();
        let kind = match *self {
            Self::Argon2id { .. } => Kind::Argon2(self.argon2(password, entropy)?),
            Self::Bcrypt { cost } => {
                Kind::Bcrypt(BcryptHash::create(password, salt(entropy), cost)?)
            }
        };
        Ok(PasswordHash(kind))
    }

    /// Argon2id of any bytes with a new salt. Refuses the other scheme.
    pub(crate) fn argon2(
        &self,
        bytes: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Argon2Hash, HashError> {
        match *self {
            Self::Argon2id {
                memory_kib,
                iterations,
                parallelism,
            } => {
                let salt = salt(entropy);
                Argon2Hash::create(bytes, &salt, memory_kib, iterations, parallelism)
            }
            Self::Bcrypt { .. } => Err(HashError::Parameters("not argon2".to_owned())),
        }
    }
}

fn salt(entropy: &dyn Entropy) -> [u8; 16] {
    let mut salt = [0_u8; 16];
    entropy.fill(&mut salt);
    salt
}
