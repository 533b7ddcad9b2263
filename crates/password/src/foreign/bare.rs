//! Digests that do not say what they are: a column of hex or base64, perhaps a salt beside it.
//! What they are, the options say.

use constant_time_eq::constant_time_eq;
use zeroize::Zeroizing;

use super::{Check, Reading, UnreadableHash};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, TextEncoding};
use crate::record::{Salt, VALUE};
use crate::wrapped::{FEW_ROUNDS, Fast};

/// The bytes of a digest, at least so many.
pub(super) fn digest_bytes(
    encoding: TextEncoding,
    text: &str,
    least: usize,
) -> Result<SecretBytes, UnreadableHash> {
    let bytes = encoding.decode(VALUE, text)?;
    if bytes.len() < least {
        let found = bytes.len();
        let why = format!("its digest has {found} bytes, fewer than {least}");
        return Err(UnreadableHash::new(why));
    }
    Ok(bytes)
}

/// A digest of a digest of … the salted password.
pub(super) struct Rounds {
    digest: Digest,
    salt: Option<Salt>,
    count: u32,
    /// Symfony joins each digest with the salted password.
    again: bool,
    hash: SecretBytes,
}

impl Rounds {
    /// One round.
    pub(super) fn once(digest: Digest, salt: Option<Salt>, hash: SecretBytes) -> Reading {
        if hash.len() == digest.size() {
            Ok(Self::chain(digest, salt, 1, hash))
        } else {
            Err(wrong_size(digest, &hash))
        }
    }

    /// Each round over the last one's bytes.
    pub(super) fn chain(
        digest: Digest,
        salt: Option<Salt>,
        rounds: u32,
        hash: SecretBytes,
    ) -> Box<dyn Check> {
        Box::new(Self {
            digest,
            salt,
            count: rounds,
            again: false,
            hash,
        })
    }

    /// Symfony's: the password is joined with `{salt}`, and joins every round again.
    pub(super) fn symfony(
        digest: Digest,
        salt: Option<Salt>,
        rounds: u32,
        hash: SecretBytes,
    ) -> Box<dyn Check> {
        let braced = salt.filter(|salt| !salt.bytes.is_empty()).map(|salt| Salt {
            bytes: Zeroizing::new([b"{", salt.bytes.as_slice(), b"}"].concat()),
            suffix: true,
        });
        Box::new(Self {
            digest,
            salt: braced,
            count: rounds,
            again: true,
            hash,
        })
    }
}

/// The refusal of a digest that its algorithm cannot have made.
pub(super) fn wrong_size(digest: Digest, hash: &[u8]) -> UnreadableHash {
    UnreadableHash::new(format!(
        "{} makes {} bytes, and it has {}",
        digest.name(),
        digest.size(),
        hash.len()
    ))
}

impl Check for Rounds {
    fn verify(&self, password: &[u8]) -> bool {
        constant_time_eq(&self.compute(password), &self.hash)
    }

    fn fast(&self) -> Option<&dyn Fast> {
        (self.count <= FEW_ROUNDS).then_some(self)
    }
}

impl Fast for Rounds {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        let salted = Salt::join(self.salt.as_ref(), password);
        let mut digest = self.digest.hash(&salted);
        for _ in 1..self.count {
            digest = if self.again {
                let message = Zeroizing::new([digest.as_slice(), salted.as_slice()].concat());
                self.digest.hash(&message)
            } else {
                self.digest.hash(&digest)
            };
        }
        digest
    }

    fn digest(&self) -> &[u8] {
        &self.hash
    }
}

/// An HMAC under a key that the store or the options hold.
pub(super) struct HmacRound {
    digest: Digest,
    key: SecretBytes,
    salt: Option<Salt>,
    hash: SecretBytes,
}

impl HmacRound {
    pub(super) fn boxed(
        digest: Digest,
        key: SecretBytes,
        salt: Option<Salt>,
        hash: SecretBytes,
    ) -> Reading {
        if hash.len() != digest.size() {
            return Err(wrong_size(digest, &hash));
        }
        Ok(Box::new(Self {
            digest,
            key,
            salt,
            hash,
        }))
    }
}

impl Check for HmacRound {
    fn verify(&self, password: &[u8]) -> bool {
        constant_time_eq(&self.compute(password), &self.hash)
    }

    fn fast(&self) -> Option<&dyn Fast> {
        Some(self)
    }
}

impl Fast for HmacRound {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        let message = Salt::join(self.salt.as_ref(), password);
        self.digest.hmac(&self.key, &message)
    }

    fn digest(&self) -> &[u8] {
        &self.hash
    }
}
