//! One round of a hash function over the password, with a salt on either side or none: `md4`,
//! `md5`, `sha1`, `sha256`, `sha512`. Refuses a hash that has not the digest's length.

use constant_time_eq::constant_time_eq;
use domain::RowError;

use crate::canonical::Canonical;
use crate::digest::Digest;
use crate::encoding::SecretBytes;
use crate::record::{Record, Salt};
use crate::wrapped::Fast;

pub(crate) struct PlainHash {
    digest: Digest,
    salt: Option<Salt>,
    hash: SecretBytes,
}

impl PlainHash {
    pub(crate) fn read(record: Record, digest: Digest) -> Result<Self, RowError> {
        let hash = record.digest_value(digest)?;
        Ok(Self {
            digest,
            salt: record.salt,
            hash,
        })
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        constant_time_eq(&self.compute(password), &self.hash)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.digest.name()
    }

    pub(crate) fn canonical(&self) -> Canonical {
        let mut canonical = Canonical::new(self.digest.name());
        canonical.binary_hash(&self.hash);
        canonical.salt(self.salt.as_ref());
        canonical
    }

    /// Puts zeros in the digest's place.
    pub(crate) fn forget(&mut self) {
        self.hash.fill(0);
    }
}

impl Fast for PlainHash {
    fn compute(&self, password: &[u8]) -> SecretBytes {
        self.digest.hash(&Salt::join(self.salt.as_ref(), password))
    }

    fn digest(&self) -> &[u8] {
        &self.hash
    }
}
